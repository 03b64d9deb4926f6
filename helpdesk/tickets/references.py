"""What a ticket points to, read in the ticket's own statement.

One ticket has eleven references. As joins PostgreSQL plans their order anew each time: that took ten times as long as
everything else it did for the ticket, and Django another two milliseconds to take the wide row apart. Here each of
them is a subquery of its own, and all of them come back as one JSON text: always as fresh as the ticket itself, so
that neither a rule nor a capability of the account can be an old one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, models
from django.db.models.expressions import RawSQL
from django.db.models.query import ModelIterable

if TYPE_CHECKING:
    from helpdesk.tickets.models import Ticket

FULL = {
    "psa_account": (
        "name title mark colour code ticket_url capabilities required_fields transition_rules settings client_mail"
    ),
    "status": "name category sla_clock remote_id psa_account",
    "priority": "name rank remote_id psa_account",
    "client": "name domain time_zone remote_id psa_account group",
    "site": "name time_zone client remote_id psa_account",
    "contact": "first_name last_name email phone client remote_id psa_account",
    "agent": "name user remote_id psa_account",
    "agent__user": "name email",
    "team": "name remote_id psa_account",
    "ticket_type": "name allow_attachments remote_id psa_account",
    "contract": "name block_seconds_left client sla_policy remote_id psa_account",
    "sla_policy": "name remote_id psa_account",
}
"""Reference -> its columns, as far as one ticket's page, forms and rules ask for them."""
PAGE = FULL | {"parent": "number subject"}
PREVIEW = {
    "psa_account": "name title mark colour code",
    "status": "name",
    "priority": "name",
    "client": "name",
    "contact": "first_name last_name email",
    "site": "name",
    "agent": "name user",
    "agent__user": "name",
    "team": "name",
    "contract": "name",
}
ROW = {
    "priority": "name",
    "client": "name",
    "psa_account": "mark title colour code",
    "status": "name is_mapped",
    "agent": "name user",
    "agent__user": "name",
}
"""What a line of a list names; the ones below only when somebody shows them."""
SETS = {
    "full": FULL, "page": PAGE, "preview": PREVIEW, "row": ROW, "team": {"team": "name"},
    "type": {"ticket_type": "name"}, "contact": {"contact": "first_name last_name"},
}  # fmt: skip

_PLAIN = (models.CharField, models.TextField, models.IntegerField, models.BooleanField, models.JSONField)
"""What JSON carries as it is, on every database; a reference's own key is a number, too."""


class Reader(NamedTuple):
    """One reference: the ticket's field, what a row is made of, and the reference that hangs on it."""

    field: Any
    model: type[models.Model]
    columns: tuple[str, ...]
    flags: tuple[int, ...]
    """Which of the columns are yes or no: SQLite says 1 or 0."""
    inner: Reader | None


def column(name: str) -> str:
    return f"references_{name}"


def names(text: str) -> list[list[Any] | None]:
    """For each reference of the set its key and columns, what hangs on it last; None where it points nowhere."""
    return json.loads(text)  # type: ignore[no-any-return]


def annotation(name: str) -> dict[str, RawSQL]:
    """For `.annotate`: the references of this set as one text."""
    return {column(name): RawSQL(_sql(name, connection.vendor), (), output_field=models.TextField())}


class _WithReferences(ModelIterable):  # type: ignore[type-arg]
    """Tickets as they come from the database, with what they point to in hand."""

    name: str

    def __iter__(self) -> Iterator[Ticket]:
        readers, text_at = _readers(self.name), column(self.name)
        for ticket in super().__iter__():
            text = ticket.__dict__.pop(text_at)
            for reader, values in zip(readers, names(text), strict=True):
                _attach(ticket, reader, values)
            yield ticket


ITERABLES: dict[str, Any] = {name: type(f"_With_{name}", (_WithReferences,), {"name": name}) for name in SETS}


def _attach(row: models.Model, reader: Reader, values: list[Any] | None) -> None:
    if values is None:
        if getattr(row, reader.field.attname) is None:
            row._state.fields_cache[reader.field.name] = None
        return
    if reader.inner is not None:
        inner = values.pop()
    for at in reader.flags:
        values[at] = bool(values[at])
    found = reader.model.from_db(row._state.db, reader.columns, values)
    if reader.inner is not None:
        _attach(found, reader.inner, inner)
    row._state.fields_cache[reader.field.name] = found


@cache
def _readers(name: str) -> tuple[Reader, ...]:
    from helpdesk.tickets.models import Ticket

    chosen = SETS[name]
    return tuple(_reader(Ticket, one, chosen) for one in chosen if "__" not in one)


def _reader(model: type[models.Model], name: str, chosen: dict[str, str]) -> Reader:
    field: Any = model._meta.get_field(name.rpartition("__")[2])
    target = field.related_model
    wanted = chosen[name].split()
    fields: list[Any] = [f for f in target._meta.concrete_fields if f.primary_key or f.name in wanted]
    for one in fields:
        if not isinstance(one, (*_PLAIN, models.ForeignKey)):
            raise TypeError(f"{name}.{one.name}: JSON does not carry a {type(one).__name__} as it is")
    inner = next((one for one in chosen if one.startswith(f"{name}__")), None)
    return Reader(
        field=field,
        model=target,
        columns=tuple(f.attname for f in fields),
        flags=tuple(i for i, f in enumerate(fields) if isinstance(f, models.BooleanField)),
        inner=_reader(target, inner, chosen) if inner else None,
    )


@cache
def _sql(name: str, vendor: str) -> str:
    """Names of tables and columns are our own models': nothing in it comes from outside."""
    make = "json_build_array" if vendor == "postgresql" else "json_array"
    parts = [_subquery(reader, "tickets_ticket", make, 0) for reader in _readers(name)]
    text = f"{make}({', '.join(parts)})"
    return f"({text})::text" if vendor == "postgresql" else text


def _subquery(reader: Reader, outer: str, make: str, depth: int) -> str:
    alias = f"r{depth}"
    meta = reader.model._meta
    by_attname = {f.attname: f for f in meta.concrete_fields}
    columns = []
    for attname in reader.columns:
        column = f'{alias}."{by_attname[attname].column}"'
        is_text = make == "json_array" and isinstance(by_attname[attname], models.JSONField)
        columns.append(f"json({column})" if is_text else column)
    if reader.inner is not None:
        columns.append(_subquery(reader.inner, alias, make, depth + 1))
    made = f"{make}({', '.join(columns)})"
    key = f'{alias}."{meta.pk.column}" = {outer}."{reader.field.column}"'
    found = f'(SELECT {made} FROM "{meta.db_table}" {alias} WHERE {key})'
    # SQLite forgets on the way out of a subquery that the text is JSON.
    return f"json({found})" if make == "json_array" else found
