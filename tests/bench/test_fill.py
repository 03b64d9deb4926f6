"""The filled rows are what the real services make of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.actions.text import CLEANER_VERSION, cleaned_body
from helpdesk.reports.models import DailyMetric, OpenStretch, Quantile, TicketDay
from helpdesk.reports.services import rebuild
from helpdesk.tickets import clocks
from helpdesk.tickets.models import SearchText, Ticket, TicketClock, TicketEvent, TicketSpan
from helpdesk.tickets.search import matching, refresh_search_texts
from helpdesk.tickets.stories import read_stories
from helpdesk.tickets.writing import clock_context
from tests.bench import aggregation, fill, following, stories

pytestmark = pytest.mark.django_db
COUNT = 1000
AT = datetime(2026, 11, 17, 14, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: Any) -> Any:
    """Once for all tests here, which only read (or are rolled back)."""
    from django.core.management import call_command

    with django_db_blocker.unblock():
        fill.fill(tickets=COUNT, seed=7, now=AT)
        yield
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(autouse=True)
def _filled(filled: None) -> None:
    pass


def test_sizes_are_exact() -> None:
    assert Ticket.objects.count() == COUNT
    assert Action.objects.count() == stories.ACTIONS_EACH * COUNT
    longest = [t for t in Ticket.objects.open() if t.actions.count() == stories.LONG]
    assert len(longest) == 1
    assert 0.05 < Ticket.objects.open().count() / COUNT < 0.08
    opened = sorted(Ticket.objects.values_list("opened_at", flat=True))
    assert (opened[-1] - opened[0]).days > 700
    assert opened[-1] <= AT
    assert TimeEntry.objects.exists()
    assert Attachment.objects.exists()


def test_words_occur_as_often_as_promised() -> None:
    everything = Ticket.objects.all()
    assert matching(stories.RARE, everything).count() == COUNT // stories.RARE_EVERY
    assert matching(stories.COMMON, everything).count() == COUNT // stories.COMMON_EVERY
    places = {
        "subject": everything.filter(subject__contains=stories.COMMON).count(),
        "description": everything.filter(description__contains=stories.COMMON).count(),
        "note": everything.filter(actions__body__contains=stories.COMMON).distinct().count(),
    }
    assert min(places.values()) > COUNT // stories.COMMON_EVERY / 5, places


def test_clocks_and_row_columns_are_what_a_pull_derives() -> None:
    columns = (*clocks.ROW_FIELDS, "status_category", "is_open", "rank")
    for ticket in Ticket.objects.select_related("status", "priority"):
        before = {name: getattr(ticket, name) for name in columns}
        kept = {c.kind: c for c in ticket.clocks.all()}
        context = clock_context(ticket.psa_account, AT)
        (derived,) = clocks.derive_many([ticket], read_stories([ticket]), context)
        assert before == {name: getattr(ticket, name) for name in columns}
        assert {c.kind: _facts(c) for c in derived} == {kind: _facts(c) for kind, c in kept.items()}


def _facts(clock: TicketClock) -> dict[str, Any]:
    return {name: getattr(clock, name) for name in clocks.CLOCK_FIELDS}


def test_search_texts_are_what_the_service_writes() -> None:
    before = dict(SearchText.objects.values_list("ticket_id", "text"))
    refresh_search_texts(list(Ticket.objects.all()))
    assert dict(SearchText.objects.values_list("ticket_id", "text")) == before
    assert len(before) == COUNT


def test_texts_are_cleaned_by_the_real_cleaner() -> None:
    for action in Action.objects.all():
        assert action.cleaner_version == CLEANER_VERSION
        assert action.body_clean == cleaned_body(action.body, is_html=True, ticket_id=action.ticket_id)
    for ticket in Ticket.objects.all():
        clean = cleaned_body(ticket.description, is_html=ticket.description_is_html, ticket_id=ticket.pk)
        assert ticket.description_clean == clean


def test_figures_are_what_the_aggregate_counts() -> None:
    kept = [_rows(model) for model in (TicketDay, OpenStretch, TicketSpan, DailyMetric)]
    medians = _medians()
    assert all(kept)
    assert medians
    done = rebuild(now=AT)
    assert (done.tickets, done.changed) == (COUNT, 0)
    assert [_rows(model) for model in (TicketDay, OpenStretch, TicketSpan, DailyMetric)] == kept
    assert _medians() == medians


def _rows(model: Any) -> list[tuple[Any, ...]]:
    """With their keys: none was written anew."""
    return list(model.objects.order_by("pk").values_list())


def _medians() -> list[tuple[Any, ...]]:
    names = [f.name for f in Quantile._meta.concrete_fields if f.name != "id"]
    return sorted(Quantile.objects.values_list(*names))


def test_counting_is_measured() -> None:
    day, anew = aggregation.measured()
    assert day.figures["tickets"] > 0
    assert anew.figures["tickets"] == COUNT


def test_following_is_measured() -> None:
    line = following.measured()
    assert line.figures["tickets"] == COUNT
    assert line.figures["changed"] > COUNT / 2


def test_story_of_a_ticket_hangs_together() -> None:
    for ticket in Ticket.objects.prefetch_related("actions", "events", "attachments"):
        said = [a.occurred_at for a in ticket.actions.all()]
        assert said == sorted(said)
        assert all(ticket.opened_at <= at <= AT for at in said)
        assert ticket.attachment_count == len(ticket.attachments.all())
        moves = [e for e in ticket.events.all() if e.field == "status"]
        if moves:
            assert moves[-1].new == str(ticket.status_id)
        for image in re.findall(r"/tickets/(\d+)/images/", "".join(a.body_clean for a in ticket.actions.all())):
            assert int(image) == ticket.pk


def test_a_fill_is_kept_until_something_changes() -> None:
    mark = fill.fingerprint(tickets=COUNT, seed=7)
    fill.remember(mark=mark, now=AT, seconds=1.5)
    assert connection.introspection.table_names()
    found = fill.kept(tickets=COUNT, seed=7, now=AT)
    assert found is not None
    assert found.seconds == 1.5
    assert fill.kept(tickets=COUNT, seed=8, now=AT) is None
    assert fill.kept(tickets=COUNT + 1, seed=7, now=AT) is None
    assert fill.kept(tickets=COUNT, seed=7, now=AT + 2 * fill.LONGEST_KEPT) is None


def test_new_rows_find_free_numbers() -> None:
    ticket = Ticket.objects.order_by("-pk")[0]
    event = TicketEvent.objects.create(ticket=ticket, field="agent", at=AT, known_at=AT, origin="desk")
    assert event.pk == TicketEvent.objects.count()
