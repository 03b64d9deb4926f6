"""The control API under `/_control/`: what testers and demos do behind the PSAs' backs. Loopback only, JSON only."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.sandbox import journal
from connectors.sandbox.faults import BadFault, fault_from
from connectors.sandbox.imitation import Configurable, Imitation, Refused
from connectors.sandbox.incident_replay import read_source
from connectors.sandbox.loader import BadData
from connectors.sandbox.messages import Request, Response, json_response

if TYPE_CHECKING:
    from connectors.sandbox.sandbox import Sandbox


def answer(sandbox: Sandbox, request: Request, peer: str) -> Response:
    """One control call. 403 from elsewhere than loopback or from a web page, 400 with the reason when it makes no
    sense."""
    if not ipaddress.ip_address(peer.split("%")[0]).is_loopback or "origin" in request.headers:
        return json_response({"error": "control calls are taken from loopback only"}, 403)
    try:
        body = {} if request.body.is_empty else request.body.json()
        parts = [part for part in request.path.split("/") if part]
        return _dispatch(sandbox, request, parts, body)
    except (BadFault, BadData, Refused, ValueError, TypeError) as error:
        return json_response({"error": str(error)}, 400)


def _dispatch(sandbox: Sandbox, request: Request, parts: list[str], body: Any) -> Response:
    match (request.method, parts):
        case ("GET", ["state"]):
            return json_response(_state(sandbox))
        case ("GET", ["requests"]):
            since = int(request.query.get("since") or 0)
            return json_response(journal.rows(sandbox.store, request.query.get("psa"), since))
        case ("GET", ["faults"]):
            return json_response({"faults": sandbox.faults.all()})
        case ("POST", ["faults"]):
            for item in body if isinstance(body, list) else [body]:
                sandbox.faults.add(fault_from(item))
            return json_response({"faults": sandbox.faults.all()}, 201)
        case ("DELETE", ["faults"]):
            sandbox.faults.clear()
            return json_response({"faults": []})
        case ("POST", ["clock"]):
            sandbox.clock.set_offset(float(body.get("offset_seconds", 0)))
            sandbox.run_due()
            return json_response(_clock(sandbox))
        case ("GET", ["clock"]):
            return json_response(_clock(sandbox))
        case ("POST", ["live"]):
            sandbox.live.set_rate(float(body.get("rate", 0)))
            return json_response(_live(sandbox))
        case ("GET", ["live"]):
            return json_response(_live(sandbox))
        case ("POST", ["rate_limit"]):
            return _rate_limit(sandbox, body)
        case ("POST", ["load"]):
            return json_response({"loaded": sandbox.load(read_source(Path(str(body.get("dir") or ""))))})
        case ("POST", ["reset"]):
            sandbox.reset()
            return json_response(_state(sandbox))
        case (_, [psa, "tickets", *rest]) if psa in sandbox.imitations:
            return _tickets(sandbox.imitations[psa], request.method, rest, body)
        case ("GET" | "POST", [psa, part]) if isinstance(found := sandbox.imitations.get(psa), Configurable):
            return json_response(found.configure(part, body if request.method == "POST" else None))
    return json_response({"error": "no such control call"}, 404)


def _state(sandbox: Sandbox) -> dict[str, Any]:
    return {
        name: {**item.counts(), "requests": journal.count(sandbox.store, name)}
        for name, item in sandbox.imitations.items()
    }


def _clock(sandbox: Sandbox) -> dict[str, Any]:
    return {"offset_seconds": sandbox.clock.offset_seconds, "now_ms": sandbox.clock.now()}


def _live(sandbox: Sandbox) -> dict[str, Any]:
    return {"rate": sandbox.live.rate, "events": sandbox.live.events, "last": sandbox.live.last}


def _rate_limit(sandbox: Sandbox, body: dict[str, Any]) -> Response:
    """`{"psa", "requests": n or null, "seconds", "retry_after": bool}`: the PSA's own limit, null lifts it."""
    name = str(body.get("psa") or "")
    if name not in sandbox.limits:
        raise Refused(f"no PSA {name!r} here")
    requests = body.get("requests")
    window = sandbox.limits[name]
    window.set(
        None if requests is None else int(requests),
        float(body.get("seconds") or 300),
        retry_after=bool(body.get("retry_after")),
    )
    return json_response({"requests": window.requests, "seconds": window.seconds, "retry_after": window.retry_after})


def _tickets(item: Imitation, method: str, rest: list[str], body: Any) -> Response:
    if method != "GET" and method != "DELETE" and not isinstance(body, dict):
        raise Refused("the body is one object")
    if not rest:
        return _found(item, item.create(body), 201) if method == "POST" else json_response({"error": "POST only"}, 405)
    ticket_id = int(rest[0])
    if item.record(ticket_id) is None:
        return json_response({"error": f"no ticket {ticket_id}"}, 404)
    match (method, rest[1:]):
        case ("GET", []):
            return _found(item, ticket_id)
        case ("POST", []):
            item.edit(ticket_id, body)
            return _found(item, ticket_id)
        case ("DELETE", []):
            item.delete(ticket_id)
            return json_response({"deleted": ticket_id})
        case ("POST", ["actions"]):
            action_id = item.add_action(ticket_id, body)
            record = item.record(ticket_id) or {}
            made = [row for row in record.get("actions", []) if row["id"] == action_id]
            return json_response(made[0] if made else {"id": action_id}, 201)
    return json_response({"error": "no such control call"}, 404)


def _found(item: Imitation, ticket_id: int, status: int = 200) -> Response:
    return json_response(item.record(ticket_id), status)
