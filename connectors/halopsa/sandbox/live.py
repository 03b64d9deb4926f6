"""Clients and agents of the imitated tenant who act by themselves, through the same doors as real ones."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from typing import Any

from connectors.halopsa.sandbox import seeds
from connectors.halopsa.sandbox.behind import Behind
from connectors.halopsa.sandbox.tenant import Row, Tenant, config
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
QUERY = """
SELECT t.id, t.status_id, t.agent_id, t.priority_id, t.dateoccurred, t.last_update, touched.at AS touched_at
FROM halo_tickets t LEFT JOIN halo_touched touched ON touched.ticket_id = t.id
WHERE t.deleted = 0 AND t.is_closed = 0 ORDER BY t.dateoccurred DESC, t.id DESC LIMIT ?
"""


class LiveDesk(live_desk.LiveDesk):
    psa = "halopsa"

    def __init__(self, tenant: Tenant, behind: Behind) -> None:
        super().__init__(tenant.store, tenant.clock)
        self._tenant, self._behind = tenant, behind

    def queue(self, conn: sqlite3.Connection) -> list[tuple[day.Item, int | None]]:
        """Every ticket that is not closed, and when the API's client last changed it."""
        holding = {doc["id"] for doc in config(conn, "status") if doc.get("slaaction") == "H"}
        found = []
        for row in conn.execute(QUERY, (MOST_TICKETS,)):
            item = day.Item(
                row["id"], _group(row["status_id"], holding), row["agent_id"] > seeds.UNASSIGNED, row["priority_id"],
                row["dateoccurred"], row["last_update"],
            )  # fmt: skip
            found.append((item, row["touched_at"]))
        return found

    def do(self, conn: sqlite3.Connection, dice: random.Random, step: day.Step) -> str:
        if step.item is None:
            return self._new(conn, dice)
        row = dict(conn.execute("SELECT * FROM halo_tickets WHERE id = ?", (step.item.number,)).fetchone())
        kind = BY_CATEGORY.get(row["category_1"]) or texts.pick_kind(dice)
        if step.verb in BY_CLIENT:
            text = said_by_client(dice, step.verb)
            if not row["user_id"]:
                return f"{step.verb} {row['id']}: there is no contact"
            self._behind.add_action(row["id"], {"note": text, "user_id": row["user_id"]})
            return f"{step.verb} {row['id']}"
        agents = self._agents(conn, row["team_id"])
        if not agents:
            return "there is nobody to work"
        agent = row["agent_id"] if row["agent_id"] in agents else dice.choice(agents)
        BY_AGENT[step.verb](self._behind, dice, row, agent, kind, agents)
        return f"{step.verb} {row['id']}"

    def _agents(self, conn: sqlite3.Connection, team_id: int) -> list[int]:
        """The people of the team, else everybody."""
        query = "SELECT id, email, team FROM halo_agents WHERE id > ? AND isdisabled = 0 ORDER BY id"
        rows = [row for row in conn.execute(query, (seeds.API_AGENT,)) if not row["email"].endswith(PLAYED_BY_GUESTS)]
        team = next((doc["name"] for doc in config(conn, "team") if doc["id"] == team_id), None)
        return [row["id"] for row in rows if row["team"] == team] or [row["id"] for row in rows]

    def _new(self, conn: sqlite3.Connection, dice: random.Random) -> str:
        users = [row["id"] for row in conn.execute("SELECT id FROM halo_users WHERE inactive = 0 ORDER BY id")]
        if not users:
            return "there is nobody to write"
        problem = texts.problem(dice)
        types = {doc["name"]: doc["id"] for doc in config(conn, "tickettype")}
        values: dict[str, Any] = {
            "summary": problem.summary, "details": problem.details, "user_id": dice.choice(users),
            "category_1": problem.category, "priority_id": problem.priority, "source": dice.randrange(3),
        }  # fmt: skip
        if problem.kind.type in types:
            values["tickettype_id"] = types[problem.kind.type]
        if problem.kind.team in {doc["name"] for doc in config(conn, "team")}:
            values["team"] = problem.kind.team
        return f"new ticket {self._behind.create(values)}"


def _group(status_id: int, holding: set[int]) -> str:
    if status_id == seeds.RESOLVED:
        return day.RESOLVED
    if status_id == seeds.WAITING_CLIENT:
        return day.CLIENT
    if status_id in holding:
        return day.OTHERS
    return day.FRESH if status_id == seeds.NEW else day.GOING


Verb = Callable[[Behind, random.Random, Row, int, Kind, list[int]], object]


def _action(note: Callable[[random.Random, Kind], str], **values: Any) -> Verb:
    """An action of the agent; `timed` adds time."""
    is_timed = values.pop("timed", False)

    def do(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
        more = {"timetaken": quarters(dice)} if is_timed else {}
        behind.add_action(row["id"], {"note": note(dice, kind), "agent_id": agent, **values, **more})

    return do


def _finish(outcome: int, sooner: str) -> Verb:
    """Ends what has been quiet; the text says for how long, where that is a day or more."""

    def do(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
        days = (behind.now() - row["last_update"]) / DAY_MS
        note = texts.closed_after(dice, round(days)) if days >= 1 else sooner
        values = {"note": note, "agent_id": agent, "outcome_id": outcome, "private": outcome == seeds.CLOSE}
        behind.add_action(row["id"], values)

    return do


def _take(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
    behind.edit(row["id"], {"agent_id": agent})
    answer = {"note": texts.opener(dice), "private": False, "agent_id": agent, "new_status": seeds.IN_PROGRESS}
    behind.add_action(row["id"], answer)


def _assign(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
    if row["agent_id"] > seeds.UNASSIGNED:
        _take(behind, dice, row, agent, kind, agents)
    else:
        behind.edit(row["id"], {"agent_id": agent})


def _hand_on(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
    others = [number for number in agents if number != agent]
    behind.add_action(row["id"], {"note": texts.hand_over(dice, kind), "agent_id": agent, "private": True})
    if others:
        behind.edit(row["id"], {"agent_id": dice.choice(others)})


def _set_priority(behind: Behind, dice: random.Random, row: Row, agent: int, kind: Kind, agents: list[int]) -> None:
    higher = dice.random() < 0.6
    number = min(4, max(2, row["priority_id"] + (-1 if higher else 1)))
    if number != row["priority_id"]:
        behind.edit(row["id"], {"priority_id": number})
        word = "Raised: more people are affected than it seemed." if higher else "Lowered: there is a workaround."
        behind.add_action(row["id"], {"note": word, "agent_id": agent, "private": True})


BY_AGENT: dict[str, Verb] = {
    "take": _take, "assign": _assign, "triage": _set_priority, "hand_on": _hand_on, "set_priority": _set_priority,
    "note": _action(texts.private_note, private=True, timed=True),
    "log_time": _action(lambda dice, kind: "", outcome_id=seeds.LOG_TIME, private=True, timed=True),
    "call": _action(texts.call_note, outcome_id=seeds.PHONE, private=True, timed=True),
    "visit": _action(lambda dice, kind: texts.filled(dice, "On site: {room} checked, " + kind.findings[0]),
                     outcome_id=seeds.VISIT, private=False, timed=True),
    "ask": _action(lambda dice, kind: texts.question(dice), private=False, new_status=seeds.WAITING_CLIENT),
    "remind": _action(lambda dice, kind: texts.reminder(dice), private=False, new_status=seeds.WAITING_CLIENT),
    "vendor": _action(lambda dice, kind: texts.vendor_note(dice), private=True, new_status=seeds.WAITING_THIRD),
    "park": _action(lambda dice, kind: texts.common_cause(dice), private=True, new_status=seeds.PENDING),
    "go_on": _action(lambda dice, kind: texts.vendor_back(dice), private=True, new_status=seeds.IN_PROGRESS),
    "resolve": _action(lambda dice, kind: texts.resolution(dice, kind), outcome_id=seeds.RESOLVE, private=False,
                       timed=True),
    "give_up": _finish(seeds.RESOLVE, "Done as agreed by phone."),
    "close": _finish(seeds.CLOSE, "Confirmed by phone, closed."),
}  # fmt: skip
