"""Files: checked and stored when they come in, fetched from the PSA when somebody asks, swept when nobody sent them."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

import filetype
from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.choices import FileState
from helpdesk.actions.models import Attachment, Draft
from helpdesk.core import bell, live
from helpdesk.core.errors import Refused
from helpdesk.core.formatting import file_size
from helpdesk.directory.models import PsaAccount

_FORBIDDEN = re.compile(
    r"\.(exe|scr|com|pif|bat|cmd|msi|msp|hta|cpl|jar|vbs|vbe|js|jse|wsf|wsh|ps1|lnk|reg|iso)$", re.I
)
_ACTIVE = {"text/javascript", "application/javascript", "text/css", "text/xml", "application/xml", "application/wasm"}
"""Types that a page of ours would run or apply if markup ever pointed it there: never said, whatever the name."""
DRAFT_DAYS = 7


def limit_for(account: PsaAccount | None) -> int:
    """Bytes that one file may have: ours, or the PSA's when that is less."""
    theirs = (account.capabilities.get("attachment_bytes") if account else None) or settings.MAX_FILE_BYTES
    asked = (account.settings.get("attachment_bytes") if account else None) or 0
    return int(asked or min(settings.MAX_FILE_BYTES, int(theirs)))


def safe_name(name: str) -> str:
    """A file name without path, control or direction characters, at most 200 characters, never empty."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] != "C").strip(" .")
    if len(name) > 200:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: 199 - len(ending)]}.{ending}" if dot and len(ending) < 12 else name[:200]
    return name or "file"


@transaction.atomic
def store_file(
    *, upload: File, name: str, account: PsaAccount | None, user: User | None, draft: Draft | None, now: datetime
) -> Attachment:
    """Check and keep an uploaded file. Raises Refused (field `files`) and keeps nothing."""
    name = safe_name(name)
    limit = limit_for(account)
    size = upload.size or 0
    if size > limit:
        raise Refused(
            {"files": _("%(name)s has %(size)s; at most %(most)s can be sent to %(psa)s.") % {
                "name": name, "size": file_size(size), "most": file_size(limit),
                "psa": account.title if account else _("the PSA"),
            }}
        )  # fmt: skip
    if size == 0:
        raise Refused({"files": _("%(name)s is empty.") % {"name": name}})
    if _FORBIDDEN.search(name):
        raise Refused(
            {"files": _("%(name)s is a program; programs are not taken. Put it into a zip.") % {"name": name}}
        )
    digest = hashlib.sha256()
    head = b""
    for chunk in upload.chunks(1024 * 1024):
        head = head or chunk[:4096]
        digest.update(chunk)
    upload.seek(0)
    attachment = Attachment(
        psa_account=account,
        name=name,
        size=size,
        content_type=kind_of(name, head),
        sha256=digest.hexdigest(),
        uploaded_by=user,
        draft=draft,
        state=FileState.STORED,
        created_at=now,
    )
    attachment.file.save(name, upload, save=False)
    attachment.save()
    return attachment


def kind_of(name: str, head: bytes) -> str:
    """The media type by what the bytes are, else by the name; markup is always plain text, so that nothing renders."""
    start = head[:512].lstrip().lower()
    if start.startswith((b"<svg", b"<html", b"<!doctype", b"<script", b"<?xml")):
        return "text/plain"
    found = filetype.guess_mime(head)
    if found:
        return str(found)
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if guessed.startswith("image/") or guessed in {"text/html", "application/xhtml+xml"}:
        # A name that claims an image which the bytes are not.
        guessed = "text/plain" if guessed.startswith("text/") else "application/octet-stream"
    if guessed in _ACTIVE:
        guessed = "text/plain"
    if guessed.startswith("text/") and b"\x00" in head:
        return "application/octet-stream"
    return guessed


def drafted(*, user: User, ids: Iterable[int]) -> list[Attachment]:
    """Files that this person uploaded and has not sent yet, in the order asked for."""
    wanted = list(ids)
    if not wanted:
        return []  # nearly always: what no query asks for need not be put together either
    found = {a.pk: a for a in Attachment.objects.filter(pk__in=wanted, uploaded_by=user, ticket=None, removed_at=None)}
    return [found[pk] for pk in wanted if pk in found]


@transaction.atomic
def request_file(*, attachment: Attachment, now: datetime) -> bool:
    """Somebody wants bytes that are in the PSA: mark them to be fetched. True when a fetch is now under way."""
    rows = Attachment.objects.filter(pk=attachment.pk, state__in=[FileState.REMOTE, FileState.FAILED])
    if rows.update(state=FileState.FETCHING, state_text=""):
        transaction.on_commit(lambda: bell.ring("sync.fetch_file", attachment.pk))
        return True
    return attachment.state == FileState.FETCHING


@transaction.atomic
def keep_fetched(*, attachment: Attachment, file: File, content_type: str, sha256: str, size: int) -> None:
    """The bytes are here: they are served from our own storage from now on."""
    head = file.read(4096)
    file.seek(0)
    attachment.file.save(attachment.name, file, save=False)
    attachment.size, attachment.sha256 = size, sha256
    attachment.content_type = kind_of(attachment.name, head)
    attachment.state, attachment.state_text = FileState.STORED, ""
    attachment.save(update_fields=["file", "size", "sha256", "content_type", "state", "state_text"])
    if attachment.ticket_id:
        live.touch(live.ticket_scope(attachment.ticket_id))


@transaction.atomic
def fetch_failed(*, attachment: Attachment, text: str) -> None:
    """Say why; the next click tries again."""
    Attachment.objects.filter(pk=attachment.pk).update(state=FileState.FAILED, state_text=text[:200])
    if attachment.ticket_id:
        live.touch(live.ticket_scope(attachment.ticket_id))


def sweep(*, now: datetime) -> int:
    """Delete uploads that hung on a form nobody sent: after a week, or a month where the draft still stands."""
    old, very_old = now - timedelta(days=DRAFT_DAYS), now - timedelta(days=DRAFT_DAYS * 4)
    given_up = Q(draft=None) | Q(draft__saved_at__lt=very_old)
    count = 0
    for attachment in Attachment.objects.filter(given_up, ticket=None, created_at__lt=old)[:500]:
        attachment.file.delete(save=False)
        attachment.delete()
        count += 1
    return count
