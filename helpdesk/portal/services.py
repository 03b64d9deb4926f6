"""Links for clients, and what a client sends."""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.actions.files import request_file
from helpdesk.actions.models import Action, Attachment
from helpdesk.actions.services import add_client_reply
from helpdesk.core.origin import Origin
from helpdesk.directory.models import Client, Contact
from helpdesk.portal.models import StatusLink, hash_token, new_token
from helpdesk.tickets.models import Ticket

LINK_LASTS = timedelta(days=90)
MOST_LINKS = 50
_SALT = "helpdesk.portal.mail_link"


@transaction.atomic
def create_link(
    *, ticket: Ticket | None = None, client: Client | None = None, contact: Contact | None = None,
    created_by: User | None, now: datetime, expires_in: timedelta | None = LINK_LASTS, request_id: str = "",
    token: str = "",
) -> tuple[StatusLink, str]:  # fmt: skip
    """A link to one ticket or one client, and its token, which is nowhere stored and never seen again.

    With a contact, a ticket's link may answer as that person. `expires_in` None = until it is revoked.
    """
    token = token or new_token()
    link = StatusLink.objects.create(
        token_hash=hash_token(token),
        ticket=ticket,
        client=client,
        contact=contact,
        created_by=created_by,
        created_at=now,
        expires_at=now + expires_in if expires_in else None,
    )
    record_audit(
        user=created_by, verb="link.create", subject=_subject(link), now=now, request_id=request_id,
        detail={"link": link.pk, "contact": contact.pk if contact else None, "expires_at": _iso(link.expires_at)},
    )  # fmt: skip
    return link, token


def mail_link(*, ticket: Ticket, contact: Contact, now: datetime) -> str:
    """The token of the link that mails to this contact carry; each mail lets it last anew.

    Made from our key and the ticket's secret reference instead of being drawn: kept nowhere, and still the same when a
    mail is put together twice. After staff closed one, the next mail carries another.
    """
    for turn in range(MOST_LINKS):
        digest = salted_hmac(_SALT, f"{ticket.marker}:{contact.pk}:{turn}", algorithm="sha256").digest()
        token = urlsafe_b64encode(digest).decode().rstrip("=")
        link = StatusLink.objects.filter(token_hash=hash_token(token)).first()
        if link is None:
            create_link(ticket=ticket, contact=contact, created_by=None, now=now, token=token)
            return token
        if link.revoked_at is None:
            StatusLink.objects.filter(pk=link.pk).update(expires_at=now + LINK_LASTS)
            return token
    return ""


@transaction.atomic
def revoke_link(*, link: StatusLink, user: User | None, now: datetime, request_id: str = "") -> None:
    """End a link at once. Twice is harmless."""
    if not StatusLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now):
        return
    link.revoked_at = now
    record_audit(
        user=user, verb="link.revoke", subject=_subject(link), detail={"link": link.pk}, now=now,
        request_id=request_id,
    )  # fmt: skip


def answer(
    *, ticket: Ticket, contact: Contact, text: str, marker: uuid.UUID, now: datetime,
    user: User | None = None, link: StatusLink | None = None,
) -> Action:  # fmt: skip
    """The client's words, on the ticket and on their way. The same marker twice is one answer."""
    with transaction.atomic():
        if link is not None:
            StatusLink.objects.filter(pk=link.pk).update(last_used_at=now)
        return add_client_reply(
            ticket=ticket, contact=contact, text=text, origin=Origin.client(contact, user), now=now, marker=str(marker)
        )


def fetch(*, attachment: Attachment, now: datetime) -> None:
    """Ask for the bytes of a file that is not here yet."""
    request_file(attachment=attachment, now=now)


def _subject(link: StatusLink) -> str:
    return f"ticket:{link.ticket_id}" if link.ticket_id else f"client:{link.client_id}"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
