"""What `entityInformation/fields` tells: picklists by field, and what their labels mean.

Ids are data of the tenant and are never compared by number: stock tenants have priority 1 = High and 4 = Critical,
others differ again. Meaning is read from labels; the ids of the vendor's guides only where a label says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.autotask.mapping.values import identifier, truth, whole, words
from connectors.base.configuration import CategoryRecord, PolicyRecord, PriorityRecord, StatusRecord
from connectors.base.configuration import TicketTypeRecord as TypeRecord
from connectors.base.records import TeamRecord


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One value of a picklist. `parent` is the value of the field that it hangs on."""

    value: str
    label: str
    is_active: bool = True
    is_default: bool = False
    sequence: int | None = None
    parent: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class FieldInfo:
    """One field of an entity; `choices` by value."""

    name: str
    is_required: bool = False
    choices: Mapping[str, Choice] = field(default_factory=dict)


Fields = Mapping[str, FieldInfo]
"""By lower-case field name."""


def read_fields(rows: Iterable[Any]) -> dict[str, FieldInfo]:
    """The `fields` list of an entity; what is no field is left out."""
    found = {}
    for row in rows:
        if isinstance(row, dict) and (name := words(row.get("name"))):
            found[name.lower()] = FieldInfo(
                name=name, is_required=truth(row.get("isRequired")), choices=_choices(row.get("picklistValues"))
            )
    return found


def _choices(rows: Any) -> dict[str, Choice]:
    found = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and (value := identifier(row.get("value"))) is not None:
            found[value] = Choice(
                value=value,
                label=words(row.get("label")) or f"#{value}",
                is_active=row.get("isActive") is not False,
                is_default=truth(row.get("isDefaultValue")),
                sequence=whole(row.get("sortOrder")),
                parent=identifier(row.get("parentValue")) or "",
                raw=row,
            )
    return found


def choices_of(fields: Fields, name: str) -> Mapping[str, Choice]:
    """The picklist of a field; empty when the entity has no such field or it is none."""
    info = fields.get(name.lower())
    return info.choices if info else {}


def _patterns(*pairs: tuple[Any, str]) -> tuple[tuple[Any, re.Pattern[str]], ...]:
    return tuple((meaning, re.compile(pattern, re.IGNORECASE)) for meaning, pattern in pairs)


_CATEGORIES = _patterns(
    ("resolved", r"\b(resolved|fixed|solved|pending closure|awaiting closure)\b"),
    ("closed", r"\b(closed?|completed?|cancel+ed|merged|duplicate|rejected|declined|spam)\b"),
    (
        "waiting_third_party",
        r"\b(third[- ]?party|3rd[- ]?party|supplier|vendor|materials?|parts?|manufacturer|courier)\b",
    ),
    ("waiting_client", r"\b(waiting|awaiting|pending|on hold)\b.*\b(client|customer|user|contact|approval)\b"),
    ("escalated", r"\bescalated?\b"),
    ("waiting", r"\b(pending|hold|waiting|awaiting|scheduled|paused|deferred|postponed|parked)\b"),
    ("new", r"^(new|unassigned|logged|not started|received)\b"),
    (
        "open",
        r"\b(open|progress|dispatched|assigned|re-?opened|working|investigat\w+|active|added|updated|responded|triage)\b",
    ),
)
_RANKS = _patterns(
    (1, r"\b(critical|urgent|emergency|p1|highest|disaster)\b"),
    (2, r"\b(high|p2|important|major)\b"),
    (3, r"\b(medium|normal|moderate|standard|p3|default)\b"),
    (4, r"\b(low|lowest|minor|p4|p5|planning|trivial)\b"),
)
_KINDS = _patterns(
    ("change", r"\bchange\b"),
    ("problem", r"\bproblem\b"),
    ("incident", r"\bincident\b|\bfault\b|\bbreak"),
    ("request", r"\brequest\b|\bservice\b|\border\b"),
)
_KNOWN_STATUSES = {"1": "new", "5": "closed"}
"""The only two ids that every tenant has: both are system values."""
_KNOWN_RANKS = {"4": 1, "3": 2, "2": 3, "1": 4}
"""Ids of the vendor's guides, for labels that say nothing."""
_CLOCKS = {
    "new": "running",
    "open": "running",
    "escalated": "running",
    "waiting": "paused",
    "waiting_client": "paused",
    "waiting_third_party": "paused",
    "resolved": "stopped",
    "closed": "stopped",
}
FINISHED = frozenset({"resolved", "closed"})
_PUBLIC = re.compile(r"^(all autotask users|yes|public|external)\b|\b(customers?|clients?|portal)\b", re.IGNORECASE)
_INTERNAL = re.compile(r"\binternal\b|\bprivate\b|\bco-?managed\b|\bnot\b|^no\b", re.IGNORECASE)
_MACHINE = re.compile(r"\b(workflow|forward\w*|merge\w*|absorb\w*|rmm|bdr|system|duplicate)\b", re.IGNORECASE)


def plain(label: str) -> str:
    """A label as people would read it: IN_PROGRESS is "IN PROGRESS"."""
    return label.replace("_", " ").strip()


def _meaning(patterns: tuple[tuple[Any, re.Pattern[str]], ...], label: str) -> Any:
    text = plain(label)
    return next((meaning for meaning, pattern in patterns if pattern.search(text)), None)


def status_category(choice: Choice) -> str | None:
    """The canonical category of a status; None when neither label nor a known id tells."""
    found = _meaning(_CATEGORIES, choice.label)
    return found if found else _KNOWN_STATUSES.get(choice.value)


def finished_statuses(fields: Fields) -> frozenset[str]:
    """Values of the statuses that end a ticket."""
    return frozenset(c.value for c in choices_of(fields, "status").values() if status_category(c) in FINISHED)


def public_values(fields: Fields, chosen: str | None = None) -> frozenset[str]:
    """Values of `publish` that show a note or file to the client. Everything else is internal, the unknown too."""
    found = {
        c.value
        for c in choices_of(fields, "publish").values()
        if _PUBLIC.search(plain(c.label)) and not _INTERNAL.search(plain(c.label))
    }
    return frozenset({chosen} if chosen else found)


def publish_value(fields: Fields, *, is_internal: bool, chosen: str | None = None) -> str | None:
    """The value to write; None when the picklist does not tell which it is: then nothing may be written."""
    rows = [c for c in choices_of(fields, "publish").values() if c.is_active]
    if chosen:
        return chosen
    if not is_internal:
        return next((c.value for c in _ordered(rows) if c.value in public_values(fields)), None)
    hidden = [c for c in _ordered(rows) if _INTERNAL.search(plain(c.label))]
    hidden.sort(key=lambda c: bool(re.search(r"co-?managed", c.label, re.IGNORECASE)))
    return hidden[0].value if hidden else None


def is_machine_made(fields: Fields, note_type: Any) -> bool:
    """Whether a note type is one that workflows and integrations write."""
    found = choices_of(fields, "noteType").get(identifier(note_type) or "")
    return bool(found and _MACHINE.search(plain(found.label)))


def note_type(fields: Fields) -> str | None:
    """A note type for what people write: notes of a task before its details and summaries, never a machine's."""
    rows = [c for c in _ordered(choices_of(fields, "noteType").values()) if c.is_active]
    people = [c for c in rows if not _MACHINE.search(plain(c.label))]
    for pattern in (r"\bnotes?$", r"\b(task|ticket|internal|external)\b", r"."):
        if found := next((c.value for c in people if re.search(pattern, plain(c.label), re.IGNORECASE)), None):
            return found
    return None


def _ordered(rows: Iterable[Choice]) -> list[Choice]:
    return sorted(rows, key=lambda c: (c.sequence if c.sequence is not None else 10**6, int(c.value)))


def status_records(fields: Fields) -> tuple[StatusRecord, ...]:
    return tuple(
        StatusRecord(
            remote_id=c.value,
            raw=c.raw,
            name=c.label,
            category=(category := status_category(c)),
            sla_clock=_CLOCKS.get(category or ""),
            sequence=c.sequence,
            is_active=c.is_active,
        )
        for c in _ordered(choices_of(fields, "status").values())
    )


def priority_records(fields: Fields) -> tuple[PriorityRecord, ...]:
    return tuple(
        PriorityRecord(remote_id=c.value, raw=c.raw, name=c.label, rank=rank_of(c), is_active=c.is_active)
        for c in _ordered(choices_of(fields, "priority").values())
    )


def rank_of(choice: Choice) -> int | None:
    """1 critical to 4 low, by label; by the guides' ids only for a label that says nothing."""
    found = _meaning(_RANKS, choice.label)
    return found if found else _KNOWN_RANKS.get(choice.value)


def team_records(fields: Fields) -> tuple[TeamRecord, ...]:
    """Queues are the picklist of a ticket's `queueID`: there is no entity of them."""
    return tuple(
        TeamRecord(remote_id=c.value, raw=c.raw, name=c.label, is_active=c.is_active)
        for c in _ordered(choices_of(fields, "queueID").values())
    )


def type_records(fields: Fields) -> tuple[TypeRecord, ...]:
    return tuple(
        TypeRecord(
            remote_id=c.value,
            raw=c.raw,
            name=c.label,
            kind=_meaning(_KINDS, c.label),
            is_active=c.is_active,
            sequence=c.sequence,
        )
        for c in _ordered(choices_of(fields, "ticketType").values())
    )


def policy_records(fields: Fields) -> tuple[PolicyRecord, ...]:
    """Names only: Autotask tells due dates on the ticket, never the targets behind them."""
    rows = choices_of(fields, "serviceLevelAgreementID").values()
    return tuple(PolicyRecord(remote_id=c.value, raw=c.raw, name=c.label) for c in _ordered(rows))


def category_records(fields: Fields) -> tuple[CategoryRecord, ...]:
    """Issue types, and below them sub-issue types as a path `Issue>Sub-issue`: sub-issues of one name are many."""
    issues, subs = choices_of(fields, "issueType"), choices_of(fields, "subIssueType")
    found = [
        CategoryRecord(remote_id=f"1:{c.value}", raw=c.raw, level=1, value=c.label, name=c.label, is_active=c.is_active)
        for c in _ordered(issues.values())
    ]
    found += [
        CategoryRecord(
            remote_id=f"2:{c.value}",
            raw=c.raw,
            level=2,
            value=sub_path(c, issues),
            name=c.label,
            parent=f"1:{c.parent}" if c.parent else None,
            is_active=c.is_active,
        )
        for c in _ordered(subs.values())
    ]
    return tuple(found)


def sub_path(choice: Choice, issues: Mapping[str, Choice]) -> str:
    """A sub-issue type under its issue type."""
    parent = issues.get(choice.parent)
    return f"{parent.label}>{choice.label}" if parent else choice.label


def label_of(fields: Fields, name: str, value: Any) -> str | None:
    """What a picklist calls a value; the value itself for one that the picklist does not know."""
    key = identifier(value)
    if key is None:
        return None
    found = choices_of(fields, name).get(key)
    return found.label if found else key


def value_of(fields: Fields, name: str, label: str) -> str | None:
    """The value behind a label (blind to case), active ones first; a value is taken as it is."""
    rows = choices_of(fields, name)
    wanted = label.strip().casefold()
    fits = [c for c in rows.values() if c.label.strip().casefold() == wanted]
    fits.sort(key=lambda c: not c.is_active)
    return fits[0].value if fits else wanted if wanted in rows else None
