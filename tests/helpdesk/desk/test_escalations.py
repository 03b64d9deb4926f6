"""The page of what is escalated now, who may see it, what it costs; and everybody's own page of how they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import User
from helpdesk.actions.choices import Way
from helpdesk.actions.models import Escalation, Notice
from helpdesk.actions.wishes import way, wishes_of
from helpdesk.tickets.models import Ticket
from tests.factories import NOW, make_account, make_policy, make_ticket
from tests.people import make_cleo, make_dana, make_mona, make_theo

pytestmark = pytest.mark.django_db
PAGE = "/escalations/"


@pytest.fixture
def dana(client: Browser) -> Any:
    user = make_dana(make_account())
    client.force_login(user)
    return user


def make_one(trigger: str = "breach", level: int = 1, *, ticket: Ticket | None = None, **values: Any) -> Escalation:
    clock = "resolution" if trigger in ("breach", "threshold") else ""
    given = {"reason": "SLA violated by 5 hours", "at": NOW - timedelta(hours=1), "clock": clock, **values}
    return Escalation.objects.create(ticket=ticket or make_ticket(), trigger=trigger, level=level, **given)


def subjects(client: Browser, query: str = "") -> list[str]:
    return [one.ticket.subject for one in client.get(PAGE + query).context["shown"].rows]


def test_a_row_says_which_ticket_whose_why_since_when_and_who_was_told(client: Browser, dana: User) -> None:
    theo = make_theo(make_account())
    ticket = make_ticket("Till is down", agent=theo.agents.get())
    make_one("breach", 2, ticket=ticket, told="Mona Castell")
    page = client.get(PAGE).content.decode()
    for words in (
        "Level 2", "Till is down", ticket.label, "Northwind Dental", "Resolution overdue", "SLA violated by 5 hours",
        "Theo Marsh", "Mona Castell", f"/tickets/{ticket.pk}/", "<time",
    ):  # fmt: skip
        assert words in page, words


def test_the_worst_comes_first(client: Browser, dana: User) -> None:
    for trigger, level in (("threshold", 90), ("stale", 1), ("breach", 1), ("person", 1), ("breach", 3)):
        make_one(trigger, level, ticket=make_ticket(f"{trigger} {level}"))
    make_one("unassigned", ticket=make_ticket("unassigned 1"))
    assert subjects(client) == ["breach 3", "breach 1", "unassigned 1", "person 1", "stale 1", "threshold 90"]


def test_what_has_ended_or_whose_work_has_ended_is_not_open(client: Browser, dana: User) -> None:
    make_one(ended_at=NOW)
    make_one(ticket=make_ticket(is_open=False))
    make_one(ticket=make_ticket(removed_at=NOW))
    page = client.get(PAGE)
    assert page.context["shown"].rows == []
    assert "Nothing is escalated" in page.content.decode()


def test_the_address_filters_by_trigger_level_and_whose(client: Browser, dana: User) -> None:
    mine = make_ticket("Mine", agent=dana.agents.get())
    make_one("breach", 3, ticket=mine)
    told = make_one("breach", 1, ticket=make_ticket("Told to me"))
    Notice.objects.create(user=dana, escalation=told, created_at=NOW)
    make_one("stale", ticket=make_ticket("Silent"))
    assert subjects(client, "?trigger=stale") == ["Silent"]
    assert subjects(client, "?trigger=breach") == ["Mine", "Told to me"]
    assert subjects(client, "?trigger=breach&level=3") == ["Mine"]
    assert subjects(client, "?whose=mine") == ["Mine"]
    assert subjects(client, "?whose=told") == ["Told to me"]


def test_every_number_is_what_its_link_shows(client: Browser, dana: User) -> None:
    for trigger, level, count in (("breach", 1, 3), ("breach", 3, 2), ("threshold", 75, 4), ("stale", 1, 1)):
        for _ in range(count):
            make_one(trigger, level)
    shown = client.get(PAGE).context["shown"]
    for one in shown.triggers:
        found = client.get(PAGE + one.href).context["shown"]
        assert found.total == len(found.rows) == one.count
        for level in found.levels:
            inner = client.get(PAGE + level.href).context["shown"]
            assert inner.total == len(inner.rows) == level.count


@pytest.mark.parametrize(
    "query", ["?trigger=<b>&level=x&page=-1&whose=%00", "?level=3", "?page=99999", "?trigger=stale&level=2", "?page=²"]
)
def test_an_address_that_makes_no_sense_shows_a_page(client: Browser, dana: User, query: str) -> None:
    make_one("stale")
    assert client.get(PAGE + query).status_code == 200


def test_filters_without_a_row_say_so_and_lead_back(client: Browser, dana: User) -> None:
    make_one("stale")
    page = client.get(PAGE + "?trigger=breach").content.decode()
    assert "No open escalation fits these filters." in page
    assert f'href="{PAGE}"' in page


def test_more_than_a_page_goes_on(client: Browser, dana: User) -> None:
    ticket = make_ticket()
    Escalation.objects.bulk_create(
        Escalation(ticket=ticket, trigger="stale", cycle=n, reason="x", at=NOW) for n in range(1, 54)
    )
    first = client.get(PAGE).context["shown"]
    second = client.get(PAGE + first.following).context["shown"]
    assert (len(first.rows), len(second.rows), second.following) == (50, 3, "")
    assert {one.pk for one in first.rows}.isdisjoint(one.pk for one in second.rows)


def test_ten_more_rows_cost_no_more_queries(client: Browser, dana: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(PAGE).status_code == 200
        return len(caught)

    make_one(told="Mona")
    cost()
    before = cost()
    for number in range(10):
        make_one("breach", number % 3 + 1, ticket=make_ticket(agent=dana.agents.get()))
    assert cost() <= before


def test_clients_see_nothing_of_it(client: Browser) -> None:
    client.force_login(make_cleo(make_account()))
    assert client.get(PAGE).status_code == 403
    assert client.get("/settings/notices/").status_code == 403


def test_hostile_words_stay_words(client: Browser, dana: User) -> None:
    make_one("person", ticket=make_ticket("<script>alert(1)</script>"), reason="<img src=x>")
    page = client.get(PAGE).content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page


def test_a_live_page_fetches_the_part_it_shows(client: Browser, dana: User) -> None:
    make_one("stale")
    part = client.get(PAGE + "?trigger=stale", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div class="escalated-now" id="escalations"')
    assert 'data-live-src="/escalations/?trigger=stale"' in part


def test_a_notice_of_a_rule_says_what_it_found(client: Browser, dana: User) -> None:
    made = make_one("breach", 2)
    Notice.objects.create(user=dana, escalation=made, created_at=NOW)
    page = client.get("/notices/").content.decode()
    assert "Resolution overdue, level 2" in page
    assert "None" not in page


def test_the_head_of_a_ticket_says_what_a_rule_found(client: Browser, dana: User) -> None:
    ticket = make_ticket(escalated_at=NOW, escalation_reason="x")
    make_one("threshold", 90, ticket=ticket, reason="90 % of the target is used")
    assert 'class="escalated"' not in client.get(f"/tickets/{ticket.pk}/").content.decode()
    made = make_one("breach", 2, ticket=ticket)
    page = client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "Resolution overdue, level 2" in page
    assert "by None" not in page
    Escalation.objects.filter(pk=made.pk).update(ended_at=NOW)
    assert "Resolution overdue, level 2" not in client.get(f"/tickets/{ticket.pk}/").content.decode()


# ---- how each is told -----------------------------------------------------------------------------------------------


def test_the_usual_way() -> None:
    mona = make_mona()
    assert [way(mona, key) for key in ("threshold:50", "threshold:90", "stale")] == [Way.DESK] * 3
    assert [way(mona, key) for key in ("breach:1", "breach:3", "unassigned", "person")] == [Way.BOTH] * 4


def test_the_form_is_kept_and_shows_what_is_kept(client: Browser, dana: User) -> None:
    page = client.get("/settings/notices/").content.decode()
    assert "What you are told" in page
    client.post(
        "/settings/notices/", {"desk": ["threshold:50", "breach:1"], "mail": ["breach:1", "breach:3", "nonsense"]}
    )
    dana.refresh_from_db()
    ways = {one.key: way(dana, one.key) for one in wishes_of(dana)}
    assert (ways["threshold:50"], ways["threshold:75"], ways["breach:1"]) == (Way.DESK, Way.NONE, Way.BOTH)
    assert (ways["breach:2"], ways["breach:3"], ways["stale"]) == (Way.NONE, Way.MAIL, Way.NONE)
    assert "nonsense" not in str(dana.preferences)
    again = client.get("/settings/notices/").content.decode()
    assert again.count(" checked") == 1 + 1 + 2 + 1  # person's desk, 50 %, both of level 1, the mail of level 3


def test_what_a_person_escalates_always_reaches_the_desk(client: Browser, dana: User) -> None:
    client.post("/settings/notices/", {})
    dana.refresh_from_db()
    assert way(dana, "person") == Way.DESK


def test_back_to_the_usual_keeps_nothing(client: Browser, dana: User) -> None:
    client.post("/settings/notices/", {})
    rows = wishes_of(make_mona())
    usual = {"desk": [w.key for w in rows if w.in_desk], "mail": [w.key for w in rows if w.by_mail]}
    client.post("/settings/notices/", usual)
    dana.refresh_from_db()
    assert "alerts" not in dana.preferences


def test_thresholds_of_every_policy_are_on_offer(client: Browser, dana: User) -> None:
    make_policy(thresholds=[60, 110])
    keys = [one.key for one in wishes_of(dana)]
    assert [k for k in keys if k.startswith("threshold:")] == [
        f"threshold:{n}" for n in (50, 60, 75, 90, 100, 110)
    ]  # fmt: skip


def test_what_was_kept_and_makes_no_sense_is_the_usual() -> None:
    mona = make_mona()
    for kept in ("x", {"breach:1": "loudly"}, ["breach:1"]):
        mona.preferences = {"alerts": kept}
        assert way(mona, "breach:1") == Way.BOTH
