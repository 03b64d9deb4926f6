"""Clients, sites, contacts, contracts, teams and agents of HaloPSA as records.

Source: vendor's OpenAPI (`Area`, `Site`, `Users`, `SectionDetail`, `Uname`); recorded decimals for ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base.records import (
    UNSET,
    AgentRecord,
    ClientRecord,
    ContactRecord,
    ContractRecord,
    Flag,
    SiteRecord,
    TeamRecord,
    Text,
)
from connectors.halopsa.mapping.values import (
    Row,
    day,
    first,
    flag_of,
    has,
    id_of,
    identifier,
    instant_of,
    seconds_of,
    text_of,
    truth,
    words,
)
from connectors.halopsa.mapping.zones import iana


def client_record(row: Row) -> ClientRecord:
    return ClientRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        remote_updated_at=instant_of(row, "last_update", "alastupdate"),
        name=_name(row),
        is_active=_active(row),
        phone=text_of(row, "main_phonenumber", "phonenumber"),
        domain=text_of(row, "domain", "website"),
        address=_address(row, "main_delivery_address", "delivery_address"),
    )


def site_record(row: Row) -> SiteRecord:
    """`client_id` comes as a decimal."""
    return SiteRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        remote_updated_at=instant_of(row, "last_update", "slastupdate"),
        client=id_of(row, "client_id"),
        name=_name(row),
        is_active=_active(row),
        phone=text_of(row, "phonenumber"),
        address=_address(row, "delivery_address"),
        time_zone=iana(row.get("timezone")) if "timezone" in row else UNSET,
    )


def contact_record(row: Row) -> ContactRecord:
    """`site_id` comes as a decimal; a name without parts is split at its last blank."""
    given, family = text_of(row, "firstname"), text_of(row, "surname")
    if not given and not family and words(row.get("name")):
        head, _, tail = str(row["name"]).strip().rpartition(" ")
        given, family = (head or tail), (tail if head else None)
    return ContactRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        remote_updated_at=instant_of(row, "last_update", "ulastupdate"),
        client=id_of(row, "client_id"),
        site=id_of(row, "site_id_int", "site_id"),
        first_name=given,
        last_name=family,
        email=text_of(row, "emailaddress", "email"),
        phone=text_of(row, "phonenumber_preferred", "phonenumber", "mobilenumber"),
        is_active=_active(row),
        is_vip=flag_of(row, "isimportantcontact", "is_vip"),
    )


def contract_record(row: Row) -> ContractRecord:
    """A client contract. Source: recorded behaviour of other clients; the vendor's OpenAPI names no schema for it."""
    starts, ends = first(row, "start_date", "startdate"), first(row, "end_date", "enddate")
    return ContractRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        client=id_of(row, "client_id"),
        name=words(first(row, "name", "ref", "contract_ref", "reference")) or f"#{identifier(row.get('id')) or ''}",
        is_active=_contract_active(row),
        starts_on=day(starts) if has(row, "start_date", "startdate") else UNSET,
        ends_on=day(ends) if has(row, "end_date", "enddate") else UNSET,
        sla_policy=id_of(row, "sla_id", "slaid"),
        block_seconds_left=seconds_of(row, "prepay_hours_left", "block_hours_left", "prepaybalance", "hours_left"),
    )


def team_record(row: Row) -> TeamRecord:
    return TeamRecord(remote_id=identifier(row.get("id")) or "", raw=row, name=_name(row), is_active=_active(row))


def agent_record(row: Row, *, teams: Mapping[str, str]) -> AgentRecord:
    """`teams`: team name (casefolded) to id, for agents that name only their main team."""
    name = words(row.get("name")) or " ".join(t for t in (words(row.get("firstname")), words(row.get("surname"))) if t)
    disabled = flag_of(row, "isdisabled", "inactive")
    return AgentRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        name=name,
        email=text_of(row, "email", "emailaddress"),
        is_active=disabled if disabled is UNSET else not disabled,
        teams=_teams(row, teams),
    )


def _teams(row: Row, known: Mapping[str, str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    listed = row.get("teams")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and item.get("in_section", True) is not False:
            team = identifier(first(item, "team_id", "id")) or known.get(_fold(first(item, "team_name", "name")))
        else:
            team = known.get(_fold(item)) if isinstance(item, str) else identifier(item)
        if team:
            found[team] = None
    main = known.get(_fold(row.get("team")))
    if main:
        found[main] = None
    return tuple(found)


def _fold(value: Any) -> str:
    return (words(value) or "").strip().casefold()


def _name(row: Row) -> str:
    return words(row.get("name")) or f"#{identifier(row.get('id')) or ''}"


def _active(row: Row) -> Flag:
    inactive = flag_of(row, "inactive")
    return inactive if inactive is UNSET else not inactive


def _contract_active(row: Row) -> Flag:
    active = flag_of(row, "active", "is_active")
    if active is UNSET:
        return _active(row)
    return bool(active) and not truth(row.get("expired"))


def _address(row: Row, *names: str) -> Text:
    value = first(row, *names)
    if isinstance(value, dict):
        lines = [words(value.get(f"line{n}")) for n in range(1, 6)] + [words(value.get("postcode"))]
        return ", ".join(line for line in lines if line) or None
    lines = [words(row.get(f"{name}_line{n}")) for name in names for n in range(1, 6)]
    if any(lines):
        return ", ".join(line for line in lines if line)
    return words(value) if has(row, *names) else UNSET
