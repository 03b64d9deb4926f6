"""Writes the actions of one ticket in order of time."""

from __future__ import annotations

import html
import random
from collections.abc import Callable

from connectors.sandbox.dataset import Record
from connectors.sandbox.generator import texts
from connectors.sandbox.generator.plan import RESPOND
from connectors.sandbox.generator.problems import Kind

HTML_SHARE = 0.12


class Pen:
    """The actions of one ticket; `at` is the instant of the last one."""

    def __init__(
        self, ticket: Record, kind: Kind, dice: random.Random, now: int, next_action: Callable[[], int]
    ) -> None:
        self.ticket, self.kind, self.dice, self.now = ticket, kind, dice, now
        self._next_action = next_action
        self.actions: list[Record] = []
        self.at = ticket["created_at"]

    def to(self, at: float) -> None:
        """Move on to an instant: after the last action, before now."""
        self.at = min(max(int(at), self.at + 20_000), max(self.now - 30_000, self.at + 1))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.dice.random()

    def add(
        self, kind: str, body: str, *, private: bool = False, status: str = "", minutes: float = 0, client: bool = False
    ) -> None:
        ticket = self.ticket
        action: Record = {
            "id": self._next_action(), "ticket_id": ticket["id"], "kind": kind, "created_at": self.at,
            "private": private,
            "body": body, "minutes": minutes, "billable": self.dice.random() > 0.1,
        }  # fmt: skip
        action["contact_id" if client else "agent_id"] = ticket["contact_id"] if client else ticket["agent_id"]
        if status:
            action["old_status"], action["new_status"] = ticket["status"], status
            ticket["status"] = status
        if not client and self.dice.random() < HTML_SHARE:
            action["html"] = _formatted(body)
        self.actions.append(action)

    def minutes(self) -> float:
        return float(5 * (1 + int(self.dice.random() ** 2 * 12)))

    def answer_at(self, rank: float) -> float:
        share = 0.05 + 0.85 * rank / 0.93 if rank < 0.93 else 1.02 + 8 * (rank - 0.93)
        return float(self.ticket["created_at"] + RESPOND[self.ticket["priority"]] * share)

    def pick_up(self, until: float, rank: float | None = None) -> None:
        """The first public answer before `until`. `rank` 0 to 1 says how slow it is among others; the slowest 7 % miss
        the target."""
        self.to(min(self.answer_at(self.dice.random() if rank is None else rank), until))
        minutes = 5 if self.dice.random() < 0.4 else 0
        self.add("email_out", texts.opener(self.dice), status="In Progress", minutes=minutes)

    def work(self, until: float, chance: float = 0.55) -> None:
        if self.dice.random() < chance:
            self.to(self.between(self.at, until))
            self.add("note", texts.private_note(self.dice, self.kind), private=True, minutes=self.minutes())
        if self.dice.random() < chance * 0.45:
            self.to(self.between(self.at, until))
            if self.ticket["team"] == "Field" and self.dice.random() < 0.5:
                self.add(
                    "visit", texts.filled(self.dice, "On site: {room} checked, " + self.kind.findings[0]), minutes=60
                )
            else:
                self.add("phone", texts.call_note(self.dice, self.kind), private=True, minutes=10)

    def resolve(self) -> None:
        text = texts.resolution(self.dice, self.kind)
        self.add("status", text, status="Resolved", minutes=self.minutes())
        self.ticket["resolution"] = text
        self.ticket["resolved_at"] = self.at

    def close(self, text: str) -> None:
        self.add("status", text, private=True, status="Closed")
        self.ticket |= {"closed_at": self.at, "open": False}


def _formatted(body: str) -> str:
    """The same words with a list, a link and emphasis."""
    parts = [part.strip() for part in body.replace("? ", "?|").replace(". ", ".|").split("|") if part.strip()]
    items = "".join(f"<li>{html.escape(part)}</li>" for part in parts)
    return f'<p><b>Update</b></p><ul>{items}</ul><p>More: <a href="https://help.msp.test/guide">our guide</a></p>'
