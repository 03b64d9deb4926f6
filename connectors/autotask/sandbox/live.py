"""Clients and technicians of the imitated tenant who act by themselves, through the same doors as real ones."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from typing import Any

from connectors.autotask.sandbox import seeds
from connectors.autotask.sandbox.behind import Behind
from connectors.autotask.sandbox.fields import Row
from connectors.autotask.sandbox.profiles import COMPLETE, NEW, Profile
from connectors.autotask.sandbox.tenant import Tenant
from connectors.sandbox import day, live_desk
from connectors.sandbox.generator import texts
from connectors.sandbox.generator.problems import Kind
from connectors.sandbox.live_desk import (
    BY_CATEGORY,
    BY_CLIENT,
    MOST_TICKETS,
    PLAYED_BY_GUESTS,
    quarters,
    said_by_client,
)

RECENT_MS = 2 * 86_400_000
QUERY = """
SELECT t.id, t.status, t.assignedResourceID, t.priority, t.createDate, t.lastActivityDate, touched.at AS touchedAt
FROM at_tickets t LEFT JOIN at_touched touched ON touched.ticketID = t.id
WHERE t.status <> 5 OR (t.completedDate > ? AND t.lastActivityDate <= t.completedDate + 1000)
ORDER BY t.createDate DESC, t.id DESC LIMIT ?
"""


class LiveDesk(live_desk.LiveDesk):
    psa = "autotask"

    def __init__(self, tenant: Tenant, behind: Behind) -> None:
        super().__init__(tenant.store, tenant.clock)
        self._tenant, self._behind, self._profile = tenant, behind, tenant.profile

    def queue(self, conn: sqlite3.Connection) -> list[tuple[day.Item, int | None]]:
        """Every ticket that is open, or was completed lately and not spoken of since."""
        found = []
        for row in conn.execute(QUERY, (self._tenant.now() - RECENT_MS, MOST_TICKETS)):
            item = day.Item(
                row["id"], self._group(row["status"]), row["assignedResourceID"] is not None,
                self._profile.rank(row["priority"]), row["createDate"], row["lastActivityDate"],
            )  # fmt: skip
            found.append((item, row["touchedAt"]))
        return found

    def _group(self, status: int) -> str:
        if status == COMPLETE:
            return day.RESOLVED
        if status == self._profile.waiting_client:
            return day.CLIENT
        if status in self._profile.paused:
            return day.OTHERS
        return day.FRESH if status == NEW else day.GOING

    def do(self, conn: sqlite3.Connection, dice: random.Random, step: day.Step) -> str:
        if step.item is None:
            return self._new(conn, dice)
        row = dict(conn.execute("SELECT * FROM at_tickets WHERE id = ?", (step.item.number,)).fetchone())
        kind = self._kind(row) or texts.pick_kind(dice)
        if step.verb in BY_CLIENT:
            if not row["contactID"]:
                return f"{step.verb} {row['id']}: there is no contact"
            text = said_by_client(dice, step.verb)
            self._behind.add_action(row["id"], {"note": text, "user_id": row["contactID"]})
            return f"{step.verb} {row['id']}"
        people = self._people(conn, row["queueID"])
        if not people:
            return "there is nobody to work"
        person = row["assignedResourceID"] if row["assignedResourceID"] in people else dice.choice(people)
        BY_PERSON[step.verb](_Hand(self._behind, self._profile, dice, row, person, kind, people))
        return f"{step.verb} {row['id']}"

    def _kind(self, row: Row) -> Kind | None:
        lists = self._tenant.picklists()
        words = []
        for name in ("issueType", "subIssueType"):
            words += [one["label"] for one in lists[f"Ticket.{name}"] if one["value"] == str(row[name])]
        return BY_CATEGORY.get(">".join(words))

    def _people(self, conn: sqlite3.Connection, queue: int | None) -> list[int]:
        """The people of the queue, else everybody."""
        query = "SELECT id, email FROM at_resources WHERE id > ? AND isActive ORDER BY id"
        rows = conn.execute(query, (seeds.FIRST_IDS["at_resources"],)).fetchall()
        found = [row["id"] for row in rows if not (row["email"] or "").endswith(PLAYED_BY_GUESTS)]
        members = {row[0] for row in conn.execute("SELECT resourceID FROM at_role_queues WHERE queueID = ?", (queue,))}
        return [number for number in found if number in members] or found

    def _new(self, conn: sqlite3.Connection, dice: random.Random) -> str:
        contacts = [row["id"] for row in conn.execute("SELECT id FROM at_contacts WHERE isActive ORDER BY id")]
        if not contacts:
            return "there is nobody to write"
        problem = texts.problem(dice)
        lists = self._tenant.picklists()
        values: dict[str, Any] = {
            "title": problem.summary, "description": problem.details, "contactID": dice.choice(contacts),
            "priority": self._profile.priority(problem.priority), "source": dice.choice((4, 2, -1)),
        }  # fmt: skip
        values |= _picked(lists, "queueID", problem.kind.team)
        issue, _, part = problem.category.partition(">")
        values |= (found := _picked(lists, "issueType", issue))
        if found:
            values |= _picked(lists, "subIssueType", part, str(found["issueType"]))
        return f"new ticket {self._behind.create(values)}"


def _picked(lists: dict[str, list[Row]], field: str, label: str, parent: str = "") -> Row:
    rows = lists[f"Ticket.{field}"]
    found = [int(row["value"]) for row in rows if row["label"] == label and row["parentValue"] == parent]
    return {field: found[0]} if found else {}


class _Hand:
    """One resource at work on one ticket."""

    def __init__(
        self,
        behind: Behind,
        profile: Profile,
        dice: random.Random,
        row: Row,
        person: int,
        kind: Kind,
        people: list[int],
    ) -> None:
        self.behind, self.profile, self.dice, self.row = behind, profile, dice, row
        self.person, self.kind, self.people = person, kind, people

    def act(self, note: str, *, timed: bool = False, **values: Any) -> None:
        more = {"timetaken": quarters(self.dice)} if timed else {}
        self.behind.add_action(self.row["id"], {"note": note, "agent_id": self.person, **values, **more})

    def edit(self, **values: Any) -> None:
        self.behind.edit(self.row["id"], values)

    def take(self) -> None:
        self.edit(assignedResourceID=self.person)
        self.act(texts.opener(self.dice), private=False, new_status=self.profile.in_progress)

    def assign(self) -> None:
        if self.row["assignedResourceID"] is None:
            self.edit(assignedResourceID=self.person)
        else:
            self.take()

    def hand_on(self) -> None:
        others = [number for number in self.people if number != self.person]
        self.act(texts.hand_over(self.dice, self.kind), private=True)
        if others:
            self.edit(assignedResourceID=self.dice.choice(others))

    def set_priority(self) -> None:
        higher = self.dice.random() < 0.6
        old = self.profile.rank(self.row["priority"])
        rank = min(4, max(2, old + (-1 if higher else 1)))
        if rank != old:
            self.edit(priority=self.profile.priority(rank))
            word = "Raised: more people are affected than it seemed." if higher else "Lowered: there is a workaround."
            self.act(word, private=True)

    def wait(self, text: str, status: int, *, private: bool) -> None:
        self.act(text, private=private, new_status=status)

    def finish(self, text: str, *, timed: bool = True) -> None:
        self.act(text, private=False, timed=timed)
        self.edit(status=COMPLETE, resolution=text)


BY_PERSON: dict[str, Callable[[_Hand], object]] = {
    "take": _Hand.take, "assign": _Hand.assign, "triage": _Hand.set_priority, "hand_on": _Hand.hand_on,
    "set_priority": _Hand.set_priority,
    "note": lambda hand: hand.act(texts.private_note(hand.dice, hand.kind), private=True),
    "log_time": lambda hand: hand.act(texts.private_note(hand.dice, hand.kind), private=True, timed=True),
    "call": lambda hand: hand.act(texts.call_note(hand.dice, hand.kind), private=True, timed=True),
    "visit": lambda hand: hand.act(
        texts.filled(hand.dice, "On site: {room} checked, " + hand.kind.findings[0]), private=False, timed=True),
    "ask": lambda hand: hand.wait(texts.question(hand.dice), hand.profile.waiting_client, private=False),
    "remind": lambda hand: hand.act(texts.reminder(hand.dice), private=False),
    "vendor": lambda hand: hand.wait(texts.vendor_note(hand.dice), hand.profile.waiting_other, private=True),
    "park": lambda hand: hand.wait(texts.common_cause(hand.dice), hand.profile.on_hold, private=True),
    "go_on": lambda hand: hand.wait(texts.vendor_back(hand.dice), hand.profile.in_progress, private=True),
    "resolve": lambda hand: hand.finish(texts.resolution(hand.dice, hand.kind)),
    "give_up": lambda hand: hand.finish("Done as agreed by phone.", timed=False),
    "close": lambda hand: hand.act("Confirmed by phone.", private=True),
}  # fmt: skip
