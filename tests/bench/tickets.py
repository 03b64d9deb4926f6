"""A story as the rows that a pull would have made of it. Clocks and cleaned texts come from the real services."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from connectors.halopsa.sandbox.wire import as_html
from connectors.sandbox.dataset import Record, Story
from connectors.sandbox.generator.plan import FIX, RESPOND
from helpdesk.actions.choices import FileState, Kind
from helpdesk.actions.models import Action, Attachment, TimeEntry
from helpdesk.actions.text import CLEANER_VERSION, cleaned_body, inline_references
from helpdesk.tickets import clocks, rederiving, stories
from helpdesk.tickets.choices import FINISHED, SlaClock
from helpdesk.tickets.models import Ticket, TicketClock, TicketEvent
from helpdesk.tickets.stories import Message
from tests.bench.desk import Desk

ACTION_KINDS = {"email_in": Kind.REPLY, "email_out": Kind.REPLY, "phone": Kind.CALL, "visit": Kind.VISIT}


@dataclass
class Rows:
    """What a batch of stories became."""

    tickets: list[Ticket] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    times: list[TimeEntry] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    events: list[TicketEvent] = field(default_factory=list)
    clocks: list[TicketClock] = field(default_factory=list)


class Clerk:
    """Turns stories into rows with keys of their own: the generator's for tickets, counted here for the rest."""

    def __init__(self, desk: Desk, now: datetime, seed: int) -> None:
        self.desk, self.now = desk, now
        self._seed = seed
        self._last: dict[type, int] = {}
        self.context = rederiving.context_of(desk.account.pk, now)

    def rows(self, stories: Iterable[Story]) -> Rows:
        rows = Rows()
        for story in stories:
            self._write(story, rows)
        return rows

    def _key(self, model: type) -> int:
        self._last[model] = self._last.get(model, 0) + 1
        return self._last[model]

    def _marker(self, *parts: object) -> uuid.UUID:
        """The same for the same seed, at a tenth of the cost of uuid5."""
        text = f"{self._seed}:{':'.join(map(str, parts))}"
        return uuid.UUID(bytes=hashlib.md5(text.encode(), usedforsecurity=False).digest())

    def _write(self, story: Story, rows: Rows) -> None:
        ticket = self._ticket(story)
        actions = [self._action(ticket, n, record) for n, record in enumerate(story.actions, start=1)]
        self._settle(ticket, story, actions)
        rows.tickets.append(ticket)
        rows.actions += actions
        rows.times += self._times(ticket, story, actions)
        files = self._files(ticket, story, actions)
        ticket.attachment_count = len(files)
        rows.files += files
        events = self._events(ticket, story)
        rows.events += events
        said = [Message(a.occurred_at, f"a{a.pk}", a.author_name) for a in actions if a.is_from_client]
        told = stories.Story(messages=said)
        for event in events:
            stories.add_event(told, event)
        rows.clocks += clocks.derive_many([ticket], {ticket.pk: told}, self.context)[0]
        for clock in rows.clocks[-2:]:
            clock.pk = self._key(TicketClock)

    # ---- the ticket -------------------------------------------------------------------------------------------------

    def _ticket(self, story: Story) -> Ticket:
        record, desk = story.ticket, self.desk
        status, priority = desk.statuses[record["status"]], desk.priorities[record["priority"]]
        number = str(record["id"])
        details = record["details"]
        ticket = Ticket(
            pk=record["id"], psa_account=desk.account, remote_id=number, number=number,
            marker=self._marker("ticket", number), subject=record["summary"][:255], description=details,
            description_is_html=details.lstrip().startswith("<"),
            resolution=record.get("resolution", ""),
            client=desk.clients[record["client_id"]], site_id=record["site_id"],
            contact=desk.people[record["contact_id"]],
            status=status, priority=priority, ticket_type_id=desk.types[record["type"]],
            impact=str(min(3, record["priority"])), urgency=str(min(3, record["priority"])),
            category=record["category"], agent_id=record["agent_id"], team_id=desk.teams[record["team"]],
            source=str(record["source"]), contract_id=record["client_id"], sla_policy_id=desk.policy_id,
            opened_at=_at(record["created_at"]), occurred_at=_at(record["created_at"]),
            last_activity_at=_at(record["last_action_at"]), remote_updated_at=_at(record["last_action_at"]),
            status_category=status.category, is_open=status.category not in FINISHED, rank=priority.rank,
            changed_at=self.now, read_at=self.now, actions_pulled_at=_at(record["last_action_at"]),
            cleaner_version=CLEANER_VERSION,
        )  # fmt: skip
        ticket.description_clean = cleaned(details, is_html=ticket.description_is_html, ticket_id=ticket.pk)
        ticket.raw = self._raw_ticket(record, ticket)
        ticket.confirmed = {
            "subject": ticket.subject, "reported_by": None, "impact": ticket.impact, "urgency": ticket.urgency,
            "category": ticket.category, "subcategory": None, "category_3": None, "category_4": None,
            "source": ticket.source, "deadline_at": None, "client": str(record["client_id"]),
            "site": str(record["site_id"]), "contact": str(record["contact_id"]), "status": status.remote_id,
            "priority": priority.remote_id, "ticket_type": str(ticket.ticket_type_id),
            "agent": str(ticket.agent_id) if ticket.agent_id else None, "team": str(ticket.team_id),
            "contract": str(ticket.contract_id), "sla_policy": "1", "description": details,
            "resolution": ticket.resolution or None,
        }  # fmt: skip
        return ticket

    def _raw_ticket(self, record: Record, ticket: Ticket) -> Record:
        """As many fields as a HaloPSA list record has: their weight is part of what a page reads."""
        at = ticket.opened_at.isoformat()
        return {
            "id": ticket.pk, "guid": f"{ticket.pk:08x}-0000-4000-8000-000000000000", "summary": ticket.subject,
            "details": record["details"], "dateoccurred": at, "last_update": at, "lastactiondate": at,
            "status_id": ticket.status_id, "tickettype_id": ticket.ticket_type_id, "priority_id": ticket.priority_id,
            "sla_id": 1, "client_id": ticket.client_id, "client_name": str(ticket.client), "site_id": ticket.site_id,
            "site_name": "Main", "user_id": ticket.contact_id, "user_name": str(ticket.contact),
            "user_email": ticket.contact.email if ticket.contact else "", "team": record["team"],
            "team_id": ticket.team_id, "agent_id": ticket.agent_id or 1, "impact": 3, "urgency": 3,
            "source": record["source"], "respondbydate": at, "responsedate": at, "slaresponsestate": "I",
            "fixbydate": at, "deadlinedate": "1900-01-01T00:00:00", "targetdate": "1900-01-01T00:00:00",
            "excludefromsla": False, "slaholdtime": 0.0, "onhold": False, "flagged": False, "read": True,
            "enduserstatus": 0, "attachment_count": 0, "child_count": 0, "estimate": 0.0, "timetaken": 0.0,
            "inactive": False, "use": "ticket", "parent_id": 0, "category_1": ticket.category, "categoryid_1": 9,
        }  # fmt: skip

    def _settle(self, ticket: Ticket, story: Story, actions: list[Action]) -> None:
        """What the PSA's own clock says, and who waits for whom."""
        record = story.ticket
        public = [a for a in actions if not a.is_internal]
        answers = [a.occurred_at for a in public if not a.is_from_client]
        ticket.first_responded_at = ticket.answered_at = min(answers, default=None)
        finished = record.get("resolved_at") or record.get("closed_at")
        if finished and not ticket.is_open:
            ticket.resolved_at = _at(finished)
            ticket.closed_at = _at(record["closed_at"]) if record.get("closed_at") else None
        held = self._held(story)
        ticket.response_due_at = ticket.opened_at + timedelta(milliseconds=RESPOND[record["priority"]])
        ticket.resolution_due_at = ticket.opened_at + timedelta(milliseconds=FIX[record["priority"]] + held)
        ticket.sla_response_state = "met" if ticket.first_responded_at else ""
        ticket.sla_paused = ticket.is_open and ticket.status.sla_clock == SlaClock.PAUSED
        ticket.billable_seconds, ticket.nonbillable_seconds = (
            sum(int(a["minutes"] * 60) for a in story.actions if bool(a["billable"]) is wanted)
            for wanted in (True, False)
        )
        last = public[-1] if public else None
        if ticket.is_open and last is not None and last.is_from_client:
            ticket.client_replied_at = last.occurred_at

    def _held(self, story: Story) -> int:
        """Milliseconds that the clock stood still, pauses that are over only."""
        held, since = 0, None
        for action in story.actions:
            name = action.get("new_status")
            if not name:
                continue
            if since is not None:
                held, since = held + action["created_at"] - since, None
            if self.desk.statuses[name].sla_clock == SlaClock.PAUSED:
                since = action["created_at"]
        return held

    # ---- what hangs on it -------------------------------------------------------------------------------------------

    def _action(self, ticket: Ticket, number: int, record: Record) -> Action:
        body = record.get("html") or as_html(record["body"])
        contact = record.get("contact_id")
        agent = self.desk.agents.get(record.get("agent_id") or 0)
        new_status = self.desk.statuses.get(record.get("new_status") or "")
        name = str(ticket.contact) if contact else agent.name if agent else ""
        at = _at(record["created_at"])
        return Action(
            pk=self._key(Action), ticket_id=ticket.pk, remote_id=str(number),
            marker=self._marker("action", ticket.pk, number), kind=ACTION_KINDS.get(record["kind"], Kind.NOTE),
            is_internal=record["private"], is_from_client=bool(contact), body=body, body_is_html=True,
            body_clean=cleaned(body, is_html=True, ticket_id=ticket.pk), cleaner_version=CLEANER_VERSION,
            author_agent_id=agent.pk if agent and not contact else None, author_contact_id=contact,
            author_name=name[:120], occurred_at=at, new_status_id=new_status.pk if new_status else None,
            raw={
                "id": number, "ticket_id": ticket.pk, "outcome": record["kind"], "who": name,
                "who_type": int(not contact),
                "datetime": at.isoformat(), "actioncompletiondate": at.isoformat(), "note": record["body"],
                "note_html": body, "hiddenfromuser": record["private"], "timetaken": record["minutes"] / 60,
                "actisbillable": record["billable"], "important": False, "attachment_count": 0,
            },
        )  # fmt: skip

    def _times(self, ticket: Ticket, story: Story, actions: list[Action]) -> list[TimeEntry]:
        return [
            TimeEntry(
                pk=self._key(TimeEntry), ticket_id=ticket.pk, action_id=action.pk, remote_id=action.remote_id,
                marker=self._marker("time", ticket.pk, action.remote_id), agent_id=action.author_agent_id,
                author_name=action.author_name, seconds=int(record["minutes"] * 60), is_billable=record["billable"],
                started_at=action.occurred_at - timedelta(minutes=record["minutes"]), ended_at=action.occurred_at,
            )
            for record, action in zip(story.actions, actions, strict=True)
            if record["minutes"]
        ]  # fmt: skip

    def _files(self, ticket: Ticket, story: Story, actions: list[Action]) -> list[Attachment]:
        by_record = {r["id"]: a for r, a in zip(story.actions, actions, strict=True) if "id" in r}
        shared: dict[str, Any] = {"psa_account": ticket.psa_account, "ticket_id": ticket.pk, "state": FileState.REMOTE}
        found = []
        for record in story.attachments:
            action = by_record.get(record["action_id"])
            key = self._key(Attachment)
            found.append(
                Attachment(
                    pk=key, remote_id=str(record["id"]), marker=self._marker("file", key),
                    action_id=action.pk if action else None, name=record["filename"],
                    content_type=record["content_type"], size=len(record["data"]), is_public=record["public"],
                    created_at=_at(record["created_at"]), **shared,
                )
            )  # fmt: skip
        for action in actions:
            for reference in inline_references(action.body):
                key = self._key(Attachment)
                found.append(
                    Attachment(
                        pk=key, marker=self._marker("image", key), name=f"image-{reference[:8]}",
                        inline_reference=reference, is_public=not action.is_internal, created_at=action.occurred_at,
                        **shared,
                    )
                )  # fmt: skip
        return found

    def _events(self, ticket: Ticket, story: Story) -> list[TicketEvent]:
        shared: dict[str, Any] = {"ticket_id": ticket.pk, "known_at": self.now, "origin": "psa"}
        found = [
            TicketEvent(
                pk=self._key(TicketEvent), field="created", new_label=ticket.subject, at=ticket.opened_at,
                remote_key="created", **shared,
            )
        ]  # fmt: skip
        for number, record in enumerate(story.actions, start=1):
            if not record.get("new_status") or record["new_status"] == record["old_status"]:
                continue
            old, new = self.desk.statuses[record["old_status"]], self.desk.statuses[record["new_status"]]
            agent = self.desk.agents.get(record.get("agent_id") or 0)
            found.append(
                TicketEvent(
                    pk=self._key(TicketEvent), field="status", old=str(old.pk), new=str(new.pk), old_label=old.name,
                    new_label=new.name, at=_at(record["created_at"]), remote_key=f"action:{number}",
                    actor=agent.name if agent else str(ticket.contact), **shared,
                )
            )  # fmt: skip
        return found


def cleaned(text: str, *, is_html: bool, ticket_id: int) -> str:
    """The real cleaner; the generator repeats itself, and only an image's address names its ticket."""
    if "<img" in text:
        return cleaned_body(text, is_html=is_html, ticket_id=ticket_id)
    return _cleaned(text, is_html)


@lru_cache(maxsize=100_000)
def _cleaned(text: str, is_html: bool) -> str:
    return cleaned_body(text, is_html=is_html, ticket_id=None)


def _at(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
