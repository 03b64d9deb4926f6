"""The HTTP side: reads a request, lets the faults at it, hands it to its imitation, sends the answer."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import struct
import time
import traceback
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from connectors.sandbox import control, journal
from connectors.sandbox.faults import Fault, by_mode, stripped
from connectors.sandbox.messages import JSON, Request, Response, empty, json_response
from connectors.sandbox.spool import Body, TooLarge, read_body

if TYPE_CHECKING:
    from connectors.sandbox.sandbox import Sandbox

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive; one request at a time."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 120
    server: Server

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """The request log is the log."""

    def version_string(self) -> str:
        return "sandbox"

    def _answer(self) -> None:
        try:
            body = read_body(self.rfile, self.headers, self.server.sandbox.store.files)
        except TooLarge:
            self.close_connection = True
            self._send(json_response({"error": "the body is above the sandbox's limit of 1 GiB"}, 413))
            return
        except ValueError:
            self.close_connection = True
            self._send(empty(400))
            return
        try:
            self._route(body)
        finally:
            body.discard()

    def _route(self, body: Body) -> None:
        sandbox = self.server.sandbox
        url = urlsplit(self.path)
        path = unquote(url.path)
        mount, _, rest = path.lstrip("/").partition("/")
        query = {name.lower(): value for name, value in parse_qsl(url.query, keep_blank_values=True)}
        host = self.headers.get("Host") or f"{self.server.server_address[0]!s}:{self.server.server_address[1]}"
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, "/" + rest, path, query, headers, body, f"http://{host}/{mount.lower()}")
        if mount == "_control":
            self._send(control.answer(sandbox, request, str(self.client_address[0])))
        elif mount.lower() in sandbox.imitations:
            self._imitate(mount.lower(), request)
        else:
            self._send(json_response({"error": "nothing is mounted here", "mounts": sorted(sandbox.imitations)}, 404))

    def _imitate(self, psa: str, request: Request) -> None:
        sandbox = self.server.sandbox
        faults = sandbox.faults.striking(psa, request.method, request.full_path)
        entry = journal.entry_for(psa, request, sandbox.clock.now())
        for fault in by_mode(faults, "delay_before"):
            time.sleep(fault.seconds)
        if by_mode(faults, "reset_before"):
            journal.finish(sandbox.store, entry, 0)
            self._reset()
            return
        if early := by_mode(faults, "status_before"):
            response = _as_told(early[0])
        else:
            response = self._apply(psa, request, faults, entry)
        self._send_with(faults, response, entry)

    def _apply(self, psa: str, request: Request, faults: list[Fault], entry: journal.Entry) -> Response:
        sandbox = self.server.sandbox
        request = _changed_by(faults, request, sandbox.clock.wall())
        is_rehearsal = bool(by_mode(faults, "not_applied")) and request.method in WRITES
        with ExitStack() as stack:
            if is_rehearsal:
                stack.enter_context(sandbox.store.rehearsal())
            else:
                stack.enter_context(sandbox.store.witnessed(lambda conn: entry.save(conn, applied=True)))
            try:
                return sandbox.imitations[psa].handle(request)
            except Exception:
                traceback.print_exc()
                return empty(500)

    def _send_with(self, faults: list[Fault], response: Response, entry: journal.Entry) -> None:
        if late := by_mode(faults, "status_after"):
            response = _as_told(late[0])
        if wrong := by_mode(faults, "wrong_body"):
            response = _wrong(wrong[0], response)
        resets = by_mode(faults, "reset_after")
        journal.finish(self.server.sandbox.store, entry, 0 if resets else response.status)
        for fault in by_mode(faults, "delay_after"):
            time.sleep(fault.seconds)
        if resets:
            self._reset()
        elif by_mode(faults, "half_body"):
            self._send(response, half=True)
        else:
            self._send(response)

    def _send(self, response: Response, *, half: bool = False) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status not in (204, 304):
            self.send_header("Content-Length", str(response.length))
        if half:
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(response, response.length // 2 if half else None)
        self.wfile.flush()

    def _send_body(self, response: Response, only: int | None) -> None:
        if response.file is None:
            self.wfile.write(response.body if only is None else response.body[:only])
            return
        with response.file.open("rb") as source:
            if only is None:
                shutil.copyfileobj(source, self.wfile, 256 * 1024)
            else:
                self.wfile.write(source.read(only))

    def _reset(self) -> None:
        """Close with RST, as a dying peer or a firewall does."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()


def _as_told(fault: Fault) -> Response:
    if fault.body is None:
        return Response(fault.status, b"", dict(fault.headers))
    if isinstance(fault.body, str):
        return Response(fault.status, fault.body.encode(), {"Content-Type": "text/html", **fault.headers})
    return Response(fault.status, json.dumps(fault.body).encode(), {"Content-Type": JSON, **fault.headers})


def _wrong(fault: Fault, response: Response) -> Response:
    body = fault.body if fault.body is not None else "<html><body>Something else entirely</body></html>"
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Response(response.status, data, {"Content-Type": JSON, **fault.headers})


def _changed_by(faults: list[Fault], request: Request, wall_ms: int) -> Request:
    names = tuple(name for fault in by_mode(faults, "strip") for name in fault.fields)
    if names and request.method in WRITES:
        request = _without(request, names)
    if stale := by_mode(faults, "stale_reads"):
        before = wall_ms - int(stale[0].seconds * 1000)
        request = Request(**{**request.__dict__, "stale_before_ms": before})
    return request


def _without(request: Request, names: tuple[str, ...]) -> Request:
    with contextlib.suppress(ValueError):
        request.body._parsed = stripped(request.body.json(), names)
    return request
