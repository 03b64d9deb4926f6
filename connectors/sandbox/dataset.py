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
    """`stories` is a function, so that a data set can be gone through again. `named` tells (PSA, client) of the tickets
    that name their PSA."""

    stories: Callable[[], Iterable[Story]]
    clients: list[Record] = field(default_factory=list)
    sites: list[Record] = field(default_factory=list)
    contacts: list[Record] = field(default_factory=list)
    contracts: list[Record] = field(default_factory=list)
    agents: list[Record] = field(default_factory=list)
    named: frozenset[tuple[str, int]] = frozenset()

    def for_psa(self, psa: str, all_psas: list[str]) -> Dataset:
        """The part of one PSA: every agent, the clients that are dealt to it in turn with what is theirs, and the
        tickets that name it with their clients."""
        if all_psas == [psa] and not self.named:
            return self
        dealt = {client["id"]: all_psas[index % len(all_psas)] for index, client in enumerate(self.clients)}

        def mine() -> Iterator[Story]:
            for story in self.stories():
                owner = story.ticket.get("psa") or dealt.get(story.ticket["client_id"], all_psas[0])
                if owner == psa:
                    yield story

        kept = {number for number, owner in dealt.items() if owner == psa}
        kept |= {number for owner, number in self.named if owner == psa}

        def part(records: list[Record], name: str = "client_id") -> list[Record]:
            return [record for record in records if record[name] in kept]

        return Dataset(
            mine, part(self.clients, "id"), part(self.sites), part(self.contacts), part(self.contracts), self.agents,
            self.named,
        )  # fmt: skip
