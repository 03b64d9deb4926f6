"""What a fresh tenant holds, and the words that the API takes. Source: the vendor's OpenAPI document of June 2026."""

from __future__ import annotations

from typing import Any

Doc = dict[str, Any]

OPEN, PENDING, RESOLVED, CLOSED = "Open", "Pending", "Resolved", "Closed"
WAITING_CUSTOMER, ON_HOLD, WAITING_THIRD = "Waiting customer", "On hold", "Waiting third party"
STATUSES = (OPEN, PENDING, RESOLVED, CLOSED, WAITING_CUSTOMER, ON_HOLD, WAITING_THIRD)
"""Four of the product's own and the tenant's. No call lists them."""
DONE = (RESOLVED, CLOSED)
FOR_CUSTOMER = (PENDING, WAITING_CUSTOMER)

PRIORITIES = ("Low", "Medium", "High", "Critical")
IMPACTS = ("NoImpact", "SiteDown", "ServerIssue", "Minor", "Major", "Crisis")
TYPES = ("Incident", "Problem", "Request", "Change")
LOW, MINOR, PROBLEM = "Low", "Minor", "Problem"
RELATIONS = ("Parent", "Child")

MINUTE = 60_000
HOUR = 60 * MINUTE
TARGETS = {"Critical": (15 * MINUTE, HOUR), "High": (HOUR, 4 * HOUR), "Medium": (4 * HOUR, 8 * HOUR),
           "Low": (8 * HOUR, 24 * HOUR)}  # fmt: skip
"""The tenant's policy: (first response, closing). It hangs on contracts: without a contract there are no due dates."""

UNASSIGNED_CUSTOMER = 1
OWNER = 9_000
"""The account's owner, the only technician of an empty tenant."""

TIME_ZONE, TIME_ZONE_NAME = "Europe/Berlin", "W. Europe Standard Time"
ACCOUNT: Doc = {
    "AccountID": "001Qj00000Demo1", "Country": "Germany", "CompanyName": "Demo Managed Services",
    "CreatedOn": "2024-01-08T09:00:00Z", "State": "", "TimeZoneName": TIME_ZONE_NAME, "City": "Hamburg", "Address": "",
    "PostalCode": "", "Phone": "", "IsITDepartment": False, "Plan": "MSP Power",
}  # fmt: skip

CATEGORY_FIELD = "Category"
SITES = [{"Value": str(number), "Text": text, "ParentName": None}
         for number, text in enumerate(("Office", "Remote", "Data centre"))]  # fmt: skip


def field(name: str, data_type: str, target: str, values: list[Doc] | None = None) -> Doc:
    return {"Name": name, "DataType": data_type, "Target": target, "PossibleValues": values or [],
            "ParentAttributeName": None}  # fmt: skip


FIELDS = (
    field(CATEGORY_FIELD, "Text", "Ticket"), field("Location", "Options", "Ticket", SITES),
    field("Approved", "Boolean", "Ticket"), field("Estimate in hours", "Numeric", "Ticket"),
    field("Planned for", "Date", "Ticket"), field("Service tier", "Text", "Customer"),
    field("VIP", "Boolean", "Contact"),
)  # fmt: skip

RATES: tuple[tuple[str, Doc], ...] = (
    ("products", {"RateID": 1, "Amount": 89.0, "Description": "Laptop dock", "SKU": "DOCK-1", "Category": "Hardware"}),
    ("products", {"RateID": 2, "Amount": 95.0, "Description": "Remote support, hour", "SKU": "REM",
                  "Category": "Labor"}),
    ("products", {"RateID": 3, "Amount": 120.0, "Description": "On-site support, hour", "SKU": "ONS",
                  "Category": "Labor"}),
    ("expenses", {"RateID": 4, "Amount": 25.0, "Description": "Travel", "SKU": "TRV", "Category": "Travel"}),
)  # fmt: skip


def knowledge(number: int, title: str, text: str, keywords: str) -> Doc:
    day = "2026-02-02T08:00:00Z"
    return {
        "KBID": number, "KBTimestamp": day, "KBContext": text, "KBProduct": title, "KBRating_Yes": 3, "KBRating_No": 0,
        "KBRating_Views": 12, "KBLastModified": day, "KBIsPrivate": False, "KBStatus": 1, "KBPriority": 1,
        "KBKeywords": keywords, "KBAddress": None, "SectionId": None, "SectionName": "How to", "CategoryId": None,
        "CategoryName": "General",
    }  # fmt: skip


KNOWLEDGE = (
    knowledge(1, "Set up the VPN", "<p>Install the client, sign in with your e-mail address.</p>", "vpn, remote"),
    knowledge(2, "Release a mail from quarantine", "<p>Open the daily digest and choose <b>Release</b>.</p>", "mail"),
)
DEPARTMENTS: tuple[Doc, ...] = (
    {"Id": 1, "Name": "Management", "Description": ""},
    {"Id": 2, "Name": "Sales", "Description": ""},
)
