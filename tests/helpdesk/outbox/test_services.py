"""The outbox: order within a lane, one worker an item, and a late worker's word is worth nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from helpdesk.core.errors import Stale
from helpdesk.core.origin import Origin
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State, Verb
from helpdesk.outbox.models import OutboxItem
from tests.factories import NOW, make_account

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def put(lane: str = "config:x:1", **values) -> OutboxItem:
    given = {"verb": Verb.UPDATE_TICKET, "subject": lane, "fields": {"a": "1"}, "origin": Origin.system(), "now": NOW}
    return outbox.enqueue(psa_account_id=make_account().pk, lane=lane, **{**given, **values})


def claim(now=NOW, **values):
    return outbox.claim(now=now, lease_seconds=60, **values)


def test_the_first_of_a_lane_goes_first() -> None:
    first, second = put(), put()
    assert [i.pk for i in claim(limit=5)] == [first.pk]
    assert claim(limit=5) == []
    outbox.complete(item=OutboxItem.objects.get(pk=first.pk), now=NOW)
    assert [i.pk for i in claim(limit=5)] == [second.pk]


def test_lanes_do_not_wait_for_each_other() -> None:
    put("config:x:1")
    put("config:x:2")
    assert len(claim(limit=5)) == 2


def test_a_refused_one_does_not_block_its_lane() -> None:
    put()
    second = put()
    outbox.refuse(item=claim()[0], reason=Reason.VALIDATION, text="no", now=NOW)
    assert [i.pk for i in claim(limit=5)] == [second.pk]


def test_people_come_before_bulk() -> None:
    put("config:x:1", rank=2)
    urgent = put("config:x:2", rank=0)
    assert claim()[0].pk == urgent.pk


def test_held_until_its_time() -> None:
    put(hold_seconds=30)
    assert claim() == []
    assert claim(now=NOW + timedelta(seconds=31))


def test_what_hangs_on_another_waits_until_that_is_done() -> None:
    first = put("config:x:1")
    file = put("config:x:2", depends_on=first)
    assert [i.pk for i in claim(limit=5)] == [first.pk]
    outbox.complete(item=OutboxItem.objects.get(pk=first.pk), now=NOW)
    assert [i.pk for i in claim(limit=5)] == [file.pk]


def test_a_late_worker_changes_nothing() -> None:
    put()
    late = claim()[0]
    again = claim(now=LATER)[0]
    assert again.fence == late.fence + 1
    assert not outbox.complete(item=late, now=LATER)
    assert not outbox.begin_write(item=late, now=LATER)
    assert not outbox.renew(item=late, now=LATER, lease_seconds=60)
    assert outbox.complete(item=again, now=LATER)


def test_begin_write_counts_attempts_and_keeps_the_first_instant() -> None:
    put()
    item = claim()[0]
    assert outbox.begin_write(item=item, now=NOW)
    assert outbox.begin_write(item=item, now=LATER)
    item.refresh_from_db()
    assert (item.attempts, item.write_started_at) == (2, NOW)


def test_postponed_is_surely_not_applied() -> None:
    put()
    item = claim()[0]
    outbox.begin_write(item=item, now=NOW)
    outbox.postpone(item=item, until=LATER, text="busy", now=NOW)
    item.refresh_from_db()
    assert (item.state, item.write_started_at, item.not_before_at) == (State.WAITING, None, LATER)
    assert claim() == []


def test_retry_clears_the_reason_and_once_only() -> None:
    put()
    outbox.refuse(item=claim()[0], reason=Reason.VALIDATION, text="no", now=NOW, fields={"a": "bad"})
    item = OutboxItem.objects.get()
    outbox.retry_item(item=item, origin=Origin.system(), now=LATER, fields={"a": "2"})
    item.refresh_from_db()
    assert (item.state, item.reason, item.error_text, item.error_fields, item.fields) == (
        State.WAITING, "", "", {}, {"a": "2"},
    )  # fmt: skip
    with pytest.raises(Stale):
        outbox.retry_item(item=item, origin=Origin.system(), now=LATER)


def test_discard_takes_along_what_hangs_on_it() -> None:
    first = put()
    put(depends_on=first)
    outbox.discard_item(item=first, now=NOW)
    assert set(OutboxItem.objects.values_list("state", flat=True)) == {State.DISCARDED}


def test_what_is_under_way_cannot_be_discarded() -> None:
    item = put()
    claim()
    with pytest.raises(Stale):
        outbox.discard_item(item=item, now=NOW)


def test_fields_of_another_person_do_not_join() -> None:
    common = {"psa_account_id": make_account().pk, "lane": "config:x:1", "subject": "x", "base": {}, "now": NOW}
    outbox.enqueue_fields(fields={"a": 1}, origin=Origin.system(), **common)
    joined = outbox.enqueue_fields(fields={"b": 2}, origin=Origin.system(), **common)
    assert joined.fields == {"a": 1, "b": 2}
    assert OutboxItem.objects.count() == 1
