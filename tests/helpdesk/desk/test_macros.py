"""Macros in the settings: who may, what is refused, and what a change leaves behind."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from helpdesk.accounts.models import AuditEntry
from helpdesk.actions.models import Macro
from tests.factories import make_account, make_organisation
from tests.people import make_cleo, make_dana, make_theo

pytestmark = pytest.mark.django_db
GIVEN = {"name": "restart  first", "kind": "reply", "body": "Hi {{contact.first_name}}", "minutes": "5",
         "status_category": "waiting_client"}  # fmt: skip


@pytest.fixture
def dana(client: Browser) -> Browser:
    make_organisation()
    client.force_login(make_dana(make_account(title="HaloPSA")))
    return client


def test_only_those_who_may(client: Browser) -> None:
    make_organisation()
    macro = Macro.objects.create(name="m", body="b")
    account = make_account()
    for person in (make_theo(account), make_cleo(account)):
        client.force_login(person)
        for path in ("", "add/", f"{macro.pk}/"):
            assert client.get(f"/settings/macros/{path}").status_code == 403
        assert client.post(f"/settings/macros/{macro.pk}/switch/").status_code == 403


def test_a_dispatcher_finds_them(dana: Browser) -> None:
    assert "No macro yet" in dana.get("/settings/macros/").content.decode()
    assert 'href="/settings/macros/"' in dana.get("/settings/personal/").content.decode()
    assert "{{contact.first_name}}" in dana.get("/settings/macros/add/").content.decode()


def test_one_is_made_changed_and_switched_off(dana: Browser) -> None:
    assert dana.post("/settings/macros/add/", GIVEN).status_code == 302
    macro = Macro.objects.get()
    assert (macro.name, macro.minutes, macro.is_internal) == ("restart first", 5, False)
    assert "Waiting on client" in dana.get("/settings/macros/").content.decode()
    given = {**GIVEN, "kind": "note", "minutes": ""}
    assert dana.post(f"/settings/macros/{macro.pk}/", given).status_code == 302
    macro.refresh_from_db()
    assert (macro.kind, macro.is_internal, macro.minutes) == ("note", True, None)
    for data, is_active in (({}, False), ({"on": "yes"}, True)):
        assert dana.post(f"/settings/macros/{macro.pk}/switch/", data).status_code == 302
        macro.refresh_from_db()
        assert macro.is_active is is_active
    verbs = AuditEntry.objects.order_by("pk").values_list("verb", flat=True)
    assert [v for v in verbs if v.startswith("macro.")] == ["macro.add", "macro.change", "macro.off", "macro.on"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": "TAKEN"}, "There is a macro of this name."),
        ({"name": ""}, "required"),
        ({"body": " \n"}, "Write what the macro puts"),
        ({"body": "{{secret.key}}"}, "{{secret.key}} is not known here"),
        ({"minutes": "0"}, "Whole minutes"),
        ({"minutes": "x"}, "Whole minutes"),
        ({"status_category": "nowhere"}, "Choose one from the list."),
        ({"kind": "time"}, "Choose one from the list."),
    ],
)
def test_what_is_wrong_is_named(dana: Browser, data: dict[str, str], words: str) -> None:
    Macro.objects.create(name="taken", body="b")
    answer = dana.post("/settings/macros/add/", {**GIVEN, **data})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Macro.objects.count() == 1


def test_a_key_that_cannot_be_is_no_page(dana: Browser) -> None:
    for key in (77, 2**63, 10**30):
        assert dana.get(f"/settings/macros/{key}/").status_code == 404
