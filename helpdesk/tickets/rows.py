"""A ticket's line in a list and its card on the board, drawn straight from columns.

Fifty rows or five hundred cards are the one place where a template costs more than the database: these functions
write the same markup with every value escaped. `Facts` are plain columns, so no model instance is made for a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from helpdesk.core.chips import Chip
from helpdesk.core.formatting import initials
from helpdesk.core.markup import escape
from helpdesk.core.templatetags.words import STATUS_SHAPES, psa_word
from helpdesk.tickets import references
from helpdesk.tickets.choices import Category, Rank, Sync
from helpdesk.tickets.querysets import TicketQuerySet
from helpdesk.tickets.readings import Reading

_WORD = re.compile(r"[\w.-]+").fullmatch


def value(text: str) -> str:
    """An attribute's value: bare when it is one word, escaped and in quotes otherwise."""
    return text if _WORD(text) else f'"{escape(text)}"'


class Facts(NamedTuple):
    """What a row and a card show."""

    pk: int
    number: str
    subject: str
    rank: int
    priority: str
    client: str | None
    account_id: int
    mark: str
    account: str
    next_clock: str
    clock_state: str
    next_due_at: datetime
    next_at_risk_at: datetime | None
    clock_seconds: int | None
    clock_calendar: int
    sync_state: str
    agent_id: int | None
    category: str
    status: str
    agent: str | None
    person: str | None
    last_activity_at: datetime | None
    opened_at: datetime
    team: str | None
    kind: str | None
    contact: str | None
    is_escalated: bool = False
    is_mapped: bool = True
    """Whether somebody has said what the status means."""
    code: str = ""

    @property
    def label(self) -> str:
        return self.number or f"new-{self.pk}"

    @property
    def owner(self) -> str:
        return self.person or self.agent or ""


class CardFacts(NamedTuple):
    """Only what a card shows: the first columns of `Facts`, and its lane."""

    pk: int
    number: str
    subject: str
    rank: int
    priority: str
    client: str | None
    account_id: int
    mark: str
    account: str
    next_clock: str
    clock_state: str
    next_due_at: datetime
    next_at_risk_at: datetime | None
    clock_seconds: int | None
    clock_calendar: int
    sync_state: str
    escalated_at: datetime | None
    category: str
    colour: str
    code: str
    changed_at: datetime
    column: Any
    owner: str = ""
    """Empty where the lane says it."""

    @property
    def label(self) -> str:
        return self.number or f"new-{self.pk}"

    @property
    def is_escalated(self) -> bool:
        return _is_escalated(self.escalated_at, self.category)


_CARD = (
    "pk", "number", "subject", "rank", "priority__name", "client__name", "psa_account_id", "psa_account__mark",
    "psa_account__title", "next_clock", "clock_state", "next_due_at", "next_at_risk_at", "clock_seconds",
    "clock_calendar", "sync_state", "escalated_at", "status_category", "psa_account__colour", "psa_account__code",
)  # fmt: skip
_ROW = (
    "pk", "number", "subject", "rank", "psa_account_id", "next_clock", "clock_state", "next_due_at",
    "next_at_risk_at", "clock_seconds", "clock_calendar", "sync_state", "agent_id", "status_category",
    "last_activity_at", "opened_at", "escalated_at", references.column("row"),
)  # fmt: skip
_EXTRA = ("team", "type", "contact")
_NOTHING: tuple[None, ...] = (None,) * 4


def row_facts(tickets: TicketQuerySet, extra: Iterable[str] = ()) -> list[Facts]:
    """One query; team, type and contact only when somebody shows them.

    What a row names comes from subqueries, not joins: PostgreSQL looks for the best order of six joins in every
    possible way before it reads the first row.
    """
    shown = [name for name in _EXTRA if name in set(extra)]
    for name in ("row", *shown):
        tickets = tickets.annotate(**references.annotation(name))
    found = []
    for values in tickets.values_list(*_ROW, *map(references.column, shown)):
        more = {name: references.names(text)[0] or _NOTHING for name, text in zip(shown, values[18:], strict=True)}
        found.append(_facts(values, more))
    return found


def _facts(values: Sequence[Any], more: Mapping[str, Sequence[Any]]) -> Facts:
    (pk, number, subject, rank, account_id, next_clock, clock_state, due, risk, seconds, calendar, sync_state,
     agent_id, category, last_activity_at, opened_at, escalated_at, text) = values[:18]  # fmt: skip
    priority, client, account, status, agent = (one or _NOTHING for one in references.names(text))
    _pk, title, mark, colour, code = (str(one or "") for one in (*account, "")[:5])
    _key, _user_id, agent_name, user = agent
    first, last = more.get("contact", _NOTHING)[1:3]
    return Facts(
        pk=pk, number=number, subject=subject, rank=rank, priority=str(priority[1]), client=client[1],
        account_id=account_id, mark=psa_word(str(mark), colour), account=str(title), code=code, next_clock=next_clock,
        clock_state=clock_state, next_due_at=due, next_at_risk_at=risk, clock_seconds=seconds,
        clock_calendar=calendar, sync_state=sync_state, agent_id=agent_id, category=category, status=str(status[1]),
        agent=agent_name, person=user[1] if user else None, last_activity_at=last_activity_at, opened_at=opened_at,
        team=more.get("team", _NOTHING)[1], kind=more.get("type", _NOTHING)[1],
        contact=f"{first or ''} {last or ''}".strip(), is_escalated=_is_escalated(escalated_at, category),
        is_mapped=bool(status[2]),
    )  # fmt: skip


def card_facts(tickets: TicketQuerySet, column: str) -> list[CardFacts]:
    """One query. `column` is what the board groups by; the owner comes with it unless it is that."""
    if column == "agent_id":
        return [CardFacts._make((*v, "")) for v in tickets.values_list(*_CARD, "changed_at", column)]
    at = _CARD.index(column) if column in _CARD else -1
    names = ["changed_at", "agent__name", "agent__user__name", *([] if at >= 0 else [column])]
    found = []
    for values in tickets.values_list(*_CARD, *names):
        changed_at, agent, person, *rest = values[len(_CARD) :]
        lane = values[at] if at >= 0 else rest[0]
        found.append(CardFacts._make((*values[: len(_CARD)], changed_at, lane, person or agent or "")))
    return found


# ---- markup ---------------------------------------------------------------------------------------------------------


def sla_html(row: Facts | CardFacts, reading: Reading) -> str:
    state, text, title = reading.chip(row)
    return (
        f"<b class=sla data-clock={row.next_clock or 'resolution'} data-state={state}{reading.ticks(row, state)} "
        f"title={value(title)}>{escape(text)}</b>"
    )


def mark_html(row: Facts | CardFacts) -> str:
    mark = psa_word(row.mark, row.colour) if isinstance(row, CardFacts) else row.mark
    code = f" data-code={value(row.code)}" if row.code else ""
    return f"<b class=psa data-psa={value(mark)}{code}>{escape(row.account)}</b>"


def _is_escalated(escalated_at: datetime | None, category: str) -> bool:
    return escalated_at is not None or category == Category.ESCALATED


def escalated_html() -> str:
    word = escape(_("Escalated"))
    return f"<b class=esc title={value(word)}>{word}</b>"


def sync_html(row: Facts | CardFacts, sync_words: Mapping[str, str]) -> str:
    word = sync_words.get(row.sync_state)
    if not word:
        return ""
    title = value(SYNC_TITLES[row.sync_state]() % {"psa": row.account})
    return f"<b class=sync data-sync={row.sync_state} title={title}>{word}</b>"


SYNC_TITLES = {
    "pending": lambda: _("Waiting for %(psa)s"),
    "sent": lambda: _("%(psa)s has it"),
    "checking": lambda: _("Checking whether %(psa)s took it"),
    "refused": lambda: _("Refused by %(psa)s"),
}


def sync_words() -> dict[str, str]:
    return {state.value: escape(str(state.label)) for state in Sync if state.value}


def ticket_prefix() -> tuple[str, str]:
    """The parts of a ticket's address around its key: reversing once per page instead of once per row."""
    before, _mid, after = reverse("tickets:detail", args=[0]).rpartition("0")
    return before, after


COLUMNS: dict[str, str] = {
    "client": "client-col", "status": "status-col", "owner": "owner-col", "due": "due-col", "updated": "updated-col",
    "psa": "sync-col", "opened": "updated-col", "team": "owner-col", "type": "owner-col", "contact": "client-col",
}  # fmt: skip
"""Columns a person may show or hide, in the order of the table, with the class that sets their width."""
DEFAULT_COLUMNS = ("client", "status", "owner", "due", "updated", "psa")
FIXED = ("client", "status", "owner", "due", "updated", "psa")
"""Their places in the table are known to the style sheet: hidden ones keep an empty cell."""


def shown_columns(preferences: Mapping[str, Any]) -> list[str]:
    """The columns of a person's list."""
    chosen = preferences.get("columns")
    return [c for c in COLUMNS if c in chosen] if isinstance(chosen, list) else list(DEFAULT_COLUMNS)


def drawn(tickets: TicketQuerySet, preferences: Mapping[str, Any], now: datetime, zone: tzinfo) -> SafeString:
    """A few tickets as lines of a person's list."""
    columns = shown_columns(preferences)
    facts = row_facts(tickets.order_by(), [c for c in columns if c not in FIXED])
    return rows_html(facts, columns=columns, reading=Reading(now, zone))


def rows_html(rows: Sequence[Facts], *, columns: Sequence[str], reading: Reading, pick: bool = True) -> SafeString:
    before, after = ticket_prefix()
    words = sync_words()
    nobody, escalated = escape(_("Nobody")), escalated_html()
    said = {str(c.value): str(c.label) for c in Category}
    extra = [c for c in COLUMNS if c not in FIXED and c in columns]
    shown = {c for c in FIXED if c in columns}
    gone = "<td hidden></td>"
    out = []
    for row in rows:
        subject = escape(row.subject)
        owner = row.owner
        who = (
            f"<b class=owner data-who={value(initials(owner))} title={value(owner)}>{escape(owner.split(' ')[0])}</b>"
            if owner
            else f'<b class="owner none">{nobody}</b>'
        )
        sync = ""
        if "psa" in shown:
            sync = f"<td>{sync_html(row, words) or mark_html(row)}"
        cells = (
            f"<tr data-ticket={row.pk}><td><input type=checkbox name=pick value={row.pk} form=bulk "
            f"aria-label={value(row.label)}><td>{prio_html(row)}"
            f"<td>{escape(row.label)}"
            f"<td><a href={before}{row.pk}{after}>{escalated if row.is_escalated else ''}{subject}</a>"
            + (f"<td>{escape(row.client or '')}" if "client" in shown else gone)
            + (
                f"<td><b class=status data-status={STATUS_SHAPES.get(row.category, row.category)}"
                f"{named(row.status, said.get(row.category, '') if row.is_mapped else row.status)}</b>"
                if "status" in shown
                else gone
            )
            + (f"<td>{who}" if "owner" in shown else gone)
            + (f"<td>{sla_html(row, reading)}" if "due" in shown else gone)
            + (f"<td>{reading.since(row.last_activity_at)}" if "updated" in shown else gone)
            + (sync or gone)
        )
        for column in extra:
            cells += f"<td>{_extra_cell(column, row, reading)}"
        out.append(cells)
    return mark_safe("".join(out))


def prio_html(row: Facts | CardFacts) -> str:
    return f"<b class=prio data-rank={row.rank}{named(row.priority, str(Rank(row.rank).label))}</b>"


def named(own: str, word: str) -> str:
    """The end of a mark that says our word; the PSA's own name beside the pointer where it is another one."""
    title = f" title={value(own)}" if own.casefold() != word.casefold() else ""
    return f"{title}>{escape(word)}"


def _extra_cell(column: str, row: Facts, reading: Reading) -> str:
    if column == "opened":
        return reading.since(row.opened_at)
    return escape({"team": row.team, "type": row.kind, "contact": row.contact}[column] or "")


def card_html(
    row: CardFacts,
    shown: Chip,
    *,
    reading: Reading,
    words: Mapping[str, str],
    address: tuple[str, str],
    present: Sequence[tuple[str, bool]] = (),
) -> str:
    state, text, title = shown
    escalated = escalated_html() if row.is_escalated else ""
    return (
        f"<article class=card data-ticket={row.pk}><p>{prio_html(row)}"
        f"{escalated}{escape(row.label)}<b class=client>{escape(row.client or '')}</b>"
        f"{owner_html(row.owner) if row.owner else ''}{people_html(present) if present else ''}"
        f"<h3><a href={address[0]}{row.pk}{address[1]}>{escape(row.subject)}</a></h3>"
        f"<p><b class=sla data-clock={row.next_clock or 'resolution'} data-state={state}"
        f"{reading.ticks(row, state)} title={value(title)}>{escape(text)}</b>"
        f"{sync_html(row, words) if row.sync_state else ''}{mark_html(row)}</article>"
    )


def owner_html(name: str) -> str:
    """Who has it, small enough for a card's head."""
    said = escape(_("Owner: %(name)s") % {"name": name})
    mark = f'<b class=avatar title="{said}" aria-hidden=true>{escape(initials(name))}</b>'
    return f"<span class=end>{mark}<span class=hush>{said}</span></span>"


def people_html(present: Sequence[tuple[str, bool]]) -> str:
    """Who looks at the ticket or types on it, as avatars."""
    names = [name for name, _typing in present]
    typing = [name for name, is_typing in present if is_typing]
    title = (
        _("%(name)s is typing") % {"name": typing[0]}
        if typing
        else _("%(names)s viewing") % {"names": ", ".join(names)}
    )
    marks = "".join(
        f'<span class=avatar{" data-live" if is_typing else ""} title="{escape(name)}" aria-hidden=true>'
        f"{escape(initials(name))}</span>"
        for name, is_typing in present[:3]
    )
    hush = escape(_("%(names)s viewing") % {"names": ", ".join(names)})
    return (
        f'<span class=end><span class=avatars title="{escape(title)}">{marks}'
        f"<span class=hush>{hush}</span></span></span>"
    )
