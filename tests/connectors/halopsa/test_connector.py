"""The connector against answers that the sandbox does not give: other versions, shapes, and hostile servers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import stamina

from connectors.base.auth import MemoryTokens
from connectors.base.connector import AccountConfig
from connectors.base.errors import AuthFailed, Forbidden, NotFound, RateLimited, Rejected, Unavailable, WrongAddress
from connectors.base.records import UNSET, ActionDraft
from connectors.halopsa.connector import HaloPSAConnector
from connectors.halopsa.envelopes import one_row, unwrap

BASE = "https://acme.halopsa.test"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAMPLES = Path(__file__).parent / "samples"
TOKEN = {"access_token": "tok-1234567", "expires_in": 3600, "token_type": "Bearer"}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


class Tenant:
    """Answers by "METHOD /path"; remembers what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: dict[str, Any] = {
            "GET /api/AuthInfo": {"auth_url": f"{BASE}/auth", "tenant_id": "acme"},
            "POST /auth/token": TOKEN,
        }
        self.answers.update(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path}", httpx.Response(404))
        if callable(answer):
            answer = answer(request)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def connect(self, tokens: MemoryTokens | None = None, **settings: Any) -> HaloPSAConnector:
        account = AccountConfig(
            name="acme",
            url=f"{BASE}/",
            settings={"client_id": "id", **settings},
            secrets={"client_secret": "the-secret"},
        )
        return HaloPSAConnector(account, http=httpx.MockTransport(self), tokens=tokens)

    def asked(self, line: str) -> list[httpx.Request]:
        return [r for r in self.requests if f"{r.method} {r.url.path}" == line]

    def posted(self, path: str) -> list[Any]:
        return [json.loads(r.content)[0] for r in self.asked(f"POST {path}")]


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


# Token


def test_the_token_call() -> None:
    tenant = Tenant(**{"GET /api/Tickets/1": {"id": 1}})
    tenant.connect(tenant="acme co", scope="read:tickets").ticket("1")
    request = tenant.asked("POST /auth/token")[0]
    assert dict(request.url.params) == {"tenant": "acme co"}
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["id"],
        "client_secret": ["the-secret"],
        "scope": ["read:tickets"],
    }
    assert tenant.asked("GET /api/Tickets/1")[0].headers["Authorization"] == "Bearer tok-1234567"


@pytest.mark.parametrize(
    ("told", "path"),
    [
        (f"{BASE}/login", "/login/token"),
        ("https://evil.test/auth", "/auth/token"),
        ("", "/auth/token"),
        (None, "/auth/token"),
        (17, "/auth/token"),
    ],
)
def test_the_authorisation_server_is_taken_from_this_host_only(told: Any, path: str) -> None:
    tenant = Tenant(**{"GET /api/AuthInfo": {"auth_url": told}, f"POST {path}": TOKEN, "GET /api/Tickets/1": {"id": 1}})
    tenant.connect().ticket("1")
    assert tenant.asked(f"POST {path}")
    assert {r.url.host for r in tenant.requests} == {"acme.halopsa.test"}


def test_an_authorisation_server_that_the_administrator_names_may_be_elsewhere() -> None:
    tenant = Tenant(**{"POST /token": TOKEN, "GET /api/Tickets/1": {"id": 1}})
    tenant.connect(auth_url="https://login.test").ticket("1")
    assert tenant.asked("POST /token")[0].url.host == "login.test"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={"error": "invalid_client", "error_description": "no: the-secret"}), AuthFailed),
        (httpx.Response(400, json={"error": "invalid_client"}), AuthFailed),
        (httpx.Response(400, json={"error": "invalid_scope"}), Forbidden),
        (httpx.Response(404), WrongAddress),
        (httpx.Response(200, html="<html>"), WrongAddress),
        (httpx.Response(403, html="<html>"), WrongAddress),
        (httpx.Response(301, headers={"Location": "https://x.test"}), WrongAddress),
        (httpx.Response(500), Unavailable),
        (httpx.Response(429), RateLimited),
        (httpx.Response(200, json={"no": "token"}), Unavailable),
    ],
)
def test_a_token_that_is_not_given(answer: httpx.Response, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        Tenant(**{"POST /auth/token": answer}).connect().ticket("1")
    assert "the-secret" not in str(caught.value)


def test_a_check_lives_on_no_known_token() -> None:
    store = MemoryTokens()
    good = Tenant(**{"GET /api/Tickets/1": {"id": 1}})
    good.connect(tokens=store).ticket("1")
    bad = Tenant(**{"POST /auth/token": httpx.Response(401, json={"error": "invalid_client"})})
    with pytest.raises(AuthFailed, match="Credentials"):
        bad.connect(tokens=store).check()


def test_connectors_share_a_token() -> None:
    store, tenant = MemoryTokens(), Tenant(**{"GET /api/Tickets/1": {"id": 1}})
    tenant.connect(tokens=store).ticket("1")
    tenant.connect(tokens=store).ticket("1")
    assert len(tenant.asked("POST /auth/token")) == 1


def test_a_forbidden_path_costs_one_fresh_token_only() -> None:
    tenant = Tenant(**{"GET /api/Outcome": httpx.Response(403)})
    connector = tenant.connect()
    for _ in range(3):
        with pytest.raises(Forbidden):
            connector._lookups._outcomes()
    assert len(tenant.asked("POST /auth/token")) == 2


@pytest.mark.parametrize(
    "url", ["acme.halopsa.com", "", "ftp://acme.test", "https://", "http://acme.halopsa.test", "nonsense"]
)
def test_a_strange_address_is_told_by_the_check(url: str) -> None:
    connector = HaloPSAConnector(AccountConfig(name="acme", url=url), http=httpx.MockTransport(Tenant()))
    with pytest.raises(WrongAddress, match="Address"):
        connector.check()


def test_a_token_out_of_a_shared_store_is_hidden_too() -> None:
    store, echo = MemoryTokens(), httpx.Response(400, json={"Message": "bad header tok-1234567"})
    Tenant(**{"GET /api/Tickets/1": {"id": 1}}).connect(tokens=store).ticket("1")
    with pytest.raises(Rejected) as caught:
        Tenant(**{"GET /api/Tickets/1": echo}).connect(tokens=store).ticket("1")
    assert "tok-1234567" not in str(caught.value) + str(caught.value.fields)


def test_check_names_the_missing_scope() -> None:
    tenant = Tenant(**{"GET /api/Status": [], "GET /api/Client": httpx.Response(403)})
    with pytest.raises(Forbidden, match="read:customers"):
        tenant.connect().check()


# Lists


def test_envelopes() -> None:
    assert unwrap([{"id": 1}], "x").rows == [{"id": 1}]
    assert unwrap({"record_count": 3, "results": [{"id": 1}]}, "agents").total == 3
    assert unwrap({"ticket_id": 1, "attachments": [{"id": 1}], "folders": []}, "attachments").rows == [{"id": 1}]
    assert unwrap({"record_count": 1, "things": [{"id": 1}]}, "x").rows == [{"id": 1}]
    assert unwrap({"record_count": 0, "tickets": None}, "tickets").rows == []
    assert unwrap({"tickets": [5, 6]}, "tickets").rows == [{"id": 5}, {"id": 6}]
    assert unwrap([{"id": 1}, None, "x"], "x").rows == [{"id": 1}]
    nonsense: Any
    for nonsense in ({"id": 1, "summary": "a ticket"}, "text", None, 5, ["a"], {"a": [], "b": []}):
        with pytest.raises(Unavailable):
            unwrap(nonsense, "tickets")


def test_answers_to_writes() -> None:
    row = {"id": 54321, "summary": "x"}
    for shape in (row, [row], [{"id": 1}, row], {"tickets": [row]}, {"tickets": [row], "record_count": 1}):
        assert one_row(shape, "/Tickets") == row
    assert one_row({"id": 6, "actions": []}, "/Actions") == {"id": 6, "actions": []}
    nonsense: Any
    for nonsense in ([], "x", None, [1]):
        with pytest.raises(Unavailable):
            one_row(nonsense, "/Tickets")


def test_the_delta_asks_as_halopsa_wants_to_be_asked() -> None:
    tenant = Tenant(**{"GET /api/Tickets": sample("tickets_list") | {"record_count": 2}})
    since = datetime(2026, 11, 21, 11, 0, 0, 5000, tzinfo=UTC)
    pages = list(tenant.connect().tickets(since=since, until=NOW, is_open=True))
    assert dict(tenant.asked("GET /api/Tickets")[0].url.params) == {
        "pageinate": "true",
        "page_size": "100",
        "page_no": "1",
        "order": "id",
        "orderdesc": "false",
        "open_only": "true",
        "lastupdatefromdate": "2026-11-21T11:00:00.005Z",
        "lastupdatetodate": "2026-11-21T12:00:00.000Z",
        "includeslaactiondate": "true",
    }
    assert [len(p.rows) for p in pages] == [2]


def test_a_list_that_repeats_itself_is_not_taken_for_whole() -> None:
    tenant = Tenant(**{"GET /api/Tickets": sample("tickets_list")})
    with pytest.raises(Unavailable, match="repeats"):
        list(tenant.connect().tickets(since=None, until=NOW))


def test_a_list_without_end_is_left() -> None:
    def endless(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page_no"])
        return httpx.Response(200, json={"record_count": 50, "tickets": [{"id": page}]})

    def growing(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page_no"])
        rows = [{"id": page * 100 + i} for i in range(100)]
        return httpx.Response(200, json={"record_count": 150, "tickets": rows if page < 5 else []})

    tenant = Tenant(**{"GET /api/Tickets": endless})
    assert len(list(tenant.connect().tickets(since=None, until=NOW))) == 50
    tenant = Tenant(**{"GET /api/Tickets": growing})
    assert len(list(tenant.connect().tickets(since=None, until=NOW))) == 2


def test_rows_of_a_list_that_make_no_sense_are_left_out() -> None:
    rows = [{"id": 1, "summary": "good"}, {"summary": "no id"}, {"id": "x"}, "text", None, {"id": 2.0}]
    tenant = Tenant(**{"GET /api/Tickets": {"record_count": 2, "tickets": rows}})
    page = next(iter(tenant.connect().tickets(since=None, until=NOW)))
    assert [r.remote_id for r in page.rows] == ["1", "2"]


def test_more_actions_than_asked_for_are_asked_for_again() -> None:
    def listed(request: httpx.Request) -> httpx.Response:
        count = int(request.url.params["count"])
        rows = [{"id": i, "ticket_id": 7} for i in range(700, 0, -1)][:count]
        return httpx.Response(200, json={"ticket_id": 7, "record_count": 700, "actions": rows})

    actions = Tenant(**{"GET /api/Actions": listed}).connect().actions("7")
    assert [a.remote_id for a in actions] == [str(i) for i in range(1, 701)]


def test_another_ticket_than_asked_for_is_no_answer() -> None:
    with pytest.raises(Unavailable):
        Tenant(**{"GET /api/Tickets/1": {"id": 2}}).connect().ticket("1")


def test_contracts_that_are_not_offered_do_not_warn() -> None:
    lists = {f"GET /api/{name}": [{"id": 1, "name": "x"}] for name in ("Client", "Site", "Users", "Outcome")}
    for refusal in (httpx.Response(404), httpx.Response(403)):
        tenant = Tenant(**lists, **{"GET /api/ClientContract": refusal})
        connector = tenant.connect()
        assert [kind for kind, page in connector.directory(since=None) if page.rows] == ["clients", "sites", "contacts"]
        assert connector.describe().capabilities["contracts"] is False


def test_reference_leaves_out_what_is_forbidden() -> None:
    data = sample("reference")
    tenant = Tenant(
        **{
            "GET /api/Team": data["team"],
            "GET /api/Agent": {"record_count": 2, "results": data["agent"]},
            "GET /api/Workday": httpx.Response(403),
            "GET /api/SLA": data["sla"],
            "GET /api/Priority": data["priority"],
            "GET /api/Status": lambda r: httpx.Response(
                200, json=data["status_without_closed" if "excludeclosed" in r.url.params else "status"]
            ),
            "GET /api/TicketType": [{"id": 1, "name": "Incident"}],
            "GET /api/TicketType/1": data["tickettype"][0],
            "GET /api/Outcome": data["outcome"],
        }
    )
    found = dict(tenant.connect().reference())
    assert list(found) == ["teams", "agents", "priorities", "policies", "statuses", "ticket_types", "outcomes"]
    assert [a.remote_id for a in found["agents"]] == ["4"], "nobody is no agent"
    assert vars(found["ticket_types"][0])["initial_status"] == "1", "the single type has what the list leaves out"


# Writes


def test_a_contact_brings_its_site() -> None:
    tenant = Tenant(
        **{"GET /api/Users/77": sample("directory")["user"], "POST /api/Tickets": httpx.Response(201, json={"id": 9})}
    )
    tenant.connect().create_ticket({"subject": "x", "client": "12", "contact": "77"}, marker="m")
    assert tenant.posted("/api/Tickets") == [
        {
            "summary": "x",
            "client_id": 12,
            "user_id": 77,
            "site_id": 18,
            "third_party_id_string": "m",
            "donotapplytemplateintheapi": True,
        }
    ]


def test_a_team_is_written_by_its_name() -> None:
    tenant = Tenant(
        **{
            "GET /api/Team": sample("reference")["team"],
            "POST /api/Tickets": httpx.Response(201, json={"tickets": [{"id": 5, "team": "2nd Line"}]}),
        }
    )
    connector = tenant.connect()
    assert connector.update_ticket("5", {"team": "14"}).team == "14"
    assert tenant.posted("/api/Tickets") == [{"id": 5, "team": "2nd Line"}]
    with pytest.raises(Rejected) as caught:
        connector.update_ticket("5", {"team": "99"})
    assert set(caught.value.fields) == {"team"}


def test_an_answer_that_lacks_the_change_is_read_again() -> None:
    tenant = Tenant(
        **{
            "POST /api/Tickets": httpx.Response(201, json={"id": 5}),
            "GET /api/Tickets/5": {"id": 5, "status_id": 9, "summary": "whole"},
        }
    )
    assert tenant.connect().update_ticket("5", {"status": "9"}).subject == "whole"


def test_switches_that_skip_checks_are_sent_only_when_turned_on() -> None:
    tenant = Tenant(**{"POST /api/Tickets": httpx.Response(201, json={"id": 5, "agent_id": 4})})
    tenant.connect(forcereassign=True).update_ticket("5", {"agent": "4"})
    assert tenant.posted("/api/Tickets") == [{"id": 5, "agent_id": 4, "_forcereassign": True}]


def draft(**more: Any) -> ActionDraft:
    values: dict[str, Any] = {
        "ticket": "5",
        "kind": "note",
        "body_html": "<p>x</p>",
        "body_text": "x",
        "is_internal": True,
        "marker": "m",
        "occurred_at": NOW,
    }
    return ActionDraft(**(values | more))


CHOSEN = {"note": "70", "reply": "71", "call": "72", "visit": "73", "time": "74", "close": "75"}


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({}, 70),
        ({"kind": "reply", "is_internal": False}, 71),
        ({"kind": "reply"}, 70),
        ({"kind": "call"}, 72),
        ({"kind": "visit"}, 73),
        ({"kind": "time"}, 74),
        ({"kind": "system"}, 70),
        ({"outcome": "9"}, 9),
        ({"new_status": "9"}, 75),
        ({"new_status": "2"}, 70),
    ],
)
def test_the_outcome_that_the_administrator_chose(more: dict[str, Any], outcome: int) -> None:
    data = sample("reference")
    status = int(more.get("new_status", 1))
    tenant = Tenant(
        **{
            "GET /api/Status": data["status"],
            "POST /api/Actions": httpx.Response(201, json={"id": 2}),
            "GET /api/Tickets/5": {"id": 5, "status_id": status},
        }
    )
    tenant.connect(outcomes=CHOSEN).create_action(draft(**more))
    assert tenant.posted("/api/Actions")[0]["outcome_id"] == outcome


def test_without_an_outcome_nothing_is_written() -> None:
    tenant = Tenant(**{"GET /api/Outcome": [{"id": 1, "outcome": "Opened", "systemid": 1}]})
    with pytest.raises(Rejected) as caught:
        tenant.connect().create_action(draft())
    assert set(caught.value.fields) == {"outcome"}
    assert not tenant.asked("POST /api/Actions")


def test_a_status_that_halopsa_will_not_take_does_not_lose_the_note() -> None:
    tenant = Tenant(
        **{
            "POST /api/Actions": httpx.Response(201, json={"id": 2, "new_status": 9}),
            "GET /api/Tickets/5": {"id": 5, "status_id": 1},
            "POST /api/Tickets": httpx.Response(400, json={"Message": "status_id invalid"}),
        }
    )
    written = tenant.connect(outcomes={"note": "7"}).create_action(draft(new_status="9"))
    assert (written.remote_id, written.new_status) == ("2", None)


def test_an_inline_picture_is_fetched_by_its_guid_only() -> None:
    guid = "5b0b1d7e-2f0a-4a57-9e2e-0d8cf2a1b111"
    tenant = Tenant(
        **{
            f"GET /api/Attachment/image/{guid}": httpx.Response(
                200, content=b"png", headers={"Content-Type": "image/png"}
            )
        }
    )
    connector = tenant.connect()
    for reference in (guid, f"https://elsewhere.test/api/attachment/image/{guid}?token=abc"):
        with connector.inline_image(reference) as picture:
            assert picture.content_type == "image/png"
            assert b"".join(picture.chunks) == b"png"
    assert {r.url.host for r in tenant.requests} == {"acme.halopsa.test"}
    for reference in ("../../secret", "https://evil.test/x.png", ""):
        with pytest.raises(NotFound):
            connector.inline_image(reference)


def test_a_download_is_not_redirected_and_breaks_as_unavailable() -> None:
    tenant = Tenant(**{"GET /api/Attachment/1": httpx.Response(302, headers={"Location": "https://s3.test/x"})})
    with pytest.raises(Unavailable), tenant.connect().download("1", ticket="5"):
        pass

    def broken(request: httpx.Request) -> httpx.Response:
        def parts() -> Iterator[bytes]:
            yield b"abc"
            raise httpx.RemoteProtocolError("gone")

        return httpx.Response(200, content=parts())

    tenant = Tenant(**{"GET /api/Attachment/1": broken})
    with pytest.raises(Unavailable), tenant.connect().download("1", ticket="5") as file:
        list(file.chunks)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (httpx.Response(429, json={"error": "Rate Limit Reached - 300 Requests per rolling 5 minute window"}), None),
        (httpx.Response(429, text="try again in 45 seconds"), 45.0),
        (httpx.Response(429, headers={"Retry-After": "30"}), 30.0),
        (httpx.Response(400, json={"error": "Rate Limit Reached - 300 Requests per rolling 5 minute window"}), None),
    ],
)
def test_rate_limits_in_every_shape(answer: httpx.Response, wait: float | None) -> None:
    tenant = Tenant(**{"GET /api/Tickets/1": answer})
    with pytest.raises(RateLimited) as caught:
        tenant.connect().ticket("1")
    assert caught.value.retry_after == wait
    assert len(tenant.asked("GET /api/Tickets/1")) == 1


def test_a_ticket_that_lacks_its_team_id_finds_it_by_name() -> None:
    tenant = Tenant(**{"GET /api/Tickets/2451": sample("ticket"), "GET /api/Team": sample("reference")["team"]})
    assert tenant.connect().ticket("2451").team == "13"
    tenant = Tenant(**{"GET /api/Tickets/2451": sample("ticket"), "GET /api/Team": httpx.Response(403)})
    assert tenant.connect().ticket("2451").team is UNSET


def test_threads_may_share_a_connector() -> None:
    tenant = Tenant(**{"GET /api/Tickets/1": {"id": 1}})
    connector = tenant.connect()
    threads = [threading.Thread(target=connector.ticket, args=("1",)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tenant.asked("POST /auth/token")) == 1
    assert connector.calls == 18
