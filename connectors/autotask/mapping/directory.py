"""Companies, locations, contacts, contracts and resources of Autotask as records.

Source: vendor's OpenAPI; a contact's `isActive` is 1 or 0 where everybody else's is a boolean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.autotask.mapping.values import (
    Row,
    day,
    flag_of,
    id_of,
    identifier,
    instant_of,
    joined,
    text_of,
    truth,
    whole,
    words,
)
from connectors.base.records import (
    UNSET,
    AgentRecord,
    AgentRole,
    ClientRecord,
    ContactRecord,
    ContractRecord,
    SiteRecord,
    Text,
)

_ADDRESS = ("address1", "address2", "city", "state", "postalCode")
API_USER = 7
"""`licenseType` of users that are programs. Source: vendor's help; the same in every tenant."""


def client_record(row: Row) -> ClientRecord:
    return ClientRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        remote_updated_at=instant_of(row, "lastTrackedModifiedDateTime", "lastActivityDate"),
        name=words(row.get("companyName")) or f"#{identifier(row.get('id')) or ''}",
        is_active=flag_of(row, "isActive"),
        phone=text_of(row, "phone"),
        domain=text_of(row, "webAddress"),
        address=joined(row, *_ADDRESS),
    )


def site_record(row: Row) -> SiteRecord:
    return SiteRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        client=_company(row),
        name=words(row.get("name")) or f"#{identifier(row.get('id')) or ''}",
        is_active=flag_of(row, "isActive"),
        phone=text_of(row, "phone"),
        address=joined(row, *_ADDRESS),
    )


def contact_record(row: Row) -> ContactRecord:
    return ContactRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        remote_updated_at=instant_of(row, "lastModifiedDate", "lastActivityDate"),
        client=_company(row),
        site=id_of(row, "companyLocationID"),
        first_name=text_of(row, "firstName"),
        last_name=text_of(row, "lastName"),
        email=text_of(row, "emailAddress", "emailAddress2", "emailAddress3"),
        phone=text_of(row, "phone", "mobilePhone"),
        is_active=flag_of(row, "isActive"),
    )


def contract_record(row: Row) -> ContractRecord:
    """`status` 1 is active. Source: other clients; the vendor's OpenAPI gives the number only."""
    return ContractRecord(
        remote_id=identifier(row.get("id")) or "",
        raw=row,
        client=_company(row),
        name=words(row.get("contractName")) or words(row.get("contractNumber")) or f"#{row.get('id')}",
        is_active=whole(row["status"]) == 1 if row.get("status") is not None else UNSET,
        starts_on=day(row["startDate"]) if "startDate" in row else UNSET,
        ends_on=day(row["endDate"]) if "endDate" in row else UNSET,
        sla_policy=id_of(row, "serviceLevelAgreementID"),
    )


def agent_record(
    row: Row, *, teams: Mapping[str, tuple[str, ...]], roles: Mapping[str, tuple[AgentRole, ...]] | None = None
) -> AgentRecord:
    """`teams` and `roles` by resource; roles are None where they may not be read.

    A user that is a program is nobody to assign to.
    """
    remote_id = identifier(row.get("id")) or ""
    names = [found for name in ("firstName", "lastName") if (found := words(row.get(name)))]
    is_person = whole(row.get("licenseType")) != API_USER
    return AgentRecord(
        remote_id=remote_id,
        raw=row,
        name=" ".join(names) or words(row.get("userName")) or f"#{remote_id}",
        email=text_of(row, "email"),
        is_active=truth(row["isActive"]) and is_person if row.get("isActive") is not None else UNSET,
        teams=teams.get(remote_id, ()),
        roles=UNSET if roles is None else roles.get(remote_id, ()),
    )


def roles_of(
    general: Iterable[Row], desk: Iterable[Row], names: Mapping[str, str], chosen: str | None
) -> dict[str, tuple[AgentRole, ...]]:
    """Roles by resource: at the service desk first, then all others. `chosen` is the account's own default."""
    queues: dict[tuple[str, str], list[str]] = {}
    defaults: dict[str, str] = {}
    for row, is_desk in (*((r, True) for r in desk), *((r, False) for r in general)):
        resource, role = identifier(row.get("resourceID")), identifier(row.get("roleID"))
        if not resource or not role or row.get("isActive") is False:
            continue
        serves = queues.setdefault((resource, role), [])
        if (queue := identifier(row.get("queueID"))) and queue not in serves:
            serves.append(queue)
        if role == chosen:
            defaults[resource] = role
        elif is_desk and truth(row.get("isDefault")):
            defaults.setdefault(resource, role)
    found: dict[str, list[AgentRole]] = {}
    for (resource, role), serves in queues.items():
        one = AgentRole(
            key=role, name=names.get(role) or f"#{role}", is_default=defaults.get(resource) == role, teams=tuple(serves)
        )
        found.setdefault(resource, []).append(one)
    return {resource: tuple(roles) for resource, roles in found.items()}


def teams_of(rows: Iterable[Row]) -> dict[str, tuple[str, ...]]:
    """Queues by resource, from the roles that resources have."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        resource, queue = identifier(row.get("resourceID")), id_of(row, "queueID")
        if resource and isinstance(queue, str) and row.get("isActive") is not False:
            found.setdefault(resource, {})[queue] = None
    return {resource: tuple(queues) for resource, queues in found.items()}


def _company(row: Row) -> Text:
    return identifier(row["companyID"]) if "companyID" in row else UNSET
