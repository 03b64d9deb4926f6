"""The two tenants: ids, picklists and rules. `vendor` has a stock tenant's ids, `brief` those of the short
description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Choice = dict[str, Any]
Choices = dict[str, list[Choice]]
HOUR_MS = 3_600_000
NEW, COMPLETE = 1, 5
ADMINISTRATOR, API_RESOURCE, FIRST_RESOURCE = 4, 29744100, 29744150
API_LICENSE = 7
STANDARD_SLA, STANDARD_CATEGORY, ALERT_CATEGORY = 1, 3, 2
FIRST_QUEUE, FIRST_ROLE = 29682833, 29683459
TEAMS = ("Service Desk", "Field", "Infrastructure", "Projects")


@dataclass(frozen=True)
class Profile:
    """What differs between the two. Ranks are 1 (most urgent) to 4; `targets` are (response, resolution) hours by
    priority."""

    name: str
    statuses: tuple[tuple[int, str], ...]
    paused: frozenset[int]
    in_progress: int
    waiting_client: int
    waiting_other: int
    on_hold: int
    escalated: int
    priorities: tuple[tuple[int, str], ...]
    ranks: dict[int, int]
    targets: dict[int, tuple[float, float]]
    publish: tuple[tuple[int, str], ...]
    public: int
    internal: int
    note_types: tuple[tuple[int, str], ...]
    plain_note: int
    portal_note: int
    mail_note: int
    workflow_note: int

    @property
    def is_brief(self) -> bool:
        return self.name == "brief"

    @property
    def problem_status(self) -> int:
        """What a call that breaks a rule is answered with."""
        return 400 if self.is_brief else 500

    def priority(self, rank: int) -> int:
        return self.ranks[rank]

    def rank(self, priority: int) -> int:
        return next((rank for rank, number in self.ranks.items() if number == priority), 3)


VENDOR = Profile(
    "vendor",
    statuses=((1, "New"), (8, "In Progress"), (10, "Dispatched"), (7, "Waiting Customer"), (9, "Waiting Materials"),
              (12, "Waiting Vendor"), (13, "Waiting Approval"), (14, "On Hold"), (11, "Escalate"), (5, "Complete")),
    paused=frozenset((7, 9, 12, 13, 14)), in_progress=8, waiting_client=7, waiting_other=12, on_hold=14, escalated=11,
    priorities=((4, "Critical"), (1, "High"), (2, "Medium"), (3, "Low")), ranks={1: 4, 2: 1, 3: 2, 4: 3},
    targets={4: (0.25, 1), 1: (1, 4), 2: (4, 8), 3: (8, 24)},
    publish=((1, "All Autotask Users"), (2, "Internal Project Team"), (4, "Internal & Co-Managed")),
    public=1, internal=2,
    note_types=((1, "Task Summary"), (2, "Task Detail"), (3, "Task Notes"), (18, "Client Portal Note"),
                (101, "Email Note"), (13, "Workflow Rule Note - Task"), (91, "Workflow Rule Note - Ticket"),
                (15, "Duplicate Ticket Note"), (92, "Merged Ticket Note"), (99, "RMM Note")),
    plain_note=3, portal_note=18, mail_note=101, workflow_note=91,
)  # fmt: skip
BRIEF = Profile(
    "brief",
    statuses=((1, "NEW"), (2, "IN_PROGRESS"), (6, "WAITING_CUSTOMER"), (13, "WAITING_MATERIALS"), (14, "ESCALATED"),
              (5, "COMPLETE")),
    paused=frozenset((6, 13)), in_progress=2, waiting_client=6, waiting_other=13, on_hold=13, escalated=14,
    priorities=((4, "CRITICAL"), (3, "HIGH"), (2, "MEDIUM"), (1, "LOW")), ranks={1: 4, 2: 3, 3: 2, 4: 1},
    targets={4: (1, 4), 3: (2, 8), 2: (4, 24), 1: (8, 72)},
    publish=((0, "No"), (1, "Yes")), public=1, internal=0,
    note_types=((1, "Internal"), (2, "External")), plain_note=1, portal_note=2, mail_note=2, workflow_note=1,
)  # fmt: skip
PROFILES = {item.name: item for item in (VENDOR, BRIEF)}

SOURCES = (
    (-1, "Client Portal"),
    (2, "Phone"),
    (4, "Email"),
    (6, "In Person/Onsite"),
    (8, "Monitoring Alert"),
    (11, "Other"),
)
TICKET_TYPES = ((1, "Service Request"), (2, "Incident"), (3, "Problem"), (4, "Change Request"), (5, "Alert"))
CATEGORIES = ((STANDARD_CATEGORY, "Standard"), (ALERT_CATEGORY, "RMM Alert"))
CONTRACT_TYPES = ((1, "Time & Materials"), (3, "Fixed Price"), (4, "Block Hours"), (7, "Recurring Service"))
ISSUES = ((5, "Email"), (6, "Computer"))
SUB_ISSUES = ((12, "Outlook", 5), (13, "Spam", 5), (14, "Hardware", 6), (15, "Operating System", 6))
COMPANY_TYPES = (
    (1, "Customer"),
    (2, "Lead"),
    (3, "Prospect"),
    (4, "Dead"),
    (6, "Cancelation"),
    (7, "Vendor"),
    (8, "Partner"),
)


def choice(
    value: int, label: str, order: int, *, parent: Any = "", system: bool = False, default: bool = False
) -> Choice:
    """One picklist value as the metadata shows it: the value is text."""
    return {
        "value": str(value), "label": label, "isDefaultValue": default, "sortOrder": order, "parentValue": str(parent),
        "isActive": True, "isSystem": system,
    }  # fmt: skip


def _plain(
    pairs: tuple[tuple[int, str], ...], default: int | None = None, system: tuple[int, ...] = ()
) -> list[Choice]:
    return [
        choice(value, label, order, default=value == default, system=value in system)
        for order, (value, label) in enumerate(pairs, start=1)
    ]


def picklists(profile: Profile) -> Choices:
    """The picklists of a fresh tenant, by `Entity.field`."""
    queues = ((5, "Client Portal"), (8, "Monitoring Alert"), *((FIRST_QUEUE + n, name) for n, name in enumerate(TEAMS)))
    files = _plain(profile.publish)
    kinds = _plain(((4, "Ticket"), (18, "Time Entry"), (23, "Note")))
    subs = [
        choice(value, label, order, parent=issue) for order, (value, label, issue) in enumerate(SUB_ISSUES, start=1)
    ]
    found: Choices = {
        "Ticket.status": _plain(profile.statuses, NEW, (NEW, COMPLETE)),
        "Ticket.priority": _plain(profile.priorities),
        "Ticket.queueID": _plain(queues),
        "Ticket.issueType": _plain(ISSUES),
        "Ticket.subIssueType": subs,
        "Ticket.ticketType": _plain(TICKET_TYPES, 2, (1, 2, 3, 4, 5)),
        "Ticket.ticketCategory": _plain(CATEGORIES, STANDARD_CATEGORY),
        "Ticket.source": _plain(SOURCES),
        "Ticket.serviceLevelAgreementID": _plain(((STANDARD_SLA, "Standard SLA"),)),
        "Contract.serviceLevelAgreementID": _plain(((STANDARD_SLA, "Standard SLA"),)),
        "Contract.contractType": _plain(CONTRACT_TYPES),
        "Contract.status": _plain(((0, "Inactive"), (1, "Active"))),
        "TicketNote.noteType": _plain(profile.note_types),
        "TicketNote.publish": _plain(profile.publish),
        "TimeEntry.timeEntryType": _plain(((2, "Ticket"), (6, "Task"))),
        "Company.companyType": _plain(COMPANY_TYPES, 1),
        "Resource.licenseType": _plain(((1, "Professional"), (7, "API User"))),
        "BillingCode.useType": _plain(((1, "General Allocation Code"), (3, "Internal Allocation Code"))),
    }  # fmt: skip
    for name in ("TicketAttachment", "TicketNoteAttachment", "TimeEntryAttachment", "AttachmentInfo"):
        found[f"{name}.publish"], found[f"{name}.parentType"] = files, kinds
    return found
