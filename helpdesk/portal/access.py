"""Fetch what a client may see, or 404. Everything outside stays unsaid: a wrong key and a foreign ticket look alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Case, Count, DateTimeField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Lower
from django.http import Http404
from django.utils.translation import gettext as _

from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from helpdesk.actions.choices import Kind
from helpdesk.actions.models import Action, Attachment, ClientMail, Escalation
from helpdesk.directory.models import Client, Contact, Organisation, Site
from helpdesk.portal.models import StatusLink, hash_token
from helpdesk.portal.words import Reader
from helpdesk.tickets.choices import Category
from helpdesk.tickets.models import Status, Ticket, TicketEvent
from helpdesk.tickets.querysets import TicketQuerySet

ROWS = 50
RECENT = timedelta(days=7)
"""How long a finished request stays in the list of open ones."""
TEXTS = 200


def is_client(user: User) -> bool:
    return user.role == Role.CLIENT


def link_for(token: str, now: datetime) -> StatusLink:
    """The open link of this token. A link mailed to somebody of another client than the ticket's is closed."""
    found = (
        StatusLink.objects.filter(token_hash=hash_token(token))
        .select_related("contact__site", "contact__client", "client", "ticket")
        .first()
    )
    if found is None or not found.is_open(now):
        raise Http404
    if found.contact is not None and found.contact.erased_at:
        raise Http404
    if found.ticket is not None and (found.ticket.removed_at or _moved_away(found)):
        raise Http404
    return found


def _moved_away(link: StatusLink) -> bool:
    theirs, now = link.contact.client_id if link.contact else None, link.ticket.client_id if link.ticket else None
    return theirs is not None and theirs != now


def answering_contact(link: StatusLink) -> Contact | None:
    """Who an answer by this link comes from; None = the link only reads."""
    contact = link.contact
    if link.ticket_id is None or contact is None or not contact.is_active or contact.erased_at:
        return None
    return contact


def open_links(ticket: Ticket, now: datetime) -> list[StatusLink]:
    """For staff: links of this ticket that still open, newest first."""
    rows = StatusLink.objects.filter(ticket=ticket, revoked_at=None).select_related("contact")
    return [row for row in rows.order_by("-created_at")[:20] if row.is_open(now)]


def link_to_revoke(pk: int) -> StatusLink:
    found = StatusLink.objects.filter(pk=pk).select_related("ticket", "client", "contact").first()
    if found is None:
        raise Http404
    return found


def staff_ticket(user: User, pk: int) -> Ticket:
    """A ticket or client that staff makes a link to."""
    found = Ticket.objects.visible_to(user).select_related("contact", "client").filter(pk=pk).first()
    if found is None or not user.is_desk:
        raise Http404
    return found


def staff_client(user: User, pk: int) -> Client:
    found = Client.objects.filter(pk=pk).first()
    if found is None or not user.is_desk:
        raise Http404
    return found


def _for_client_page(tickets: TicketQuerySet) -> TicketQuerySet:
    return tickets.select_related("client", "site", "contact__site", "agent__user").defer(
        "raw", "confirmed", "description", "description_clean", "resolution", "escalation_reason", "client__raw",
        "site__raw", "contact__raw", "contact__site__raw", "agent__raw",
    )  # fmt: skip


def linked_ticket(link: StatusLink) -> Ticket:
    found = _for_client_page(Ticket.objects.present()).filter(links=link.pk).first()
    if found is None:
        raise Http404
    return found


def ticket_for(user: User, pk: int) -> Ticket:
    """A request that this client's person may see."""
    found = _for_client_page(Ticket.objects.visible_to(user)).filter(pk=pk).first() if is_client(user) else None
    if found is None:
        raise Http404
    return found


def mailed_ticket(pk: int) -> Ticket:
    """A request as a mail to its client tells of it."""
    found = _for_client_page(Ticket.objects.present()).prefetch_related("clocks").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def escalation_of(mail: ClientMail) -> Escalation | None:
    """What a mail to our own people tells of."""
    known = Q(pk=mail.escalation_id) if mail.escalation_id else Q(action=mail.action_id, action__isnull=False)
    found = Escalation.objects.filter(known).select_related("user").first()
    if found is not None:
        found.ticket = Ticket.objects.in_full().get(pk=found.ticket_id)
    return found


def staff_with(addresses: Collection[str]) -> list[User]:
    """Members of the desk by their address; nobody else."""
    wanted = {one.lower() for one in addresses}
    return [one for one in User.objects.filter(email__in=wanted, is_active=True) if one.is_desk]


def mailed_reply(ticket: Ticket, pk: int | None) -> Action:
    """A reply of ours that the client may read, or 404: looked up anew, whatever it was when the mail was written."""
    found = (
        Action.objects.public()
        .filter(ticket=ticket, pk=pk or 0, kind=Kind.REPLY, is_from_client=False)
        .select_related("author_user", "author_agent__user", "new_status")
        .first()
    )
    if found is None:
        raise Http404
    return found


def people_at(ticket: Ticket, addresses: Collection[str]) -> list[Contact]:
    """Active people of the ticket's client behind these addresses, the ticket's own contact first."""
    if ticket.client_id is None:
        return []
    wanted = [a.lower() for a in addresses]
    rows = Contact.objects.annotate(mail=Lower("email")).filter(
        client=ticket.client_id, is_active=True, erased_at=None, mail__in=wanted
    )
    return sorted(rows.select_related("site", "client", "user"), key=lambda c: (c.pk != ticket.contact_id, c.pk))


def last_words(ticket: Ticket, before: datetime) -> Action | None:
    """What the client wrote last before an answer."""
    rows = Action.objects.public().filter(ticket=ticket, is_from_client=True, occurred_at__lte=before)
    return rows.select_related("author_contact").order_by("-occurred_at", "-pk").first()


def contacts_of(user: User) -> list[Contact]:
    return list(user.contacts.filter(is_active=True, erased_at=None).select_related("client", "site").order_by("pk"))


def contact_in(contacts: Collection[Contact], ticket: Ticket) -> Contact | None:
    """Which of a user's contacts speaks on this ticket: the ticket's own, else one of the same client."""
    same = [c for c in contacts if c.client_id and c.client_id == ticket.client_id]
    own = [c for c in contacts if c.pk == ticket.contact_id]
    return next(iter(own + same), None)


def public_files(ticket: Ticket) -> QuerySet[Attachment]:
    """Files a client may open; those of a message that was taken back are gone with it."""
    return (
        Attachment.objects.public()
        .filter(ticket=ticket, inline_reference="")
        .exclude(action__removed_at__isnull=False)
        .order_by("created_at", "pk")
    )


def file_of(ticket: Ticket, pk: int) -> Attachment:
    found = public_files(ticket).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def file_for(user: User, pk: int) -> Attachment:
    found = Attachment.objects.public().filter(pk=pk).first() if is_client(user) else None
    if found is None or found.ticket_id is None:
        raise Http404
    return file_of(ticket_for(user, found.ticket_id), pk)


def public_actions(ticket: Ticket) -> list[Action]:
    """Newest first, with their people."""
    return list(
        Action.objects.public()
        .filter(ticket=ticket)
        .select_related("author_agent", "author_contact", "author_user")
        .defer("raw", "author_agent__raw", "author_contact__raw")
        .order_by("-occurred_at", "-pk")[:TEXTS]
    )


def status_changes(ticket: Ticket) -> tuple[list[TicketEvent], dict[str, str]]:
    """Changes of status in order, and the category of each status they name."""
    events = list(ticket.events.of_field("status").only("ticket", "old", "new", "at").order_by("at", "pk"))
    keys = {key for e in events for key in (e.old, e.new) if key.isdigit()}
    rows = Status.objects.filter(pk__in=keys).values_list("pk", "category") if keys else []
    return events, {str(pk): category for pk, category in rows}


def last_asked(tickets: Collection[Ticket]) -> dict[int, Action]:
    """Ticket id -> our last public message, for the requests that wait for their client."""
    waiting = [t.pk for t in tickets if t.status_category == Category.WAITING_CLIENT]
    if not waiting:
        return {}
    rows = Action.objects.public().filter(ticket__in=waiting, is_from_client=False).defer("raw")
    return {row.ticket_id: row for row in rows.order_by("occurred_at", "pk")}


@dataclass(frozen=True, kw_only=True)
class Listing:
    total: int
    opened: int
    yours: int
    late: int
    rows: Sequence[Ticket]
    has_more: bool


def listing_for(
    user: User, *, contacts: Collection[Contact], whose: str, show: str, page: int, now: datetime
) -> Listing:
    """`whose` is mine or all; `show` is open, yours, late or done."""
    tickets = Ticket.objects.visible_to(user) if is_client(user) else Ticket.objects.none()
    if whose == "mine":
        tickets = tickets.filter(contact__in=[c.pk for c in contacts])
    return _listing(tickets, show=show, page=page, now=now)


def listing_of_client(client: Client, *, show: str, page: int, now: datetime) -> Listing:
    return _listing(Ticket.objects.present().filter(client=client), show=show, page=page, now=now)


def _listing(tickets: TicketQuerySet, *, show: str, page: int, now: datetime) -> Listing:
    yours, late = _yours(), _late(now)
    counts = tickets.aggregate(
        total=Count("pk"), opened=Count("pk", Q(is_open=True)), yours=Count("pk", yours), late=Count("pk", late)
    )
    chosen = {
        "open": Q(is_open=True) | Q(is_open=False, finished_at__gte=now - RECENT),
        "yours": yours,
        "late": late,
        "done": Q(is_open=False),
    }[show]
    newest = Action.objects.public().filter(ticket=OuterRef("pk")).order_by("-occurred_at").values("occurred_at")[:1]
    rows = list(
        _for_client_page(tickets.filter(chosen))
        .prefetch_related("clocks")
        .annotate(
            told_at=Subquery(newest, output_field=DateTimeField()),
            turn=Case(When(yours, then=Value(0)), When(is_open=True, then=Value(1)), default=Value(2)),
        )
        .annotate(seen_at=Coalesce("told_at", "opened_at"))
        .order_by("turn", "-seen_at", "-pk")[(page - 1) * ROWS : page * ROWS + 1]
    )
    return Listing(**counts, rows=rows[:ROWS], has_more=len(rows) > ROWS)


def _yours() -> Q:
    return Q(is_open=True, status_category=Category.WAITING_CLIENT, client_replied_at=None)


def _late(now: datetime) -> Q:
    return Q(is_open=True, next_due_at__lt=now) & ~_yours()


def organisation() -> Organisation:
    return Organisation.objects.order_by("pk").first() or Organisation()


def reader_for(
    *, now: datetime, firm: Organisation, user: User | None = None, contact: Contact | None = None,
    site: Site | None = None, client: Client | None = None,
) -> Reader:  # fmt: skip
    """The zone to tell times in: the person's own, else site, client, organisation."""
    theirs = [
        getattr(user, "time_zone", ""),
        contact.site.time_zone if contact and contact.site else "",
        site.time_zone if site else "",
        client.time_zone if client else "",
    ]
    for name in theirs:
        zone = _zone(name)
        if zone:
            return Reader(now=now, zone=zone, zone_words=_("your time"))
    zone = _zone(firm.time_zone) or ZoneInfo("UTC")
    place = zone.key.rpartition("/")[2].replace("_", " ")
    return Reader(now=now, zone=zone, zone_words=_("{place} time").format(place=place))


def zone_of(firm: Organisation) -> ZoneInfo:
    return _zone(firm.time_zone) or ZoneInfo("UTC")


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
