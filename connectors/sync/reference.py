"""Reference data and the directory of a PSA as rows of the helpdesk. An administrator's own mapping stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import models, transaction

from connectors.base.records import UNSET, Record
from connectors.sync import configuration, remaps, sla_reference, values
from connectors.sync.keys import Keys
from helpdesk.actions import outcomes
from helpdesk.actions.models import Outcome
from helpdesk.directory.models import Agent, Client, Contact, Contract, PsaAccount, Site, Team
from helpdesk.directory.services import RemoteRecord, join_users, set_agent_teams, upsert_records
from helpdesk.tickets.choices import FINISHED, Category, Rank, SlaClock, TypeKind
from helpdesk.tickets.models import Priority, Status, TicketCategory, TicketType

Columns = dict[str, Any]


def apply(
    *, account: PsaAccount, kind: str, rows: Sequence[Record], keys: Keys, now: datetime, is_part: bool = False
) -> int:
    """Bring one kind of rows to what the PSA has; counts them. Unknown kinds are left out.

    `is_part`: other rows are not named, which says nothing about them. An unsent change of ours is never overwritten.
    """
    if kind == "calendars":
        return sla_reference.apply_calendars(account=account, rows=rows, now=now)
    if kind == "policies":
        return sla_reference.apply_policies(account=account, rows=rows, keys=keys, now=now)
    if kind not in _KINDS:
        return 0
    model, columns, is_complete = _KINDS[kind]
    with transaction.atomic(), remaps.following(account=account, kind=kind, now=now):
        edited = _edited(model, account.pk)
        held = configuration.Held(account.pk, kind)
        count = upsert(model, account.pk, rows, lambda r: held.without(r, columns(r, keys, r.remote_id in edited)))
        if is_complete and not is_part and account.capabilities.get(f"list_{kind}") is not False:
            _retire(model, account.pk, rows)
            held.forget_sent()
        _AFTER.get(kind, _nothing)(account, held.free(rows), keys, now)
    return count


def upsert(
    model: type[models.Model], account_id: int, rows: Iterable[Record], columns: Callable[[Any], Columns]
) -> int:
    """Insert or update, in groups of rows that carry the same columns."""
    groups: dict[tuple[str, ...], list[RemoteRecord]] = defaultdict(list)
    for row in rows:
        found = values.fitted(model, columns(row))
        at = row.remote_updated_at
        record = RemoteRecord(
            remote_id=row.remote_id,
            values=found,
            remote_updated_at=at if isinstance(at, datetime) else None,
            raw=values.raw(row.raw),
        )
        groups[tuple(sorted(found))].append(record)
    return sum(upsert_records(model, account_id=account_id, rows=group) for group in groups.values())


def _carried(record: Record, *names: str) -> Columns:
    """The columns of these names that the record carries."""
    return {name: value for name in names if (value := getattr(record, name)) is not UNSET}


def _edited(model: type[models.Model], account_id: int) -> frozenset[str]:
    if model not in (Status, Priority, TicketType):
        return frozenset()
    rows = model._default_manager.filter(psa_account_id=account_id, is_edited=True)
    return frozenset(map(str, rows.values_list("remote_id", flat=True)))


def _status(record: Any, _keys: Keys, is_edited: bool) -> Columns:
    row: Columns = {
        "is_active": True,
        **_carried(
            record, "name", "colour", "sequence", "is_active", "short_name", "is_quick", "sla_action", "hold_hours",
            "change_hours", "counts_working_hours", "ignores_release",
        ),
    }  # fmt: skip
    if record.ticket_types is not UNSET:
        row["ticket_types"] = list(record.ticket_types)
    if record.category is UNSET:
        return row  # read alone: what it counts as takes the whole list
    category = record.category if record.category in Category.values else ""
    clock = record.sla_clock if record.sla_clock in SlaClock.values else _clock(category) if category else ""
    row |= {"suggested_category": category, "suggested_clock": clock}
    if is_edited:
        return row
    row["is_mapped"] = bool(category)
    if category:
        row |= {"category": category, "sla_clock": clock}
    return row


def _clock(category: str) -> str:
    if category in FINISHED:
        return SlaClock.STOPPED
    return SlaClock.PAUSED if category in (Category.WAITING_CLIENT, Category.WAITING) else SlaClock.RUNNING


def _priority(record: Any, _keys: Keys, is_edited: bool) -> Columns:
    row: Columns = {"is_active": True, **_carried(record, "name", "colour", "is_active")}
    row["suggested_rank"] = record.rank if record.rank in Rank.values else None
    if is_edited:
        return row
    row["is_mapped"] = row["suggested_rank"] is not None
    if row["is_mapped"]:
        row["rank"] = record.rank
    return row


def _ticket_type(record: Any, keys: Keys, is_edited: bool) -> Columns:
    row = {
        "is_active": True,
        **_carried(
            record, "name", "is_active", "allow_attachments", "sequence", "agents_may_select", "clients_may_select",
            "client_may_reopen", "reopen_hours", "auto_close_hours",
        ),
    }  # fmt: skip
    if record.required_fields is not UNSET:
        row["required_fields"] = list(record.required_fields)
    if record.kind is not UNSET:
        row["suggested_kind"] = record.kind if record.kind in TypeKind.values else ""
    if record.kind is not UNSET and not is_edited:
        row["is_mapped"] = bool(row["suggested_kind"])
        row["kind"] = row["suggested_kind"] or TypeKind.OTHER
    names = {
        "initial_status": "status", "default_priority": "priority", "reopened_status": "status",
        "default_team": "team", "default_agent": "agent", "default_sla_policy": "sla_policy",
        "after_client_status": "status", "after_agent_status": "status",
    }  # fmt: skip
    for column, name in names.items():
        value = getattr(record, column)
        if value is not UNSET:
            row[f"{column}_id"] = keys.find(name, value)
    return row


def _outcome(record: Any, keys: Keys, _is_edited: bool) -> Columns:
    row = _carried(
        record, "name", "label", "long_label", "colour", "sequence", "is_hidden", "hide_from_client", "must_add_note",
        "must_assign", "sla_hold", "sla_release", "sends_email", "default_seconds",
    )  # fmt: skip
    if record.new_status is not UNSET:
        row["new_status_id"] = keys.find("status", record.new_status)
    if record.child_ticket_type is not UNSET:
        row["child_ticket_type_id"] = keys.find("ticket_type", record.child_ticket_type)
    return row


def _category(record: Any, _keys: Keys, _is_edited: bool) -> Columns:
    return {"is_active": True, **_carried(record, "level", "value", "name", "parent", "is_active")}


def _team(record: Any, _keys: Keys, _is_edited: bool) -> Columns:
    return {"is_active": True, **_carried(record, "name", "is_active")}


def _agent(record: Any, _keys: Keys, _is_edited: bool) -> Columns:
    row = {"is_active": True, **_carried(record, "name", "email", "is_active")}
    return row if record.roles is UNSET else row | {"roles": [asdict(role) for role in record.roles]}


def _client(record: Any, _keys: Keys, _is_edited: bool) -> Columns:
    row = _carried(record, "name", "is_active", "phone", "domain", "address")
    return row | ({} if record.time_zone is UNSET else {"time_zone": values.time_zone(record.time_zone)})


def _site(record: Any, keys: Keys, _is_edited: bool) -> Columns:
    row = _carried(record, "name", "is_active", "phone", "address")
    if record.time_zone is not UNSET:
        row["time_zone"] = values.time_zone(record.time_zone)
    return row | _client_of(record, keys)


def _contact(record: Any, keys: Keys, _is_edited: bool) -> Columns:
    row = _carried(record, "first_name", "last_name", "email", "phone", "is_active", "is_vip")
    row |= _client_of(record, keys)
    if record.site is not UNSET:
        row["site_id"] = keys.get("site", record.site, client_id=row.get("client_id"))
        if record.client is UNSET and row["site_id"]:
            row["client_id"] = Site.objects.filter(pk=row["site_id"]).values_list("client_id", flat=True).first()
    return row


def _contract(record: Any, keys: Keys, _is_edited: bool) -> Columns:
    row = _carried(record, "name", "is_active", "starts_on", "ends_on", "block_seconds_left")
    if record.sla_policy is not UNSET:
        row["sla_policy_id"] = keys.find("sla_policy", record.sla_policy)
    return row | _client_of(record, keys)


def _client_of(record: Any, keys: Keys) -> Columns:
    return {} if record.client is UNSET else {"client_id": keys.get("client", record.client)}


_KINDS: dict[str, tuple[type[models.Model], Callable[[Any, Keys, bool], Columns], bool]] = {
    "teams": (Team, _team, True),
    "agents": (Agent, _agent, True),
    "statuses": (Status, _status, True),
    "priorities": (Priority, _priority, True),
    "ticket_types": (TicketType, _ticket_type, True),
    "categories": (TicketCategory, _category, True),
    "outcomes": (Outcome, _outcome, True),
    "clients": (Client, _client, False),
    "sites": (Site, _site, False),
    "contacts": (Contact, _contact, False),
    "contracts": (Contract, _contract, False),
}
"""Kind -> model, its columns, and whether a list of it is complete."""


def _retire(model: type[models.Model], account_id: int, rows: Sequence[Record]) -> None:
    """What is no longer on a complete list is not offered any more."""
    if not rows:
        return
    known = model._default_manager.filter(psa_account_id=account_id, remote_id__isnull=False)
    gone = known.exclude(remote_id__in=[r.remote_id for r in rows])
    if model is Outcome:
        gone.update(is_hidden=True)
    else:
        gone.update(is_active=False)


def _nothing(_account: PsaAccount, _rows: Sequence[Any], _keys: Keys, _now: datetime) -> None:
    return


def _after_agents(account: PsaAccount, rows: Sequence[Any], _keys: Keys, now: datetime) -> None:
    set_agent_teams(account_id=account.pk, teams={r.remote_id: r.teams for r in rows if r.teams is not UNSET})
    join_users(now=now)


def _after_contacts(_account: PsaAccount, _rows: Sequence[Any], _keys: Keys, now: datetime) -> None:
    join_users(now=now)


def _after_statuses(account: PsaAccount, rows: Sequence[Any], keys: Keys, _now: datetime) -> None:
    configuration.join_statuses(account.pk, rows, keys)


def _after_outcomes(account: PsaAccount, rows: Sequence[Any], keys: Keys, _now: datetime) -> None:
    known = {o.remote_id: o for o in Outcome.objects.filter(psa_account=account)}
    for row in rows:
        if row.ticket_types is not UNSET and row.remote_id in known:
            types = [pk for t in row.ticket_types if (pk := keys.find("ticket_type", t))]
            known[row.remote_id].ticket_types.set(types)
    transaction.on_commit(lambda: outcomes.forget(account.pk))


_AFTER: dict[str, Callable[[PsaAccount, Sequence[Any], Keys, datetime], None]] = {
    "agents": _after_agents,
    "contacts": _after_contacts,
    "statuses": _after_statuses,
    "outcomes": _after_outcomes,
}
