"""What the palette finds: a number's tickets, pages, tickets by their words, clients by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.core.formatting import safe_colour
from helpdesk.desk.counts import ESCALATIONS, Link, section_links, view_links
from helpdesk.desk.outcome_buttons import offered, why_blocked
from helpdesk.desk.ticket_page import statuses_of
from helpdesk.directory.models import Client
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.search import by_number, search_tickets

_NUMBER = re.compile(r"^#?\s*([A-Za-z]*\d[\w.\-]*|new-\d+)$")
MOST = 6


@dataclass(frozen=True, kw_only=True)
class Press:
    """An act on the open ticket: an outcome, behind the address that opens it in the composer, or one of ours."""

    key: int
    name: str
    href: str
    colour: str = ""
    icon: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """`numbered` holds every ticket that carries the typed number: several accounts give several, never a guess."""

    numbered: Sequence[Ticket] = ()
    outcomes: Sequence[Press] = ()
    """Acts on the ticket whose page is open."""
    commands: Sequence[Link] = ()
    tickets: Sequence[Ticket] = ()
    clients: Sequence[Client] = ()
    marks: str = field(default="")
    """The word to mark in what was found."""
    words: str = ""
    """What a search of all tickets would look for: always on offer, last."""

    @property
    def is_empty(self) -> bool:
        return not (self.numbered or self.outcomes or self.commands or self.tickets or self.clients)


def find(text: str, *, user: User, pages: Sequence[Link], here: Ticket | None = None) -> Found:
    """Answer one state of the palette's field. `>` asks for commands only, `#` for numbers only.

    `here` is the ticket whose page is open: its outcomes are commands.
    """
    text = text.replace("\x00", "").strip()[:200]
    if text.startswith(">"):
        words = text[1:].strip()
        return Found(outcomes=_presses(here, words), commands=_named(pages, words, 12), marks=words)
    number = _NUMBER.match(text)
    numbered = by_number(number[1], user=user)[:MOST] if number else []
    if text.startswith("#"):
        return Found(numbered=numbered, words=text[1:].strip())
    if not text:
        return Found(outcomes=_presses(here, ""), commands=pages[:MOST])
    known = {ticket.pk for ticket in numbered}
    has_words = len(text) >= 2
    tickets = [t for t in search_tickets(text, user=user, limit=MOST) if t.pk not in known] if has_words else []
    return Found(
        numbered=numbered,
        outcomes=_presses(here, text),
        commands=_named(pages, text, 4),
        tickets=tickets,
        clients=_clients(text) if has_words and not numbered else (),
        marks=text,
        words=text,
    )


def _presses(here: Ticket | None, text: str) -> list[Press]:
    if here is None:
        return []
    address, wanted = here.get_absolute_url(), text.lower()
    escalate = _("Escalate %(what)s") % {"what": here.label}
    own = [Press(key=0, name=escalate, href=reverse("tickets:escalate", args=[here.pk]), icon="circle-arrow-up")]
    own = own if wanted in escalate.lower() and not here.is_finished else []
    statuses = statuses_of(here.psa_account_id)
    return (
        own
        + [
            Press(
                key=one.pk, name=str(one), href=f"{address}?outcome={one.pk}#composer", colour=safe_colour(one.colour)
            )
            for one in offered(here)
            if wanted in str(one).lower() and not why_blocked(here, one, statuses)
        ][:12]
    )


def pages_for(user: User, has_page: Callable[[str], bool], settings: Sequence[Link]) -> list[Link]:
    """Commands that go somewhere."""
    first = (
        [Link(name=_("New ticket"), href="/tickets/new/", icon="plus")]
        if can(user, "tickets.create") and has_page("/tickets/new/")
        else []
    )
    sections = [link for link in section_links(user, has_page) if not link.href.startswith("/settings/")]
    sections.append(Link(name=_("Escalations"), href=ESCALATIONS, icon="circle-arrow-up"))
    inner = [Link(name=_("Settings: %s") % link.name, href=link.href, icon=link.icon) for link in settings]
    return [*first, *sections, *view_links(), *inner]


def _named(pages: Sequence[Link], text: str, most: int) -> list[Link]:
    wanted = text.lower()
    return [page for page in pages if wanted in page.name.lower()][:most]


def _clients(text: str) -> list[Client]:
    found = Client.objects.filter(name__istartswith=text, is_active=True) | Client.objects.filter(
        name__icontains=f" {text}", is_active=True
    )
    return list(
        found.select_related("psa_account")
        .only("name", "psa_account__mark", "psa_account__title", "psa_account__colour", "psa_account__code")
        .order_by("name")[:4]
    )
