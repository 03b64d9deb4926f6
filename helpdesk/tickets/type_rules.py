"""What a ticket's type asks for and allows, as the PSA's configuration has it: statuses, fields, files."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.fields import FIELDS

if TYPE_CHECKING:
    from helpdesk.tickets.models import Status, TicketType


def allows(status: Status, kind: TicketType | None) -> bool:
    """Whether tickets of this type may have this status; a ticket without a type may have any."""
    return not status.ticket_types or kind is None or kind.remote_id in status.ticket_types


def why_not(status: Status, kind: TicketType | None) -> str:
    """Why tickets of this type may not have this status; empty when they may."""
    if allows(status, kind):
        return ""
    return _("%(type)s tickets do not use %(status)s") % {"type": kind, "status": status}


_FLAGS = {"site": "sites", "team": "teams", "category": "categories", "subcategory": "categories",
          "impact": "impact", "urgency": "urgency"}  # fmt: skip
"""Field -> the capability without which the account has no such field."""


def needed(kind: TicketType | None, account: PsaAccount) -> list[str]:
    """Fields that a new ticket of this type must have, of those that can be filled in for this account."""
    names = kind.required_fields if kind is not None else []
    return [name for name in names if name in FIELDS and account.capabilities.get(_FLAGS.get(name, "")) is not False]


def missing(kind: TicketType | None, account: PsaAccount, filled: Collection[str]) -> dict[str, str]:
    """Field -> what is wrong, for each that this type asks for and that is empty."""
    return {
        name: _("%(field)s is required for %(type)s") % {"field": FIELDS[name].label, "type": kind}
        for name in needed(kind, account)
        if name not in filled
    }


def no_files(account: PsaAccount, kind: TicketType | None, *, is_sure: bool = False) -> str:
    """Why no file may be added; empty when one may. `is_sure`: an account that does not say so takes none."""
    if account.capabilities.get("attachments_upload", not is_sure) is False:
        psa = {"psa": account.title}
        return _("%(psa)s takes no files from here. Upload them there, or send a link.") % psa
    if kind is not None and not kind.allow_attachments:
        return _("%(type)s tickets take no attachments in %(psa)s.") % {"type": kind, "psa": account.title}
    return ""
