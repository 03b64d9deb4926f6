"""Bytes of a PSA's attachment into our own storage, because somebody wants to see them."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import IO

from django.core.cache import cache
from django.core.files.base import File
from django.utils.translation import gettext as _

from connectors.base.connector import Connector, Download
from connectors.base.errors import ConnectorError, NotFound, RateLimited
from connectors.sync import gateway, journal
from helpdesk.actions import files
from helpdesk.actions.choices import FileState
from helpdesk.actions.models import Attachment
from helpdesk.core.formatting import file_size

LOCK_SECONDS = 120
MEMORY_BYTES = 1024 * 1024


class _TooLarge(Exception):
    """More bytes than one file may have here."""


def fetch_file(*, attachment_id: int, clock: Callable[[], datetime]) -> bool:
    """Fetch one attachment that waits for it. False when it did not work; the row says why."""
    attachment = Attachment.objects.select_related("ticket", "psa_account").filter(pk=attachment_id).first()
    if attachment is None or attachment.state != FileState.FETCHING or attachment.ticket is None:
        return False
    if not cache.add(f"sync:fetch:{attachment_id}", 1, LOCK_SECONDS):
        return False  # another worker is at it
    started, text, calls = time.monotonic(), "", 0
    try:
        with gateway.using(attachment.psa_account, rank=gateway.PEOPLE, clock=clock) as connector:
            _fetch(attachment, connector)
            calls = connector.calls
    except _TooLarge:
        text = _("It is larger than %(most)s.") % {"most": file_size(files.limit_for(attachment.psa_account))}
    except NotFound:
        text = _("The PSA does not have it any more.")
    except RateLimited:
        text = _("The PSA asks us to wait. Try again in a minute.")
    except ConnectorError as error:
        text = _("The PSA did not send it: %(why)s") % {"why": error.text or type(error).__name__}
    finally:
        cache.delete(f"sync:fetch:{attachment_id}")
    if text:
        files.fetch_failed(attachment=attachment, text=text)
    journal.note(
        account_id=attachment.psa_account_id,
        what="fetch",
        text=f"{attachment.name}: {text or file_size(attachment.size)}",
        now=clock(),
        ok=not text,
        ticket_id=attachment.ticket_id,
        calls=calls,
        seconds=time.monotonic() - started,
    )
    return not text


def _fetch(attachment: Attachment, connector: Connector) -> None:
    with (
        _opened(attachment, connector) as download,
        tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as spool,
    ):
        digest, size = _copy(download, spool, limit=files.limit_for(attachment.psa_account))
        spool.seek(0)
        files.keep_fetched(
            attachment=attachment,
            file=File(spool, name=attachment.name),
            content_type=download.content_type,
            sha256=digest,
            size=size,
        )


def _opened(attachment: Attachment, connector: Connector) -> AbstractContextManager[Download]:
    if attachment.inline_reference:
        return connector.inline_image(attachment.inline_reference)
    assert attachment.ticket is not None
    return connector.download(str(attachment.remote_id), ticket=str(attachment.ticket.remote_id))


def _copy(download: Download, spool: IO[bytes], *, limit: int) -> tuple[str, int]:
    """Bytes into the spool, in constant memory. Gives their sha256 and number."""
    if download.size is not None and download.size > limit:
        raise _TooLarge
    digest, size = hashlib.sha256(), 0
    for chunk in download.chunks:
        size += len(chunk)
        if size > limit:
            raise _TooLarge
        digest.update(chunk)
        spool.write(chunk)
    return digest.hexdigest(), size


def waiting_files(limit: int = 20) -> list[int]:
    """Attachments that somebody asked for and nobody has fetched: their doorbell may have been lost."""
    return list(Attachment.objects.filter(state=FileState.FETCHING).order_by("pk").values_list("pk", flat=True)[:limit])
