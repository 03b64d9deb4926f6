"""A PSA that gives up calling: heard, shown, and switched on again, each time a little later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from connectors.sandbox import delivery
from connectors.sync import accounts, hints, hooks
from connectors.sync.accounts import Wanted
from connectors.sync.models import Hook, SyncLogEntry
from tests.connectors.sandbox.running import running_sandbox
from tests.connectors.sync.helpers import Clock, Desk
from tests.patience import until
from tests.people import make_ada, make_theo

pytestmark = pytest.mark.django_db
VALUES = {"username": "api@demo.test", "integration_code": "demo", "secret": "demo-secret",
          "calls_per_minute": "1000000"}  # fmt: skip


class Line:
    """The wire between PSA and desk: what comes is kept, to be passed on by the test, and answered with `status`."""

    def __init__(self) -> None:
        self.status, self.calls = 200, list[tuple[str, dict[str, str], bytes]]()
        line = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                line.calls.append((self.path, dict(self.headers.items()), body))
                self.send_response(line.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def pass_on(self, call: tuple[str, dict[str, str], bytes], **changed: str) -> int:
        path, headers, body = call
        given = {"X-Hook-Signature": headers["X-Hook-Signature"], **changed}
        return Browser().post(path, body, "application/json", headers=given).status_code


@pytest.fixture
def line() -> Iterator[Line]:
    found = Line()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(params=["vendor", "brief"])
def found(request: Any, line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(delivery, "RETRY_MS", (20, 20, 20))
    cache.clear()
    clock = Clock()
    with (
        override_settings(DEMO=True, BASE_URL=line.url),
        running_sandbox(tickets=6, psas=("autotask",), profile=request.param) as sandbox,
    ):
        wanted = Wanted.sort(kind="autotask", name="north", url=sandbox.autotask, values=VALUES)
        desk = Desk(sandbox, clock, accounts.connect(wanted=wanted, clock=clock)[0], make_theo())
        assert not desk.pull().errors
        hooks.settle(desk.account, clock=clock)
        yield desk
    cache.clear()


def edit(found: Desk, text: str) -> str:
    ticket = found.ticket()
    found.sandbox.control("POST", f"autotask/tickets/{ticket.remote_id}", {"title": text})
    return str(ticket.remote_id)


def given_up(found: Desk, line: Line, text: str) -> tuple[str, dict[str, str], bytes]:
    """The call that says so, after calls that nobody answered."""
    line.status = 500
    before = len(line.calls)
    edit(found, text)
    until(lambda: b"Deactivated" in line.calls[-1][2] if len(line.calls) > before else False, what="the last word")
    line.status = 200
    return line.calls[-1]


def page() -> str:
    browser = Browser()
    browser.force_login(make_ada())
    return browser.get(reverse("sync:account", args=["north"])).content.decode()


def test_a_change_there_is_read_here(found: Desk, line: Line) -> None:
    assert Hook.objects.get().state == "registered"
    remote_id = edit(found, "Told by Autotask")
    until(lambda: line.calls, what="a call")
    assert line.pass_on(line.calls[0]) == 200
    found.clock.advance(1)
    hints.drain(clock=found.clock, sleep=lambda seconds: found.clock.advance(seconds))
    assert found.ticket(remote_id=remote_id).subject == "Told by Autotask"


def test_it_is_switched_on_again_each_time_later(found: Desk, line: Line) -> None:
    waits = []
    for round_ in range(3):
        call = given_up(found, line, f"Round {round_}")
        assert call[0] == line.calls[0][0]  # the address for this is the hook's own
        assert line.pass_on(call, **{"X-Hook-Signature": "sha1=AAAA"}) == 401
        assert Hook.objects.get().state == "registered"
        assert line.pass_on(call) == line.pass_on(call) == 200
        hook = Hook.objects.get()
        assert (hook.state, hook.strikes) == ("deactivated", round_ + 1)
        assert hook.check_at
        waits.append(round((hook.check_at - timezone.now()).total_seconds() / 60))
        assert not hooks.is_due(now=timezone.now())
        found.clock.advance(waits[-1] * 60 + 1)
        hooks.settle_due(clock=found.clock)
        assert Hook.objects.get().state == "registered"
    assert waits == [1, 2, 4]
    lines = SyncLogEntry.objects.filter(text__contains="Switched off by the PSA")
    assert (lines.count(), lines.filter(ok=True).count()) == (3, 0)
    before = len(line.calls)
    edit(found, "Heard again")
    until(lambda: len(line.calls) > before, what="a call after it was switched on")
    assert line.pass_on(line.calls[-1]) == 200
    assert Hook.objects.get().strikes == 0


def test_the_card_says_so_and_offers_to_do_it_now(found: Desk, line: Line) -> None:
    line.pass_on(given_up(found, line, "Nobody answers"))
    shown = page()
    assert 'data-hook="deactivated"' in shown
    assert "Switched off by Autotask" in shown
    assert "Switch on again now" in shown
    browser = Browser()
    browser.force_login(make_ada())
    browser.post(reverse("sync:account_hook", args=["north"]), {"verb": "on"})
    assert hooks.is_due(now=found.clock())
    hooks.settle_due(clock=found.clock)
    assert 'data-hook="waiting"' in page()


def test_a_lost_word_is_noticed_at_the_next_look(found: Desk, line: Line) -> None:
    given_up(found, line, "And the word is lost")
    found.clock.advance(timedelta(minutes=11).total_seconds())
    hooks.settle_due(clock=found.clock)
    assert Hook.objects.get().state == "registered"
    before = len(line.calls)
    edit(found, "Heard again")
    until(lambda: len(line.calls) > before, what="a call")


def test_one_that_is_off_stays_off(found: Desk, line: Line) -> None:
    call = given_up(found, line, "Too late")
    hooks.choose(account=found.account, choice="off", now=found.clock())
    hooks.settle_due(clock=found.clock)
    assert line.pass_on(call) == 404
    assert Hook.objects.get().state == "off"
