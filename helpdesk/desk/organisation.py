"""Change what the MSP is called and looks like."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import filetype
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.desk.brand import forget_firm
from helpdesk.directory.models import Organisation
from helpdesk.sla.versions import follow_organisation
from helpdesk.tickets import clock_jobs

LOGO_BYTES = 512 * 1024
LOGO_TYPES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
"""No SVG: it can carry script."""


@dataclass(frozen=True)
class Picture:
    content: bytes
    content_type: str


def logo_type(content: bytes) -> str | None:
    """The type by the bytes themselves, when it is one we show; the name and the browser's word count for nothing."""
    kind = filetype.guess(content[:512])
    return kind.mime if kind and kind.mime in LOGO_TYPES else None


def read_logo(name: str) -> Picture | None:
    """The stored logo; None when there is none, or when its file is gone."""
    if not name:
        return None
    try:
        with default_storage.open(name) as file:
            content = file.read(LOGO_BYTES + 1)
    except OSError:
        return None
    kind = logo_type(content)
    return Picture(content, kind) if kind else None


def organisation_row() -> Organisation:
    """The one row; unsaved defaults before there is one."""
    return Organisation.objects.order_by("pk").first() or Organisation()


@transaction.atomic
def change_organisation(
    *,
    values: Mapping[str, Any],
    logo: UploadedFile | None = None,
    drop_logo: bool = False,
    by: User,
    now: datetime,
    request_id: str = "",
) -> Organisation:
    """Write the row. A new logo replaces the old one under a new, random name."""
    row = organisation_row()
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    old_logo = row.logo.name if row.logo else ""
    if logo is not None:
        content = logo.read()
        ending = LOGO_TYPES[logo_type(content) or "image/png"]
        row.logo.save(f"{secrets.token_hex(12)}.{ending}", ContentFile(content), save=False)
    elif drop_logo:
        row.logo = ""
    row.save()
    if before.get("time_zone") != row.time_zone and follow_organisation(now=now, user=by):
        clock_jobs.request(now=now)  # calendars without a zone of their own go by the organisation's
    if old_logo and (logo is not None or drop_logo):
        transaction.on_commit(lambda: default_storage.delete(old_logo))
    changed = {name: values[name] for name in values if before[name] != values[name]}
    if logo is not None or drop_logo:
        changed["logo"] = "changed" if logo is not None else "removed"
    if changed:
        record_audit(
            user=by, verb="organisation.change", subject=f"organisation:{row.pk}", detail=changed, now=now,
            request_id=request_id,
        )  # fmt: skip
    transaction.on_commit(forget_firm)
    return row
