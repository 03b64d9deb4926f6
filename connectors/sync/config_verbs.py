"""What the outbox does with a PSA's configuration: create, change and delete statuses, outcomes and ticket types."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from connectors.base.connector import Connector
from connectors.base.errors import NotFound, Rejected, Unknown
from connectors.base.records import Record
from connectors.sync import reference
from connectors.sync.configuration import LISTS
from connectors.sync.keys import Keys
from connectors.sync.verbs import Already, Contradicted, Job
from helpdesk.actions.config_kinds import kind_of, spelled_record
from helpdesk.core import live
from helpdesk.core.models import ConfiguredRow
from helpdesk.outbox.choices import Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import conflicts

MOST_TRIES = 3
"""A PSA that says yes so often and keeps what it has does not want the change."""


class ConfigJob(Job[Record]):
    """An item of a lane of the configuration."""

    def __init__(self, item: OutboxItem, row: ConfiguredRow, connector: Connector, keys: Keys) -> None:
        super().__init__(item, connector, keys)
        self.row = row
        self.kind = kind_of(row)

    @property
    def is_known(self) -> bool:
        return bool(self.row.remote_id)

    def lost(self) -> str:
        return ""  # a row that was given up before it left is not there any more

    def read(self) -> Record:
        return self.connector.config(self.kind.word, str(self.row.remote_id))

    def confirmed(self, record: Record) -> dict[str, Any]:
        return spelled_record(self.kind, record.known())

    def theirs(self, record: Record) -> dict[str, Any]:
        found = self.confirmed(record)
        return {name: found[name] for name in self.item.fields if name in found}

    def mark_gone(self, *, now: datetime) -> None:
        name, value = self.kind.off
        type(self.row)._default_manager.filter(pk=self.row.pk).update(**{name: value, "is_being_deleted": False})
        live.touch(live.HEALTH)

    def apply(self, record: Record, *, now: datetime) -> None:
        listed = next(name for name, word in LISTS.items() if word == self.kind.word)
        self.keys.forget()
        reference.apply(account=self.account, kind=listed, rows=[record], keys=self.keys, now=now, is_part=True)

    def keep(self, record: Record, *, now: datetime) -> None:
        self.apply(record, now=now)


class CreateConfig(ConfigJob):
    needs_subject = False

    def check(self) -> None:
        if self.connector.find_config(self.kind.word, self._name) is not None:
            text = _("%(psa)s has one of this name already.") % {"psa": self.account.title}
            raise Rejected(text, fields={"name": text})

    @property
    def _name(self) -> str:
        return str(self.item.fields.get("name") or "")

    def send(self, on_progress: Callable[[int], None]) -> Record:
        return self.connector.save_config(self.kind.word, None, self.item.fields)

    def is_there(self, record: Record) -> bool:
        return self.look_up(since=self.item.created_at) is not None

    def look_up(self, *, since: datetime) -> Record | None:
        """By its name: nothing of this name was there before the write."""
        return self.connector.find_config(self.kind.word, self._name)

    def keep(self, record: Record, *, now: datetime) -> None:
        _drop_copy(self.row, record.remote_id)
        type(self.row)._default_manager.filter(pk=self.row.pk).update(remote_id=record.remote_id)
        self.apply(record, now=now)


def _drop_copy(row: ConfiguredRow, remote_id: str) -> None:
    """A pull may have seen the new value before its answer was stored: what points to its copy points to the row."""
    model = type(row)
    for copy in model._default_manager.filter(psa_account=row.psa_account_id, remote_id=remote_id).exclude(pk=row.pk):
        for relation in copy._meta.get_fields(include_hidden=True):
            if not (isinstance(relation, models.ForeignObjectRel) and relation.related_model):
                continue
            if relation.one_to_many:
                name, table = relation.field.name, relation.related_model
                theirs = table._base_manager.filter(**{name: copy.pk})
                if table._meta.auto_created:  # of many to many: what both have, the row has already
                    other = next(f.attname for f in table._meta.fields if f.is_relation and f.name != name)
                    mine = table._base_manager.filter(**{name: row.pk}).values(other)
                    theirs.filter(**{f"{other}__in": mine}).delete()
                theirs.update(**{name: row.pk})
        copy.delete()


class UpdateConfig(ConfigJob):
    is_harmless = True

    def check(self) -> None:
        record = self.read()
        known = self.confirmed(record)
        if theirs := conflicts.conflicting_fields(self.item, known):
            raise Contradicted(theirs, record)
        if self._has_all(known):
            raise Already(record)

    def _has_all(self, known: dict[str, Any]) -> bool:
        return all(name in known and known[name] == mine for name, mine in self.item.fields.items())

    def send(self, on_progress: Callable[[int], None]) -> Record:
        record = self.connector.save_config(self.kind.word, self.row.remote_id, self.item.fields)
        known = self.confirmed(record)
        if self._has_all(known):
            return record
        if self.item.attempts < MOST_TRIES:
            raise Unknown(_("The PSA said yes and does not show it yet."))
        text = _("%(psa)s said yes and kept its own values.") % {"psa": self.account.title}
        raise Rejected(text, fields={"": text})

    def look_up(self, *, since: datetime) -> Record | None:
        record = self.read()
        return record if self._has_all(self.confirmed(record)) else None


class DeleteConfig(ConfigJob):
    is_harmless = True

    def send(self, on_progress: Callable[[int], None]) -> Record:
        with suppress(NotFound):  # somebody was faster
            self.connector.delete_config(self.kind.word, str(self.row.remote_id))
        return Record(remote_id=str(self.row.remote_id))

    def is_there(self, record: Record) -> bool:
        return self.look_up(since=self.item.created_at) is not None

    def look_up(self, *, since: datetime) -> Record | None:
        """Applied means gone."""
        try:
            self.read()
        except NotFound:
            return Record(remote_id=str(self.row.remote_id))
        return None

    def keep(self, record: Record, *, now: datetime) -> None:
        self.mark_gone(now=now)


CONFIG_JOBS: dict[str, type[ConfigJob]] = {
    Verb.CREATE_CONFIG: CreateConfig,
    Verb.UPDATE_CONFIG: UpdateConfig,
    Verb.DELETE_CONFIG: DeleteConfig,
}
