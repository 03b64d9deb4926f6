"""A file in a JSON body, never in memory."""

from __future__ import annotations

import base64
import hashlib
import io
import json

import pytest

from connectors.base.errors import Rejected
from connectors.base.html import shown, text_hash, to_html, to_text
from connectors.base.records import FileDraft
from connectors.base.uploads import CHUNK_BYTES, json_upload


def file_draft(data: bytes, *, name: str = "a.bin", size: int | None = None, stream: type = io.BytesIO) -> FileDraft:
    return FileDraft(
        ticket="1",
        name=name,
        content_type="image/png",
        size=len(data) if size is None else size,
        is_public=False,
        sha256=hashlib.sha256(data).hexdigest(),
        open=lambda: stream(data),
    )


class Trickle(io.BytesIO):
    """A stream that gives fewer bytes than asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 1, 7) if size and size > 0 else size)


@pytest.mark.parametrize("size", [0, 1, 2, 3, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 2])
@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
def test_the_body_is_json_of_the_length_that_was_said(size: int, stream: type) -> None:
    data = bytes(i % 251 for i in range(size))
    name = 'quo"te \\ \u2603 \n.png'
    draft = file_draft(data, name=name, stream=stream)
    body = json_upload(draft, lambda text: [{"filename": draft.name, "data": text}], prefix="data:image/png;base64,")
    for _ in range(2):
        sent = b"".join(body.chunks())
        assert len(sent) == body.length
        row = json.loads(sent)[0]
        assert row["filename"] == name
        assert base64.b64decode(row["data"].removeprefix("data:image/png;base64,"), validate=True) == data


@pytest.mark.parametrize("size", [3, 5, 8])
def test_a_file_of_another_length_is_not_sent_to_its_end(size: int) -> None:
    draft = file_draft(b"abcd", size=size)
    with pytest.raises(Rejected):
        b"".join(json_upload(draft, lambda text: [text]).chunks())


def test_progress_is_told_and_ends_at_the_size() -> None:
    told: list[int] = []
    draft = file_draft(b"x" * 1_000_000)
    draft = FileDraft(**{**vars(draft), "on_progress": told.append})
    b"".join(json_upload(draft, lambda text: [text]).chunks())
    assert told[-1] == 1_000_000
    assert len(told) < 5


def test_text_of_markup() -> None:
    assert to_text("<p>Paper <b>jam</b></p><script>x()</script><!-- c -->&amp; more") == "Paper jam & more"
    assert to_text("3 < 4 and 5 > 2") == "3 < 4 and 5 > 2"
    assert to_html("a < b\r\nnext") == "a &lt; b<br>next"


def test_the_hash_sees_words_only() -> None:
    assert text_hash("<p>Paper  jam</p>") == text_hash("paper jam") == text_hash("Paper\njam<!-- helpdesk:x -->")
    assert text_hash("paper jam") != text_hash("paper tray")
    assert text_hash(to_html("a <b> c"), is_html=True) == text_hash("a <b> c", is_html=False)


def test_a_message_is_short_and_plain() -> None:
    assert shown("<b>No</b>") == "No"
    assert len(shown("x" * 9000)) == 500
