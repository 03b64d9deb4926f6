"""Every list that the new-ticket form offers, in one statement: nine look-ups would each cost their own way.

The rows are the models' own with the columns named here; any other column is read when somebody asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import CharField, F, IntegerField, QuerySet, TextField, Value
from django.db.models.functions import Cast

from helpdesk.directory.models import Agent, Client, Contact, PsaAccount, Site, Team
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.models import Priority, Status, TicketCategory

MOST = 300
MOST_CATEGORIES = 1000
TEXTS = 4
_TEXT = Value("", output_field=CharField())
_NUMBER = Value(0, output_field=IntegerField())
_COLUMNS: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "status": (Status, ("name", "category", "sla_clock", "ticket_types"), "sequence"),
    "priority": (Priority, ("name",), "rank"),
    "team": (Team, ("name",), ""),
    "agent": (Agent, ("name", "email"), ""),
    "site": (Site, ("name",), "client_id"),
    "contact": (Contact, ("first_name", "last_name", "email"), "client_id"),
    "category": (TicketCategory, ("value", "name", "parent"), "level"),
}
_LISTS = frozenset({"ticket_types"})
"""Name of the list -> model, up to TEXTS columns of text, one of a number."""


def load_choices(account: PsaAccount, client: Client | None) -> dict[str, list[Any]]:
    """Name of the list -> its rows in order. Sites and contacts are the client's, at most MOST of each."""
    active: dict[str, QuerySet[Any]] = {
        name: model._default_manager.filter(psa_account=account, is_active=True)
        for name, (model, _texts, _number) in _COLUMNS.items()
    }
    active["status"] = active["status"].exclude(category__in=FINISHED).exclude(remote_id=None)
    active["category"] = _first(active["category"].filter(level__lte=2), MOST_CATEGORIES)
    active["site"] = _first(active["site"].filter(client=client), MOST)
    active["contact"] = _first(active["contact"].filter(client=client, erased_at=None), MOST)
    parts = [_part(name, rows) for name, rows in active.items() if client or name not in ("site", "contact")]
    found: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for name, *row in parts[0].union(*parts[1:], all=True):
        found[name].append(_row(name, account, row))
    return {name: sorted(rows, key=_order(name)) for name, rows in found.items()}


def _first(rows: QuerySet[Any], most: int) -> QuerySet[Any]:
    """The first so many, in a shape that every database takes inside a union."""
    return rows.model._default_manager.filter(pk__in=rows.values("pk")[:most])


def _part(name: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    _model, texts, number = _COLUMNS[name]
    columns = [_column(text) for text in texts] + [_TEXT] * (TEXTS - len(texts))
    named = {f"text_{n}": column for n, column in enumerate(columns)}
    return rows.order_by().values_list(
        Value(name, output_field=CharField()), "pk", "remote_id", F(number) if number else _NUMBER, *named.values()
    )


def _column(name: str) -> Any:
    """A column of a union of texts: lists go as the text they are kept as."""
    return Cast(F(name), output_field=TextField()) if name in _LISTS else F(name)


def _row(name: str, account: PsaAccount, row: Sequence[Any]) -> Any:
    model, texts, number = _COLUMNS[name]
    pk, remote_id, amount, *words = row
    values = {"id": pk, "remote_id": remote_id, "psa_account_id": account.pk, "is_active": True}
    values |= dict(zip(texts, words, strict=False))
    if number:
        values[number] = amount
    values |= {text: json.loads(values[text] or "[]") for text in _LISTS if text in values}
    names = [f.attname for f in model._meta.concrete_fields if f.attname in values]
    return model.from_db("default", names, [values[name] for name in names])


def _order(name: str) -> Any:
    if name == "status":
        return lambda row: (row.sequence, row.pk)
    if name == "priority":
        return lambda row: (row.rank, row.pk)
    if name == "category":
        return lambda row: row.value.casefold()
    return lambda row: str(row).casefold()
