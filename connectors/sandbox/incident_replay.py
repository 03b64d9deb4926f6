"""The incidents of the ServiceNow log as tickets: `--load servicenow`, or `{"dir": "servicenow"}` to the control API.

One client (the log is of one company), its places as sites, callers as contacts, groups as teams, assignees as agents.
Every change of state is a status action at its instant, every change of group, assignee or priority a private note.
The log has no texts: subjects are made of its categories, and every text says where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.sandbox import servicenow
from connectors.sandbox.dataset import Dataset, Record, Story
from connectors.sandbox.loader import read_folder
from connectors.sandbox.servicenow import RESOLVED, STATUS_NAMES, Incident, Update

NAME = "servicenow"
SOURCE = "public ServiceNow incident log (UCI Machine Learning Repository, CC BY 4.0), which has no texts"


def read_source(place: Path) -> Dataset:
    """The data set that `--load` names: `servicenow`, or a folder of JSON Lines."""
    return dataset(servicenow.incidents()) if str(place) == NAME else read_folder(place)


class _Numbers(dict[str, int]):
    """Numbers names as they come, from 1."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self) + 1
        return self[name]


def dataset(incidents: tuple[Incident, ...]) -> Dataset:
    sites, contacts, agents = _Numbers(), _Numbers(), _Numbers()
    homes: dict[str, str] = {}
    teams: dict[str, str] = {}
    for incident in incidents:
        location = incident.location or "Unknown location"
        homes.setdefault(incident.caller or "Unknown caller", location)
        for update in incident.updates:
            if update.assignee:
                teams[update.assignee] = update.group or teams.get(update.assignee, "")
    contact_rows = [_contact(contacts[name], name, sites[home]) for name, home in homes.items()]
    for incident in incidents:
        _ = sites[incident.location or "Unknown location"]
    agent_rows = [_agent(agents[name], name, team) for name, team in teams.items()]

    def stories() -> Iterator[Story]:
        action_id = 0
        for number, incident in enumerate(incidents, start=1):
            ticket = _ticket(number, incident)
            ticket["site_id"] = sites[incident.location or "Unknown location"]
            ticket["contact_id"] = contacts[incident.caller or "Unknown caller"]
            ticket["agent_id"] = agents[incident.updates[-1].assignee] if incident.updates[-1].assignee else None
            actions = list(_actions(ticket, incident, agents))
            for action in actions:
                action_id += 1
                action["id"] = action_id
            yield Story(ticket, actions, [])

    client = {"id": 1, "name": "Incident log company", "short": "LOG", "active": True}
    site_rows = [{"id": number, "client_id": 1, "name": name} for name, number in sites.items()]
    return Dataset(stories, [client], site_rows, contact_rows, [], agent_rows)


def _contact(number: int, name: str, site: int) -> Record:
    mail = f"{name.lower().replace(' ', '.')}@log.example"
    return {"id": number, "client_id": 1, "site_id": site, "name": name, "email": mail}


def _agent(number: int, name: str, team: str) -> Record:
    mail = f"{name.lower().replace(' ', '.')}@servicedesk.example"
    return {"id": number, "login": mail.split("@")[0], "name": name, "email": mail, "team": team, "active": True}


def resolved_at(incident: Incident) -> int | None:
    """As the log says; where it does not (29 incidents), when the incident last went to Resolved."""
    if incident.resolved_at is not None:
        return incident.resolved_at
    updates = incident.updates
    entered = [
        update.at
        for before, update in zip((None, *updates), updates, strict=False)
        if update.state == RESOLVED and (before is None or before.state != RESOLVED)
    ]
    return entered[-1] if entered else None


def _ticket(number: int, incident: Incident) -> Record:
    last = incident.updates[-1]
    what = [part for part in (incident.category, incident.subcategory) if part] or ["No category"]
    subject = f"{', '.join(what)}: {incident.symptom or 'no symptom'} ({incident.number})"
    details = f"Incident {incident.number} of the {SOURCE}.\nOpened by: {incident.opened_by or 'unknown'}."
    finished = resolved_at(incident)
    more: dict[str, Any] = {}
    if finished is not None:
        more |= {"resolved_at": finished}
        more["resolution"] = f"{incident.resolved_by or 'Resolved'}, {incident.closed_code or 'no code'}"
    if incident.closed_at is not None:
        more |= {"closed_at": incident.closed_at}
    return {
        "id": number, "client_id": 1, "team": last.group, "type": "Incident", "category": ">".join(what),
        "status": STATUS_NAMES[last.state], "open": last.state not in (RESOLVED, servicenow.CLOSED),
        "priority": last.priority, "summary": subject, "details": details, "created_at": incident.opened_at,
        "last_action_at": max(last.at, incident.opened_at), **more,
    }  # fmt: skip


def _actions(ticket: Record, incident: Incident, agents: dict[str, int]) -> Iterator[Record]:
    """What changed from row to row; nothing is made up, so an incident whose first row is Active begins as that.

    Five incidents were updated before they were opened: the opening comes first.
    """
    before = incident.updates[0]
    for update in incident.updates[1:]:
        at = max(update.at, incident.opened_at)
        if update.state != before.state:
            old, new = STATUS_NAMES[before.state], STATUS_NAMES[update.state]
            body = f"{before.state} to {update.state}"
            yield _action(ticket, update, agents, at, body, kind="status", old_status=old, new_status=new)
        if changes := [*_changes(before, update)]:
            yield _action(ticket, update, agents, at, "; ".join(changes), kind="note", private=True)
        before = update


def _changes(before: Update, update: Update) -> Iterator[str]:
    for label, old, new in (
        ("Group", before.group, update.group),
        ("Assigned to", before.assignee, update.assignee),
        ("Priority", str(before.priority), str(update.priority)),
    ):
        if old != new:
            yield f"{label}: {old or 'nobody'} to {new or 'nobody'}"


def _action(ticket: Record, update: Update, agents: dict[str, int], at: int, body: str, **more: Any) -> Record:
    action: Record = {"ticket_id": ticket["id"], "created_at": at, "body": body, **more}
    if update.assignee:
        action["agent_id"] = agents[update.assignee]
    return action
