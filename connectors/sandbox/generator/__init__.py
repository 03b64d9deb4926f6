"""The demo's data: invented companies, people and tickets, the same for the same seed, with dates that lead up to
now."""

from __future__ import annotations

import random
from collections.abc import Iterator

from connectors.sandbox.dataset import Dataset, Story
from connectors.sandbox.generator import people
from connectors.sandbox.generator.plan import slots
from connectors.sandbox.generator.stories import Writer

CLIENTS_OF_DEMO = 40


def generated(*, tickets: int, seed: int, now_ms: int) -> Dataset:
    """A data set of exactly that many tickets as they stand at `now_ms` (milliseconds since 1970 UTC)."""
    dice = random.Random(seed)
    owners = people.clients(dice, max(CLIENTS_OF_DEMO, min(400, tickets // 250)))
    places = people.sites(dice, owners)
    contacts = people.contacts(dice, owners, places)
    always = [c for c in contacts if c["client_id"] in {o["id"] for o in owners if o["tier"] == people.TOP_TIER}]

    def stories() -> Iterator[Story]:
        words = random.Random(f"{seed}-stories")
        writer = Writer(words, now_ms, contacts, always or contacts, people.workers())
        for number, slot in enumerate(slots(words, tickets, now_ms), start=1):
            yield writer.story(number, slot)

    return Dataset(stories, owners, places, contacts, people.contracts(owners), people.agents())
