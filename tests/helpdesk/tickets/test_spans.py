from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.models import TicketEvent, TicketSpan
from helpdesk.tickets.spans import Standing, Step, Story, fold, read_stories, write_spans
from tests.factories import make_agent, make_status, make_ticket

OPENED = datetime(2026, 6, 3, 9, tzinfo=UTC)
CATEGORIES = {"1": "new", "2": "open", "3": "waiting_client", "4": "resolved", "5": "closed", "6": "escalated"}


def at(hours: float) -> datetime:
    return OPENED + timedelta(hours=hours)


def step(hours: float, old: str, new: str, key: str = "") -> Step:
    return Step(at(hours), key or f"action:{hours}:{new}", old, new)


def told(*steps: Step, category: str = "open", finished: float | None = None, **more: object) -> Story:
    now = Standing(opened_at=OPENED, category=category, finished_at=at(finished) if finished is not None else None)
    return fold(now, {"status": steps, **more}, CATEGORIES)  # type: ignore[dict-item]


def shown(story: Story) -> list[tuple[str, float, float | None]]:
    def hours(when: datetime | None) -> float | None:
        return (when - OPENED).total_seconds() / 3600 if when else None

    return [(s.category, hours(s.from_at) or 0, hours(s.to_at)) for s in story.spans]


def test_a_ticket_goes_from_status_to_status() -> None:
    story = told(step(1, "1", "2"), step(3, "2", "3"), step(7, "3", "4"), step(9, "4", "5"), category="closed")
    assert shown(story) == [
        ("new", 0, 1), ("open", 1, 3), ("waiting_client", 3, 7), ("resolved", 7, 9), ("closed", 9, None),
    ]  # fmt: skip
    (stretch,) = story.stretches
    assert (stretch.from_at, stretch.to_at) == (OPENED, at(7))
    assert stretch.seconds == {"new": 3600, "open": 7200, "waiting_client": 14400}


def test_every_reopening_begins_a_stretch_even_within_a_minute() -> None:
    steps = [
        step(1, "1", "4"), step(2, "4", "2"), step(2, "2", "4", "action:z"), step(2, "4", "2", "action:zz"),
        step(5, "2", "5"),
    ]  # fmt: skip
    story = told(*steps, category="closed")
    assert [(s.from_at, s.to_at) for s in story.stretches] == [
        (OPENED, at(1)), (at(2), at(2)), (at(2), at(5)),
    ]  # fmt: skip


def test_the_last_end_is_when_the_ticket_says() -> None:
    story = told(step(1, "1", "2"), step(4, "2", "4"), step(9, "4", "5"), category="closed", finished=6)
    assert shown(story) == [("new", 0, 1), ("open", 1, 6), ("resolved", 6, 9), ("closed", 9, None)]
    # One from before the last opening is stale: the event counts.
    again = told(step(1, "1", "4"), step(5, "4", "2"), step(8, "2", "5"), category="closed", finished=1)
    assert again.stretches[-1].to_at == at(8)


@pytest.mark.parametrize(
    ("category", "finished", "expected"),
    [
        ("open", None, [("open", 0, None)]),
        ("closed", 4, [("new", 0, 4), ("closed", 4, None)]),
        ("closed", None, [("closed", 0, None)]),
        ("resolved", -2, [("resolved", 0, None)]),
    ],
)
def test_without_events_the_row_tells(category: str, finished: float | None, expected: object) -> None:
    story = told(category=category, finished=finished)
    assert shown(story) == expected
    assert len(story.stretches) == 1


def test_a_ticket_that_was_met_in_a_status_came_to_it_before() -> None:
    met = [Step(at(5), "created", "", "3")]
    assert shown(told(category="waiting_client", met=met)) == [("new", 0, 5), ("waiting_client", 5, None)]
    # What is told of the time before counts in its place, and what was stamped into the midst of it never reopens.
    assert shown(told(step(2, "1", "2"), step(7, "2", "3"), category="waiting_client", met=met)) == [
        ("new", 0, 2), ("open", 2, 7), ("waiting_client", 7, None),
    ]  # fmt: skip
    stamped = [Step(at(1), "created", "", "5")]
    story = told(step(2, "1", "2"), step(7, "2", "5"), category="closed", met=stamped)
    assert len(story.stretches) == 1
    later = told(step(8, "3", "2"), category="open", met=met)
    assert shown(later) == [("new", 0, 5), ("waiting_client", 5, 8), ("open", 8, None)]


def test_what_the_row_says_is_how_it_ends() -> None:
    assert shown(told(step(1, "1", "2"), category="closed", finished=3))[-1] == ("closed", 3, None)
    assert shown(told(step(1, "1", "2"), category="waiting_client")) == [("new", 0, 1), ("waiting_client", 1, None)]


def test_before_it_was_opened_nothing_counts() -> None:
    story = told(step(-3, "1", "2"), step(2, "2", "4"), category="resolved")
    assert shown(story) == [("open", 0, 2), ("resolved", 2, None)]


def test_owners_and_teams_cut_the_spans() -> None:
    now = Standing(opened_at=OPENED, category="open", agent=8, team=0)
    steps = {
        "status": [step(2, "1", "2")],
        "agent": [step(1, "", "7"), step(4, "7", "8")],
        "team": [step(4, "5", "")],
    }
    story = fold(now, steps, CATEGORIES)
    assert [(s.category, s.agent, s.team) for s in story.spans] == [
        ("new", None, 5), ("new", 7, 5), ("open", 7, 5), ("open", 8, None),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_events_in_any_order_told_twice_or_late_tell_the_same(seed: int) -> None:
    dice = random.Random(seed)
    status, hours, steps = "1", 0.0, []
    for number in range(dice.randrange(1, 14)):
        hours += dice.choice([0, 0.25, 3])
        new = dice.choice(sorted(CATEGORIES.keys() - {status}))
        steps.append(step(hours, status, new, f"action:{number}"))
        status = new
    category, finished = CATEGORIES[status], dice.choice([None, hours, hours - 2])
    in_order = told(*steps, category=category, finished=finished)
    mixed = steps + dice.sample(steps, len(steps) // 2)
    dice.shuffle(mixed)
    assert told(*mixed, category=category, finished=finished) == in_order
    reopened = sum(a in ("resolved", "closed") and b not in ("resolved", "closed") for a, b in _ways(steps))
    assert len(in_order.stretches) == 1 + reopened
    assert all(a.to_at == b.from_at for a, b in pairwise(in_order.spans))
    length = sum((s.to_at - s.from_at).total_seconds() for s in in_order.stretches if s.to_at)
    ended = sum(sum(s.seconds.values()) for s in in_order.stretches if s.to_at)
    assert ended == length


def _ways(steps: list[Step]) -> list[tuple[str, str]]:
    return [(CATEGORIES[s.old], CATEGORIES[s.new]) for s in steps]


# ---- kept -----------------------------------------------------------------------------------------------------------


def refresh(ticket_id: int, standing: Standing) -> int:
    return write_spans(read_stories({ticket_id: standing}))


@pytest.mark.django_db
def test_only_what_differs_is_written(account: PsaAccount) -> None:
    new, waiting = make_status("new", psa_account=account), make_status("waiting_client", psa_account=account)
    agent = make_agent(psa_account=account)
    ticket = make_ticket(psa_account=account, status=waiting, opened_at=OPENED)
    now = Standing(opened_at=OPENED, category="waiting_client", agent=agent.pk)
    TicketEvent.objects.create(
        ticket=ticket, field="status", old=str(new.pk), new=str(waiting.pk), at=at(2), known_at=at(2), origin="psa",
        remote_key="action:1",
    )  # fmt: skip
    assert refresh(ticket.pk, now) == 2
    first = list(TicketSpan.objects.values_list("pk", "category", "to_at"))
    assert [row[1:] for row in first] == [("new", at(2)), ("waiting_client", None)]
    with CaptureQueriesContext(connection) as queries:
        assert refresh(ticket.pk, now) == 0
    assert not [q for q in queries if not q["sql"].startswith("SELECT")]
    # Late: it had been in progress between.
    open_ = make_status("open", psa_account=account)
    TicketEvent.objects.create(
        ticket=ticket, field="status", old=str(new.pk), new=str(open_.pk), at=at(1), known_at=at(5), origin="psa",
        remote_key="action:2",
    )  # fmt: skip
    assert refresh(ticket.pk, now) == 3
    kept = list(TicketSpan.objects.values_list("category", "from_at", "to_at"))
    assert kept == [("new", OPENED, at(1)), ("open", at(1), at(2)), ("waiting_client", at(2), None)]
    assert TicketSpan.objects.filter(pk=first[1][0]).exists()


@pytest.mark.django_db
def test_owners_that_are_gone_are_nobody(account: PsaAccount) -> None:
    ticket = make_ticket(psa_account=account, opened_at=OPENED)
    TicketEvent.objects.create(
        ticket=ticket, field="agent", old="987654321", new="", at=at(1), known_at=at(1), origin="desk"
    )
    refresh(ticket.pk, Standing(opened_at=OPENED, category="open"))
    assert list(TicketSpan.objects.values_list("agent", "to_at")) == [(None, None)]
