"""Customers, contacts and the small resources of the imitated Atera."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.connectors.atera.running import Atera, running_atera

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def atera() -> Iterator[Atera]:
    with running_atera(tickets=60, now=NOW) as running:
        running.running.control("POST", "rate_limit", {"psa": "atera", "requests": None})
        yield running


def test_contacts_are_found_by_parts_of_address_and_phone(atera: Atera) -> None:
    for name in ("Email", "searchOptions.email"):
        found = atera.get("/contacts", **{name: "CLIENT@demo"})["items"]
        assert {item["Email"] for item in found} == {"client@demo.test", "otherclient@demo.test"}
    assert {item["Phone"] for item in atera.get("/contacts", phone="961007")["items"]} == {"01632 961007"}


def test_a_contact_is_made_and_changed(atera: Atera) -> None:
    body = {"Email": "pat@x.example", "CustomerName": "northwind dental", "Firstname": "Pat", "Lastname": "Lee"}
    number = int(atera.post("/contacts", body, 201)["ActionID"])
    found = atera.get(f"/contacts/{number}")
    assert (found["CustomerID"], found["Firstname"], found["Archived"]) == (301, "Pat", False)
    change = {"Email": "no@x.example", "Phone": "1", "Archived": True, "CustomerID": 302}
    assert atera.call("PUT", f"/contacts/{number}", change).json() == {"ActionID": str(number)}
    after = atera.get(f"/contacts/{number}")
    assert (after["Email"], after["Phone"], after["Archived"], after["CustomerID"]) == ("pat@x.example", "1", True, 302)
    assert after["LastModified"] > found["LastModified"]
    assert atera.call("DELETE", f"/contacts/{number}").status_code == 204
    assert atera.call("GET", f"/contacts/{number}").status_code == 404


@pytest.mark.parametrize(
    "body", [{"CustomerID": 301}, {"Email": "a@b.example"}, {"Email": "a@b.example", "CustomerID": 9}]
)
def test_contacts_need_an_address_and_a_customer(atera: Atera, body: dict[str, Any]) -> None:
    assert atera.call("POST", "/contacts", body).status_code == 400


def test_what_has_dependents_cannot_be_deleted(atera: Atera) -> None:
    ticket = atera.get("/tickets/1")
    for path in (f"/contacts/{ticket['EndUserID']}", f"/customers/{ticket['CustomerID']}"):
        answer = atera.call("DELETE", path)
        assert (answer.status_code, answer.content) == (405, b"")
        assert atera.call("GET", path).status_code == 200


def test_customers_changed_since_a_local_time(atera: Atera) -> None:
    number = int(atera.post("/customers", {"CustomerName": "Later Ltd", "Domain": "later.example"}, 201)["ActionID"])
    atera.post(f"/customers/{number}", {"City": "Oslo", "Logo": "x"})
    found = atera.get("/customers", SortBy="LastModified", itemsInPage=50)
    last = atera.get("/customers", SortBy="1", itemsInPage=50, page=found["totalPages"])["items"][-1]
    assert (last["CustomerID"], last["City"], last["Logo"]) == (number, "Oslo", None)
    assert atera.get("/customers", FromLastModifiedDate="2026-06-10T11:00:00")["totalItemCount"] == len(
        [1 for page in range(1, found["totalPages"] + 1) for _ in
         atera.get("/customers", page=page, itemsInPage=50)["items"]]
    )  # fmt: skip
    assert atera.get("/customers", FromLastModifiedDate="2026-06-11")["totalItemCount"] == 0
    for text in ("2026-06-10T11:00:00Z", "2026-06-10T11:00:00+02:00", "soon"):
        assert atera.call("GET", "/customers", FromLastModifiedDate=text).status_code == 400


def test_contracts_of_a_customer(atera: Atera) -> None:
    (found,) = atera.get("/contracts/customer/301")["items"]
    assert (found["ContractType"], found["BlockHoursContract"]["HoursIncluded"]) == ("BlockHours", 24.5)
    body = {"ContractName": "Extra", "CustomerID": 301, "ContractType": "hourly", "SLAId": 7}
    number = int(atera.post("/contracts", body, 201)["ActionID"])
    answer = atera.call("PUT", f"/contracts/{number}", {"Active": True, "EndDate": "2027-01-01T00:00:00Z"})
    assert (answer.status_code, answer.content) == (204, b"")
    made = atera.get(f"/contracts/{number}")
    assert (made["Active"], made["EndDate"], made["ContractName"]) == (True, "2027-01-01T00:00:00Z", "Extra")
    assert "SLAId" not in made
    assert "HourlyContract" in made


def test_alerts_by_state(atera: Atera) -> None:
    alert = atera.get("/alerts", alertStatus="Open")["items"][0]
    assert atera.call("PUT", f"/alerts/{alert['AlertID']}").status_code == 204
    resolved = atera.get("/alerts", alertStatus="resolved")["items"]
    assert [item["AlertID"] for item in resolved] == [alert["AlertID"]]
    assert resolved[0]["ArchivedDate"]
    body = {"DeviceGuid": alert["DeviceGuid"], "Title": "Fan", "CustomerID": alert["CustomerID"], "Severity": "Warning"}
    atera.post("/alerts", body, 201)
    assert atera.call("POST", "/alerts", body).status_code == 409
    assert atera.call("GET", "/alerts?alertStatus=Odd").status_code == 400
    device = atera.get(f"/agents/{alert['AgentId']}")
    assert atera.get(f"/agents/machine/{device['MachineName'].upper()}")["items"] == [device]


def test_custom_values(atera: Atera) -> None:
    fields = {item["Name"]: item for item in atera.get("/customvalues/customfields")}
    assert [item["Text"] for item in fields["Location"]["PossibleValues"]] == ["Office", "Remote", "Data centre"]
    path = "/customvalues/ticketfield/1"
    for name, value in (("Location", "remote"), ("Approved", "TRUE"), ("Planned for", "2026-07-01T08:00:00Z")):
        assert atera.call("PUT", f"{path}/{name}", {"Value": value}).status_code == 200
    found = {item["FieldName"]: item for item in atera.get("/customvalues/ticketfields/1")}
    assert found["Location"]["ValueAsString"] == "Remote"
    assert found["Location"]["OptionId"]
    assert found["Approved"]["ValueAsBool"] is True
    assert found["Planned for"]["ValueAsDateTime"] == "2026-07-01T08:00:00Z"
    assert found["Category"]["ValueAsString"]
    for name, value in (("Location", "Moon"), ("Estimate in hours", "many"), ("Nothing", "x")):
        assert atera.call("PUT", f"{path}/{name}", {"Value": value}).status_code == 400
    assert atera.call("PUT", f"{path}/Estimate in hours/4").status_code == 200
    assert atera.get(f"{path}/estimate in hours")[0]["ValueAsDecimal"] == 4.0


def test_rates_and_departments(atera: Atera) -> None:
    number = int(atera.post("/rates/expenses", {"Description": "Hotel", "Amount": 90.5}, 201)["ActionID"])
    assert atera.call("GET", f"/rates/products/{number}").status_code == 404
    assert atera.call("PUT", f"/rates/expenses/{number}", {"Amount": 95}).status_code == 200
    assert atera.get(f"/rates/expenses/{number}")["Amount"] == 95.0
    department = int(atera.post("/departments", {"Name": "IT"}, 201)["ActionID"])
    assert atera.call("DELETE", f"/departments/{department}").status_code == 204
    assert atera.call("GET", f"/departments/{department}").status_code == 404
