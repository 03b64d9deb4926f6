"""The authorisation server: client credentials in, signed bearer tokens out. Tokens need no storage and survive a
restart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from urllib.parse import parse_qsl

from connectors.halopsa.sandbox.tenant import Tenant
from connectors.sandbox.messages import Request, Response, json_response

CLIENT_ID, CLIENT_SECRET = "demo", "demo-secret"
LIFETIME_SECONDS = 3600
SECRET_META = "halopsa_token_key"
AREAS = {
    "tickets": "tickets", "actions": "tickets", "attachment": "tickets", "client": "customers", "site": "customers",
    "users": "customers", "clientcontract": "contracts",
}  # fmt: skip
CONFIG_KINDS = (
    "status", "priority", "sla", "workday", "outcome", "tickettype", "category", "lookup", "fieldinfo", "webhook",
    "notification",
)  # fmt: skip


class Tokens:
    """Issues and checks tokens; what a token may do is fixed when it is issued."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        kept = tenant.store.meta(SECRET_META)
        if kept is None:
            kept = secrets.token_hex(32)
            tenant.store.set_meta(SECRET_META, kept)
        self._key = bytes.fromhex(kept)

    def issue(self, request: Request) -> Response:
        """`POST /auth/token`; `tenant` may stand in the query or the form and is not looked at."""
        form = dict(parse_qsl(request.body.data.decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            return _refused("unsupported_grant_type", "The specified 'grant_type' is not supported.", 400)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _refused("invalid_client", "The specified client credentials are invalid.", 401)
        scope = form.get("scope") or "all"
        token = self._signed({"scope": scope, "until": self._tenant.now() + LIFETIME_SECONDS * 1000})
        answer = {"scope": scope, "token_type": "Bearer", "access_token": token, "expires_in": LIFETIME_SECONDS}
        return json_response(answer)

    def _signed(self, claims: dict[str, object]) -> str:
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return f"{body}.{self._mark(body)}"

    def _mark(self, body: str) -> str:
        return (
            base64.urlsafe_b64encode(hmac.new(self._key, body.encode(), hashlib.sha256).digest()).decode().rstrip("=")
        )

    def scopes(self, request: Request) -> set[str] | None:
        """The scopes of a valid bearer token, None without one."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        body, _, mark = token.strip().partition(".")
        if kind.lower() != "bearer" or not hmac.compare_digest(mark.encode(), self._mark(body).encode()):
            return None
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if claims["until"] <= self._tenant.now():
            return None
        return set(str(claims["scope"]).lower().split())


def _refused(error: str, text: str, status: int) -> Response:
    return json_response({"error": error, "error_description": text, "error_uri": ""}, status)


def may(scopes: set[str], resource: str, *, writes: bool) -> bool:
    """Whether a token's scopes open a resource: tickets, customers, contracts, config (writes need admin), other."""
    area = AREAS.get(resource) or ("config" if resource in CONFIG_KINDS else "other")
    if scopes & {"all", "admin"}:
        return True
    if area == "config":
        return not writes
    if "all:standard" in scopes or f"edit:{area}" in scopes:
        return True
    return not writes and (area == "other" or f"read:{area}" in scopes)
