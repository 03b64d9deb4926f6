"""An administrator edits a PSA's configuration: forms, order, deletion, and what becomes of each change."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import AuditEntry
from helpdesk.actions.models import Outcome
from helpdesk.actions.text import html_to_text
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Status, TicketType
from tests.factories import (
    NOW,
    make_account,
    make_agent,
    make_organisation,
    make_outcome,
    make_policy,
    make_priority,
    make_status,
    make_team,
    make_ticket,
    make_ticket_type,
)
from tests.people import EVERYBODY, make_ada, make_mona

pytestmark = pytest.mark.django_db
ROOT = "/settings/configuration/"


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation()
    flags = {"outcomes": True, "configure": ["status", "outcome", "ticket_type"]}
    return make_account(title="HaloPSA", capabilities=flags)


@pytest.fixture
def ada(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_ada(halo))
    return client


@pytest.fixture
def parked(halo: PsaAccount) -> Status:
    return make_status("waiting", name="Parked", psa_account=halo, sequence=10, confirmed={"name": "Parked"})


def text(answer: Any) -> str:
    return " ".join(html_to_text(answer.content.decode()).split())


def claimed() -> OutboxItem:
    item = OutboxItem.objects.get()
    return outbox.claim(now=item.not_before_at, lease_seconds=60)[0]


def refuse(reason: Reason = Reason.VALIDATION, **values: Any) -> OutboxItem:
    item = claimed()
    outbox.refuse(item=item, reason=reason, text="The name is reserved", now=NOW, **values)
    return OutboxItem.objects.get()


def test_a_status_is_added(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    make_ticket_type("Alert", psa_account=halo, remote_id="7")
    page = ada.get(f"{ROOT}halo/status/add/").content.decode()
    assert 'name="sequence" value="20"' in page
    data = {
        "name": " With the courier ", "short_name": "CUR", "colour": "#AABBCC", "sequence": "20",
        "sla_action": "hold", "hold_hours": "1.5", "change_to": parked.remote_id, "change_hours": "24",
        "counts_working_hours": "on", "is_quick": "on", "ticket_types": ["7"],
    }  # fmt: skip
    answer = ada.post(f"{ROOT}halo/status/add/", data, follow=True)
    assert "It is offered once HaloPSA has it." in text(answer)
    assert 'data-sync="pending"' in answer.content.decode()
    row = Status.objects.get(name="With the courier")
    assert (row.remote_id, row.colour, row.hold_hours, row.change_to, row.ticket_types) == (
        None, "#aabbcc", 1.5, parked, ["7"],
    )  # fmt: skip
    item = OutboxItem.objects.get()
    assert (item.verb, item.lane, item.subject) == (Verb.CREATE_CONFIG, f"config:status:{row.pk}", item.lane)
    assert item.fields == {
        "name": "With the courier", "short_name": "CUR", "colour": "#aabbcc", "sequence": 20, "sla_action": "hold",
        "hold_hours": 1.5, "change_to": parked.remote_id, "change_hours": 24.0, "counts_working_hours": True,
        "ignores_release": False, "is_quick": True, "ticket_types": ["7"],
    }  # fmt: skip


def test_an_outcome_and_a_type_are_added_and_changed(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    make_ticket_type("Alert", psa_account=halo, remote_id="7")
    page = ada.get(f"{ROOT}halo/outcome/add/").content.decode()
    assert 'name="hide_from_client" id="id_hide_from_client" checked' in page.replace(' class="check"', "")
    ada.post(f"{ROOT}halo/outcome/add/", {
        "name": "Park", "sequence": "1", "new_status": parked.remote_id, "default_seconds": "15",
        "hide_from_client": "on", "ticket_types": ["7"],
    })  # fmt: skip
    outcome = Outcome.objects.get(name="Park")
    assert (outcome.default_seconds, outcome.new_status, outcome.hide_from_client) == (900, parked, True)
    assert [t.name for t in outcome.ticket_types.all()] == ["Alert"]
    team, agent = make_team(psa_account=halo), make_agent(psa_account=halo)
    policy, priority = make_policy(psa_account=halo), make_priority(2, psa_account=halo)
    data = {
        "name": "Project", "sequence": "1", "initial_status": parked.remote_id, "default_team": team.remote_id,
        "default_agent": agent.remote_id, "default_sla_policy": policy.remote_id, "auto_close_hours": "72",
        "default_priority": priority.remote_id, "agents_may_select": "on",
    }  # fmt: skip
    ada.post(f"{ROOT}halo/ticket_type/add/", data)
    kind = TicketType.objects.get(name="Project")
    assert (kind.default_team, kind.default_agent, kind.default_sla_policy, kind.default_priority) == (
        team, agent, policy, priority,
    )  # fmt: skip
    assert (kind.auto_close_hours, kind.allow_attachments, kind.clients_may_select) == (72, False, False)
    TicketType.objects.filter(pk=kind.pk).update(remote_id="99")
    ada.post(f"{ROOT}ticket_type/{kind.pk}/", {**data, "allow_attachments": "on"})
    item = OutboxItem.objects.filter(verb=Verb.UPDATE_CONFIG).get()
    assert (item.fields, item.base) == ({"allow_attachments": True}, {"allow_attachments": False})


def test_what_is_not_in_use_any_more_keeps_its_name(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    old = make_status("open", name="Ancient", psa_account=halo, is_active=False)
    Status.objects.filter(pk=parked.pk).update(change_to=old, change_hours=2)
    assert "Ancient (not in use any more)" in text(ada.get(f"{ROOT}status/{parked.pk}/"))
    data = {"name": "Parked", "sequence": "10", "change_to": old.remote_id, "change_hours": "2", "is_quick": "on"}
    ada.post(f"{ROOT}status/{parked.pk}/", data)
    assert OutboxItem.objects.get().fields == {"is_quick": True}


def test_only_what_differs_leaves(ada: Browser, parked: Status) -> None:
    data = {"name": "Parked", "sequence": "10", "is_quick": "on"}
    ada.post(f"{ROOT}status/{parked.pk}/", data)
    assert OutboxItem.objects.get().fields == {"is_quick": True}
    answer = ada.post(f"{ROOT}status/{parked.pk}/", data, follow=True)
    assert "Nothing to change." in text(answer)
    assert OutboxItem.objects.count() == 1


def filled(page: Any) -> dict[str, Any]:
    """A page's form as a browser would send it untouched."""
    form = page.context["form"]
    found = {bound.html_name: bound.value() for bound in form}
    return {name: value for name, value in found.items() if value not in (None, False, "", [])}


def test_an_older_tab_takes_nothing_back_that_another_saved(ada: Browser, parked: Status) -> None:
    Status.objects.filter(pk=parked.pk).update(hold_hours=1.123456789)
    address = f"{ROOT}status/{parked.pk}/"
    older = ada.get(address)
    assert 'name="seen"' in older.content.decode()
    ada.post(address, {**filled(ada.get(address)), "name": "Parked for long"})
    bad = ada.post(address, {**filled(older), "short_name": "PRK", "sequence": "soon"})
    ada.post(address, {**filled(bad), "sequence": "10", "is_quick": "on"})
    parked.refresh_from_db()
    assert (parked.name, parked.short_name, parked.is_quick) == ("Parked for long", "PRK", True)
    assert parked.hold_hours == 1.123456789
    assert [i.fields for i in OutboxItem.objects.order_by("pk")] == [
        {"name": "Parked for long"}, {"short_name": "PRK", "is_quick": True},
    ]  # fmt: skip


@pytest.mark.parametrize("seen", ["", "[]", "7", "{", '{"name": {"a": 1}, "hold_hours": "x", "ticket_types": 4}'])
def test_an_odd_word_of_what_was_seen_breaks_nothing(ada: Browser, parked: Status, seen: str) -> None:
    data = {"name": "Parked", "sequence": "10", "is_quick": "on", "seen": seen}
    assert ada.post(f"{ROOT}status/{parked.pk}/", data).status_code == 302
    assert OutboxItem.objects.get().fields == {"is_quick": True}


def test_an_older_tab_changes_nothing_that_was_deleted(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    address = f"{ROOT}status/{parked.pk}/"
    older = ada.get(address)
    ada.post(f"{address}delete/")
    answer = ada.post(address, {**filled(older), "name": "Parked for long"}, follow=True)
    assert "This change has moved on meanwhile." in text(answer)
    assert [i.verb for i in OutboxItem.objects.all()] == [Verb.DELETE_CONFIG]


BAD = [
    ({"name": ""}, "id_name-wrong"),
    ({"name": "x" * 121}, "id_name-wrong"),
    ({"name": "a\x00b"}, "id_name-wrong"),
    ({"name": "TAKEN"}, "There is one of this name already."),
    ({"colour": "red"}, "A colour is # and six digits"),
    ({"colour": '#12"><b>'}, "id_colour-wrong"),
    ({"sequence": "soon"}, "id_sequence-wrong"),
    ({"sequence": "99999999999"}, "id_sequence-wrong"),
    ({"hold_hours": "-1"}, "id_hold_hours-wrong"),
    ({"hold_hours": "nan"}, "id_hold_hours-wrong"),
    ({"change_to": "nowhere"}, "Choose one from the list."),
    ({"change_hours": "3"}, "Moving on needs both"),
    ({"sla_action": "explode"}, "Choose one from the list."),
    ({"ticket_types": ["404"]}, "Choose one from the list."),
]


@pytest.mark.parametrize(("values", "word"), BAD)
def test_bad_input_is_named_at_its_field_and_kept(
    ada: Browser, halo: PsaAccount, parked: Status, values: dict[str, Any], word: str
) -> None:
    make_status("open", name="Taken", psa_account=halo)
    make_ticket_type("Alert", psa_account=halo)
    data = {"name": "Parked", "short_name": "as typed", "sequence": "10", **values}
    answer = ada.post(f"{ROOT}status/{parked.pk}/", data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert word in page
    assert 'value="as typed"' in page
    assert not OutboxItem.objects.exists()
    parked.refresh_from_db()
    assert parked.name == "Parked"


def test_deleting_asks_first_and_says_what_uses_it(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    make_ticket(status=parked)
    make_ticket_type("Alert", psa_account=halo, initial_status=parked)
    make_outcome("Park", psa_account=halo, new_status=parked)
    page = text(ada.get(f"{ROOT}status/{parked.pk}/delete/"))
    for words in ("1 ticket has it", "1 ticket type leads to it", "1 outcome leads to it"):
        assert words in page
    assert not OutboxItem.objects.exists()
    answer = ada.post(f"{ROOT}status/{parked.pk}/delete/", follow=True)
    assert "Being deleted" in text(answer)
    assert OutboxItem.objects.get().verb == Verb.DELETE_CONFIG
    ada.post(f"{ROOT}status/{parked.pk}/delete/")
    assert OutboxItem.objects.count() == 1


def test_the_order_is_changed(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    make_status("open", name="Later", psa_account=halo, sequence=20)
    ada.post(f"{ROOT}status/{parked.pk}/move/", {"way": "down"})
    assert list(Status.objects.values_list("name", "sequence")) == [("Later", 10), ("Parked", 20)]
    assert OutboxItem.objects.count() == 2


def test_what_was_refused_is_shown_edited_and_sent_again(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    ada.post(f"{ROOT}status/{parked.pk}/", {"name": "Reserved", "sequence": "10"})
    item = refuse()
    page = ada.get(ROOT)
    assert "The name is reserved" in text(page)
    assert 'data-sync="refused"' in page.content.decode()
    assert "The name is reserved" in text(ada.get(f"{ROOT}status/{parked.pk}/"))
    ada.post(f"{ROOT}status/{parked.pk}/", {"name": "Free", "sequence": "10"})
    item.refresh_from_db()
    assert (item.state, item.fields, item.base) == (State.WAITING, {"name": "Free"}, {"name": "Parked"})
    again = refuse()
    ada.post(f"{ROOT}status/{parked.pk}/changes/{again.pk}/retry/")
    assert OutboxItem.objects.get().state == State.WAITING


def test_discarding_asks_and_puts_back_what_the_psa_has(ada: Browser, parked: Status) -> None:
    ada.post(f"{ROOT}status/{parked.pk}/", {"name": "Reserved", "sequence": "10"})
    item = refuse()
    address = f"{ROOT}status/{parked.pk}/changes/{item.pk}/discard/"
    assert "Changed: Name" in text(ada.get(address))
    assert OutboxItem.objects.get().state == State.REFUSED
    ada.post(address)
    parked.refresh_from_db()
    assert (parked.name, parked.sync_state) == ("Parked", "")
    answer = ada.post(address, follow=True)
    assert "This change has moved on meanwhile." in text(answer)


def test_a_conflict_shows_before_mine_and_theirs(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    theirs = make_status("open", name="Working", psa_account=halo)
    ours = make_status("open", name="Busy", psa_account=halo)
    data = {"name": "Parked", "sequence": "10", "change_to": ours.remote_id, "change_hours": "2"}
    ada.post(f"{ROOT}status/{parked.pk}/", data)
    item = refuse(Reason.CONFLICT, theirs={"change_to": theirs.remote_id})
    page = text(ada.get(ROOT))
    for words in ("before None", "mine Busy", "theirs Working", "Keep mine", "Take theirs"):
        assert words in page, words
    ada.post(f"{ROOT}status/{parked.pk}/changes/{item.pk}/take/")
    parked.refresh_from_db()
    item.refresh_from_db()
    assert parked.change_to == theirs
    assert item.fields == {"change_hours": 2.0}


def test_keeping_mine_sends_it_over_theirs(ada: Browser, parked: Status) -> None:
    ada.post(f"{ROOT}status/{parked.pk}/", {"name": "Ours", "sequence": "10"})
    item = refuse(Reason.CONFLICT, theirs={"name": "Theirs"})
    ada.post(f"{ROOT}status/{parked.pk}/changes/{item.pk}/keep/")
    item.refresh_from_db()
    assert (item.state, item.base) == (State.WAITING, {"name": "Theirs"})


def addresses(parked: Status, item: OutboxItem) -> list[tuple[str, str]]:
    one = f"{ROOT}status/{parked.pk}/"
    return [
        ("get", f"{ROOT}halo/status/add/"), ("post", f"{ROOT}halo/status/add/"), ("get", one), ("post", one),
        ("post", f"{one}move/"), ("get", f"{one}delete/"), ("post", f"{one}delete/"),
        *(("post", f"{one}changes/{item.pk}/{verb}/") for verb in ("retry", "discard", "keep", "take")),
        ("get", f"{one}changes/{item.pk}/discard/"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(EVERYBODY) - {"ada"}))
def test_only_an_administrator_changes_anything(client: Browser, halo: PsaAccount, parked: Status, name: str) -> None:
    client.force_login(make_ada(halo))
    client.post(f"{ROOT}status/{parked.pk}/", {"name": "Ours", "sequence": "10"})
    item = refuse()
    client.force_login(EVERYBODY[name](halo))
    for method, address in addresses(parked, item):
        assert getattr(client, method)(address).status_code == 403, address
    for verb in ("retry", "discard"):
        assert client.post(f"/settings/sync/{item.pk}/{verb}/").status_code == 403
    item.refresh_from_db()
    assert item.state == State.REFUSED


def test_a_reader_sees_no_doors(client: Browser, halo: PsaAccount, parked: Status) -> None:
    client.force_login(make_mona(halo))
    page = client.get(ROOT).content.decode()
    assert "Parked" in page
    assert f"{ROOT}status/" not in page
    assert "Add a status" not in page


def test_a_psa_that_takes_no_changes_has_no_such_pages(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    PsaAccount.objects.update(capabilities={"outcomes": True})
    assert "Add a status" not in ada.get(ROOT).content.decode()
    for address in (f"{ROOT}halo/status/add/", f"{ROOT}status/{parked.pk}/", f"{ROOT}status/{parked.pk}/delete/"):
        assert ada.get(address).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "nobody/status/add/", "halo/priority/add/", "halo/x/add/", "status/0/", "status/99999999999999999999/",
        "priority/1/", "status/0/delete/",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(ada: Browser, address: str) -> None:
    assert ada.get(f"{ROOT}{address}").status_code == 404


def test_a_change_of_another_value_is_not_found(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    ada.post(f"{ROOT}status/{parked.pk}/", {"name": "Ours", "sequence": "10"})
    item = refuse()
    other = make_status("open", psa_account=halo)
    for address in (f"status/{other.pk}/changes/{item.pk}/retry/", f"status/{parked.pk}/changes/{item.pk}/explode/"):
        assert ada.post(f"{ROOT}{address}").status_code == 404


def test_the_sync_page_names_what_waits(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    ada.post(f"{ROOT}status/{parked.pk}/", {"name": "Ours", "sequence": "10"})
    page = text(ada.get("/settings/sync/"))
    assert "Status Ours" in page
    assert "change the setting" in page
    item = refuse()
    assert "The name is reserved" in text(ada.get("/settings/sync/"))
    ada.post(f"/settings/sync/{item.pk}/discard/")
    parked.refresh_from_db()
    assert parked.name == "Parked"
    assert ada.get("/settings/accounts/").status_code == 200
    assert ada.get("/metrics").status_code in (200, 401, 403, 404)


def test_every_change_is_written_down(ada: Browser, halo: PsaAccount, parked: Status) -> None:
    ada.post(f"{ROOT}status/{parked.pk}/", {"name": "Ours", "sequence": "10"})
    item = refuse()
    ada.post(f"{ROOT}status/{parked.pk}/changes/{item.pk}/discard/")
    ada.post(f"{ROOT}halo/outcome/add/", {"name": "Park", "sequence": "1"})
    ada.post(f"{ROOT}status/{parked.pk}/delete/")
    verbs = list(AuditEntry.objects.filter(verb__startswith="config.").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["config.change", "config.discard", "config.create", "config.delete"]


@pytest.mark.parametrize("kind", ["statuses", "types", "outcomes"])
def test_ten_more_changes_cost_no_more_queries(ada: Browser, halo: PsaAccount, kind: str) -> None:
    def more(n: int) -> None:
        for word in ("status", "outcome", "ticket_type"):
            ada.post(f"{ROOT}halo/{word}/add/", {"name": f"New {n}", "sequence": "1"})

    def count(address: str, **data: str) -> int:
        """The fewest of a few: what the frame keeps for seconds may just have run out."""
        found = []
        for _ in range(4):
            with CaptureQueriesContext(connection) as queries:
                ada.get(address, data)
            found.append(len(queries))
        return min(found)

    more(0)
    before = count(ROOT, kind=kind), count("/settings/sync/")
    for n in range(1, 11):
        more(n)
    assert (count(ROOT, kind=kind), count("/settings/sync/")) == before
