"""The neutral data set that imitations load: JSON-like records, tickets streamed one by one with their actions and
files.

Field names are those of the data folder's files (`clients.jsonl` and so on); instants are milliseconds since 1970
UTC here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """A ticket, its actions in order of time, and its files (their bytes under `data`)."""

    ticket: Record
    actions: list[Record]
    attachments: list[Record]


@dataclass(frozen=True)
class Dataset:
    """`stories` is a function, so that a data set can be gone through again."""

    stories: Callable[[], Iterable[Story]]
    clients: list[Record] = field(default_factory=list)
    sites: list[Record] = field(default_factory=list)
    contacts: list[Record] = field(default_factory=list)
    contracts: list[Record] = field(default_factory=list)
    agents: list[Record] = field(default_factory=list)

    def for_psa(self, psa: str, all_psas: list[str]) -> Dataset:
        """The part of one PSA: tickets that name it, and those that name none when their client is dealt to it."""
        dealt = {client["id"]: all_psas[index % len(all_psas)] for index, client in enumerate(self.clients)}

        def mine() -> Iterator[Story]:
            for story in self.stories():
                owner = story.ticket.get("psa") or dealt.get(story.ticket["client_id"], all_psas[0])
                if owner == psa:
                    yield story

        return Dataset(mine, self.clients, self.sites, self.contacts, self.contracts, self.agents)
