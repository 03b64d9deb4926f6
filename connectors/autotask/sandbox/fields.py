"""What an entity is made of, and a short notation for it.

`status:i*pw` is a field `status`, an integer, required (`*`), a picklist (`p`) that webhooks may watch (`w`). Kinds:
`i` integer, `l` long, `s250` string of at most 250 characters, `b` boolean, `n` number, `d` instant. Flags: `r`
read-only, `q` not queryable, `B` in profile `brief` only, `^issueType` the picklist's parent, `>Company` what the
number refers to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.autotask.sandbox.wire import date_out

Row = dict[str, Any]
NOTATION = re.compile(r"(\w+):([ilsbnd])(\d*)([*prqwB]*)(?:\^(\w+))?(?:>(\w+))?")
DATA_TYPES = {"i": "integer", "l": "long", "s": "string", "b": "boolean", "n": "decimal", "d": "datetime"}
COLUMN_TYPES = {"i": "INTEGER", "l": "INTEGER", "s": "TEXT", "b": "INTEGER", "n": "REAL", "d": "INTEGER"}


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    length: int = 0
    is_required: bool = False
    is_picklist: bool = False
    is_read_only: bool = False
    is_queryable: bool = True
    is_watched: bool = False
    is_brief: bool = False
    parent: str = ""
    refers_to: str = ""


def fields(notation: str) -> tuple[Field, ...]:
    """The fields that a text in the notation above names."""
    return tuple(_fields(notation))


def _fields(notation: str) -> Iterator[Field]:
    for word in notation.split():
        match = NOTATION.fullmatch(word)
        if match is None:
            raise ValueError(word)
        name, kind, length, flags, parent, refers_to = match.groups()
        yield Field(
            name, kind, int(length or 0), is_required="*" in flags, is_picklist="p" in flags, is_read_only="r" in flags,
            is_queryable="q" not in flags, is_watched="w" in flags, is_brief="B" in flags, parent=parent or "",
            refers_to=refers_to or "",
        )  # fmt: skip


@dataclass(frozen=True)
class Entity:
    """One entity of the API. `root` is its path, `parent` (root, child's path, field) says where it is written.

    `scope` are columns with fixed values, where several entities share a table; `hidden` are columns no answer shows.
    """

    name: str
    root: str
    table: str
    fields: tuple[Field, ...]
    verbs: str = ""
    parent: tuple[str, str, str] | None = None
    scope: dict[str, Any] = field(default_factory=dict)
    hidden: tuple[Field, ...] = ()
    has_udfs: bool = False
    is_impersonated: bool = False
    by_name: dict[str, Field] = field(init=False, repr=False, compare=False)
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    dates: tuple[str, ...] = field(init=False, repr=False, compare=False)
    flags: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {item.name.lower(): item for item in self.fields})
        object.__setattr__(self, "names", tuple(item.name for item in self.fields))
        object.__setattr__(self, "dates", tuple(item.name for item in self.fields if item.kind == "d"))
        object.__setattr__(self, "flags", tuple(item.name for item in self.fields if item.kind == "b"))

    @property
    def where(self) -> str:
        """The condition that sets its rows apart in a shared table, with a leading AND."""
        return "".join(f" AND {name} = {value!r}" for name, value in self.scope.items())

    @property
    def selected(self) -> str:
        """The columns of a read; file contents are not among them."""
        return "*, NULL AS data" if "data" in self.by_name else "*"

    def picked(self, names: tuple[str, ...] | None) -> str:
        """The columns of a read that shows only these fields (lower case; None: all)."""
        if names is None or "data" in names:
            return self.selected
        return ", ".join([*(name for name in self.names if name.lower() in names or name == "id"), "udfs"])

    def columns(self) -> list[Field]:
        return [*self.fields, *self.hidden]

    def shown(self, row: Any, names: set[str] | None = None) -> Row:
        """A stored row as an answer shows it; `names` (lower case) picks some of its fields."""
        values = row if isinstance(row, dict) else dict(zip(row.keys(), tuple(row), strict=True))
        if names is None:
            found: Row = {name: values[name] for name in self.names}
        else:
            found = {name: values[name] for name in (self.by_name[one].name for one in names if one in self.by_name)}
        for name in self.dates:
            if found.get(name) is not None:
                found[name] = date_out(found[name])
        for name in self.flags:
            if found.get(name) is not None:
                found[name] = bool(found[name])
        found["userDefinedFields"] = json.loads(values["udfs"]) if self.has_udfs else []
        return found
