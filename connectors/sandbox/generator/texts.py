"""Fills the texts' slots. Every function takes the dice, so that a seed gives the same words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from connectors.sandbox.generator import problems
from connectors.sandbox.generator.problems import KINDS, Kind

PEOPLE = (
    "Amelia",
    "Ben",
    "Carla",
    "Dominic",
    "Elena",
    "Femi",
    "Greta",
    "Hugo",
    "Isla",
    "Jonas",
    "Katya",
    "Liam",
    "Mirela",
    "Noah",
)
ROOMS = (
    "reception",
    "accounts",
    "the meeting room",
    "the warehouse",
    "room 204",
    "the workshop",
    "the second floor",
    "dispatch",
    "the lab",
)
APPS = ("LedgerPro", "ShiftPlan", "CaseWorks", "DentaFlow", "StockRoom", "BidTrack", "PayDesk", "SiteLog", "the CRM")
HOSTS = ("SRV-FILE01", "SRV-APP02", "SRV-SQL01", "HV-NODE2", "DC01", "NAS-02", "FW-MAIN", "SRV-PRINT")
JOBS = (
    "payroll",
    "the month end",
    "the tender",
    "invoicing",
    "the audit",
    "stocktaking",
    "the newsletter",
    "the board meeting",
)
COMPANIES = ("Hartwell & Sons", "Bluegate Supplies", "Norvik Freight", "Casa Verde", "Otley Paper")
WHEN = (
    "this morning",
    "yesterday",
    "Monday",
    "about an hour ago",
    "last night",
    "the update",
    "Thursday afternoon",
    "half past eight",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
TIMES = ("10:30", "11:15", "noon", "14:00", "15:45", "the end of the day")
AGENTS = ("Priya", "Tomás", "Ingrid", "Kwame", "Yusuf", "Lena")
SLOT = re.compile(r"\{(\w+)\}")

Dice = random.Random


@dataclass(frozen=True)
class Problem:
    """A ticket's opening."""

    summary: str
    details: str
    category: str
    priority: int
    kind: Kind


def pick(dice: Dice, items: tuple[str, ...]) -> str:
    return items[int(dice.random() * len(items))]


VALUES: dict[str, Callable[[Dice], str]] = {
    "person": lambda dice: pick(dice, PEOPLE), "room": lambda dice: pick(dice, ROOMS), "app": lambda dice: pick(dice,
    APPS),
    "host": lambda dice: pick(dice, HOSTS), "job": lambda dice: pick(dice, JOBS), "company": lambda dice: pick(dice,
    COMPANIES),
    "when": lambda dice: pick(dice, WHEN), "day": lambda dice: pick(dice, DAYS), "time": lambda dice: pick(dice, TIMES),
    "agent": lambda dice: pick(dice, AGENTS), "count": lambda dice: str(2 + int(dice.random() * 11)),
    "big": lambda dice: str(1_000 + int(dice.random() * 88_000)),
}  # fmt: skip


def filled(dice: Dice, template: str) -> str:
    if "{" not in template:
        return template
    text = SLOT.sub(lambda match: VALUES[match.group(1)](dice), template)
    return text[:1].upper() + text[1:]


def problem(dice: Dice, kind: Kind | None = None, priority: int | None = None) -> Problem:
    kind = kind or pick_kind(dice)
    priority = priority or kind.priorities[int(dice.random() * len(kind.priorities))]
    at = int(dice.random() * len(kind.summaries))
    details = kind.details[min(at, len(kind.details) - 1)]
    return Problem(filled(dice, kind.summaries[at]), filled(dice, details), kind.category, priority, kind)


def pick_kind(dice: Dice) -> Kind:
    return KINDS[int(dice.random() * len(KINDS))]


def opener(dice: Dice) -> str:
    return filled(dice, pick(dice, problems.OPENERS))


def question(dice: Dice) -> str:
    return filled(dice, pick(dice, problems.ASKS))


def reminder(dice: Dice) -> str:
    return filled(dice, pick(dice, problems.REMINDERS))


def client_reply(dice: Dice) -> str:
    return filled(dice, pick(dice, problems.ANSWERS))


def back_again(dice: Dice) -> str:
    return filled(dice, pick(dice, problems.BACK))


def private_note(dice: Dice, kind: Kind) -> str:
    return filled(dice, pick(dice, problems.PRIVATE).replace("{finding}", pick(dice, kind.findings)))


def call_note(dice: Dice, kind: Kind) -> str:
    return filled(dice, pick(dice, problems.CALLS).replace("{finding}", pick(dice, kind.findings)))


def vendor_note(dice: Dice) -> str:
    return filled(dice, pick(dice, problems.VENDOR))


def vendor_back(dice: Dice) -> str:
    return pick(dice, problems.VENDOR_BACK)


def resolution(dice: Dice, kind: Kind | None = None) -> str:
    kind = kind or pick_kind(dice)
    return filled(dice, pick(dice, kind.fixes))


def closed_after(dice: Dice, days: int) -> str:
    return pick(dice, problems.CLOSING).replace("{days}", "a day" if days < 2 else f"{days} days")


def hand_over(dice: Dice, kind: Kind) -> str:
    return filled(dice, pick(dice, problems.HAND_OVERS).replace("{finding}", pick(dice, kind.findings)))


def common_cause(dice: Dice) -> str:
    return filled(dice, pick(dice, problems.COMMON_CAUSES))
