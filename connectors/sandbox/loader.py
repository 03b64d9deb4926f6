"""Reads a folder of JSON Lines in the neutral format. Every line is checked before anything is loaded.

Tickets are streamed: the check notes where each action and attachment stands in its file, so that a big folder
needs little memory.
"""

from __future__ import annotations

import base64
import binascii
import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from connectors.sandbox.dataset import Dataset, Record, Story

KINDS = ("note", "email_in", "email_out", "phone", "visit", "time", "status")

# field: type; "!" must be there. ref:<file> is an id of that file.
Shape = dict[str, str]
FILES: dict[str, Shape] = {
    "clients": {
        "id": "id!",
        "name": "text!",
        "short": "text",
        "active": "bool",
        "phone": "text",
        "domain": "text",
        "tier": "any",
        "contract": "any",
    },
    "sites": {"id": "id!", "client_id": "ref:clients!", "name": "text!", "street": "text", "city": "text"},
    "contacts": {
        "id": "id!",
        "client_id": "ref:clients!",
        "site_id": "ref:sites",
        "name": "text!",
        "email": "text",
        "vip": "bool",
        "phone": "text",
    },
    "contracts": {
        "id": "id!",
        "client_id": "ref:clients!",
        "name": "text!",
        "active": "bool",
        "starts_on": "text",
        "ends_on": "text",
        "block_hours_left": "number",
    },
    "agents": {
        "id": "id!",
        "login": "text",
        "name": "text!",
        "email": "text",
        "team": "text",
        "active": "bool",
        "rate": "number",
    },
    "tickets": {
        "id": "id!",
        "client_id": "ref:clients!",
        "site_id": "ref:sites",
        "contact_id": "ref:contacts",
        "agent_id": "ref:agents",
        "team": "text",
        "type": "text",
        "category": "text",
        "status": "text!",
        "open": "bool",
        "priority": "priority",
        "source": "any",
        "summary": "text!",
        "details": "text",
        "created_at": "time!",
        "last_action_at": "time",
        "due_at": "time",
        "closed_at": "time",
        "psa": "text",
        "response_due_at": "time",
        "first_responded_at": "time",
        "resolved_at": "time",
        "resolution": "text",
    },
    "actions": {
        "id": "id!",
        "ticket_id": "ref:tickets!",
        "kind": "kind!",
        "created_at": "time!",
        "agent_id": "ref:agents",
        "contact_id": "ref:contacts",
        "private": "bool",
        "minutes": "number",
        "old_status": "text",
        "new_status": "text",
        "body": "text",
        "html": "text",
        "billable": "bool",
    },
    "attachments": {
        "id": "id!",
        "ticket_id": "ref:tickets!",
        "action_id": "any",
        "filename": "text!",
        "content_type": "text",
        "created_at": "time",
        "public": "bool",
        "data_base64": "base64",
    },
}
OPTIONAL = ("contracts", "attachments")


class BadData(ValueError):
    """A line that cannot be loaded: file, line number, reason."""


def instant(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 instant; without a zone it is UTC. Raises ValueError."""
    when = datetime.fromisoformat(text)
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return round(when.timestamp() * 1000)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and instant(value) is not None
    except (ValueError, OverflowError):
        return False


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except (binascii.Error, ValueError):
        return False


CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "id": (_is_id, "a positive integer"),
    "text": (lambda value: isinstance(value, str), "text"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "number": (_is_number, "a number"),
    "time": (_is_time, "an ISO 8601 instant"),
    "priority": (lambda value: value in (1, 2, 3, 4) and _is_id(value), "1, 2, 3 or 4"),
    "kind": (lambda value: value in KINDS, "one of " + ", ".join(KINDS)),
    "base64": (_is_base64, "base64"),
    "any": (lambda value: True, "anything"),
}


@dataclass
class _Index:
    """What the check remembers of one file."""

    ids: set[int] = field(default_factory=set)
    owners: array[int] = field(default_factory=lambda: array("q"))
    order: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))


def read_folder(folder: Path) -> Dataset:
    """Check the folder and give its data set. Raises BadData with file and line; then nothing has been loaded."""
    if not folder.is_dir():
        raise BadData(f"{folder}: no such folder")
    indexes: dict[str, _Index] = {}
    for name in FILES:
        indexes[name] = _checked(folder / f"{name}.jsonl", name, indexes)
    return Dataset(
        stories=lambda: _stories(folder, indexes),
        named=_named(folder),
        **{name: list(_records(folder / f"{name}.jsonl", name)) for name in list(FILES)[:5]},
    )


def _named(folder: Path) -> frozenset[tuple[str, int]]:
    """(PSA, client) of the tickets that name their PSA."""
    tickets = (json.loads(line) for _, _, line in _lines(folder / "tickets.jsonl"))
    return frozenset((ticket["psa"], ticket["client_id"]) for ticket in tickets if ticket.get("psa"))


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    if not path.exists():
        return
    with path.open("rb") as source:
        offset = 0
        for number, line in enumerate(source, start=1):
            if line.strip():
                yield number, offset, line
            offset += len(line)


def _checked(path: Path, name: str, indexes: dict[str, _Index]) -> _Index:
    if not path.exists() and name not in OPTIONAL:
        raise BadData(f"{path.name}: missing")
    index = _Index()
    for number, offset, line in _lines(path):
        record = _parsed(path, number, line)
        if problem := _problem(record, FILES[name], indexes, index):
            raise BadData(f"{path.name}:{number}: {problem}")
        index.ids.add(record["id"])
        if "ticket_id" in record:
            index.owners.append(record["ticket_id"])
            index.order.append(instant(record["created_at"]) if record.get("created_at") else 0)
            index.offsets.append(offset)
    return index


def _parsed(path: Path, number: int, line: bytes) -> Record:
    try:
        record = json.loads(line.decode("utf-8"))
    except ValueError as error:
        raise BadData(f"{path.name}:{number}: not JSON: {error}") from error
    if not isinstance(record, dict):
        raise BadData(f"{path.name}:{number}: not an object")
    return record


def _problem(record: Record, shape: Shape, indexes: dict[str, _Index], own: _Index) -> str:
    for name, kind in shape.items():
        value, needed = record.get(name), kind.endswith("!")
        kind = kind.rstrip("!")
        if value is None:
            if needed:
                return f"{name} is missing"
            continue
        check, words = CHECKS["id" if kind.startswith("ref:") else kind]
        if not check(value):
            return f"{name} must be {words}"
        if kind.startswith("ref:") and value not in indexes[kind[4:]].ids:
            return f"{name} {value} is not in {kind[4:]}.jsonl"
    return f"id {record['id']} is there twice" if record["id"] in own.ids else ""


def _records(path: Path, name: str) -> Iterator[Record]:
    times = [field_name for field_name, kind in FILES[name].items() if kind.startswith("time")]
    for _, _, line in _lines(path):
        yield _converted(json.loads(line), times)


def _converted(record: Record, times: list[str]) -> Record:
    for name in times:
        if record.get(name):
            record[name] = instant(record[name])
    if record.get("data_base64") is not None:
        record["data"] = base64.b64decode(record.pop("data_base64"))
    return record


class _Grouped:
    """Records of one file by ticket, in order of time, read from their offsets."""

    def __init__(self, source: IO[bytes], name: str, index: _Index) -> None:
        self._source = source
        self._times = [field_name for field_name, kind in FILES[name].items() if kind.startswith("time")]
        self._offsets = index.offsets
        by_owner: dict[int, list[int]] = {}
        for row in sorted(range(len(index.offsets)), key=index.order.__getitem__):
            by_owner.setdefault(index.owners[row], []).append(row)
        self._by_owner = by_owner

    def of(self, ticket_id: int) -> list[Record]:
        found = []
        for row in self._by_owner.get(ticket_id, ()):
            self._source.seek(self._offsets[row])
            found.append(_converted(json.loads(self._source.readline()), self._times))
        return found


def _stories(folder: Path, indexes: dict[str, _Index]) -> Iterator[Story]:
    attachments = folder / "attachments.jsonl"
    with (
        (folder / "actions.jsonl").open("rb") as actions,
        open(attachments if attachments.exists() else "/dev/null", "rb") as files,
    ):
        acts, atts = (
            _Grouped(actions, "actions", indexes["actions"]),
            _Grouped(files, "attachments", indexes["attachments"]),
        )
        for ticket in _records(folder / "tickets.jsonl", "tickets"):
            yield Story(ticket, acts.of(ticket["id"]), atts.of(ticket["id"]))
