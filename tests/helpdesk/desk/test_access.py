"""Every address x every role x with and without htmx headers, made from the resolver: nobody adds a page and forgets
this. Anonymous people reach the public list and nothing else; clients their own pages; staff what the table says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from helpdesk.accounts.permissions import can
from helpdesk.core.public import PUBLIC_VIEWS
from tests.factories import make_account, make_action, make_ticket
from tests.people import EVERYBODY, contact_of, make_cleo, make_otto

pytestmark = pytest.mark.django_db

FOR_CLIENTS = frozenset({"desk:home", "desk:settings", "desk:settings_personal", "desk:theme"})
"""Pages outside the portal that a client may open: the first sends on, the others are their own."""
OWN_ACCOUNT = ("account_", "mfa_", "socialaccount_", "openid_connect_", "accounts:")
"""allauth's: everybody's own sign-in."""
SAMPLES = {
    "digest": "0ld0ld0l", "token": "t" * 43, "field": "status", "provider_id": "sso", "uidb36": "1",
    "key": "set-password", "name": "halo", "account": "halo", "secret": "s" * 43, "slug": "halo",
    "verb": "open", "kind": "status",
}  # fmt: skip
_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/tickets/"}
WAYS = [("get", {}), ("get", HTMX), ("post", {}), ("post", HTMX)]
REFUSED = {400, 403, 404, 405}


@dataclass(frozen=True)
class Address:
    name: str
    path: str
    view: Any


def _walk(patterns: list[Any], prefix: str = "", space: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _walk(entry.url_patterns, prefix + str(entry.pattern), inner)
        else:
            yield f"{space}{entry.name}", prefix + str(entry.pattern), entry


def addresses(pk: int = 1) -> list[Address]:
    """Every address with a sample for each of its parts."""
    found = []
    for name, route, entry in _walk(get_resolver().url_patterns):
        if entry.name is None:
            continue
        parts = _PART.findall(route)
        values = {n: pk if n == "pk" or kind == "int" else SAMPLES.get(n, "x") for kind, n in parts}
        try:
            found.append(Address(name, reverse(name, kwargs=values), entry.callback))
        except NoReverseMatch as error:  # pragma: no cover - a new kind of part: give it a sample above
            raise AssertionError(f"no sample fits {name}: {error}") from error
    return found


def _call(client: Client, way: str, headers: dict[str, str], path: str) -> HttpResponse:
    return client.generic(way.upper(), path, headers=headers)


@pytest.fixture
def world() -> int:
    """Ticket 1 of Cleo's firm, with an action; its key is what every address asks for."""
    account = make_account()
    ticket = make_ticket(psa_account=account, contact=contact_of(make_cleo(account)))
    make_action(ticket)
    make_otto(account)
    return ticket.pk


def _signed_in(who: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(EVERYBODY[who](make_account()))
    return client


def test_the_public_list_is_exact() -> None:
    """No name in it that does not exist (single sign-on exists when it is configured)."""
    optional = {"openid_connect_login", "openid_connect_callback"}
    not_built = {"sync:hook", "portal:status", "portal:status_answer", "portal:status_file"}
    assert set(PUBLIC_VIEWS) - {address.name for address in addresses()} <= optional | not_built


@pytest.mark.parametrize(("way", "headers"), WAYS, ids=["get", "get-htmx", "post", "post-htmx"])
def test_nobody_comes_in_without_sign_in(world: int, way: str, headers: dict[str, str]) -> None:
    wrong = []
    for address in addresses(world):
        if address.name in PUBLIC_VIEWS:
            continue
        response = _call(Client(), way, headers, address.path)
        if headers:
            fits = response.status_code == 401 and "/accounts/login/" in response.get("HX-Redirect", "")
        else:
            fits = response.status_code == 302 and response["Location"].startswith("/accounts/login/")
        if not fits:
            wrong.append(f"{way} {address.name} {address.path}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", ["cleo", "otto"])
@pytest.mark.parametrize(("way", "headers"), WAYS, ids=["get", "get-htmx", "post", "post-htmx"])
def test_clients_stay_in_their_pages(world: int, who: str, way: str, headers: dict[str, str]) -> None:
    client, wrong = _signed_in(who), []
    for address in addresses(world):
        own = address.name.startswith(("portal:", *OWN_ACCOUNT)) or address.name in FOR_CLIENTS | PUBLIC_VIEWS
        if own:
            continue
        response = _call(client, way, headers, address.path)
        if response.status_code not in REFUSED:
            wrong.append(f"{way} {address.name} {address.path}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", ["dana", "theo", "mona", "ada"])
@pytest.mark.parametrize(("way", "headers"), WAYS, ids=["get", "get-htmx", "post", "post-htmx"])
def test_staff_gets_what_the_table_says(world: int, who: str, way: str, headers: dict[str, str]) -> None:
    """No fault anywhere, and a 403 wherever the view asks for a flag that the role does not hold."""
    client, wrong = _signed_in(who), []
    user = EVERYBODY[who]()
    for address in addresses(world):
        if address.name.startswith(OWN_ACCOUNT):
            continue
        response = _call(client, way, headers, address.path)
        flag = getattr(address.view, "requires", "")
        if flag and not can(user, flag) and response.status_code not in {403, 405}:
            wrong.append(f"{way} {address.name} asks for {flag}: {response.status_code}")
        if response.status_code >= 500 and address.name != "readyz":
            wrong.append(f"{way} {address.name} {address.path}: {response.status_code}")
        if address.name.startswith("desk:") and "login" in address.path and response.status_code == 302:
            wrong.append(f"{way} {address.name}: asked to sign in again")
        if client.session.get("_auth_user_id") is None:
            client.force_login(user)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("way", "headers"), WAYS, ids=["get", "get-htmx", "post", "post-htmx"])
def test_another_clients_objects_are_not_there(world: int, way: str, headers: dict[str, str]) -> None:
    """Otto asks for Cleo's ticket at every address of the portal."""
    otto, wrong = _signed_in("otto"), []
    for address in addresses(world):
        if not address.name.startswith("portal:") or f"/{world}/" not in address.path:
            continue
        response = _call(otto, way, headers, address.path)
        if response.status_code not in REFUSED:
            wrong.append(f"{way} {address.name} {address.path}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


def test_somebody_shut_out_is_a_stranger(world: int) -> None:
    client = _signed_in("theo")
    EVERYBODY["theo"]().__class__.objects.filter(email="theo@harbour.test").update(is_active=False)
    assert "/accounts/login/" in client.get("/settings/personal/")["Location"]


def test_views_of_the_desk_ask_for_a_flag() -> None:
    """Every page of staff says which flag opens it, but those that everybody has."""
    free = {"desk:home", "desk:settings", "desk:settings_personal", "desk:theme"} | set(PUBLIC_VIEWS)
    wrong = [
        address.name
        for address in addresses()
        if address.name.startswith("desk:") and address.name not in free and not getattr(address.view, "requires", "")
    ]
    assert not wrong, "\n".join(wrong)
