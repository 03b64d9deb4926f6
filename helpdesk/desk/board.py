"""The dispatch board: which lanes, which cards, and what changed since the browser last looked.

Five queries whatever the number of tickets: people (or teams, clients), tallies per column, the first cards of every
column by a window over one index, time booked today, and the accounts' names come with the cards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Any

from django.db.models import Sum
from django.utils.safestring import SafeString, mark_safe

from helpdesk.accounts.models import User
from helpdesk.actions.models import TimeEntry
from helpdesk.core.paging import Cursor
from helpdesk.desk.board_lanes import LANES, MOST_LANES, OWNER, Lane
from helpdesk.desk.board_scope import Scope
from helpdesk.desk.presence import present
from helpdesk.tickets import rows
from helpdesk.tickets.querysets import TicketQuerySet

FIRST_CARDS = 25
FEW_LANES = 2
COLUMN = {
    "agent": "agent_id",
    "team": "team_id",
    "status": "status_category",
    "priority": "rank",
    "client": "client_id",
}
"""What a lane stands for in the database; one lane may hold several values (one human, three agents)."""


@dataclass
class Board:
    lanes: list[Lane]
    open: int = 0
    late: int = 0
    risky: int = 0
    hidden_lanes: int = 0

    def lane(self, key: str) -> Lane | None:
        return next((lane for lane in self.lanes if lane.key == key), None)


def build(
    tickets: TicketQuerySet,
    scope: Scope,
    *,
    now: datetime,
    zone: tzinfo,
    reader: User,
    only: Sequence[str] | None = None,
    shown: Mapping[str, int] | None = None,
    lanes: Sequence[Lane] | None = None,
) -> Board:
    """The board, or of it only the lanes named (`only`), which then come whatever their rank.

    `shown` says how many cards the browser already shows of a lane, so that a refresh does not fold it up again.
    `lanes` are made already, and the only ones that are counted: the board's own figures then stay empty.
    """
    found = scope.narrow(tickets)
    column = COLUMN[scope.group]
    counted = found if lanes is None else _of_values(found, scope, [v for lane in lanes for v in lane.values])
    tallies = {row[0]: row[1:] for row in counted.lane_tallies(column, now)}
    wanted: list[Lane] = LANES[scope.group](scope, tallies) if lanes is None else list(lanes)
    board = Board(lanes=[])
    for count, late, risky, _booked in tallies.values():
        board.open += count
        board.late += late
        board.risky += risky
    for lane in wanted:
        for value in lane.values:
            count, late, risky, booked = tallies.get(value, (0, 0, 0, 0))
            lane.open += count
            lane.late += late
            lane.risky += risky
            lane.booked_seconds += booked or 0
    if only is None:
        wanted = [lane for lane in wanted if lane.open or not lane.is_machine]
    board.lanes = _chosen(wanted, only)
    board.hidden_lanes = len(wanted) - len(board.lanes) if only is None else 0
    if scope.group == "agent":
        _book(board.lanes, now, zone)
        owner = next((lane for lane in board.lanes if lane.key == OWNER), None)
        if owner and scope.teams:
            _narrow_owner(owner, found.unassigned().in_teams(scope.teams, or_none=True), now)
    deal = _deal_few if only is not None and len(board.lanes) <= FEW_LANES else _deal
    deal(board.lanes, found, scope, column, shown or {})
    _draw(board.lanes, now=now, zone=zone, reader=reader)
    return board


def more_cards(
    tickets: TicketQuerySet, scope: Scope, lane: Lane, cursor: Cursor, *, limit: int = FIRST_CARDS
) -> list[rows.CardFacts]:
    """The cards of one lane behind the cursor."""
    found = lane_tickets(scope.narrow(tickets), scope, lane).by_due()
    behind = found.past("next_due_at", cursor.value, cursor.pk, descending=False)
    return rows.card_facts(behind[: limit + 1], COLUMN[scope.group])


def lane_tickets(found: TicketQuerySet, scope: Scope, lane: Lane) -> TicketQuerySet:
    """Open tickets of one lane."""
    values = [v for v in lane.values if v is not None]
    has_none = None in lane.values
    if scope.group == "agent":
        if lane.key == OWNER:
            nobody = found.unassigned()
            return nobody.in_teams(scope.teams, or_none=True) if scope.teams else nobody
        return found.of_agents(values)
    if scope.group == "team":
        return found.in_teams(values, or_none=has_none)
    if scope.group == "status":
        return found.with_categories(values)
    if scope.group == "priority":
        return found.with_ranks(values)
    return found.of_clients(values)


def _chosen(lanes: list[Lane], only: Sequence[str] | None) -> list[Lane]:
    """At most MOST_LANES: those with most to do, in their own order. Lanes asked for by name stay as they are."""
    if only is not None:
        return [lane for lane in lanes if lane.key in set(only)]
    if len(lanes) <= MOST_LANES:
        return lanes
    busy = sorted(lanes, key=lambda lane: (lane.key != OWNER, -lane.open, lane.title.lower()))[:MOST_LANES]
    keys = {lane.key for lane in busy}
    return [lane for lane in lanes if lane.key in keys]


def _book(lanes: Iterable[Lane], now: datetime, zone: tzinfo) -> None:
    """Add the time logged today to the estimates of what is open."""
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
    logged = dict(
        TimeEntry.objects.filter(ended_at__gte=midnight, ended_at__lte=now, removed_at=None, agent__isnull=False)
        .order_by()
        .values_list("agent_id")
        .annotate(total=Sum("seconds"))
    )
    for lane in lanes:
        lane.booked_seconds += sum(logged.get(value, 0) for value in lane.values)


def _narrow_owner(owner: Lane, tickets: TicketQuerySet, now: datetime) -> None:
    """Nobody's tickets outside the chosen teams are somebody else's to dispatch."""
    owner.open = owner.late = owner.risky = 0
    for _value, count, late, risky, _booked in tickets.lane_tallies("agent_id", now):
        owner.open, owner.late, owner.risky = count, late, risky


# ---- cards ----------------------------------------------------------------------------------------------------------


def _deal(lanes: list[Lane], found: TicketQuerySet, scope: Scope, column: str, shown: Mapping[str, int]) -> None:
    """The first cards of every lane, in two queries."""
    by_value = {value: lane for lane in lanes for value in lane.values if lane.open}
    if not by_value:
        return
    most = max([FIRST_CARDS, *(min(n, 200) for n in shown.values())])
    wanted = _of_values(found, scope, list(by_value)).first_of_each(column, most + 1)
    # Keys first, columns after: the window runs over one index, and joins touch only what is shown.
    dealt: dict[str, list[int]] = {lane.key: [] for lane in lanes}
    for pk, value in wanted.by_due().values_list("pk", column):
        dealt[by_value[value].key].append(pk)
    counts = {lane.key: max(FIRST_CARDS, min(shown.get(lane.key, 0), 200)) for lane in lanes}
    keys = [pk for lane in lanes for pk in dealt[lane.key][: counts[lane.key]]]
    cards = {card.pk: card for card in rows.card_facts(found.only_ids(keys).order_by(), column)}
    for lane in lanes:
        count = counts[lane.key]
        own = dealt[lane.key]
        _hand_out(lane, [cards[pk] for pk in own[:count] if pk in cards], count, is_all=len(own) <= count)


def _deal_few(lanes: list[Lane], found: TicketQuerySet, scope: Scope, column: str, shown: Mapping[str, int]) -> None:
    """The same in one query for each, which costs less than two for all while there are but one or two."""
    for lane in lanes:
        count = max(FIRST_CARDS, min(shown.get(lane.key, 0), 200))
        if lane.open:
            first = lane_tickets(found, scope, lane).by_due()[: count + 1]
            _hand_out(lane, rows.card_facts(first, column), count)


def _hand_out(lane: Lane, cards: Sequence[rows.CardFacts], count: int, *, is_all: bool = True) -> None:
    """`cards` may hold one beyond `count`: then, or when these are not all, the lane says where it goes on."""
    lane.cards = list(cards[:count])
    if lane.cards and (len(cards) > count or not is_all):
        last = lane.cards[-1]
        lane.more = Cursor(order=lane.key, value=last.next_due_at, pk=last.pk).spell()


def _of_values(found: TicketQuerySet, scope: Scope, values: list[Any]) -> TicketQuerySet:
    known = [v for v in values if v is not None]
    has_none = None in values
    if scope.group == "agent":
        wanted = found.of_agents(known, or_nobody=has_none)
        if has_none and scope.teams:
            wanted = wanted.owned_or_in_teams(scope.teams)
        return wanted
    if scope.group == "team":
        return found.in_teams(known, or_none=has_none)
    if scope.group == "status":
        return found.with_categories(known)
    if scope.group == "priority":
        return found.with_ranks(known)
    return found.of_clients(known)


def _draw(lanes: list[Lane], *, now: datetime, zone: tzinfo, reader: User) -> None:
    reading = rows.Reading(now, zone)
    people = present([c.pk for lane in lanes for c in lane.cards], but=reader.pk, now=now.timestamp())
    words, address = rows.sync_words(), rows.ticket_prefix()
    for lane in lanes:
        parts = [f"{lane.title},{lane.open},{lane.late},{lane.risky},{lane.booked_seconds},{lane.more}"]
        html = []
        for card in lane.cards:
            chip = reading.chip(card)
            who = people.get(card.pk, ())
            parts.append(f"{card.pk},{card.changed_at.timestamp()},{chip.state},{card.sync_state},{card.column},{who}")
            html.append(rows.card_html(card, chip, reading=reading, words=words, address=address, present=who))
        lane.digest = hashlib.blake2s("|".join(parts).encode(), digest_size=6).hexdigest()
        lane.html = mark_safe("".join(html))


def cards_html(cards: Sequence[rows.CardFacts], *, now: datetime, zone: tzinfo, reader: User) -> SafeString:
    """Cards by themselves: the next ones of a lane."""
    reading = rows.Reading(now, zone)
    people = present([c.pk for c in cards], but=reader.pk, now=now.timestamp())
    words, address = rows.sync_words(), rows.ticket_prefix()
    return mark_safe(
        "".join(
            rows.card_html(
                card, reading.chip(card), reading=reading, words=words, address=address, present=people.get(card.pk, ())
            )
            for card in cards
        )
    )
