"""Writes one ticket's story: its opening, its actions in order of time, its files."""

from __future__ import annotations

import html
import random
from typing import Any

from connectors.sandbox.dataset import Record, Story
from connectors.sandbox.generator import pictures, texts
from connectors.sandbox.generator.people import CLEO, OTTO, ZOE
from connectors.sandbox.generator.plan import DAY, FIX, HOUR, MINUTE, RESPOND, Slot

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
HTML_SHARE, FILE_SHARE = 0.12, 0.075


class Writer:
    """Turns slots into stories; one dice, so the order of calls decides the words."""

    def __init__(self, dice: random.Random, now: int, contacts: list[Record], workers: dict[str, list[int]]) -> None:
        self._dice, self._now = dice, now
        self._contacts = contacts
        self._by_id = {contact["id"]: contact for contact in contacts}
        self._workers = workers
        self._action_id = 0
        self._file_id = 0

    def story(self, number: int, slot: Slot) -> Story:
        dice = self._dice
        problem = texts.problem(dice, priority=slot.priority or None)
        special = SPECIAL.get((slot.group, slot.ordinal))
        contact = self._by_id.get(special or 0) or self._contacts[int(dice.random() * len(self._contacts))]
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
        pen = _Pen(self, ticket, problem.kind)
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
            owner["html"] = f'{text}<p><img src="/halopsa/api/attachment/image/{guid}" alt="{name}"></p>'
        return [{
            "id": self._file_id, "ticket_id": ticket["id"], "action_id": owner["id"] if owner else None,
            "filename": name,
            "content_type": kind, "created_at": owner["created_at"] if owner else ticket["created_at"],
            "public": not (owner and owner["private"]), "data": data, "guid": guid,
        }]  # fmt: skip


class _Pen:
    """The actions of one ticket; `at` is the instant of the last one."""

    def __init__(self, writer: Writer, ticket: Record, kind: Any) -> None:
        self._writer, self._ticket, self._kind = writer, ticket, kind
        self._dice, self._now = writer._dice, writer._now
        self.actions: list[Record] = []
        self.at = ticket["created_at"]

    def _to(self, at: float) -> None:
        """Move on to an instant: after the last action, before now."""
        self.at = min(max(int(at), self.at + 20_000), max(self._now - 30_000, self.at + 1))

    def _between(self, low: float, high: float) -> float:
        return low + (high - low) * self._dice.random()

    def _add(
        self, kind: str, body: str, *, private: bool = False, status: str = "", minutes: float = 0, client: bool = False
    ) -> None:
        ticket = self._ticket
        action: Record = {
            "id": self._writer.next_action(), "ticket_id": ticket["id"], "kind": kind, "created_at": self.at,
            "private": private,
            "body": body, "minutes": minutes, "billable": self._dice.random() > 0.1,
        }  # fmt: skip
        action["contact_id" if client else "agent_id"] = ticket["contact_id"] if client else ticket["agent_id"]
        if status:
            action["old_status"], action["new_status"] = ticket["status"], status
            ticket["status"] = status
        if not client and self._dice.random() < HTML_SHARE:
            action["html"] = _formatted(body)
        self.actions.append(action)

    def _minutes(self) -> float:
        return float(5 * (1 + int(self._dice.random() ** 2 * 12)))

    def _pick_up(self, until: float) -> None:
        """The first public answer, inside or outside the target, before `until`."""
        target = RESPOND[self._ticket["priority"]]
        delay = target * (self._between(0.05, 0.85) if self._dice.random() < 0.93 else self._between(1.02, 1.6))
        self._to(min(self._ticket["created_at"] + delay, until))
        self._add(
            "email_out", texts.opener(self._dice), status="In Progress", minutes=5 if self._dice.random() < 0.4 else 0
        )

    def _work(self, until: float, chance: float = 0.55) -> None:
        if self._dice.random() < chance:
            self._to(self._between(self.at, until))
            self._add("note", texts.private_note(self._dice, self._kind), private=True, minutes=self._minutes())
        if self._dice.random() < chance * 0.45:
            self._to(self._between(self.at, until))
            if self._ticket["team"] == "Field" and self._dice.random() < 0.5:
                self._add(
                    "visit", texts.filled(self._dice, "On site: {room} checked, " + self._kind.findings[0]), minutes=60
                )
            else:
                self._add("phone", texts.call_note(self._dice, self._kind), private=True, minutes=10)

    def _ask_and_answer(self, until: float) -> None:
        self._to(self._between(self.at, until))
        self._add("email_out", texts.question(self._dice), status="Waiting on Client")
        self._to(self.at + self._between(0.3, 26) * HOUR)
        self._add("email_in", texts.client_reply(self._dice), status="In Progress", client=True)

    def _resolve(self) -> None:
        text = texts.resolution(self._dice, self._kind)
        self._add("status", text, status="Resolved", minutes=self._minutes())
        self._ticket["resolution"] = text
        self._ticket["resolved_at"] = self.at

    def _close(self) -> None:
        self._add("status", texts.closing(self._dice), private=True, status="Closed")
        self._ticket |= {"closed_at": self.at, "open": False}

    def write_new(self, slot: Slot) -> None:
        self._ticket["agent_id"] = None

    def write_progress(self, slot: Slot) -> None:
        latest = self._now - self._between(3, 20) * MINUTE
        self._pick_up(min(latest, self._ticket["created_at"] + RESPOND[self._ticket["priority"]] * 0.9))
        self._work(latest)
        if self._dice.random() < 0.25:
            self._to(self._between(self.at, latest))
            self._add("email_in", texts.client_reply(self._dice), client=True)

    write_at_risk = write_due_soon = write_breached = write_progress

    def write_waits(self, slot: Slot) -> None:
        ticket = self._ticket
        fix = ticket["created_at"] + FIX[ticket["priority"]]
        self._pick_up(ticket["created_at"] + RESPOND[ticket["priority"]] * 0.8)
        self._work(ticket["created_at"] + FIX[ticket["priority"]] * 0.5)
        self._to(self._between(self.at, min(fix, self._now)) * 0.5 + self.at * 0.5)
        status = WAITS[slot.group]
        if slot.group == "waiting":
            self._add("email_out", texts.question(self._dice), status=status)
        elif slot.group == "third_party":
            self._add("note", texts.vendor_note(self._dice), private=True, status=status, minutes=10)
        else:
            self._add(
                "note", "Planned for the next maintenance window, agreed with the contact.", private=True, status=status
            )

    def write_reopened(self, slot: Slot) -> None:
        created = self._ticket["created_at"]
        self._pick_up(created + 3 * HOUR)
        self._to(created + self._between(3.5, 9) * HOUR)
        self._resolve()
        self._ticket.pop("resolved_at")
        self._to(self._now - self._between(0.4, 5) * HOUR)
        self._add("email_in", texts.back_again(self._dice), status="In Progress", client=True)

    def write_resolved(self, slot: Slot) -> None:
        created = self._ticket["created_at"]
        self._pick_up(created + RESPOND[self._ticket["priority"]] * 0.8)
        self._work(created + FIX[self._ticket["priority"]] * 0.7)
        self._to(created + FIX[self._ticket["priority"]] * self._between(0.5, 0.95))
        self._resolve()

    def write_closed(self, slot: Slot) -> None:
        dice, created = self._dice, self._ticket["created_at"]
        is_kept = dice.random() < 0.87
        length = FIX[self._ticket["priority"]] * (self._between(0.15, 0.92) if is_kept else self._between(1.05, 2.8))
        end = min(created + length, self._now - 2 * HOUR)
        self._pick_up(
            min(end - 10 * MINUTE, created + RESPOND[self._ticket["priority"]]) if is_kept else end - 10 * MINUTE
        )
        self._work(end - 5 * MINUTE)
        before = self.at
        if dice.random() < 0.22:
            self._ask_and_answer(end - 5 * MINUTE)
        if dice.random() < 0.06:
            self._to(self.at + self._between(0.2, 1) * HOUR)
            self._add("note", texts.vendor_note(dice), private=True, status="Waiting on Third Party", minutes=10)
            self._to(self.at + self._between(4, 40) * HOUR)
            self._add("note", texts.vendor_back(dice), private=True, status="In Progress")
        self._to(max(end, self.at + (end - before) * 0.3))
        self._resolve()
        if dice.random() < 0.04 and self.at < self._now - 3 * DAY:
            self._to(self.at + self._between(3, 30) * HOUR)
            self._add("email_in", texts.back_again(dice), status="In Progress", client=True)
            self._to(self.at + self._between(0.3, 3) * HOUR)
            self._resolve()
        if dice.random() < 0.62:
            self._to(self.at + self._between(0.5, 5) * DAY)
            self._close()
        else:
            last = self.actions[-1]
            last["new_status"] = self._ticket["status"] = "Closed"
            self._ticket |= {"closed_at": self.at, "open": False}


def _formatted(body: str) -> str:
    """The same words with a list, a link and emphasis."""
    parts = [part.strip() for part in body.replace("? ", "?|").replace(". ", ".|").split("|") if part.strip()]
    items = "".join(f"<li>{html.escape(part)}</li>" for part in parts)
    return f'<p><b>Update</b></p><ul>{items}</ul><p>More: <a href="https://help.msp.test/guide">our guide</a></p>'
