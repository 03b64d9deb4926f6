"""What is shown before saving is what saving does, however it was counted; and nothing is kept by looking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.accounts.models import AuditEntry
from helpdesk.desk import sla_changes, sla_planning, tasks
from helpdesk.desk.sla_planning import Touched
from helpdesk.directory.models import PsaAccount
from helpdesk.sla import editing
from helpdesk.sla.models import Calendar, Holiday, OpenInterval, PlannedChange, Policy, Target
from helpdesk.sla.versions import save_calendar_version, save_policy_version, use_policy
from helpdesk.tickets import clock_jobs, rederiving
from helpdesk.tickets.models import Ticket, TicketClock
from tests.factories import make_account, make_client, make_organisation, make_priority, make_ticket
from tests.people import make_ada, make_dana, make_mona

pytestmark = pytest.mark.django_db


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation(time_zone="Europe/London")
    return make_account(title="HaloPSA")


@pytest.fixture
def now(halo: PsaAccount) -> datetime:
    return timezone.now()


@pytest.fixture
def gold(halo: PsaAccount, now: datetime) -> Policy:
    """Everybody's policy, by office hours in London, with nine open tickets of several ages and priorities."""
    made = now - timedelta(days=60)
    calendar = Calendar.objects.create(name="Office", time_zone="Europe/London")
    OpenInterval.objects.bulk_create(
        OpenInterval(calendar=calendar, weekday=d, opens=540, closes=1050) for d in range(7)
    )
    save_calendar_version(calendar, now=made)
    policy = Policy.objects.create(name="Gold", calendar=calendar)
    for rank, hours in ((1, 2), (2, 6), (3, 16), (4, 60)):
        Target.objects.create(
            policy=policy, priority=str(rank), rank=rank, response_seconds=1800, resolution_seconds=hours * 3600
        )
    save_policy_version(policy, now=made)
    use_policy(policy=policy, now=made, psa_account=halo)
    ranks = {rank: make_priority(rank, psa_account=halo) for rank in (1, 2, 3, 4)}
    acme = make_client("Acme", psa_account=halo)
    for number in range(9):
        make_ticket(
            f"Ticket {number}", psa_account=halo, client=acme, priority=ranks[1 + number % 4],
            opened_at=now - timedelta(hours=7 * number + 1),
        )  # fmt: skip
    derive(halo, now)
    return policy


def derive(account: PsaAccount, now: datetime) -> None:
    rederiving.rederive(account_id=account.pk, ids=list(Ticket.objects.values_list("pk", flat=True)), now=now)


def facts() -> dict[tuple[int, str], tuple[Any, bool]]:
    """Clock -> when it is due, and whether it is breached."""
    rows = TicketClock.objects.values_list("ticket", "kind", "due_at", "state")
    return {(ticket, kind): (due, state == "breached") for ticket, kind, due, state in rows}


def compared(before: dict, after: dict) -> tuple[int, int, int]:
    """Tickets with another deadline, with a clock that is newly late, with one that is late no longer."""
    moved = {key[0] for key in before if before[key][0] != after[key][0]}
    breached = {key[0] for key in before if after[key][1] and not before[key][1]}
    lifted = {key[0] for key in before if before[key][1] and not after[key][1]}
    return len(moved), len(breached), len(lifted)


def shorter_day(policy: Policy) -> Callable[[], Touched]:
    """Closed at noon: what was due in the afternoon moves to another day."""

    def change() -> Touched:
        OpenInterval.objects.filter(calendar=policy.calendar).update(closes=720)
        return Touched(calendars=(policy.calendar_id or 0,))

    return change


def tighter(policy: Policy) -> Callable[[], Touched]:
    def change() -> Touched:
        Target.objects.filter(policy=policy, rank__gte=3).update(resolution_seconds=3600)
        Target.objects.filter(policy=policy, rank=1).update(resolution_seconds=90 * 3600)
        return Touched(policies=(policy.pk,))

    return change


@pytest.mark.parametrize("make_change", [shorter_day, tighter])
def test_the_preview_equals_what_saving_does(
    halo: PsaAccount, gold: Policy, now: datetime, make_change: Callable[[Policy], Callable[[], Touched]]
) -> None:
    before, change = facts(), make_change(gold)
    planned = sla_planning.plan(content=sla_planning.tried(change), user=make_ada(halo), now=now)
    assert planned.finished_at
    assert planned.looked_at == 9
    assert facts() == before, "looking changes nothing"
    touched = change()
    for key in touched.calendars:
        save_calendar_version(Calendar.objects.get(pk=key), now=now)
    for key in touched.policies:
        save_policy_version(Policy.objects.get(pk=key), now=now)
    derive(halo, now)
    moved, breached, lifted = compared(before, facts())
    assert moved > 0
    assert (planned.moved, planned.breached, planned.lifted) == (moved, breached, lifted)


def test_a_use_taken_away_is_counted_as_saving_counts_it(halo: PsaAccount, gold: Policy, now: datetime) -> None:
    before = facts()
    content = sla_planning.tried(lambda: Touched(uses={("psa_account", halo.pk): None}))
    planned = sla_planning.plan(content=content, user=make_ada(halo), now=now)
    use_policy(policy=None, now=now, psa_account=halo)
    derive(halo, now)
    moved, breached, lifted = compared(before, facts())
    assert moved > 0
    assert (planned.moved, planned.breached, planned.lifted) == (moved, breached, lifted)


def test_a_copy_that_says_the_same_moves_nothing(halo: PsaAccount, gold: Policy, now: datetime) -> None:
    acme = Ticket.objects.first().client  # type: ignore[union-attr]
    content = sla_planning.tried(
        lambda: sla_changes.would_take_over(policy=gold, who="client", key=acme, now=now)
    )  # fmt: skip
    assert Policy.objects.count() == 1
    planned = sla_planning.plan(content=content, user=make_ada(halo), now=now)
    assert (planned.looked_at, planned.moved, planned.breached) == (9, 0, 0)


def test_batches_add_up_to_the_same(halo: PsaAccount, gold: Policy, now: datetime) -> None:
    content = sla_planning.tried(shorter_day(gold))
    whole = sla_planning.plan(content=content, user=make_ada(halo), now=now)
    parts = PlannedChange.objects.create(digest=whole.digest, content=content, user=make_dana(halo), at=now, total=9)
    rounds = 0
    while sla_planning.step(parts.pk, now=now, size=2):
        rounds += 1
        parts.refresh_from_db()
        assert parts.looked_at == 2 * rounds
        assert 0 < parts.percent < 100
    parts.refresh_from_db()
    names = ("looked_at", "moved", "breached", "lifted")
    assert [getattr(parts, n) for n in names] == [getattr(whole, n) for n in names]
    assert len(parts.examples) == len(whole.examples) == sla_planning.EXAMPLES
    assert (rounds, parts.percent) == (4, 100)
    assert sla_planning.step(parts.pk, now=now) is False, "done is done"


def test_a_worker_counts_what_the_request_left(halo: PsaAccount, gold: Policy, now: datetime, client: Browser) -> None:
    ada = make_ada(halo)
    content = sla_planning.tried(shorter_day(gold))
    job = PlannedChange.objects.create(
        digest=sla_planning.digest_of(content), content=content, user=ada, at=now, total=9
    )  # fmt: skip
    client.force_login(ada)
    here = f"/settings/sla/previews/{job.pk}/"
    page = client.get(here, headers={"HX-Request": "true"}).content.decode()
    assert "0 of 9 tickets" in page
    assert 'hx-trigger="every 1s"' in page
    assert client.get(here).status_code == 200, "and without script as a page"
    tasks.count_planned()
    page = client.get(here, headers={"HX-Request": "true"}).content.decode()
    assert "of 9 open tickets" in page
    assert "hx-trigger" not in page, "an end is an end"
    job.refresh_from_db()
    assert job.moved
    assert "Ticket " in page, "the first examples stand below"
    for other in (make_mona(halo), make_dana(halo)):
        client.force_login(other)
        assert client.get(here).status_code in (403, 404), "one's own only"


def test_what_is_tried_leaves_nothing_behind(halo: PsaAccount, gold: Policy) -> None:
    wanted = editing.calendar_wanted(gold.calendar)  # type: ignore[arg-type]
    before = list(OpenInterval.objects.values_list("pk", "closes"))

    def change() -> Touched:
        row = Calendar.objects.get(pk=gold.calendar_id)
        return Touched(calendars=(editing.write_calendar(calendar=row, wanted=wanted, now=timezone.now()).pk,))

    content = sla_planning.tried(change)
    assert list(content["calendars"]) == [str(gold.calendar_id)]
    assert list(OpenInterval.objects.values_list("pk", "closes")) == before
    assert sla_planning.moves_nothing(content), "it says the same as before"


def test_old_counts_go(halo: PsaAccount, gold: Policy, now: datetime) -> None:
    ada, content = make_ada(halo), sla_planning.tried(shorter_day(gold))
    old = sla_planning.plan(content=content, user=ada, now=now - timedelta(days=2))
    new = sla_planning.plan(content=content, user=ada, now=now)
    assert list(PlannedChange.objects.values_list("pk", flat=True)) == [new.pk] != [old.pk]
    assert sla_planning.plan(content=content, user=ada, now=now).pk == new.pk, "asked twice, counted once"


def test_saving_lets_the_tickets_follow(halo: PsaAccount, gold: Policy, client: Browser) -> None:
    client.force_login(make_ada(halo))
    data = {"name": "Office", "time_zone": "Europe/London"}
    data |= {f"d{d}-0-opens": "09:00" for d in range(7)} | {f"d{d}-0-closes": "12:00" for d in range(7)}
    here = f"/settings/sla/calendars/{gold.calendar_id}/"
    looked = client.post(here, {**data, "verb": "preview"})
    planned = looked.context["planned"]
    assert planned.moved
    assert f"<b>{planned.moved}</b>" in looked.content.decode()
    client.post(here, {**data, "verb": "save", "seen": looked.context["digest"]})
    job = clock_jobs.progress()
    assert job is not None
    assert "Open tickets follow the change." in client.get("/settings/sla/").content.decode()
    before = facts()
    follow()
    assert compared(before, facts()) == (planned.moved, planned.breached, planned.lifted)
    assert "Open tickets follow the change." not in client.get("/settings/sla/").content.decode()


def follow() -> None:
    while clock_jobs.run(clock=timezone.now):
        pass


def test_a_feed_that_is_due_is_read_and_tickets_follow(halo: PsaAccount, gold: Policy, now: datetime) -> None:
    calendar = Calendar.objects.get(pk=gold.calendar_id)
    Calendar.objects.filter(pk=calendar.pk).update(holiday_country="GB", holiday_region="ENG")
    tasks.feed_holidays()
    calendar.refresh_from_db()
    assert calendar.version == 2
    assert Holiday.objects.filter(calendar=calendar, name="Christmas Day").exists()
    entry = AuditEntry.objects.get(verb="calendar.feed")
    assert (entry.actor, entry.user) == ("Holiday feed", None)
    assert any("Holidays added" in words for words in entry.detail["changes"])
    tasks.feed_holidays()
    assert AuditEntry.objects.filter(verb="calendar.feed").count() == 1
    Calendar.objects.filter(pk=calendar.pk).update(holiday_country="XX", feed_problem="x")
    tasks.feed_holidays()
    calendar.refresh_from_db()
    assert "does not know the country" in calendar.feed_problem
    assert calendar.version == 2, "what was fed stays"
