"""Clients and technicians of the imitated account who act by themselves, through the same doors as real ones."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from typing import Any

from connectors.atera.sandbox import seeds
from connectors.atera.sandbox.behind import Behind
from connectors.atera.sandbox.tenant import Row, Tenant
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

DAY_MS = 86_400_000
TYPES = {"Incident": "Incident", "Service Request": "Request", "Problem": "Problem", "Change": "Change"}
QUERY = """
SELECT id, status, tech_id, priority, created, modified, first_answer, touched_at FROM atera_tickets
WHERE deleted = 0 AND status <> 'Closed' ORDER BY id DESC LIMIT ?
"""


class LiveDesk(live_desk.LiveDesk):
    psa = "atera"

    def __init__(self, tenant: Tenant, behind: Behind) -> None:
        super().__init__(tenant.store, tenant.clock)
        self._tenant, self._behind = tenant, behind

    def queue(self, conn: sqlite3.Connection) -> list[tuple[day.Item, int | None]]:
        """Every ticket that is not closed, and when the API's client last changed it."""
        found = []
        for row in conn.execute(QUERY, (MOST_TICKETS,)):
            rank = len(seeds.PRIORITIES) - seeds.PRIORITIES.index(row["priority"])
            item = day.Item(row["id"], _group(row), bool(row["tech_id"]), rank, row["created"], row["modified"])
            found.append((item, row["touched_at"]))
        return found

    def do(self, conn: sqlite3.Connection, dice: random.Random, step: day.Step) -> str:
        if step.item is None:
            return self._new(conn, dice)
        number = step.item.number
        row = dict(conn.execute("SELECT * FROM atera_tickets WHERE id = ?", (number,)).fetchone())
        kind = self._kind(conn, dice, number)
        if step.verb in BY_CLIENT:
            if not row["user_id"]:
                return f"{step.verb} {number}: there is no contact"
            text = said_by_client(dice, step.verb)
            self._behind.add_action(number, {"note": text, "user_id": row["user_id"]})
            return f"{step.verb} {number}"
        agents = self._agents(conn)
        if not agents:
            return "there is nobody to work"
        agent = row["tech_id"] if row["tech_id"] in agents else dice.choice(agents)
        BY_AGENT[step.verb](self._behind, dice, row, agent, kind, agents)
        return f"{step.verb} {number}"

    @staticmethod
    def _kind(conn: sqlite3.Connection, dice: random.Random, number: int) -> Kind:
        query = "SELECT value FROM atera_values WHERE target = 'Ticket' AND item_id = ? AND name = ?"
        row = conn.execute(query, (number, seeds.CATEGORY_FIELD)).fetchone()
        return BY_CATEGORY.get(row["value"] if row else "") or texts.pick_kind(dice)

    @staticmethod
    def _agents(conn: sqlite3.Connection) -> list[int]:
        query = "SELECT id FROM atera_technicians WHERE email NOT LIKE ? AND id > ? ORDER BY id"
        return [row["id"] for row in conn.execute(query, (f"%{PLAYED_BY_GUESTS}", seeds.OWNER))]

    def _new(self, conn: sqlite3.Connection, dice: random.Random) -> str:
        users = [row["id"] for row in conn.execute("SELECT id FROM atera_contacts ORDER BY id")]
        if not users:
            return "there is nobody to write"
        problem = texts.problem(dice)
        number = self._behind.create({
            "TicketTitle": problem.summary, "Description": problem.details, "EndUserID": dice.choice(users),
            "TicketPriority": seeds.PRIORITIES[-problem.priority], "TicketType": TYPES[problem.kind.type],
            "TicketSource": dice.choice(("Email", "Portal", "Agent")),
        })  # fmt: skip
        conn.execute("INSERT OR REPLACE INTO atera_values VALUES ('Ticket', ?, ?, ?)",
                     (number, seeds.CATEGORY_FIELD, problem.category))  # fmt: skip
        return f"new ticket {number}"


def _group(row: sqlite3.Row) -> str:
    if row["status"] == seeds.RESOLVED:
        return day.RESOLVED
    if row["status"] in seeds.FOR_CUSTOMER:
        return day.CLIENT
    if row["status"] != seeds.OPEN:
        return day.OTHERS
    return day.GOING if row["first_answer"] else day.FRESH


Verb = Callable[[Behind, random.Random, Row, int, Kind, list[int]], object]


def _action(note: Callable[[random.Random, Kind], str], **values: Any) -> Verb:
    """An action of the technician; `timed` adds time."""
    is_timed = values.pop("timed", False)

    def do(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
        more = {"timetaken": quarters(dice)} if is_timed else {}
        behind.add_action(row["id"], {"note": note(dice, kind), "agent_id": agent, **values, **more})

    return do


def _finish(status: str, sooner: str) -> Verb:
    """Ends what has been quiet; the text says for how long, where that is a day or more."""

    def do(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
        days = (behind.now() - row["modified"]) / DAY_MS
        note = texts.closed_after(dice, round(days)) if days >= 1 else sooner
        values = {"note": note, "agent_id": agent, "new_status": status, "private": status == seeds.CLOSED}
        behind.add_action(row["id"], values)

    return do


def _take(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
    behind.edit(row["id"], {"TechnicianContactID": agent})
    behind.add_action(row["id"], {"note": texts.opener(dice), "private": False, "agent_id": agent})


def _assign(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
    if row["tech_id"]:
        _take(behind, dice, row, agent, kind, agents)
    else:
        behind.edit(row["id"], {"TechnicianContactID": agent})


def _hand_on(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
    others = [number for number in agents if number != agent]
    behind.add_action(row["id"], {"note": texts.hand_over(dice, kind), "agent_id": agent, "private": True})
    if others:
        behind.edit(row["id"], {"TechnicianContactID": dice.choice(others)})


def _set_priority(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
    higher = dice.random() < 0.6
    place = min(2, max(0, seeds.PRIORITIES.index(row["priority"]) + (1 if higher else -1)))
    if seeds.PRIORITIES[place] != row["priority"]:
        behind.edit(row["id"], {"TicketPriority": seeds.PRIORITIES[place]})
        word = "Raised: more people are affected than it seemed." if higher else "Lowered: there is a workaround."
        behind.add_action(row["id"], {"note": word, "agent_id": agent, "private": True})


BY_AGENT: dict[str, Verb] = {
    "take": _take, "assign": _assign, "triage": _set_priority, "hand_on": _hand_on, "set_priority": _set_priority,
    "note": _action(texts.private_note, private=True, timed=True),
    "log_time": _action(lambda dice, kind: "", private=True, timed=True),
    "call": _action(texts.call_note, private=True, timed=True),
    "visit": _action(lambda dice, kind: texts.filled(dice, "On site: {room} checked, " + kind.findings[0]),
                     private=False, timed=True, on_site=True),
    "ask": _action(lambda dice, kind: texts.question(dice), private=False, new_status=seeds.PENDING),
    "remind": _action(lambda dice, kind: texts.reminder(dice), private=False, new_status=seeds.PENDING),
    "vendor": _action(lambda dice, kind: texts.vendor_note(dice), private=True, new_status=seeds.WAITING_THIRD),
    "park": _action(lambda dice, kind: texts.common_cause(dice), private=True, new_status=seeds.ON_HOLD),
    "go_on": _action(lambda dice, kind: texts.vendor_back(dice), private=True, new_status=seeds.OPEN),
    "resolve": _action(texts.resolution, private=False, new_status=seeds.RESOLVED, timed=True),
    "give_up": _finish(seeds.RESOLVED, "Done as agreed by phone."),
    "close": _finish(seeds.CLOSED, "Confirmed by phone, closed."),
}  # fmt: skip
