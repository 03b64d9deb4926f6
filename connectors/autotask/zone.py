"""Which of Autotask's zones a customer lives in: asked, never assumed, and kept for a day.

What may be called is decided here. The account's own host is the one that the administrator typed. The look-up, which
carries no credentials, goes there; its answer names the zone. That zone is taken when it is the same host, or when
both are hosts of autotask.net reached over TLS: then the vendor itself, under its own certificate, told where its
customer lives. Any other host is refused, so that no answer can lead the credentials elsewhere. Every connection still
passes the check of addresses in `connectors.base.network`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.autotask.faults import error_in
from connectors.base.auth import Token, TokenAuth, TokenStore, token_key
from connectors.base.errors import ConnectorError, WrongAddress
from connectors.base.transport import Transport, origin, retry_read

LIFE_SECONDS = 24 * 3600.0
VENDOR = "autotask.net"

_SUFFIX = re.compile(r"/(atservicesrest)?(/v1\.0)?/*$", re.IGNORECASE)


@dataclass(frozen=True)
class Zone:
    """`api` ends with the version; `web` is where people work, empty when the zone does not say."""

    api: str
    web: str


class Zones:
    """The zone of one account. Threads may share it."""

    def __init__(
        self,
        transport: Transport,
        *,
        url: str,
        user: str,
        name: str,
        store: TokenStore | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.root = _SUFFIX.sub("", url.strip()).rstrip("/")
        self._transport = transport
        self._user = user
        self._now = now
        self._kept = TokenAuth(token_key("autotask-zone", name, self.root, user), self._ask, store=store)

    def current(self) -> Zone:
        """The zone, looked up when nobody knows it."""
        return self._allowed(self._kept.token())

    def other_than(self, zone: Zone) -> Zone | None:
        """Look again after a 401: another zone, or None when the customer still lives in this one."""
        found = self._allowed(self._kept.replace(_text(zone)))
        return None if found.api == zone.api else found

    def forget(self) -> None:
        """Look up anew: a test of an address must not live on a known answer."""
        self._kept.forget()

    def _ask(self) -> Token:
        return Token(_text(retry_read(self._look_up)), self._now() + LIFE_SECONDS)

    def _look_up(self) -> Zone:
        answer = self._transport.send(
            "GET", f"{self.root}/atservicesrest/v1.0/zoneInformation", is_write=False, params={"user": self._user}
        )
        if answer.status in (404, 405, 410) or 300 <= answer.status < 400 or (answer.status < 400 and answer.is_html):
            raise WrongAddress("there is no zone look-up of Autotask at this address", status=answer.status)
        if answer.status >= 400:
            raise error_in(answer, retry_after=self._transport.retry_after(answer.headers))
        return self._read(answer.json())

    def _read(self, body: Any) -> Zone:
        url = body.get("url") if isinstance(body, dict) else None
        if not isinstance(url, str) or not url.strip():
            raise WrongAddress("the zone look-up names no address")
        zone = Zone(api=f"{url.strip().rstrip('/')}/V1.0", web=str(body.get("webUrl") or ""))
        if not self._may_be_called(zone.api):
            raise WrongAddress("the zone look-up leads to another host")
        if not self._may_be_called(zone.web):
            return Zone(api=zone.api, web="")
        return zone

    def _may_be_called(self, address: str) -> bool:
        try:
            home, there = origin(self.root), origin(address)
        except ConnectorError:
            return False
        return home == there or (_is_vendors(home) and _is_vendors(there))

    def _allowed(self, text: str) -> Zone:
        values = json.loads(text)
        zone = Zone(api=str(values[0]), web=str(values[1]))
        if not self._may_be_called(zone.api):
            raise WrongAddress("the zone look-up leads to another host")
        self._transport.allow(zone.api)
        return zone


def _text(zone: Zone) -> str:
    return json.dumps([zone.api, zone.web])


def _is_vendors(place: tuple[str, str, int]) -> bool:
    scheme, host, port = place
    return scheme == "https" and port == 443 and (host == VENDOR or host.endswith(f".{VENDOR}"))
