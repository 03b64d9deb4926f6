"""Answers of profile vendor against the vendor's own schemas, with the known differences named.

The document writes names in PascalCase and knows no nulls, the API answers in camelCase and fills gaps with null.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.connectors.autotask.calling import AGENT, EVERYTHING, ROLE, client_of, found, made, new_ticket, one
from tests.connectors.autotask.vendor import DOCUMENT
from tests.connectors.sandbox.running import Running, running_sandbox

SCHEMAS: dict[str, Any] = DOCUMENT["definitions"]
TYPES: dict[str, type | tuple[type, ...]] = {
    "integer": int, "number": (int, float), "string": str, "boolean": bool, "array": list, "object": object,
}  # fmt: skip

# Members that real tenants answer although the vendor's document of 2020 does not name them.
UNNAMED: dict[str, dict[str, str]] = {
    "TicketModel": dict.fromkeys(
        ("createdbycontactid", "isassignedtocomanaged", "isvisibletocomanaged"), "in a body captured from a live zone"),
    "TicketNoteModel": {"createdbycontactid": "in the vendor's document of 2021"},
    "TicketAttachmentModel": {
        "ticketid": "recorded in every answer", "userdefinedfields": "every answer carries them, [] if there are none"},
    "AttachmentInfoModel": dict.fromkeys(("ticketid", "ticketnoteid", "timeentryid"), "in the document of 2021"),
    "WebhookEventErrorLogModel": dict.fromkeys(
        ("ticketwebhookid", "ticketnotewebhookid", "configurationitemwebhookid"), "webhooks newer than the document"),
}  # fmt: skip
ROWS = {
    "Tickets": "TicketModel", "TicketNotes": "TicketNoteModel", "TimeEntries": "TimeEntryModel",
    "TicketAttachments": "TicketAttachmentModel", "AttachmentInfo": "AttachmentInfoModel",
    "TicketSecondaryResources": "TicketSecondaryResourceModel",
    "TicketAdditionalContacts": "TicketAdditionalContactModel", "Companies": "CompanyModel",
    "CompanyLocations": "CompanyLocationModel", "Contacts": "ContactModel", "Contracts": "ContractModel",
    "Resources": "ResourceModel", "Roles": "RoleModel", "ResourceRoles": "ResourceRoleModel",
    "ResourceServiceDeskRoles": "ResourceServiceDeskRoleModel", "ResourceRoleQueues": "ResourceRoleQueueModel",
    "Departments": "DepartmentModel", "BillingCodes": "BillingCodeModel",
    "ServiceLevelAgreementResults": "ServiceLevelAgreementResultsModel", "TicketHistory": "TicketHistoryModel",
    "TicketCategories": "TicketCategoryModel", "CompanyWebhooks": "CompanyWebhookModel",
    "CompanyWebhookFields": "CompanyWebhookFieldModel",
    "CompanyWebhookExcludedResources": "CompanyWebhookExcludedResourceModel",
}  # fmt: skip


def differences(name: str, value: dict[str, Any]) -> list[str]:
    """What the schema has against an answer: unknown members, wrong types."""
    members = {key.lower(): schema for key, schema in SCHEMAS[name]["properties"].items()}
    told = []
    for key, item in value.items():
        schema = members.get(key.lower())
        if key[:1] != key[:1].lower():
            told.append(f"{key} is not in camelCase")
        if schema is None:
            if key.lower() not in UNNAMED.get(name, {}):
                told.append(f"{key} is unknown")
        elif item is not None:
            told += [f"{key}: {text}" for text in _against(schema, item)]
    return told


def _against(schema: dict[str, Any], value: Any) -> list[str]:
    if "$ref" in schema:
        target = schema["$ref"].rpartition("/")[2]
        return differences(target, value) if SCHEMAS[target].get("properties") else []
    kind = TYPES[schema["type"]]
    if not isinstance(value, kind) or (isinstance(value, bool) and schema["type"] in ("integer", "number")):
        return [f"{value!r} is no {schema['type']}"]
    if schema.get("format") == "date-time" and not str(value).endswith("Z"):
        return [f"{value!r} is no instant in UTC"]
    if schema["type"] == "array":
        return [text for item in value for text in _against(schema["items"], item)]
    return []


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with running_sandbox(tickets=150, psas=("autotask",)) as sandbox, client_of(sandbox) as client:
        _fill(sandbox, client)
        yield client


def _fill(sandbox: Running, api: httpx.Client) -> None:
    """One of everything that the generated tickets do not bring."""
    number = new_ticket(api, contactID=None)
    contact = found(api, "Contacts", MaxRecords=1)[0]
    made(api, f"Tickets/{number}/SecondaryResources", resourceID=AGENT, roleID=ROLE)
    made(api, f"Tickets/{number}/AdditionalContacts", contactID=contact["id"])
    hook = made(
        api, "CompanyWebhooks", name="valid", isActive=True, webhookUrl="http://127.0.0.1:9/", secretKey="k" * 32,
        deactivationUrl="http://127.0.0.1:9/", sendThresholdExceededNotification=False,
    )  # fmt: skip
    made(api, f"CompanyWebhooks/{hook}/Fields", fieldID=1, isSubscribedField=True, isDisplayAlwaysField=True)
    made(api, f"CompanyWebhooks/{hook}/ExcludedResources", resourceID=AGENT)


@pytest.mark.parametrize("root", list(ROWS))
def test_rows_are_valid(api: httpx.Client, root: str) -> None:
    only = {"op": "eq", "field": "ticketID", "value": 50001} if root == "TicketHistory" else EVERYTHING
    rows = found(api, root, only)
    assert rows
    for row in rows:
        assert differences(ROWS[root], row) == [], row
        assert isinstance(row["userDefinedFields"], list)
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert one(api, root, rows[0]["id"])["id"] == rows[0]["id"]


def test_what_an_entity_is_made_of_is_valid(api: httpx.Client) -> None:
    for root in ROWS:
        about = api.get(f"{root}/entityInformation").json()
        assert differences("EntityInformationResultModel", about) == []
        for fields, model in (
            ("fields", "FieldInformationResultModel"),
            ("userDefinedFields", "UserDefinedFieldInformationResultModel"),
        ):
            answer = api.get(f"{root}/entityInformation/{fields}").json()
            assert differences(model, answer) == []
        names = {field["name"].lower() for field in api.get(f"{root}/entityInformation/fields").json()["fields"]}
        known = {name.lower() for name in SCHEMAS[ROWS[root]]["properties"]}
        assert names - known <= set(UNNAMED.get(ROWS[root], {}))


def test_every_field_of_a_ticket_is_there(api: httpx.Client) -> None:
    """A ticket answers all that the document names, and the three newer ones."""
    known = {name.lower() for name in SCHEMAS["TicketModel"]["properties"]} | set(UNNAMED["TicketModel"])
    assert {name.lower() for name in one(api, "Tickets", 50001)} == known
    note = found(api, "TicketNotes", MaxRecords=1)[0]
    assert {name.lower() for name in note} == {name.lower() for name in SCHEMAS["TicketNoteModel"]["properties"]} | {
        "createdbycontactid"
    }


def test_small_answers_are_valid(api: httpx.Client) -> None:
    assert differences("ThresholdStatusResultModel", api.get("ThresholdInformation").json()) == []
    count = api.post("Tickets/query/count", json={"filter": [EVERYTHING]}).json()
    assert differences("QueryCountResultModel", count) == []
    answer = api.patch("Tickets", json={"id": 50001, "title": "Changed"}).json()
    assert differences("OperationResultModel", answer) == []
    assert answer == {"itemId": 50001}


def test_the_exceptions_are_needed() -> None:
    for model, names in UNNAMED.items():
        known = {name.lower() for name in SCHEMAS[model]["properties"]}
        assert known.isdisjoint(names), model
    assert differences("TicketModel", {"colour": 1, "Id": 1, "status": "5"}) == [
        "colour is unknown", "Id is not in camelCase", "status: '5' is no integer",
    ]  # fmt: skip
