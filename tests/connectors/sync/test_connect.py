"""`connect` says which of address, credentials and scope is wrong, and then stores nothing."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from connectors.sync import accounts
from connectors.sync.accounts import Wanted, WrongSettings
from connectors.sync.models import Connection
from helpdesk.directory.models import PsaAccount, PsaSecret
from helpdesk.directory.services import read_secrets
from tests.connectors.sandbox.running import Running, running_sandbox
from tests.connectors.sync.helpers import Clock, wanted
from tests.people import make_ada

pytestmark = pytest.mark.django_db


@pytest.fixture
def quiet_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))


def connect(sandbox: Running, *pairs: str, url: str = "", name: str = "halo") -> str:
    out = io.StringIO()
    given = [f"--set={p}" for p in ("client_id=demo", "calls_per_minute=100000", *pairs)]
    call_command("connect", "halopsa", name, "--url", url or sandbox.halopsa, *given, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("quiet_stdin")
def test_a_good_account_is_stored_with_its_secrets_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSA_HALO_CLIENT_SECRET", "demo-secret")
    with running_sandbox(tickets=3) as sandbox:
        assert "halo" in connect(sandbox)
    account = PsaAccount.objects.get()
    assert (account.title, account.mark, account.calls_per_minute) == ("HaloPSA", "ring", 100000)
    assert account.capabilities["sites"] is True
    assert account.required_fields
    assert account.transition_rules
    assert account.settings["outcomes"]["note"]
    assert "{remote_id}" in account.ticket_url
    assert account.client_mail["reply"] == "psa"
    assert read_secrets(account) == {"client_secret": "demo-secret"}
    assert "demo-secret" not in PsaSecret.objects.get().token + json.dumps(account.settings)


@pytest.mark.usefixtures("quiet_stdin")
@pytest.mark.parametrize(
    ("pairs", "path", "word"),
    [
        (["client_secret=demo-secret"], "/nothing-here", "Address"),
        (["client_secret=wrong"], "/halopsa", "Credentials"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(pairs: list[str], path: str, word: str) -> None:
    with running_sandbox(tickets=3) as sandbox:
        with pytest.raises(CommandError) as caught:
            connect(sandbox, *pairs, url=sandbox.url + path)
        assert str(caught.value).startswith(word)
        assert "\n" not in str(caught.value)
    assert not PsaAccount.objects.exists()
    assert not PsaSecret.objects.exists()


@pytest.mark.usefixtures("quiet_stdin")
def test_a_missing_scope_is_told_apart() -> None:
    with running_sandbox(tickets=3) as sandbox:
        sandbox.control("POST", "faults", {"psa": "halopsa", "path": "/Client", "mode": "status_before", "status": 403})
        with pytest.raises(CommandError) as caught:
            connect(sandbox, "client_secret=demo-secret")
        assert str(caught.value).startswith("Scope")
    assert not PsaAccount.objects.exists()


@pytest.mark.usefixtures("quiet_stdin")
def test_a_closed_port_is_a_wrong_address() -> None:
    with running_sandbox(tickets=1) as sandbox, pytest.raises(CommandError) as caught:
        connect(sandbox, "client_secret=x", url="http://127.0.0.1:9/halopsa")
    assert str(caught.value).startswith("Address")


def test_secrets_come_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import sys

    reading, writing = os.pipe()
    os.write(writing, b"client_secret=demo-secret\n")
    os.close(writing)
    with running_sandbox(tickets=1) as sandbox, os.fdopen(reading) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        connect(sandbox)
    assert read_secrets(PsaAccount.objects.get()) == {"client_secret": "demo-secret"}


@pytest.mark.usefixtures("quiet_stdin")
def test_connecting_again_changes_the_account_and_ends_a_pause() -> None:
    with running_sandbox(tickets=1) as sandbox:
        connect(sandbox, "client_secret=demo-secret")
        PsaAccount.objects.update(is_paused=True, paused_reason="x")
        connect(sandbox, "scope=all")
    account = PsaAccount.objects.get()
    assert not account.is_paused
    assert read_secrets(account) == {"client_secret": "demo-secret"}


def test_unknown_kinds_and_missing_settings_are_named() -> None:
    with pytest.raises(WrongSettings, match="nope"):
        Wanted.sort(kind="nope", name="x", url="https://x.test", values={})
    bare = Wanted.sort(kind="halopsa", name="x", url="https://x.test", values={})
    with pytest.raises(WrongSettings, match="client_id"):
        accounts.connect(wanted=bare, clock=Clock())


def test_a_connection_asked_for_on_a_page_is_tried_by_the_worker() -> None:
    clock, ada = Clock(), make_ada()
    with running_sandbox(tickets=2) as sandbox:
        for secret, state in (("wrong", "failed"), ("demo-secret", "ok")):
            row = accounts.request_connection(
                wanted=wanted(sandbox, client_secret=secret), account=None, stores=True, user_id=ada.pk, now=clock()
            )
            assert secret not in row.secrets
            accounts.answer(connection_id=row.pk, clock=clock)
            row.refresh_from_db()
            assert row.state == state
            assert row.secrets == ""
            assert PsaAccount.objects.exists() is (state == "ok")
        assert Connection.objects.filter(psa_account__isnull=False).count() == 1


@pytest.mark.usefixtures("quiet_stdin")
def test_pull_and_push_print_their_json(capsys: pytest.CaptureFixture[str]) -> None:
    with running_sandbox(tickets=4) as sandbox:
        connect(sandbox, "client_secret=demo-secret")
        out = io.StringIO()
        call_command("pull", "--json", stdout=out)
        (row,) = json.loads(out.getvalue())["accounts"]
        assert set(row) == {"name", "applied", "calls", "seconds", "errors"}
        assert row["name"] == "halo"
        assert row["applied"]["tickets"] == 4
        assert row["applied"]["actions"] > 0
        assert row["calls"] > 0
        assert row["errors"] == []
        out = io.StringIO()
        call_command("push", "--json", stdout=out)
        assert set(json.loads(out.getvalue())) == {"sent", "checking", "refused", "left", "calls", "seconds"}
        call_command("pull", "halo", "--full", stdout=io.StringIO())
    with pytest.raises(CommandError):
        call_command("pull", "nobody", stdout=io.StringIO())
