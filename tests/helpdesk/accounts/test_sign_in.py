"""The doors: password, mailed code, the demo's people, and what nobody may do by themselves."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from tests.people import PASSWORD, make_dana

pytestmark = pytest.mark.django_db


def sign_in(email: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": password})
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_by_password() -> None:
    make_dana()
    assert is_in(sign_in("dana@harbour.test"))
    assert not is_in(sign_in("dana@harbour.test", "wrong horse"))


def test_by_mailed_code() -> None:
    make_dana()
    client = Client()
    client.post("/accounts/login/code/", {"email": "dana@harbour.test"})
    code = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", mail.outbox[0].body, re.MULTILINE)
    assert code, mail.outbox[0].body
    client.post("/accounts/login/code/confirm/", {"code": code[1]})
    assert is_in(client)


def test_the_sign_in_page_is_ours(settings) -> None:
    settings.DEMO = False
    page = Client().get("/accounts/login/").content.decode()
    assert 'type="password"' in page
    assert "Mail me a code instead" in page
    assert "demo.test" not in page
    settings.DEMO = True
    page = Client().get("/accounts/login/").content.decode()
    assert "otherclient@demo.test" in page


def test_demo_people_only_in_the_demo(settings) -> None:
    settings.DEMO = False
    User.objects.create_user("dispatcher@demo.test", "helpdesk-demo", name="D", role=Role.DISPATCHER, is_demo=True)
    assert not is_in(sign_in("dispatcher@demo.test", "helpdesk-demo"))
    settings.DEMO = True
    client = sign_in("dispatcher@demo.test", "helpdesk-demo")
    assert client.get("/settings/personal/").status_code == 200
    settings.DEMO = False
    assert client.get("/settings/personal/").status_code == 302


@pytest.mark.parametrize(
    "path", ["/accounts/email/", "/accounts/signup/", "/accounts/confirm-email/", "/accounts/3rdparty/signup/"]
)
def test_nobody_names_themselves_somebody_else(path: str) -> None:
    client = sign_in(make_dana().email)
    assert client.get(path).status_code in (404, 405)
    assert client.post(path, {"email": "x@y.test"}).status_code in (404, 405)


def test_sign_out_asks_by_post() -> None:
    client = sign_in(make_dana().email)
    client.get("/accounts/logout/")
    assert is_in(client)
    client.post("/accounts/logout/")
    assert not is_in(client)


@pytest.mark.parametrize(
    "path",
    ["/accounts/password/reset/", "/accounts/login/code/", "/accounts/password/reset/done/", "/accounts/inactive/"],
)
def test_pages_of_the_entrance_wear_our_clothes(path: str) -> None:
    page = Client().get(path).content.decode()
    assert 'class="entrance"' in page


@pytest.mark.parametrize("path", ["/accounts/2fa/", "/accounts/password/change/", "/accounts/logout/"])
def test_pages_behind_it_too(path: str) -> None:
    page = sign_in(make_dana().email).get(path, follow=True).content.decode()
    assert 'id="rail"' in page or 'class="entrance"' in page
