from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory

from helpdesk.accounts.choices import STAFF, Role
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import CAPABILITIES, FLAGS, Can, can, requires, staff_required

TABLE = {
    "portal.view": {Role.CLIENT},
    "tickets.view": STAFF,
    "tickets.change": STAFF,
    "actions.add": STAFF,
    "board.view": STAFF,
    "clocks.correct": {Role.MANAGER, Role.ADMIN},
    "reports.view": {Role.MANAGER, Role.ADMIN},
    "settings.view": {Role.MANAGER, Role.ADMIN},
    "settings.change": {Role.ADMIN},
    "people.change": {Role.ADMIN},
    "accounts.change": {Role.ADMIN},
    "contacts.erase": {Role.ADMIN},
    "audit.view": {Role.MANAGER, Role.ADMIN},
}


@pytest.mark.parametrize("flag", TABLE)
@pytest.mark.parametrize("role", Role.values)
def test_table(role: str, flag: str) -> None:
    assert can(User(role=role), flag) is (role in TABLE[flag])


def test_every_role_stands_in_the_table() -> None:
    assert set(CAPABILITIES) == set(Role.values)


def test_nobody_who_is_shut_out_may_anything() -> None:
    for role in Role.values:
        assert not any(can(User(role=role, is_active=False), flag) for flag in FLAGS)
    assert not any(can(None, flag) for flag in FLAGS)
    assert not can(User(role="owner"), "tickets.view")


def test_a_misspelt_flag_is_a_fault_and_no_refusal() -> None:
    with pytest.raises(KeyError):
        can(User(role=Role.ADMIN), "tickets.viwe")
    with pytest.raises(KeyError):
        requires("tickets.viwe")


@requires("settings.view")
def _settings(_request: object) -> HttpResponse:
    return HttpResponse("in")


@staff_required
def _desk(_request: object) -> HttpResponse:
    return HttpResponse("in")


@pytest.mark.parametrize(("role", "settings", "desk"), [("agent", 0, 1), ("manager", 1, 1), ("client", 0, 0)])
def test_views_ask(role: str, settings: int, desk: int) -> None:
    request = RequestFactory().get("/")
    request.user = User(role=role)
    for view, may in ((_settings, settings), (_desk, desk)):
        if may:
            assert view(request).status_code == 200
        else:
            with pytest.raises(PermissionDenied):
                view(request)


def test_templates_ask_by_area() -> None:
    found = Can(User(role=Role.MANAGER))
    assert found["settings"]["view"]
    assert not found["settings"]["change"]
    with pytest.raises(KeyError):
        found["setings"]
