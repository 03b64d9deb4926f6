"""The settings' policies: targets by rank, a PSA's taken over, who gets which, and whose deadline comes first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import AuditEntry
from helpdesk.desk.sla_lists import use_lines
from helpdesk.directory.models import PsaAccount
from helpdesk.sla.models import EVER, Calendar, Holiday, OpenInterval, Policy, PolicyUse, Target
from helpdesk.tickets import clock_jobs
from helpdesk.tickets.models import Priority, Ticket
from helpdesk.tickets.rederiving import rederive
from tests.factories import (
    make_account,
    make_calendar,
    make_client,
    make_contract,
    make_organisation,
    make_policy,
    make_priority,
    make_target,
    make_team,
    make_ticket,
)
from tests.people import EVERYBODY, make_ada, make_mona

pytestmark = pytest.mark.django_db
ADD = "/settings/sla/policies/add/"


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation(time_zone="Europe/London")
    return make_account(title="HaloPSA")


@pytest.fixture
def ada(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_ada(halo))
    return client


def form(**values: object) -> dict[str, object]:
    units = {f"{kind}_unit_{rank}": "hours" for kind in ("response", "resolution") for rank in (1, 2, 3, 4)}
    return {
        "name": "Gold", "risk_minutes": 60, "short_target_minutes": 240, "short_percent": 25, "on_change": "start",
        "on_reopen": "resumes", "response_by": "message", "thresholds": "50, 75, 90, 100", "escalates": "on",
        "verb": "save", **units, "response_1": "0.25", "resolution_1": "4", "response_2": "30",
        "response_unit_2": "minutes", "resolution_2": "2", "resolution_unit_2": "days", **values,
    }  # fmt: skip


def page(browser: Browser, path: str = "/settings/sla/") -> str:
    return browser.get(path).content.decode()


def test_a_policy_is_made_with_its_units(ada: Browser) -> None:
    assert "No policy yet" in page(ada)
    night = Calendar.objects.create(name="Night", is_always_open=True)
    answer = ada.post(ADD, form(calendar_1=night.pk, thresholds="90 50%;100, 50"))
    policy = Policy.objects.get()
    assert answer.url == f"/settings/sla/policies/{policy.pk}/"
    one, two = policy.targets.order_by("rank")
    assert (one.response_seconds, one.resolution_seconds, one.calendar) == (900, 4 * 3600, night)
    assert (two.response_seconds, two.response_in_days) == (1800, False)
    assert (two.resolution_seconds, two.resolution_in_days, two.priority) == (2 * 86_400, True, "2")
    assert (policy.thresholds, policy.escalates, policy.version) == ([50, 90, 100], True, 1)
    assert AuditEntry.objects.get(verb="policy.add").subject == f"policy:{policy.pk}"
    text = page(ada)
    for words in ("15 min / 4 h", "30 min / 2 business days", "Night", "No target for Medium, Low", "nobody"):
        assert words in text
    again = page(ada, f"/settings/sla/policies/{policy.pk}/")
    assert 'value="15"' in again, "a quarter of an hour is shown in minutes"
    assert 'value="days" selected' in again


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "\u200b"}, "Give it a name that can be read."),
        ({"name": "SILVER"}, "There is a policy of this name already."),
        ({"calendar": "999"}, "Choose one from the list."),
        ({"calendar_1": "x"}, "Choose one from the list."),
        ({"resolution_1": "-4"}, "greater than or equal to 0"),
        ({"resolution_1": "0"}, "Leave it empty where nothing is promised."),
        ({"resolution_1": "soon"}, "Enter a number."),
        ({"resolution_1": "NaN"}, "Enter a number."),
        ({"resolution_1": "9000"}, "That is more than a year."),
        ({"resolution_1": "99999999999"}, "no more than"),
        ({"resolution_2": "1.5"}, "Business days are whole"),
        ({"response_2": "1.5"}, "Minutes are whole."),
        ({"response_1": "5"}, "The response is promised later than the resolution."),
        ({"resolution_unit_1": "weeks"}, "Choose one from the list."),
        (
            {"response_1": "", "resolution_1": "", "response_2": "", "resolution_2": ""},
            "Promise something for one priority at least.",
        ),
        ({"thresholds": "half"}, "Whole numbers from 1 to 500"),
        ({"thresholds": "0"}, "Whole numbers from 1 to 500"),
        ({"thresholds": "50, 501"}, "Whole numbers from 1 to 500"),
        ({"thresholds": ",".join(str(n) for n in range(1, 20))}, "At most 12 of them."),
        ({"short_percent": "101"}, "less than or equal to 100"),
        ({"risk_minutes": ""}, "This field is required."),
        ({"on_change": "never"}, "Choose one from the list."),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(ada: Browser, change: dict, text: str) -> None:
    Policy.objects.create(name="Silver")
    answer = ada.post(ADD, form(**change))
    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert Policy.objects.count() == 1


def test_a_change_makes_a_version_that_says_what_it_changed(ada: Browser) -> None:
    ada.post(ADD, form())
    policy = Policy.objects.get()
    here = f"/settings/sla/policies/{policy.pk}/"
    office = Calendar.objects.create(name="Office")
    ada.post(here, form(resolution_1="2", thresholds="80", escalates="", on_reopen="restarts", calendar_2=office.pk))
    policy.refresh_from_db()
    assert policy.version == 2
    changes = AuditEntry.objects.get(verb="policy.change").detail["changes"]
    assert changes == [
        "Critical: resolution 4 h → 2 h",
        "High: by Office",
        "After reopening: resolution goes on, the closed time as a pause → resolution starts anew",
        "Told at 50 %, 75 %, 90 %, 100 % → 80 %",
        "Breaches escalate no longer",
    ]
    text = page(ada, here)
    assert all(words in text for words in changes)
    ada.post(here, form(resolution_1="2", thresholds="80", escalates="", on_reopen="restarts", calendar_2=office.pk))
    policy.refresh_from_db()
    assert policy.version == 2, "nothing changed, no version"


def test_a_policy_that_somebody_has_is_looked_at_first(ada: Browser, halo: PsaAccount) -> None:
    ada.post(ADD, form())
    policy = Policy.objects.get()
    ada.post(f"/settings/sla/uses/psa_account/{halo.pk}/", {"policy": policy.pk})
    PolicyUse.objects.create(policy=policy, psa_account=halo, from_at=halo.created_at)
    here = f"/settings/sla/policies/{policy.pk}/"
    answer = ada.post(here, form(resolution_1="2"))
    assert policy.targets.get(rank=1).resolution_seconds == 4 * 3600
    ada.post(here, form(resolution_1="2", seen=answer.context["digest"]))
    assert policy.targets.get(rank=1).resolution_seconds == 2 * 3600


@pytest.fixture
def theirs(halo: PsaAccount) -> Policy:
    """A PSA's policy: two priorities of one rank, one of none, a calendar with a night and a holiday."""
    calendar = make_calendar("Workday", psa_account=halo, time_zone="Europe/Paris")
    OpenInterval.objects.create(calendar=calendar, weekday=2, opens=1320, closes=1800)
    Holiday.objects.create(calendar=calendar, name="Day", starts_on="2027-07-14", ends_on="2027-07-14", source="psa")
    policy = make_policy("Gold", psa_account=halo, calendar=calendar)
    make_target(policy, make_priority(1, name="P1 slow"), resolution_seconds=8 * 3600)
    make_target(policy, make_priority(1, name="P1"), resolution_seconds=3600)
    make_target(policy, make_priority(3, name="P3"), resolution_seconds=3 * 86_400, resolution_in_days=True)
    make_target(policy, make_priority(2, name="Odd"), rank=None)
    return policy


def test_a_psas_policy_is_read_only_and_taken_over_in_one_press(ada: Browser, halo: PsaAccount, theirs: Policy) -> None:
    here = f"/settings/sla/policies/{theirs.pk}/"
    text = page(ada, here)
    assert "HaloPSA keeps this policy" in text
    assert "P1 slow" in text
    assert 'name="resolution_1"' not in text
    assert f'value="replaces:{theirs.pk}" checked' in text
    assert "Wherever HaloPSA gives Gold" in text
    assert f'value="psa_account:{halo.pk}">' in text
    assert "but tickets and contracts that have a policy of their own there" in text
    assert "P1, P1 slow are all Critical here: the copy promises all of them what P1 gets, the nearest." in text
    assert "Odd stands for no priority here: the copy leaves it out." in text
    make_ticket(psa_account=halo, sla_policy=theirs)
    assert "but 1 open ticket, which has a policy of its own there" in page(ada, here)
    assert ada.post(here, form()).status_code == 403
    ada.post(f"{here}take/", {"to": f"psa_account:{halo.pk}", "verb": "take"})
    ours = Policy.objects.get(psa_account=None)
    targets = list(ours.targets.order_by("rank").values_list("rank", "priority", "resolution_seconds"))
    assert targets == [(1, "1", 3600), (3, "3", 3 * 86_400)]
    assert ours.targets.get(rank=3).resolution_in_days
    assert ours.calendar is not None
    assert (ours.calendar.psa_account, ours.calendar.name, ours.calendar.time_zone) == (None, "Workday", "Europe/Paris")
    assert ours.calendar.intervals.get().closes == 1800
    assert ours.calendar.holidays.get().name == "Day"
    assert (ours.version, ours.calendar.version) == (1, 1)
    use = PolicyUse.objects.get()
    assert (use.psa_account, use.policy, use.to_at) == (halo, ours, None)
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["policy.take_over", "policy.give"]


def test_a_copy_goes_to_a_client_found_by_name_or_to_nobody(ada: Browser, halo: PsaAccount, theirs: Policy) -> None:
    acme = make_client("Acme <Ltd>", psa_account=halo)
    make_client("Northwind", psa_account=halo)
    take = f"/settings/sla/policies/{theirs.pk}/take/"
    text = ada.post(take, {"verb": "find", "q": "acme", "to": "nobody"}).content.decode()
    assert f'value="client:{acme.pk}"' in text
    assert "Acme &lt;Ltd&gt;" in text
    assert "Northwind" not in text
    silver = make_policy("Silver acme", psa_account=halo)
    assert "Silver acme" not in text
    for odd in ("client:999999", "client:x", "planet:1", "client", "", f"replaces:{silver.pk}", "replaces:999999"):
        assert ada.post(take, {"to": odd, "verb": "take"}).status_code == 422
    assert not Policy.objects.filter(psa_account=None).exists()
    looked = ada.post(take, {"to": f"client:{acme.pk}", "verb": "preview"})
    assert f'value="client:{acme.pk}" checked' in looked.content.decode()
    assert not Policy.objects.filter(psa_account=None).exists(), "looking makes nothing"
    ada.post(take, {"to": f"client:{acme.pk}", "verb": "take"})
    assert PolicyUse.objects.get().client == acme
    ada.post(take, {"to": "nobody", "verb": "take"})
    assert PolicyUse.objects.count() == 1
    assert Policy.objects.filter(psa_account=None, name="Gold 2").exists()


def promised(ticket: Ticket) -> tuple[Policy | None, datetime | None]:
    clock = ticket.clocks.get(kind="resolution")
    return clock.policy, clock.our_due_at


def test_a_take_over_replaces_it_wherever_the_psa_gives_it(ada: Browser, halo: PsaAccount, theirs: Policy) -> None:
    opened = timezone.now() - timedelta(hours=2)
    slow = Priority.objects.get(name="P1 slow")
    said = {"psa_account": halo, "priority": slow, "sla_policy": theirs, "opened_at": opened}
    contract = make_contract(make_client("Acme", psa_account=halo), sla_policy=theirs)
    by_contract = {"psa_account": halo, "priority": slow, "contract": contract, "client": contract.client}
    moving = [make_ticket(**said), make_ticket(**by_contract, opened_at=opened)]
    staying = make_ticket(**{**said, "sla_policy": make_policy("Silver", psa_account=halo)})
    tickets = [*moving, staying]
    rederive(account_id=halo.pk, ids=[t.pk for t in tickets], now=timezone.now())
    before = {t.pk: promised(t) for t in tickets}
    here = f"/settings/sla/policies/{theirs.pk}/"
    looked = ada.post(f"{here}take/", {"to": f"replaces:{theirs.pk}", "verb": "preview"})
    told = looked.context["planned"]
    assert (told.looked_at, told.moved) == (3, 2)
    assert not PolicyUse.objects.exists()
    ada.post(f"{here}take/", {"to": f"replaces:{theirs.pk}", "verb": "take"})
    ours, use = Policy.objects.get(psa_account=None), PolicyUse.objects.get()
    assert (use.replaces, use.policy, use.psa_account) == (theirs, ours, None)
    clock_jobs.run(clock=timezone.now)
    assert sum(promised(t)[1] != before[t.pk][1] for t in tickets) == told.moved
    assert [promised(t)[0] for t in moving] == [ours, ours]
    assert promised(staying) == before[staying.pk]
    assert "all that HaloPSA gives Gold" in page(ada), "in the line of ours"
    text = page(ada, here)
    assert "1 contract in the PSA, replaced here by Gold" in text
    assert "instead of Gold, which counts there now" in text


def test_a_list_says_what_the_psa_does_with_its_policy_and_how_many_tickets_run_by_it(
    ada: Browser, halo: PsaAccount, theirs: Policy
) -> None:
    slow = Priority.objects.get(name="P1 slow")
    tickets = [make_ticket(psa_account=halo, priority=slow, sla_policy=theirs) for _ in range(3)]
    tickets[2].removed_at = timezone.now()
    tickets[2].save()
    rederive(account_id=halo.pk, ids=[t.pk for t in tickets], now=timezone.now())
    for path in ("/settings/sla/", f"/settings/sla/policies/{theirs.pk}/"):
        text = page(ada, path)
        assert "tickets that HaloPSA puts it on" in text
        assert "2 open tickets run by it" in text
        assert "nobody" not in text.split("<form")[0], path
    ours = Policy.objects.create(name="Ours")
    PolicyUse.objects.create(policy=ours, replaces=theirs, from_at=timezone.now())
    text = page(ada)
    assert "replaced here by Ours" in text
    assert "puts it on" not in text


def test_what_counted_from_ever_is_said_so(ada: Browser, halo: PsaAccount) -> None:
    gold = Policy.objects.create(name="Gold")
    PolicyUse.objects.create(policy=gold, psa_account=halo, from_at=EVER)
    for path in ("/settings/sla/uses/", f"/settings/sla/policies/{gold.pk}/"):
        text = page(ada, path)
        assert "from the start" in text
        assert "1970" not in text


def test_a_replacement_is_ended_and_only_one_of_ours_is_taken(ada: Browser, halo: PsaAccount, theirs: Policy) -> None:
    ours, silver = Policy.objects.create(name="Ours"), make_policy("Silver", psa_account=halo)
    here = f"/settings/sla/uses/replaces/{theirs.pk}/"
    text = page(ada, here)
    assert "What counts wherever HaloPSA gives Gold" in text
    assert "Silver" not in text
    for wrong in (silver, theirs):
        for verb in ("preview", "save"):
            answer = ada.post(here, {"policy": wrong.pk, "verb": verb})
            assert answer.status_code == 422
            assert "Only a policy of ours can replace one of a PSA." in answer.content.decode()
    assert ada.get(f"/settings/sla/uses/replaces/{ours.pk}/").status_code == 404, "ours is replaced by nothing"

    def choose(policy: Policy | None) -> str:
        data = {"policy": policy.pk if policy else ""}
        looked = ada.post(here, {**data, "verb": "preview"})
        done = {**data, "verb": "save", "seen": looked.context["digest"]}
        return ada.post(here, done, follow=True).content.decode()

    assert "Wherever HaloPSA gives Gold, Ours counts." in choose(ours)
    refused = ada.post(f"/settings/sla/policies/{ours.pk}/archive/", follow=True).content.decode()
    assert "It is given to all that HaloPSA gives Gold." in refused
    listed = page(ada, "/settings/sla/uses/")
    assert here in listed
    assert "The PSA&#x27;s policy" in listed
    assert "replaced by" in listed
    assert "Replace it by Ours" in page(ada, f"/settings/sla/uses/?find=silver&policy={ours.pk}")
    assert "Nobody of this name" in page(ada, f"/settings/sla/uses/?find=silver&policy={theirs.pk}")
    assert "Gold counts again as HaloPSA has it." in choose(None)
    assert PolicyUse.objects.get().to_at is not None


def test_uses_are_listed_from_the_nearest_to_the_ticket(ada: Browser, halo: PsaAccount, theirs: Policy) -> None:
    ours, acme = Policy.objects.create(name="Ours"), make_client("Acme", psa_account=halo)
    given = [
        {"psa_account": halo}, {"replaces": theirs}, {"team": make_team(psa_account=halo)}, {"client": acme},
        {"contract": make_contract(acme)},
    ]  # fmt: skip
    for who in given:
        PolicyUse.objects.create(policy=ours, from_at=halo.created_at, **who)
    lines, _more = use_lines()
    assert [line.who for line in lines] == ["contract", "client", "team", "replaces", "psa_account"]


# ---- who gets which -------------------------------------------------------------------------------------------------


def test_a_policy_is_given_seen_changed_and_taken_away(ada: Browser, halo: PsaAccount) -> None:
    acme = make_client("Acme", psa_account=halo)
    gold, silver = (Policy.objects.create(name=name) for name in ("Gold", "Silver"))
    found = page(ada, "/settings/sla/uses/?find=acm")
    assert f"/settings/sla/uses/client/{acme.pk}/" in found
    here = f"/settings/sla/uses/client/{acme.pk}/"

    def give(policy: Policy | None) -> None:
        data = {"policy": policy.pk if policy else ""}
        looked = ada.post(here, {**data, "verb": "preview"})
        answer = ada.post(here, {**data, "verb": "save", "seen": looked.context["digest"]})
        assert answer.url == "/settings/sla/uses/"

    give(gold)
    assert PolicyUse.objects.get(to_at=None).policy == gold
    listed = page(ada, "/settings/sla/uses/")
    assert "Acme" in listed
    assert "Ada Renner" in listed
    assert f'value="{gold.pk}" selected' in page(ada, here)
    assert "1 client" in page(ada)
    give(silver)
    assert PolicyUse.objects.get(to_at=None).policy == silver
    give(None)
    assert not PolicyUse.objects.filter(to_at=None).exists()
    assert PolicyUse.objects.count() == 2, "ended, not deleted"
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", "subject"))
    assert verbs == [(v, f"client:{acme.pk}") for v in ("policy.give", "policy.give", "policy.take_away")]


def test_each_kind_of_user_is_found(ada: Browser, halo: PsaAccount) -> None:
    acme = make_client("Acme", psa_account=halo)
    make_contract(acme, "Managed Acme")
    make_contract(acme, "Ended Acme", is_active=False)
    make_team("Acme team", psa_account=halo)
    text = page(ada, "/settings/sla/uses/?find=Acme")
    assert all(word in text for word in ("Managed Acme", "Acme team", "Contract", "Client", "Team"))
    assert "Ended Acme" not in text
    assert "Nobody of this name is known." in page(ada, "/settings/sla/uses/?find=Nobody")
    assert f"/settings/sla/uses/psa_account/{halo.pk}/" in page(ada, "/settings/sla/uses/")
    assert "Acme" not in page(ada, "/settings/sla/uses/"), "no list of all clients"


@pytest.mark.parametrize("path", ["client/999999/", "planet/1/", "client/99999999999999999999/"])
def test_nobody_of_that_address(ada: Browser, path: str) -> None:
    assert ada.get(f"/settings/sla/uses/{path}").status_code == 404


def test_an_unknown_policy_is_refused(ada: Browser, halo: PsaAccount) -> None:
    for odd in ("999", "x", "9" * 30):
        answer = ada.post(f"/settings/sla/uses/psa_account/{halo.pk}/", {"policy": odd, "verb": "save"})
        assert answer.status_code == 422
    assert not PolicyUse.objects.exists()


def test_whose_deadline_comes_first(ada: Browser, halo: PsaAccount) -> None:
    assert 'value="ours" selected' in page(ada)
    ada.post("/settings/sla/shown/", {"account": "halo", "shown": "theirs"})
    halo.refresh_from_db()
    assert halo.settings["sla_shown"] == "theirs"
    assert 'value="theirs" selected' in page(ada)
    assert AuditEntry.objects.get(verb="account.sla_shown").detail == {"from": "ours", "to": "theirs"}
    ada.post("/settings/sla/shown/", {"account": "halo", "shown": "nobody's"})
    halo.refresh_from_db()
    assert halo.settings["sla_shown"] == "theirs"
    assert ada.post("/settings/sla/shown/", {"account": "unknown", "shown": "ours"}).status_code == 404


def test_a_policy_that_somebody_has_is_not_archived(ada: Browser, halo: PsaAccount) -> None:
    gold = Policy.objects.create(name="Gold")
    use = PolicyUse.objects.create(policy=gold, psa_account=halo, from_at=halo.created_at)
    text = ada.post(f"/settings/sla/policies/{gold.pk}/archive/", follow=True).content.decode()
    assert "It is given to HaloPSA." in text
    use.delete()
    ada.post(f"/settings/sla/policies/{gold.pk}/archive/")
    gold.refresh_from_db()
    assert gold.archived_at


# ---- who may, and what it costs -------------------------------------------------------------------------------------


def test_a_manager_reads_and_changes_nothing(client: Browser, halo: PsaAccount, theirs: Policy) -> None:
    ours = Policy.objects.create(name="Ours")
    Target.objects.create(policy=ours, priority="1", rank=1, resolution_seconds=3600)
    client.force_login(make_mona(halo))
    for path in ("", "uses/", f"policies/{ours.pk}/", f"policies/{theirs.pk}/"):
        assert client.get(f"/settings/sla/{path}").status_code == 200
    assert 'name="resolution_1"' not in page(client, f"/settings/sla/policies/{ours.pk}/")
    assert "Take over" not in page(client, f"/settings/sla/policies/{theirs.pk}/").replace("Take over to", "")
    acme = make_client(psa_account=halo)
    for path in (
        "shown/", "policies/add/", f"policies/{ours.pk}/", f"policies/{theirs.pk}/take/",
        f"policies/{ours.pk}/archive/", f"uses/client/{acme.pk}/",
    ):  # fmt: skip
        assert client.post(f"/settings/sla/{path}", form()).status_code == 403
    assert Policy.objects.filter(psa_account=None).count() == 1


@pytest.mark.parametrize("who", ["dana", "theo", "cleo", "otto"])
def test_nobody_else_sees_them(client: Browser, halo: PsaAccount, who: str) -> None:
    gold = Policy.objects.create(name="Gold")
    client.force_login(EVERYBODY[who](halo))
    for path in ("", "uses/", "policies/add/", f"policies/{gold.pk}/", "progress/"):
        assert client.get(f"/settings/sla/{path}").status_code in (403, 404)


@pytest.mark.parametrize("path", ["/settings/sla/", "/settings/sla/uses/", "/settings/sla/uses/?find=a"])
def test_ten_more_rows_cost_no_more_queries(ada: Browser, halo: PsaAccount, path: str) -> None:
    def more(number: int) -> None:
        policy = make_policy(f"Theirs a{number}", psa_account=halo)
        make_target(policy, make_priority(1))
        Policy.objects.create(name=f"Old {number}", archived_at=timezone.now())
        ours = Policy.objects.create(name=f"Ours {number}")
        Target.objects.create(policy=ours, priority="1", rank=1, resolution_seconds=3600)
        acme = make_client(f"Acme {number}", psa_account=halo)
        contract = make_contract(acme, f"Managed a{number}")
        team = make_team(f"Team a{number}")
        for who in ({"client": acme}, {"contract": contract}, {"team": team}, {"replaces": policy}):
            PolicyUse.objects.create(policy=ours, from_at=halo.created_at, **who)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert ada.get(path).status_code == 200
        return len(found)

    more(0)
    queries()
    before = queries()
    for number in range(1, 11):
        more(number)
    assert queries() <= before


def test_what_a_linked_customer_is_given_counts_for_all_of_it(ada: Browser, halo: PsaAccount) -> None:
    other = make_account("autotask", title="Autotask")
    acme, also = make_client("Acme", psa_account=halo), make_client("Acme Ltd", psa_account=other)
    alone = make_client("Northwind", psa_account=halo)
    gold, silver = (Policy.objects.create(name=name) for name in ("Gold", "Silver"))
    PolicyUse.objects.create(policy=silver, client=acme, from_at=halo.created_at)
    linked = ada.post("/settings/clients/link/", {"client": [acme.pk, also.pk]}, follow=True).content.decode()
    assert "Not all of it has the same SLA policy from here (Acme (HaloPSA): Silver)." in linked
    here = f"/settings/sla/uses/client/{also.pk}/"
    text = page(ada, here)
    assert "One customer in several PSAs" in text
    assert "One customer" not in page(ada, f"/settings/sla/uses/client/{alone.pk}/")
    make_ticket(psa_account=halo, client=acme)
    looked = ada.post(here, {"policy": gold.pk, "verb": "preview"})
    assert {who for who, _key, _policy in looked.context["planned"].content["uses"]} == {"client"}
    assert len(looked.context["planned"].content["uses"]) == 2, "both are looked at before"
    ada.post(here, {"policy": gold.pk, "verb": "save", "seen": looked.context["digest"]})
    standing = PolicyUse.objects.filter(to_at=None)
    assert {(use.client, use.policy) for use in standing} == {(acme, gold), (also, gold)}
    assert AuditEntry.objects.filter(verb="policy.give").count() == 2
    looked = ada.post(here, {"policy": "", "verb": "preview"})
    ada.post(here, {"policy": "", "verb": "save", "seen": looked.context["digest"]})
    assert not standing.all().exists()


# ---- archived, restored, and two tabs -------------------------------------------------------------------------------


def test_an_archived_policy_is_restored_with_its_calendar(ada: Browser, halo: PsaAccount) -> None:
    office = Calendar.objects.create(name="Office", is_always_open=True)
    ada.post(ADD, form(calendar=office.pk))
    gold = Policy.objects.get()
    here = f"/settings/sla/policies/{gold.pk}/"
    ada.post(f"{here}archive/")
    ada.post(f"/settings/sla/calendars/{office.pk}/archive/")
    assert "1 archived" in page(ada)
    assert here in page(ada)
    text = page(ada, here)
    assert "it is offered no more" in text
    assert 'name="resolution_1"' not in text, "nothing is changed before it is restored"
    told = ada.post(here, form(resolution_1="2"), follow=True).content.decode()
    assert "Gold was archived meanwhile: nothing was saved." in told
    assert gold.targets.get(rank=1).resolution_seconds == 4 * 3600
    text = ada.post(f"{here}restore/", {"verb": "save"}, follow=True).content.decode()
    assert "Gold is offered again." in text
    assert 'name="resolution_1"' in text
    gold.refresh_from_db()
    office.refresh_from_db()
    assert (gold.archived_at, office.archived_at) == (None, None)
    assert not PolicyUse.objects.exists(), "nobody gets it by that"
    assert set(AuditEntry.objects.values_list("verb", flat=True)) >= {"policy.restore", "calendar.restore"}
    ada.post(f"{here}restore/", {"verb": "save"})
    assert AuditEntry.objects.filter(verb="policy.restore").count() == 1, "pressed twice"


def test_a_restored_policy_gives_way_where_its_name_was_taken(ada: Browser, halo: PsaAccount) -> None:
    gold = Policy.objects.create(name="Gold", archived_at=timezone.now())
    Policy.objects.create(name="gold")
    text = ada.post(f"/settings/sla/policies/{gold.pk}/restore/", {"verb": "save"}, follow=True).content.decode()
    assert "Gold is offered again, as Gold 2: another one has its name." in text
    gold.refresh_from_db()
    assert gold.name == "Gold 2"


def test_who_may_restore(client: Browser, halo: PsaAccount, theirs: Policy) -> None:
    gold = Policy.objects.create(name="Gold", archived_at=timezone.now())
    client.force_login(make_mona(halo))
    here = f"/settings/sla/policies/{gold.pk}/"
    assert "Restore" not in page(client, here)
    assert client.post(f"{here}restore/", {"verb": "save"}).status_code == 403
    gold.refresh_from_db()
    assert gold.archived_at


def test_an_older_tab_puts_nothing_in_place_of_what_another_saved_unseen(ada: Browser, halo: PsaAccount) -> None:
    ada.post(ADD, form())
    gold = Policy.objects.get()
    here = f"/settings/sla/policies/{gold.pk}/"
    assert 'name="version" value="1"' in page(ada, here)
    ada.post(here, form(resolution_1="2", version=1))
    answer = ada.post(here, form(resolution_1="3", version=1))
    text = answer.content.decode()
    assert "Somebody saved it since you opened this form." in text
    assert 'name="version" value="2"' in text
    assert 'value="3"' in text, "what was typed is kept"
    assert gold.targets.get(rank=1).resolution_seconds == 2 * 3600
    ada.post(here, form(resolution_1="3", version=2, seen=answer.context["digest"]))
    assert gold.targets.get(rank=1).resolution_seconds == 3 * 3600, "knowingly"


def test_an_account_of_no_letters_is_none(ada: Browser, halo: PsaAccount) -> None:
    """PostgreSQL refuses to be asked for a NUL; here any database does."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        assert not any(isinstance(one, str) and "\x00" in one for one in params or ())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert ada.post("/settings/sla/shown/", {"account": "a\x00b", "shown": "theirs"}).status_code == 404


def test_a_take_over_that_is_pressed_twice_makes_one_copy(ada: Browser, halo: PsaAccount, theirs: Policy) -> None:
    newest = Policy.objects.create(name="Gold leaf").pk
    here = f"/settings/sla/policies/{theirs.pk}/"
    assert f'name="newest" value="{newest}"' in page(ada, here)
    sent = {"to": f"replaces:{theirs.pk}", "verb": "take", "newest": newest}
    first, second = (ada.post(f"{here}take/", sent).url for _ in range(2))
    assert first == second
    assert Policy.objects.filter(psa_account=None).count() == 2
    again = ada.post(f"{here}take/", {**sent, "newest": Policy.objects.latest("pk").pk}).url
    assert again != first, "asked for once more, knowingly"
