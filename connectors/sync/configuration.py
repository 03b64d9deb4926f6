"""A PSA's configuration beside our own unsent changes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base.records import UNSET, Record
from connectors.sync.keys import Keys
from helpdesk.actions.config_kinds import KINDS, spelled_record
from helpdesk.outbox.choices import Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.models import Status

LISTS = {"statuses": "status", "outcomes": "outcome", "ticket_types": "ticket_type"}
"""Kind of a reference list -> kind of its lanes."""
APART = ("change_to", "ticket_types")
"""What is joined after the rows are there."""


class Held:
    """Which columns of which rows an unsent change of ours holds, for one list of one account."""

    def __init__(self, account_id: int, kind: str) -> None:
        self._account_id = account_id
        self._kind = KINDS.get(LISTS.get(kind, ""))
        self._fields: dict[str, set[str]] = {}
        if self._kind is None:
            return
        lanes = f"config:{self._kind.word}:"
        items = list(OutboxItem.objects.open().filter(psa_account=account_id, lane__startswith=lanes))
        if not items:
            return
        keys = {int(item.lane.removeprefix(lanes)) for item in items}
        names = dict(self._kind.model._default_manager.filter(pk__in=keys).values_list("pk", "remote_id"))
        for item in items:
            fields = self._fields.setdefault(names.get(int(item.lane.removeprefix(lanes))) or "", set())
            fields |= set(item.fields)
            if item.verb == Verb.DELETE_CONFIG:
                fields.add(self._kind.off[0])

    def has(self, record: Record, name: str) -> bool:
        return name in self._fields.get(record.remote_id, ())

    def without(self, record: Record, columns: Mapping[str, Any]) -> dict[str, Any]:
        """The columns that may be written, with what the PSA has of all of them noted beside."""
        if self._kind is None:
            return dict(columns)
        found = {name: v for name, v in columns.items() if not self.has(record, name.removesuffix("_id"))}
        return {**found, "confirmed": spelled_record(self._kind, record.known())}

    def free(self, rows: Sequence[Any]) -> list[Any]:
        """Rows whose references to others may be written."""
        return [r for r in rows if not any(self.has(r, name) for name in APART)]

    def forget_sent(self) -> None:
        """The list has been read again: that a change was sent is no news any more."""
        if self._kind is not None:
            sent = self._kind.model._default_manager.filter(psa_account=self._account_id, sync_state=Sync.SENT)
            sent.update(sync_state=Sync.NONE)


def join_statuses(account_id: int, rows: Sequence[Any], keys: Keys) -> None:
    """Where statuses move on to by themselves."""
    wanted = {r.remote_id: keys.find("status", r.change_to) for r in rows if r.change_to is not UNSET}
    for status in Status.objects.filter(psa_account=account_id, remote_id__in=wanted).only("remote_id", "change_to"):
        target = wanted[status.remote_id or ""]
        if status.change_to_id != target:
            Status.objects.filter(pk=status.pk).update(change_to=target)
