"""Attacks that once worked, or nearly: each stays here so that none works again."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from connectors.base.html import to_text
from connectors.base.network import is_public
from connectors.sync.forms import ConnectionForm
from helpdesk.actions.files import kind_of
from helpdesk.actions.mirror import RemoteAction, RemoteFile, apply_actions, apply_files
from helpdesk.actions.models import Action, Attachment
from helpdesk.actions.services import NewAction, add_action
from helpdesk.actions.text import clean_html, html_to_text, inline_references
from helpdesk.core import live
from helpdesk.core.logs import formatter
from helpdesk.core.origin import Origin
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason
from helpdesk.portal.services import create_link
from helpdesk.portal.words import question_in
from helpdesk.tickets.search import plain
from tests.factories import NOW, make_account, make_ticket
from tests.helpdesk.desk.test_access import addresses
from tests.people import contact_of, make_ada, make_cleo, make_theo

LONG = 200_000
"""Characters that a stranger's mail may have."""


def _remote(key: str, **values: Any) -> RemoteAction:
    marker = values.pop("marker", None)
    given = {"kind": "reply", "is_internal": False, "body": "<p>words</p>", "body_is_html": True, "occurred_at": NOW}
    return RemoteAction(key=key, values={**given, **values}, marker=marker)


# Texts that make a pattern, or the parser, work for minutes -----------------------------------------------------------
@pytest.mark.parametrize("read", [clean_html, html_to_text, inline_references, plain, to_text, question_in])
@pytest.mark.parametrize(
    "piece", ["<!--", "<", "<a", "<img", "<img ", "<br", "<script", "<div>", "<b></p>", "a", "\n", "On ", "?", "&#"]
)
def test_no_text_takes_long_to_read(read: Callable[[str], Any], piece: str) -> None:
    started = time.thread_time()  # what the text costs, not what else the machine does
    read("x" + piece * (LONG // len(piece)) + "x")
    assert time.thread_time() - started < 3


def test_a_text_of_nothing_but_markup_keeps_its_words() -> None:
    assert clean_html("<div>" * 9000 + "help <script>alert(1)</script>") == "<p>help alert(1)</p>"


# A hostile PSA, and mails that come through it ------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_answer_that_quotes_our_mail_is_not_taken_for_our_mail() -> None:
    ticket, theo = make_ticket(), make_theo()
    made = add_action(
        ticket=ticket, new=NewAction(kind="reply", text="Please restart", is_internal=False),
        origin=Origin.desk(theo), now=NOW, user=theo,
    )  # fmt: skip
    ours, quoted = str(made.marker), "<p>Done</p><blockquote>Please restart</blockquote>"
    rows = [_remote("1", marker=ours), _remote("2", marker=ours, body=quoted, is_from_client=True)]
    apply_actions(ticket_id=ticket.pk, rows=rows, now=NOW)
    apply_actions(ticket_id=ticket.pk, rows=rows, now=NOW)
    made.refresh_from_db()
    assert made.remote_id == "1"
    assert Action.objects.get(remote_id="2").is_from_client
    assert Action.objects.filter(ticket=ticket).count() == 2


@pytest.mark.django_db
def test_a_marker_of_another_ticket_stops_no_pull() -> None:
    first, second, marker = make_ticket(), make_ticket(), str(uuid.uuid4())
    apply_actions(ticket_id=first.pk, rows=[_remote("1", marker=marker)], now=NOW)
    assert apply_actions(ticket_id=second.pk, rows=[_remote("7", marker=marker)], now=NOW) == 1


@pytest.mark.django_db
def test_a_file_name_of_a_psa_is_made_harmless() -> None:
    ticket = make_ticket()
    name = "../..\\invoice\u202egpj\r\nSet-Cookie: a=b\x00.exe"
    apply_files(ticket_id=ticket.pk, rows=[RemoteFile(remote_id="1", name=name, created_at=NOW)], now=NOW)
    assert Attachment.objects.get().name == "invoicegpjSet-Cookie: a=b.exe"


@pytest.mark.django_db
def test_a_file_on_an_action_nobody_knows_is_not_public() -> None:
    ticket = make_ticket()
    row = RemoteFile(remote_id="1", name="a.txt", created_at=NOW, action_key="99", is_public=True)
    apply_files(ticket_id=ticket.pk, rows=[row], now=NOW)
    assert not Attachment.objects.public().exists()


@pytest.mark.parametrize("name", ["a.mjs", "a.css", "a.xml", "a.wasm", "a.xhtml", "a.svg", "a.htm"])
def test_a_file_never_has_a_type_that_a_page_would_run(name: str) -> None:
    assert kind_of(name, b"alert(1)") in {"text/plain", "application/octet-stream"}
    assert kind_of(name, b"") in {"text/plain", "application/octet-stream"}


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0", "fec0::1"],
)  # fmt: skip
def test_no_spelling_of_a_private_address_passes(address: str) -> None:
    assert not is_public(address)


# Addresses that a person can spell ------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("odd", ["²", "-1", "9" * 5000, "name", "?a", "//evil.test", "javascript:alert(1)"])
def test_an_odd_way_back_is_the_list(client: Browser, odd: str) -> None:
    client.force_login(make_theo())
    answer = client.get("/tickets/bulk/choose/status/", {"back": odd})
    assert (answer.status_code, answer["Location"]) == (302, "/tickets/")


@pytest.mark.django_db
def test_odd_numbers_break_no_page(client: Browser) -> None:
    ticket, ada = make_ticket(), make_ada()
    client.force_login(ada)
    for number in ("new-²", "new-" + "9" * 30, "²", "9" * 150):
        assert client.get("/palette/", {"q": number}).status_code == 200
        assert client.get("/tickets/", {"q": number}).status_code == 200
    assert client.get(f"/tickets/{'9' * 30}/images/abcdefgh/").status_code == 404
    for number in ("²", "9" * 5000):
        assert client.post(f"/settings/people/{ada.pk}/tie/", {"agent": number}).status_code == 422
        assert client.post(f"/tickets/{ticket.pk}/undo/", {"events": number}).status_code < 500


@pytest.mark.django_db
def test_a_nul_in_an_address_breaks_no_page() -> None:
    """PostgreSQL refuses to be asked for one; here any database does."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if any(isinstance(p, str) and "\x00" in p for p in (params if isinstance(params, list | tuple) else ())):
            raise DataError("text fields cannot contain NUL")
        return execute(sql, params, many, context)

    ticket, wrong = make_ticket(), []
    browser = Browser(raise_request_exception=False)
    browser.force_login(make_ada())
    names = ("q", "account", "team", "client", "name", "kind", "status", "query", "subject", "field", "value", "at")
    given = dict.fromkeys(names, "a\x00b")
    with connection.execute_wrapper(refuse):
        assert Browser().post("/hooks/%00/%00/", b"{}", "application/json").status_code == 404
        for path in ("/board/move/", "/board/teams/", "/tickets/views/"):
            assert browser.post(path, given).status_code < 500
        for address in addresses(ticket.pk):
            if not address.name.startswith(("account_", "mfa_", "reports:")) and address.name != "readyz":
                for headers in ({}, {"HX-Request": "true"}):
                    answer = browser.get(address.path, given, headers=headers)
                    wrong += [address.path] if answer.status_code >= 500 else []
    assert not wrong


# Keys ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["/status/{}/answer/", "/hooks/halo/{}/", "/live/{}/", "/accounts/password/reset/key/{}/"]
)
def test_no_log_line_holds_the_key_of_an_address(path: str) -> None:
    key = "k3y" * 15
    record = logging.LogRecord("django.request", 30, "", 1, "Not Found: %s", (path.format(key),), None)
    record.request = f"<WSGIRequest: GET '{path.format(key)}'>"
    line = formatter().format(record)
    assert key not in line
    assert "Not Found" in json.loads(line)["event"]


@pytest.mark.django_db
def test_stored_credentials_do_not_follow_a_new_address() -> None:
    account = make_account(settings={"client_id": "abc"})
    kept = {"url": account.url, "s_client_id": "abcd", "s_client_secret": ""}
    assert ConnectionForm(kept, kind="halopsa", account=account).is_valid()
    for change in ({"url": "https://evil.test"}, {"s_auth_url": "https://evil.test/auth"}):
        moved = ConnectionForm({**kept, **change}, kind="halopsa", account=account)
        assert "s_client_secret" in moved.errors
        assert ConnectionForm({**kept, **change, "s_client_secret": "new"}, kind="halopsa", account=account).is_valid()


@pytest.mark.django_db
def test_signing_out_ends_live_addresses(client: Browser) -> None:
    cleo = make_cleo()
    client.force_login(cleo)
    address = live.poll_address(user_id=cleo.pk, scope=live.DESK)
    assert client.get(address).status_code == 200
    client.post(reverse("account_logout"))
    assert client.get(address).status_code == 403


@pytest.mark.django_db
def test_an_erased_contacts_link_is_closed(client: Browser) -> None:
    cleo = make_cleo(make_account())
    contact = contact_of(cleo)
    ticket = make_ticket(contact=contact)
    _link, token = create_link(ticket=ticket, contact=contact, created_by=None, now=timezone.now())
    assert client.get(f"/status/{token}/").status_code == 200
    contact.erased_at = timezone.now()
    contact.save()
    assert client.get(f"/status/{token}/").status_code == 404


@pytest.mark.django_db
def test_no_cache_between_keeps_a_persons_page(client: Browser) -> None:
    client.force_login(make_theo())
    for path in ("/tickets/", "/board/", "/settings/personal/"):
        assert "private" in client.get(path)["Cache-Control"]


def test_figures_are_not_told_through_a_proxy(client: Browser) -> None:
    for header in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"):
        assert client.get("/metrics", headers={header: "1.2.3.4"}).status_code == 404


# Writing ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_edited_reply_goes_to_addresses_only(client: Browser) -> None:
    ticket, theo = make_ticket(), make_theo()
    new = NewAction(kind="reply", text="Done", is_internal=False, email_to="a@client.test", sends_email=True)
    add_action(ticket=ticket, new=new, origin=Origin.desk(theo), now=NOW, user=theo)
    item = outbox.claim(now=NOW, lease_seconds=60)[0]
    outbox.refuse(item=item, reason=Reason.VALIDATION, text="no", now=NOW)
    client.force_login(theo)
    address = reverse("tickets:item_edit", args=[ticket.pk, item.pk])
    answer = client.post(address, {"text": "Done", "to": "x\r\nBcc: all@evil.test"})
    assert answer.status_code == 422
    assert "edit-to-wrong" in answer.content.decode()
    item.refresh_from_db()
    assert item.fields["email_to"] == "a@client.test"
