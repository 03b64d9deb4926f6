"""Rows written in one go read back as Django itself would have written them, in both databases."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from helpdesk.core import bulk
from helpdesk.tickets.models import SearchText, Ticket, TicketClock, TicketEvent
from tests.factories import make_ticket

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
HARD = "quotes \"' \\ back, {brace}, %s %% and \n lines, tabs\t, ünïcode ☃ 🎫, </script>"


def unsaved(n: int, like: Ticket, **given: object) -> Ticket:
    values = {f.attname: getattr(like, f.attname) for f in Ticket._meta.concrete_fields}
    values |= {"id": None, "marker": uuid.uuid4(), "remote_id": f"r{n}", "subject": f"{n} {HARD}", "created_at": None}
    return Ticket(**{**values, **given})


def test_every_kind_of_value_comes_back_as_it_was() -> None:
    like = make_ticket()
    summer = timezone(timedelta(hours=2))
    given = {
        "raw": {"a": [1, 2.5, None, True, HARD], "b": {"c": HARD}},
        "confirmed": {"subject": HARD, "agent": None},
        "opened_at": AT.astimezone(summer),
        "closed_at": AT,
        "estimate_seconds": None,
        "billable_seconds": 2_147_483_647,
        "sla_paused": True,
        "description": HARD * 300,
    }
    fast, slow = unsaved(1, like, **given), unsaved(2, like, **given)
    bulk.insert([fast])
    Ticket.objects.bulk_create([slow])
    apart = {"id", "marker", "remote_id", "subject", "created_at"}
    same = [f.attname for f in Ticket._meta.concrete_fields if f.attname not in apart]
    read = {t.pk: t for t in Ticket.objects.filter(pk__in=[fast.pk, slow.pk])}
    assert {n: getattr(read[fast.pk], n) for n in same} == {n: getattr(read[slow.pk], n) for n in same}
    assert read[fast.pk].raw == given["raw"]
    assert read[fast.pk].opened_at == AT
    assert (read[fast.pk].marker, read[fast.pk].subject) == (fast.marker, f"1 {HARD}")
    assert read[fast.pk].created_at is not None
    with connection.cursor() as cursor:  # as stored, too: text comparisons in SQLite go by the spelling
        names = [c for c in same if c != "id"]
        columns = ", ".join(Ticket._meta.get_field(n).column for n in names)  # type: ignore[union-attr]
        cursor.execute(f"SELECT {columns} FROM tickets_ticket WHERE id IN (%s, %s)", [fast.pk, slow.pk])
        one, other = cursor.fetchall()
    assert one == other


def test_each_row_gets_its_own_key_in_one_statement() -> None:
    like = make_ticket()
    rows = [unsaved(n, like) for n in range(120)]
    with CaptureQueriesContext(connection) as queries:
        bulk.insert(rows)
    assert len([q for q in queries if q["sql"].startswith("INSERT")]) == 1
    assert dict(Ticket.objects.filter(pk__in=[r.pk for r in rows]).values_list("pk", "remote_id")) == {
        r.pk: r.remote_id for r in rows
    }
    assert not any(r._state.adding for r in rows)


def test_an_upsert_sets_only_what_it_was_told_to() -> None:
    ticket = make_ticket()
    stored = Ticket.objects.get(pk=ticket.pk)
    ticket.subject, ticket.reported_by = "new subject", "not to be written"
    bulk.upsert([ticket], unique=("psa_account", "remote_id"), update=("subject",))
    read = Ticket.objects.get(pk=ticket.pk)
    assert (read.subject, read.reported_by, read.created_at) == ("new subject", stored.reported_by, stored.created_at)
    bulk.upsert([SearchText(ticket=ticket, text="one")], unique=("ticket",), update=("text",))
    bulk.upsert([SearchText(ticket=ticket, text="two")], unique=("ticket",), update=("text",))
    assert SearchText.objects.get(ticket=ticket).text == "two"


def test_what_is_known_is_left_out_or_refused() -> None:
    ticket = make_ticket()
    values = {"field": "created", "at": AT, "known_at": AT, "origin": "psa", "remote_key": "created"}
    ticket.events.all().delete()
    bulk.insert([TicketEvent(ticket=ticket, **values)])
    bulk.insert([TicketEvent(ticket=ticket, **values)], ignore_known=True)
    assert ticket.events.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert([TicketEvent(ticket=ticket, **values)])
    bulk.insert([])
    bulk.upsert([], unique=("ticket",), update=("text",))


def test_a_batch_stands_or_falls_as_one() -> None:
    like = make_ticket()
    before = Ticket.objects.count()
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert([unsaved(1, like), unsaved(2, like), unsaved(1, like)])
    assert Ticket.objects.count() == before


def test_a_blank_row_is_the_one_that_django_makes() -> None:
    for model in (Ticket, TicketClock):
        fast, other, slow = bulk.blank(model), bulk.blank(model), model()
        names = [f.attname for f in model._meta.concrete_fields]
        kinds = {name: (value, type(value)) for name, value in vars(slow).items() if name in names}
        kinds.pop("marker", None)  # another one each time
        assert {name: (vars(fast)[name], type(vars(fast)[name])) for name in kinds} == kinds
        assert (fast._state.adding, fast._state.db, fast.pk) == (True, None, None)
        lists = [name for name, (value, _) in kinds.items() if isinstance(value, list | dict)]
        assert lists
        assert not [name for name in lists if vars(fast)[name] is vars(other)[name]], "nobody writes into another's"
    assert bulk.blank(Ticket).marker != bulk.blank(Ticket).marker


def test_rows_that_are_read_in_part_fetch_the_rest_when_asked() -> None:
    made = make_ticket(subject=HARD, raw={"a": [1]})
    with CaptureQueriesContext(connection) as seen:
        (found,) = bulk.read(Ticket.objects.filter(pk=made.pk), fields=("subject", "client", "raw"))
        assert (found.pk, found.subject, found.client_id, found.raw) == (made.pk, HARD, made.client_id, {"a": [1]})
    assert len(seen) == 1
    assert found.get_deferred_fields() == Ticket.objects.only("subject", "client", "raw").get().get_deferred_fields()
    assert (found._state.adding, found._state.db, found) == (False, "default", made)
    with CaptureQueriesContext(connection) as seen:
        assert found.number == made.number
    assert len(seen) == 1
