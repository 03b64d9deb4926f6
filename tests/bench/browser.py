"""A browser as small as can be: one kept connection, cookies, and the bytes of an answer. Its own cost is 0.1 ms."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from urllib.parse import urlencode

TIMEOUT = 60
HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass
class Browser:
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    _socket: socket.socket | None = None

    def address(self, path: str) -> str:
        """As the address bar shows it."""
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str, **headers: str) -> Answer:
        return self._send("GET", path, headers, b"")

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        own = {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": self.cookies.get("csrftoken", "")}
        return self._send("POST", path, {**own, **headers}, urlencode(fields).encode())

    def sign_in(self, email: str, password: str) -> None:
        """By the form, as a person does."""
        self.get("/accounts/login/")
        done = self.post("/accounts/login/", {"login": email, "password": password})
        if done.status != 302 or "sessionid" not in self.cookies:
            raise RuntimeError(f"{email} could not sign in: {done.status}")

    def twin(self) -> Browser:
        """Another one of the same person."""
        return Browser(self.port, dict(self.cookies))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, verb: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        lines = [f"{verb} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept: text/html"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if verb == "POST":
            lines.append(f"Content-Length: {len(body)}")
        request = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
        if self._socket is not None:
            try:
                return self._exchange(request)
            except (ConnectionError, EOFError):
                self.close()  # kept too long: the server has hung up
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._exchange(request)

    def _exchange(self, request: bytes) -> Answer:
        assert self._socket is not None
        self._socket.sendall(request)
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self._more()
        head = got[:end].decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        headers: dict[str, str] = {}
        for line in head[1:]:
            name, _colon, value = line.partition(": ")
            headers[name.lower()] = value
            if name.lower() == "set-cookie":
                self._keep(value)
        body = got[end + 4 :]
        if status not in (204, 304):
            if headers.get("transfer-encoding") == "chunked":
                body = self._chunks(body)
            else:
                body = self._rest(body, int(headers.get("content-length", "0")))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)

    def _rest(self, body: bytes, length: int) -> bytes:
        parts, have = [body], len(body)
        while have < length:
            parts.append(self._more())
            have += len(parts[-1])
        return b"".join(parts)

    def _chunks(self, got: bytes) -> bytes:
        while not got.endswith(b"0\r\n\r\n"):
            got += self._more()
        found = []
        while got:
            size, _end, got = got.partition(b"\r\n")
            found.append(got[: int(size, 16)])
            got = got[int(size, 16) + 2 :]
        return b"".join(found)

    def _more(self) -> bytes:
        assert self._socket is not None
        got = self._socket.recv(262_144)
        if not got:
            raise EOFError
        return got

    def _keep(self, cookie: str) -> None:
        found = re.match(r"([^=]+)=([^;]*)", cookie)
        if found:
            self.cookies[found[1]] = found[2]
