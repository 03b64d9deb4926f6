"""From a ticket's story to the moments that its clocks are made of: statuses, holds, answers of the client. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from helpdesk.sla.history import Moment, Standing
from helpdesk.tickets.choices import FINISHED, Category, SlaClock
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.stories import CREATED, HOLD, RELEASE, Event, Story


def standing_of(status: Status | None) -> Standing:
    """What the clocks do in a status. Finished work stops them whatever else is said."""
    if status is None:
        return "running"
    if status.category in FINISHED or status.sla_clock == SlaClock.STOPPED:
        return "stopped"
    return "paused" if status.sla_clock == SlaClock.PAUSED else "running"


def moments_of(ticket: Ticket, story: Story, statuses: Mapping[int, Status]) -> list[Moment]:
    found = _moves(ticket, story, statuses)
    found += _holds(ticket, story, found)
    order = len(story.events)
    for place, message in enumerate(story.messages or ()):
        found.append(
            Moment(at=message.at, key=message.key, order=order + place, is_client_message=True, by=message.author)
        )
    return found


def _moves(ticket: Ticket, story: Story, statuses: Mapping[int, Status]) -> list[Moment]:
    """Every status it stood in, from its start to the one it stands in."""
    rows = sorted((_met(e) for e in story.events if e.field == "status" or (e.field == CREATED and e.new)), key=_when)
    current = statuses.get(ticket.status_id)
    if rows:
        first = statuses.get(int(rows[0].old)) if rows[0].old.isdecimal() else None
    else:
        first = current if standing_of(current) == "running" else None
    found = [_moment(ticket.opened_at, "start", 0, first, None)]
    for place, event in enumerate(rows):
        status = statuses.get(int(event.new)) if event.new.isdecimal() else None
        found.append(_moment(event.at, event.key, place + 1, status, event))
    known = rows[-1].new if rows else str(first.pk) if first else ""
    if known != str(ticket.status_id):
        # The record is ahead of its history: the change itself is told later, or never.
        found.append(_moment(last_seen(ticket), "row", len(found), current, None))
    return _with_stamp(ticket, found)


def _met(event: Event) -> Event:
    """The status in which we met a ticket, as a change of its own."""
    if event.field != CREATED:
        return event
    return event._replace(at=datetime.fromisoformat(event.old) if event.old else event.at, old="", new_label="")


def _when(event: Event) -> datetime:
    return event.at


def _moment(at: datetime, key: str, order: int, status: Status | None, event: Event | None) -> Moment:
    standing = standing_of(status)
    by_hand = event is not None and event.origin in ("desk", "client")
    return Moment(
        at=at,
        key=key,
        order=order,
        standing=standing,
        waits_for_client=status is not None and status.category == Category.WAITING_CLIENT,
        hold=False if by_hand and standing == "running" else None,
        cause=(event.new_label if event else "") or (status.name if status else ""),
        by=event.actor if event else "",
    )


def _with_stamp(ticket: Ticket, moves: list[Moment]) -> list[Moment]:
    """Of a finished ticket: it ended when its PSA says so, whenever that was seen. What came before stays before."""
    place = len(moves)
    while place and moves[place - 1].standing == "stopped":
        place -= 1
    if place == len(moves):
        return moves
    end = ended_at(ticket) or moves[place].at
    before = [m._replace(at=end) if m.at > end else m for m in moves[:place]]
    ending = moves[place] if moves[place].at == end else moves[place]._replace(at=end)
    return [*before, ending, *(m._replace(at=end) if m.at < end else m for m in moves[place + 1 :])]


def ended_at(ticket: Ticket) -> datetime | None:
    """When its PSA (or the desk) stamped it as resolved, else as closed; None where neither did."""
    return (ticket.resolved_at or ticket.closed_at) if ticket.status_category in FINISHED else None


def last_seen(ticket: Ticket) -> datetime:
    """Where its history does not tell: as late as the PSA lets it have been, which is what a pull takes, too."""
    if ticket.status_category in FINISHED:
        stamped = ended_at(ticket) or ticket.finished_at
        if stamped:
            return stamped
    return ticket.last_activity_at or ticket.remote_updated_at or ticket.opened_at


def _holds(ticket: Ticket, story: Story, moves: Sequence[Moment]) -> list[Moment]:
    """Holds and releases; at the end the record's own word, where nothing told of it."""
    found = []
    held = False
    rows = [e for e in story.events if e.field in (HOLD, RELEASE)]
    for place, event in enumerate(rows):
        held = event.field == HOLD
        moment = Moment(
            at=event.at, key=event.key, order=len(moves) + place, hold=held, cause=event.new_label, by=event.actor
        )
        found.append(moment)
    found += _records_word(ticket, moves, found, held)
    return found


def _records_word(ticket: Ticket, moves: Sequence[Moment], told: Sequence[Moment], held: bool) -> list[Moment]:
    """A hold or release of the record itself, where nothing told of it."""
    last = moves[-1]
    if any(m.hold is False and (not told or m.at >= told[-1].at) for m in moves):
        held = False
    is_free = bool(told) and told[-1].hold is False and told[-1].at >= last.at
    begins = ticket.sla_paused and not held and (last.standing == "running" or is_free)
    ends = (held and not ticket.sla_paused) or (ticket.sla_released and last.standing == "paused" and not is_free)
    if not begins and not ends:
        return []
    at = max([last_seen(ticket), last.at, *(m.at for m in told)])
    return [Moment(at=at, key="row:hold", order=len(moves) + len(told), hold=begins)]
