"""Which tickets there are and what is said on them: two years of the sandbox's stories, with words to search for."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate

from connectors.sandbox.dataset import Record, Story
from connectors.sandbox.generator import texts
from connectors.sandbox.generator.plan import (
    AT_RISK_MINUTES,
    DAY,
    DAY_WEIGHTS,
    FIX,
    HOUR,
    HOUR_WEIGHTS,
    MINUTE,
    Slot,
)
from connectors.sandbox.generator.problems import KINDS
from connectors.sandbox.generator.stories import Writer

Workers = dict[str, list[int]]
DAYS_BACK = 730
OPEN_SHARE = 0.065
GROUPS = {
    "new": 8, "at_risk": 2, "due_soon": 4, "progress": 6, "breached": 32, "waiting": 24, "on_hold": 6,
    "third_party": 12, "pending": 4, "reopened": 2,
}  # fmt: skip
"""The open ones, in hundredths: a backlog, of which what is not late yet came today."""
ACTIONS_EACH = 5
LONG = 50
"""Actions of the one long ticket."""
RARE, COMMON = "zirconium", "quarterly"
RARE_EVERY, COMMON_EVERY = 1000, 5
"""Words of one ticket in a thousand and of one in five, in turn in subject, text and note."""


def stories(seed: str, count: int, now_ms: int, contacts: list[Record], workers: Workers) -> Iterator[Story]:
    """Exactly `count` tickets in order of creation, with ACTIONS_EACH actions on average, to the action.

    They are told twice: how much they say by themselves decides how much more each has to say.
    """
    slots = _slots(random.Random(f"{seed}-slots"), count, now_ms)

    def told() -> Iterator[Story]:
        writer = Writer(random.Random(f"{seed}-stories"), now_ms, contacts, contacts, workers)
        return (writer.story(number, slot) for number, slot in enumerate(slots, start=1))

    said = [len(story.actions) for story in told()]
    longest = max(number for number, slot in enumerate(slots, start=1) if slot.group == "progress")
    missing = ACTIONS_EACH * count - sum(said) - (LONG - said[longest - 1])
    if missing < 0:
        raise ValueError(f"{count} tickets say {-missing} actions more than {ACTIONS_EACH} each")
    dice = random.Random(f"{seed}-more")
    others = 0
    for number, story in enumerate(told(), start=1):
        if number == longest:
            more = LONG - len(story.actions)
        else:
            more = missing * (others + 1) // (count - 1) - missing * others // (count - 1)
            others += 1
        _say_more(dice, story, more, now_ms)
        _place_words(story, number)
        yield story


def _slots(dice: random.Random, count: int, now_ms: int) -> list[Slot]:
    found = []
    for group, share in GROUPS.items():
        size = max(1, round(count * OPEN_SHARE * share / 100))
        found += [_open(dice, group, ordinal, now_ms) for ordinal in range(size)]
    start = now_ms - DAYS_BACK * DAY
    days = list(accumulate(DAY_WEIGHTS[(start // DAY + 3 + day) % 7] for day in range(DAYS_BACK - 1)))
    hours = list(accumulate(HOUR_WEIGHTS))
    for ordinal in range(count - len(found)):
        day, hour = bisect(days, dice.random() * days[-1]), bisect(hours, dice.random() * hours[-1])
        at = start - start % DAY + day * DAY + hour * HOUR + int(dice.random() * HOUR)
        found.append(Slot(max(at, start), "closed", ordinal))
    return sorted(found, key=lambda slot: (slot.created_at, slot.group, slot.ordinal))


def _open(dice: random.Random, group: str, ordinal: int, now: int) -> Slot:
    priority = (3, 4, 3, 2, 4, 3)[ordinal % 6]
    if group == "new":
        return Slot(now - int((0.1 + dice.random() ** 3 * 10 * 24) * HOUR), group, ordinal, priority)
    if group == "breached":
        return Slot(now - FIX[priority] - int((0.2 + dice.random() ** 2 * 40 * 24) * HOUR), group, ordinal, priority)
    if group in ("at_risk", "due_soon", "progress"):
        left = {
            "at_risk": AT_RISK_MINUTES[ordinal % 6] * MINUTE,
            "due_soon": 70 * MINUTE + int(dice.random() * 4 * HOUR),
            "progress": int((0.25 + dice.random() * 0.7) * FIX[4]),
        }[group]
        priority = 4 if group == "progress" else (3, 4)[ordinal % 2]
        return Slot(now + left - FIX[priority], group, ordinal, priority)
    return Slot(now - int((0.6 + dice.random() ** 2 * 120) * DAY), group, ordinal, priority)


def _say_more(dice: random.Random, story: Story, count: int, now: int) -> None:
    """So many more notes, replies and answers between the opening and the last word."""
    ticket, kind = story.ticket, KINDS[story.ticket["id"] % len(KINDS)]
    last = max(ticket["last_action_at"], min(ticket["created_at"] + 30 * MINUTE, now))
    for _ in range(count):
        at = ticket["created_at"] + int((last - ticket["created_at"]) * (0.05 + 0.9 * dice.random()))
        which = dice.random()
        action: Record = {"created_at": at, "minutes": 0, "billable": True, "private": which < 0.6}
        if which < 0.6:
            action |= {"kind": "note", "body": texts.private_note(dice, kind), "agent_id": ticket["agent_id"] or 1}
            action["minutes"] = 5 if which < 0.2 else 0
        elif which < 0.85:
            action |= {"kind": "email_out", "body": texts.question(dice), "agent_id": ticket["agent_id"] or 1}
        else:
            action |= {"kind": "email_in", "body": texts.client_reply(dice), "contact_id": ticket["contact_id"]}
        story.actions.append(action)
        ticket["last_action_at"] = max(ticket["last_action_at"], at)
    story.actions.sort(key=lambda action: action["created_at"])


def _place_words(story: Story, number: int) -> None:
    for word, every in ((RARE, RARE_EVERY), (COMMON, COMMON_EVERY)):
        if number % every:
            continue
        place = number // every % 3
        if place == 0:
            story.ticket["summary"] += f" ({word})"
        elif place == 2 and story.actions:
            action = story.actions[-1]
            action["body"] += f" See the {word} review."
            if "html" in action:
                action["html"] += f"<p>See the {word} review.</p>"
        else:
            story.ticket["details"] += f" Needed for the {word} figures."
