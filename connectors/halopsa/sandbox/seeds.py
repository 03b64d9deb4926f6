"""What a fresh HaloPSA tenant holds: statuses, priorities, types, outcomes, SLAs, workdays, categories, lookups.

Ids and names are the ones that published guides use; a real tenant has its own.
"""

from __future__ import annotations

import uuid
from typing import Any

from connectors.halopsa.sandbox import holidays

Doc = dict[str, Any]

NEW, IN_PROGRESS, PENDING, ON_HOLD, WAITING_CLIENT, WAITING_THIRD, RESOLVED, CLOSED = 1, 2, 3, 4, 5, 6, 8, 9
UNASSIGNED, API_AGENT = 1, 2
UNKNOWN_CLIENT, UNKNOWN_SITE = 1, 1
STANDARD_SLA, OFFICE_SLA, EXTENDED_SLA = 1, 2, 3
ALWAYS, OFFICE_HOURS, EXTENDED_HOURS = 1, 2, 3
OPENED, EMAIL_USER, PHONE, VISIT, LOG_TIME, RESOLVE, INTERNAL_NOTE, CLOSE = 1, 2, 3, 4, 5, 6, 7, 8
HOLD, RELEASE, STATUS_CHANGED, USER_REPLY, REASSIGNED, ESCALATE, PUBLIC_NOTE = 9, 10, 11, 12, 13, 14, 15
ASK_CLIENT, WAIT_PARTS, BOOK = 16, 17, 18

HOUR_UNITS = {"M": 60_000, "H": 3_600_000, "D": 86_400_000}


def guid(*parts: object) -> str:
    """A stable GUID for a seeded object."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(["sandbox:halopsa", *map(str, parts)])))


def status(
    number: int, name: str, colour: str, slaaction: str = "N", shortname: str = "", *, is_quick: bool = True
) -> Doc:
    return {
        "id": number, "guid": guid("status", number), "name": name, "shortname": shortname or name[:10], "type": 0,
        "sequence": number * 10, "colour": colour, "slaaction": slaaction, "showonquickchange": is_quick,
        "timeuntilloffhold": 0.0, "statuschangeto": 0, "statuschangetofreq": 0.0, "statusnochangehours": 0.0,
        "nochangetemplate": 0, "statusemailid": 0, "statusemailfreqdays": 0, "notifystatuschange": 0,
        "dontsendslareminders": False, "slaignorerelease": False, "includeinloadbalance": True, "useworkinghours": 0,
        "tickettypes": [], "outcomes": [],
    }  # fmt: skip


STATUSES = [
    status(NEW, "New", "#2b7de9"),
    status(IN_PROGRESS, "In Progress", "#3c9a5f", "R"),
    status(PENDING, "Pending", "#b07d2b", "H", is_quick=False),
    status(ON_HOLD, "On Hold", "#7a7f87", "H"),
    status(WAITING_CLIENT, "Waiting on Client", "#8a63d2", "H", "W Client"),
    status(WAITING_THIRD, "Waiting on Third Party", "#a05195", "H", "W Third"),
    status(RESOLVED, "Resolved", "#1f9e89"),
    status(CLOSED, "Closed", "#4a4f57", is_quick=False),
]

TARGETS = [
    (1, "Critical", 15.0, "M", 1.0, "H", "#c0392b"),
    (2, "High", 1.0, "H", 4.0, "H", "#d9822b"),
    (3, "Medium", 4.0, "H", 8.0, "H", "#2b7de9"),
    (4, "Low", 8.0, "H", 24.0, "H", "#7a7f87"),
]


def priority(sla: int, row: tuple[int, str, float, str, float, str, str], workday: int = 0) -> Doc:
    """`workday`: one of its own; 0 = the SLA's."""
    number, name, respond, respond_units, fix, fix_units, colour = row
    return {
        "id": guid("priority", sla, number), "slaid": sla, "sla_guid": guid("sla", sla), "priorityid": number,
        "name": name,
        "fixtime": fix, "fixunits": fix_units, "responsetime": respond, "responseunits": respond_units,
        "ishidden": False,
        "enterslaexcuse": False, "fixendofday": False, "responseendofday": False, "colour": colour,
        "workdaysoverride": workday,
    }  # fmt: skip


PRIORITIES = [
    *(priority(sla, row) for sla in (STANDARD_SLA, OFFICE_SLA) for row in TARGETS),
    # What is urgent is worked on at any hour.
    *(priority(EXTENDED_SLA, row, ALWAYS if row[0] <= 2 else 0) for row in TARGETS),
]


def sla(number: int, name: str, workday: int, workday_name: str) -> Doc:
    return {
        "id": number, "guid": guid("sla", number), "name": name, "workday_id": workday, "workday_name": workday_name,
        "hoursaretechslocaltime": False, "responsereset": False, "autoreleaseoption": False, "autoreleaselimit": 0,
        "statusafterautorelease": 0, "trackslaresponsetime": True, "trackslafixbytime": True,
    }  # fmt: skip


SLAS = [
    sla(STANDARD_SLA, "Standard", ALWAYS, "24x7"),
    sla(OFFICE_SLA, "Office hours", OFFICE_HOURS, "Office hours"),
    sla(EXTENDED_SLA, "Extended hours", EXTENDED_HOURS, "Extended hours"),
]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def workday(number: int, name: str, start: str, end: str, open_days: int, zone: str = "") -> Doc:
    """`open_days`: so many days of the week from Monday on. Its holidays come with the year."""
    doc: Doc = {
        "id": number, "guid": guid("workday", number), "name": name, "timezone": zone, "alldayssame": True,
        "start": f"1901-01-01T{start}:00", "end": f"1901-01-01T{end}:00", "holidays": [],
    }  # fmt: skip
    for index, day in enumerate(DAYS):
        doc[f"inc{day}"] = index < open_days
        doc[f"start{day}"], doc[f"end{day}"] = f"1901-01-01T{start}:00", f"1901-01-01T{end}:00"
    return doc


LONDON = "Europe/London"
WORKDAYS = [
    workday(ALWAYS, "24x7", "00:00", "23:59", 7),
    workday(OFFICE_HOURS, "Office hours", "09:00", "17:30", 5, LONDON),
    workday(EXTENDED_HOURS, "Extended hours", "08:00", "20:00", 6, LONDON),
]


def workdays(year: int) -> list[Doc]:
    """The workdays with the bank holidays of the year, the one before and the one after."""
    years = range(year - 1, year + 2)
    closes = {OFFICE_HOURS: "13:00", EXTENDED_HOURS: None}
    return [
        {**doc, "holidays": holidays.of_years(doc["id"], years, eve_closes=closes[doc["id"]])}
        if doc["id"] in closes
        else doc
        for doc in WORKDAYS
    ]


def outcome(number: int, name: str, **settings: Any) -> Doc:
    return {
        "id": number, "guid": guid("outcome", number), "outcome": name, "buttonname": name, "labellong": name,
        "colour": "#2b7de9", "sequence": number * 10, "hidden": False, "newstatus": 0, "sendemail": 0, "sendsms": 0,
        "slaholdischecked": False, "slareleaseischecked": False, "emailtemplate_id": 0, "child_template_id": 0,
        "createchildticketortemplate": 0, "child_ticket_type_id": 0, "defaultmanhrs": 0.0, "defaultnonbill": 0.0,
        "chargerate": 0, "approval_process_id": 0, "workflow_id": 0, "mustaddnote": False,
        "mustassign": False, "hidefromuser": False, "requesttype": 0, "systemid": 0, "respondtype": 0, "icon": "",
        "access_control_level": 0, **settings,
    }  # fmt: skip


OUTCOMES = [
    outcome(OPENED, "Opened", systemid=1, icon="fas fa-plus"),
    outcome(EMAIL_USER, "Email User", sendemail=1, respondtype=1, icon="fas fa-envelope"),
    outcome(PHONE, "Phone Call", hidefromuser=True, icon="fas fa-phone"),
    outcome(VISIT, "Site Visit", icon="fas fa-car"),
    outcome(LOG_TIME, "Log Time", hidefromuser=True, icon="fas fa-stopwatch"),
    outcome(RESOLVE, "Resolve", newstatus=RESOLVED, sendemail=1, icon="fas fa-check", colour="#1f9e89"),
    outcome(INTERNAL_NOTE, "Internal Note", hidefromuser=True, icon="fas fa-lock"),
    outcome(CLOSE, "Close", newstatus=CLOSED, icon="fas fa-times", colour="#4a4f57", sequence=190),
    outcome(
        HOLD,
        "Put on Hold",
        newstatus=ON_HOLD,
        slaholdischecked=True,
        hidefromuser=True,
        icon="fas fa-pause",
        colour="#7a7f87",
    ),
    outcome(
        RELEASE,
        "Release from Hold",
        newstatus=IN_PROGRESS,
        slareleaseischecked=True,
        hidefromuser=True,
        colour="#3c9a5f",
        sequence=180,
    ),
    outcome(STATUS_CHANGED, "Changed Status", systemid=2, hidefromuser=True),
    outcome(USER_REPLY, "User Update", hidden=True),
    outcome(REASSIGNED, "Re-Assign", systemid=4, hidefromuser=True),
    outcome(PUBLIC_NOTE, "Public Note", icon="fas fa-comment", sequence=200),
    outcome(ESCALATE, "Escalate", hidefromuser=True, mustaddnote=True, icon="fas fa-arrow-up", colour="#c0392b"),
    outcome(
        ASK_CLIENT,
        "Ask the Client",
        newstatus=WAITING_CLIENT,
        sendemail=1,
        mustaddnote=True,
        sequence=70,
        labellong="Ask the client and wait for the answer",
        colour="#8a63d2",
    ),
    outcome(
        WAIT_PARTS,
        "Waiting for Parts",
        newstatus=IN_PROGRESS,
        slaholdischecked=True,
        hidefromuser=True,
        mustaddnote=True,
        sequence=80,
        labellong="Waiting for parts: the clock stands still",
        colour="#b07d2b",
    ),
    outcome(
        BOOK,
        "Book an Engineer",
        hidefromuser=True,
        mustassign=True,
        mustaddnote=True,
        defaultmanhrs=0.25,
        sequence=100,
        colour="#d9822b",
        tickettypes=[
            {"value": "1", "label": "Incident", "isnew": False},
            {"value": "2", "label": "Service Request", "isnew": False},
        ],
    ),
]


def ticket_type(number: int, name: str, itil: int, **settings: Any) -> Doc:
    return {
        "id": number, "guid": guid("tickettype", number), "name": name, "use": "ticket", "sequence": number,
        "group_id": 1, "group_name": "Tickets", "itilrequesttype": itil, "cancreate": True, "agentscanselect": True,
        "enduserscanselect": True, "anonymouscanselect": False, "visible": True, "initial_status": NEW,
        "default_sla": STANDARD_SLA, "default_priority": 3, "default_team": "Service Desk", "default_agent": 0,
        "workflow_id": 0, "statusafteruserupdate": IN_PROGRESS, "statusaftertechupdate": 0,
        "statusaftersupplierupdate": 0, "statusafterapproverupdate": 0, "reopenedstatus": IN_PROGRESS,
        "portalcanreopen": True, "closedrequestswithupdates": 0, "closeduserupdatehours": 0.0, "autoCloseHours": 0,
        "dontusependingclosure": False, "dontsendslareminders": False, "acknowledgementtemplate": 0,
        "hasmandatorytechfields": False, "hasmandatoryuserfields": False, "allowattachments": True, "fields": [],
        **settings,
    }  # fmt: skip


def mandatory(*names: str) -> Doc:
    """The parts of a type by which agents must fill these fields. The vendor's document leaves their shape open."""
    fields = [{"fieldid": at, "name": name, "mandatory": True} for at, name in enumerate(names, start=1)]
    return {"hasmandatorytechfields": True, "fields": fields}


TICKET_TYPES = [
    ticket_type(1, "Incident", 1),
    ticket_type(2, "Service Request", 3, default_priority=4),
    ticket_type(3, "Problem", 4, enduserscanselect=False),
    ticket_type(4, "Change", 2, default_priority=4, enduserscanselect=False, **mandatory("details", "category_1")),
]

CATEGORY_NAMES = (
    "Hardware", "Hardware>Printer", "Hardware>Laptop", "Hardware>Server", "Hardware>Phone", "Software",
    "Software>Email",
    "Software>Line of business", "Software>Office", "Network", "Network>VPN", "Network>Wi-Fi", "Network>Internet",
    "Access",
    "Access>Password", "Access>Permissions", "Access>New starter", "Security", "Security>Phishing", "Security>Malware",
    "Backup", "Backup>Failed job", "Monitoring", "Monitoring>Disk space", "Project", "Project>Migration",
)  # fmt: skip


def category(number: int, value: str) -> Doc:
    return {
        "id": number, "guid": guid("category", number), "value": value, "category_name": value.rsplit(">", 1)[-1],
        "type_id": 1, "sla_id": -1, "priority_id": -1, "category_group_id": 0, "itilrequesttype": -1,
    }  # fmt: skip


CATEGORIES = [category(number, value) for number, value in enumerate(CATEGORY_NAMES, start=1)]

IMPACT, URGENCY, EVENTS = 27, 28, 64
EVENT_NAMES = {
    3: "New Ticket Logged", 19: "Updated by User", 39: "Ticket Closed", 42: "1st SLA Warning", 46: "2nd SLA Warning",
    61: "Ticket updated", 70: "Deadline", 76: "Status Changed", 1072: "Ticket Deleted",
}  # fmt: skip
LOOKUPS = [
    *(
        {"lookupid": IMPACT, "id": n, "name": name}
        for n, name in enumerate(("Company wide", "Multiple users", "Single user"), 1)
    ),
    *({"lookupid": URGENCY, "id": n, "name": name} for n, name in enumerate(("High", "Medium", "Low"), 1)),
    *({"lookupid": EVENTS, "id": n, "name": name} for n, name in EVENT_NAMES.items()),
]
FIELDS = [
    {
        "id": 178,
        "guid": guid("field", 178),
        "name": "CFassetTag",
        "label": "Asset tag",
        "type": 0,
        "custom": 1,
        "usage": 1,
    },
    {
        "id": 179,
        "guid": guid("field", 179),
        "name": "CFaffectedUsers",
        "label": "Affected users",
        "type": 0,
        "custom": 1,
        "usage": 1,
    },
]

CONFIG: dict[str, list[Doc]] = {
    "status": STATUSES, "priority": PRIORITIES, "sla": SLAS, "workday": WORKDAYS, "outcome": OUTCOMES,
    "tickettype": TICKET_TYPES, "category": CATEGORIES, "lookup": LOOKUPS, "fieldinfo": FIELDS, "team": [],
    "webhook": [], "notification": [], "contract": [],
}  # fmt: skip


def config_key(kind: str, doc: Doc) -> str:
    return f"{doc['lookupid']}-{doc['id']}" if kind == "lookup" else str(doc["id"]).lower()
