"""Fetch a file or 404: through its ticket, or as one's own upload that is not sent yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404

from helpdesk.actions.models import Action, Attachment
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.access import desk_tickets
from helpdesk.tickets.models import Ticket

if TYPE_CHECKING:
    from helpdesk.accounts.models import User


def file_for(user: User, pk: int) -> Attachment:
    """A file of a ticket this member of staff may see, or their own upload; 404 otherwise (403 for clients)."""
    tickets = desk_tickets(user)
    found = Attachment.objects.present().select_related("ticket", "psa_account").filter(pk=pk).first()
    if found is None:
        raise Http404
    if found.ticket_id is None:
        if found.uploaded_by_id != user.pk:
            raise Http404
        return found
    if not tickets.only_ids([found.ticket_id]).exists():
        raise Http404
    return found


def upload_for(user: User, pk: int) -> Attachment:
    """One's own upload that is not sent yet."""
    found = file_for(user, pk)
    if found.ticket_id is not None:
        raise Http404
    return found


def image_for(user: User, ticket_id: int, reference: str) -> Attachment:
    """An image inside a ticket's text. A client sees it on a ticket of theirs, once a public text shows it."""
    if not Ticket.objects.on_record_for(user).filter(pk=ticket_id).exists():
        raise Http404
    files = Attachment.objects.present() if user.is_desk else Attachment.objects.public()
    # The mark on the row outlives the text: what is internal or gone by now shows its images to nobody outside.
    if not user.is_desk and not Action.objects.public().filter(ticket=ticket_id, body__contains=reference).exists():
        raise Http404
    found = files.select_related("psa_account").filter(ticket=ticket_id, inline_reference=reference).first()
    if found is None:
        raise Http404
    return found


def account_for(key: str) -> PsaAccount:
    """A PSA account by the key a form carries, or 404."""
    found = PsaAccount.objects.filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None
    if found is None:
        raise Http404
    return found
