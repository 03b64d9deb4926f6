from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.accounts import services
from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import AuditEntry, User
from helpdesk.core import live
from helpdesk.core.errors import Refused
from tests.factories import NOW
from tests.people import make_ada, make_dana, make_theo

pytestmark = pytest.mark.django_db


def test_a_new_person_has_no_password_and_leaves_a_line() -> None:
    ada = make_ada()
    person = services.create_person(email=" Sofia@Harbour.test", name="Sofia Reyes", role=Role.AGENT, by=ada, now=NOW)
    assert person.email == "sofia@harbour.test"
    assert not person.has_usable_password()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.verb, entry.subject) == ("Ada Renner", "person.create", f"person:{person.pk}")


def test_an_address_is_one_person() -> None:
    make_dana()
    with pytest.raises(Refused) as refusal:
        services.create_person(email="DANA@harbour.test", name="D", role="agent", by=make_ada(), now=NOW)
    assert set(refusal.value.fields) == {"email"}


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _session_is_open(client: Client) -> bool:
    return "/accounts/login/" not in client.get("/settings/personal/").get("Location", "")


def test_another_role_ends_sessions_and_polls(django_capture_on_commit_callbacks) -> None:
    ada, theo, dana = make_ada(), make_theo(), make_dana()
    his, hers = _signed_in(theo), _signed_in(dana)
    poll = live.poll_address(user_id=theo.pk, scope=live.DESK)
    assert his.get(poll).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        services.change_person(person=theo, by=ada, role=Role.MANAGER, now=timezone.now())
    assert his.get(poll).status_code == 403
    assert not _session_is_open(his)
    assert _session_is_open(hers), "only his"
    assert AuditEntry.objects.get().detail == {"before": {"role": "agent"}, "after": {"role": "manager"}}


def test_another_name_ends_nothing(django_capture_on_commit_callbacks) -> None:
    ada, theo = make_ada(), make_theo()
    his = _signed_in(theo)
    with django_capture_on_commit_callbacks(execute=True):
        services.change_person(person=theo, by=ada, name="Theo M", now=NOW)
    assert _session_is_open(his)


def test_no_change_leaves_no_line() -> None:
    theo = make_theo()
    services.change_person(person=theo, by=make_ada(), name=theo.name, role=theo.role, now=NOW)
    assert not AuditEntry.objects.exists()


def test_the_last_administrator_stays() -> None:
    ada = make_ada()
    with pytest.raises(Refused):
        services.change_person(person=ada, by=ada, role=Role.AGENT, now=NOW)
    second = services.create_person(email="b@harbour.test", name="B", role=Role.ADMIN, by=ada, now=NOW)
    services.change_person(person=ada, by=second, role=Role.AGENT, now=NOW)
    with pytest.raises(Refused):
        services.deactivate_person(person=second, by=ada, now=NOW)


def test_nobody_ends_their_own_access() -> None:
    ada = make_ada()
    with pytest.raises(Refused):
        services.deactivate_person(person=ada, by=ada, now=NOW)


def test_ended_access_ends_at_once_and_can_be_given_again(django_capture_on_commit_callbacks) -> None:
    ada, theo = make_ada(), make_theo()
    his = _signed_in(theo)
    with django_capture_on_commit_callbacks(execute=True):
        services.deactivate_person(person=theo, by=ada, now=timezone.now())
    assert not _session_is_open(his)
    services.deactivate_person(person=theo, by=ada, now=NOW)
    services.activate_person(person=theo, by=ada, now=NOW)
    assert [e.verb for e in AuditEntry.objects.order_by("pk")] == ["person.deactivate", "person.activate"]


def test_preferences_merge_and_go_back_to_default() -> None:
    theo = make_theo(preferences={"columns": ["client"], "theme": "dark"})
    services.change_personal(user=theo, values={"name": "T", "theme": "", "density": "dense", "hold_seconds": 10})
    theo.refresh_from_db()
    assert theo.preferences == {"columns": ["client"], "density": "dense"}
    assert (theo.name, theo.hold_seconds) == ("T", 10)
