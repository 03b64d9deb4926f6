"""Customers, contacts and contracts of Atera as records."""

from __future__ import annotations

from connectors.atera.mapping.values import Row, day, first, id_of, identifier, person, text_of, truth, words
from connectors.base.records import UNSET, ClientRecord, ContactRecord, ContractRecord

_ADDRESS = ("Address", "City", "State", "ZipCodeStr", "Country")


def client_record(row: Row) -> ClientRecord:
    lines = [str(row[name]).strip() for name in _ADDRESS if words(row.get(name))]
    return ClientRecord(
        remote_id=identifier(row.get("CustomerID")) or "",
        raw=row,
        name=words(row.get("CustomerName")) or UNSET,
        is_active=True,
        phone=text_of(row, "Phone"),
        domain=text_of(row, "Domain"),
        address=", ".join(lines) or None,
    )


def contact_record(row: Row) -> ContactRecord:
    """A contact; one without any name is shown by the address."""
    first_name, last_name = words(first(row, "Firstname", "FirstName")), words(first(row, "Lastname", "LastName"))
    return ContactRecord(
        remote_id=identifier(first(row, "EndUserID", "ContactID")) or "",
        raw=row,
        client=id_of(row, "CustomerID"),
        first_name=first_name if person(first_name, last_name) else words(row.get("Email")),
        last_name=last_name,
        email=text_of(row, "Email"),
        phone=text_of(row, "Phone", "MobilePhone"),
        is_active=not truth(row.get("Archived"), False),
    )


def contract_record(row: Row) -> ContractRecord:
    return ContractRecord(
        remote_id=identifier(row.get("ContractID")) or "",
        raw={k: v for k, v in row.items() if not isinstance(v, dict)},
        client=id_of(row, "CustomerID"),
        name=words(row.get("ContractName")) or UNSET,
        is_active=truth(row.get("Active"), True),
        starts_on=day(row.get("StartDate")) if "StartDate" in row else UNSET,
        ends_on=day(row.get("EndDate")) if "EndDate" in row else UNSET,
    )
