"""Changes of a PSA's configuration: made here at once, sent like any other change, and taken back where it says no."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.actions import outcomes
from helpdesk.actions.config_kinds import STEP, ConfigKind, kind_of, lane_of, put, row_of, spelled
from helpdesk.core import live
from helpdesk.core.errors import Refused, Stale
from helpdesk.core.models import ConfiguredRow
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.choices import Sync


def takes_changes(account: PsaAccount, kind: ConfigKind) -> bool:
    """Whether the PSA lets this kind be changed from here."""
    return kind.word in (account.capabilities.get("configure") or ())


@transaction.atomic
def create_value(
    *, account: PsaAccount, kind: ConfigKind, values: Mapping[str, Any], by: User, now: datetime, request_id: str = ""
) -> ConfiguredRow:
    """A new value, here at once and nowhere offered before the PSA has it. `values` are spelled. Raises Refused."""
    _check(account, kind, values, None)
    row = kind.model(psa_account=account, remote_id=None, name=values["name"])
    if kind.word == "status":
        row.is_mapped = False  # type: ignore[attr-defined]  # nobody has said yet what it counts as
    row.save()
    put(row, values)
    _enqueue(row, Verb.CREATE_CONFIG, values, {}, by, now)
    _audit(row, "config.create", by, now, request_id, {"fields": dict(values)})
    return row


@transaction.atomic
def change_value(
    *, row: ConfiguredRow, values: Mapping[str, Any], by: User, now: datetime, request_id: str = ""
) -> bool:
    """Change what differs. A change that the PSA refused is sent again with it. False when there is nothing to do.

    Raises Refused; Stale for what has been deleted meanwhile.
    """
    row = _lock(row)
    if row.is_being_deleted:
        raise Stale("it is being deleted")
    kind = kind_of(row)
    was = spelled(row)
    changed = {name: value for name, value in values.items() if name in was and was[name] != value}
    refused = OutboxItem.objects.in_lane(lane_of(row)).refused().exclude(verb=Verb.DELETE_CONFIG).last()
    if not changed and refused is None:
        return False
    _check(row.psa_account, kind, {**was, **changed}, row)
    put(row, changed)
    base = {name: row.confirmed.get(name, was[name]) for name in changed}
    if refused is not None:
        is_new = refused.verb == Verb.CREATE_CONFIG
        first = {} if is_new else {**base, **refused.base, **refused.theirs}
        fields = {**refused.fields, **changed}
        outbox.retry_item(item=refused, origin=Origin.desk(by), now=now, fields=fields, base=first)
    else:
        _enqueue(row, Verb.UPDATE_CONFIG, changed, base, by, now)
    if changed:
        before = {name: was[name] for name in changed}
        _audit(row, "config.change", by, now, request_id, {"before": before, "after": changed})
    return True


@transaction.atomic
def delete_value(*, row: ConfiguredRow, by: User, now: datetime, request_id: str = "") -> None:
    """Take a value out of use and let the PSA delete it. One that never reached the PSA just goes."""
    row = _lock(row)
    kind = kind_of(row)
    _check_account(row.psa_account, kind)
    if row.is_being_deleted:
        return
    _audit(row, "config.delete", by, now, request_id, {})
    items = OutboxItem.objects.in_lane(lane_of(row)).open()
    if row.remote_id is None:
        for item in items:
            outbox.discard_item(item=item, now=now)
        return
    for item in items.refused():
        outbox.discard_item(item=item, now=now)
    row.refresh_from_db()
    row.is_being_deleted = True
    setattr(row, *kind.off)
    row.save(update_fields=["is_being_deleted", kind.off[0]])
    _enqueue(row, Verb.DELETE_CONFIG, {}, {}, by, now)


@transaction.atomic
def move_value(*, row: ConfiguredRow, is_up: bool, by: User, now: datetime, request_id: str = "") -> None:
    """One place up or down among those in use; at the end of the order nothing happens."""
    kind = kind_of(row)
    # In the order of their keys: two moves at once wait for each other, and the second sees what the first did.
    everyone = kind.model._default_manager.select_for_update().filter(psa_account=row.psa_account_id)
    list(everyone.order_by("pk").values_list("pk"))
    rows = in_order(row.psa_account_id, kind)
    at = next((n for n, one in enumerate(rows) if one.pk == row.pk), None)
    to = None if at is None else at + (-1 if is_up else 1)
    if at is None or to is None or not 0 <= to < len(rows):
        return
    rows[at], rows[to] = rows[to], rows[at]
    for one, place in _places(rows, kind):
        change_value(row=one, values={"sequence": place}, by=by, now=now, request_id=request_id)


def _places(rows: list[Any], kind: ConfigKind) -> list[tuple[Any, int]]:
    """Row and number for those whose number has to change so that the order is the list's: as few as can be."""
    numbers = sorted(row.sequence for row in rows)
    if len(set(numbers)) == len(numbers):
        return [(row, n) for row, n in zip(rows, numbers, strict=True) if row.sequence != n]
    return [(row, n * STEP) for n, row in enumerate(rows, start=1) if row.sequence != n * STEP]


def in_order(account_id: int, kind: ConfigKind) -> list[Any]:
    """Values in use, in the PSA's order."""
    name, off = kind.off
    return list(kind.model._default_manager.filter(psa_account=account_id, **{name: not off}))


@transaction.atomic
def take_theirs(*, item: OutboxItem, now: datetime) -> None:
    """A conflict settled for the PSA: its values stand, what else the change carries goes out again."""
    row, theirs = row_of(item.lane), dict(item.theirs)
    rest = {name: value for name, value in item.fields.items() if name not in theirs}
    if row is None or not theirs or not rest:
        outbox.discard_item(item=item, now=now)
        return
    base = {name: value for name, value in item.base.items() if name in rest}
    outbox.retry_item(item=item, origin=Origin.system(), now=now, fields=rest, base=base)
    item.theirs = theirs  # the retried item has forgotten them
    _fall_back(_lock(row), item, theirs)


@transaction.atomic
def follow_item(*, item: OutboxItem, now: datetime) -> None:
    """What became of a change: the row says so; what was given up falls back to the PSA's."""
    row = row_of(item.lane)
    if row is None:
        return
    row = _lock(row)
    if item.state == State.DISCARDED:
        if item.verb == Verb.CREATE_CONFIG and row.remote_id is None:
            outcomes.forget(row.psa_account_id)
            row.delete()
            live.touch(live.HEALTH)
            return
        if item.verb == Verb.DELETE_CONFIG:
            row.is_being_deleted = False
            name, off = kind_of(row).off
            setattr(row, name, row.confirmed.get(name, not off))
            row.save(update_fields=["is_being_deleted", name])
        else:
            _fall_back(row, item, item.fields)
    _show_state(row, item)


def _fall_back(row: ConfiguredRow, item: OutboxItem, fields: Iterable[str]) -> None:
    """Fields that no other change of ours holds go back to what the PSA has."""
    held = held_fields(row)
    known = {**item.base, **row.confirmed, **item.theirs}
    put(row, {name: known[name] for name in fields if name in known and name not in held})
    transaction.on_commit(lambda: outcomes.forget(row.psa_account_id))


def held_fields(row: ConfiguredRow) -> set[str]:
    """Fields with a change of ours that is not settled."""
    return {name for item in OutboxItem.objects.in_lane(lane_of(row)).open() for name in item.fields}


def _show_state(row: ConfiguredRow, last: OutboxItem) -> None:
    states = set(OutboxItem.objects.in_lane(lane_of(row)).open().values_list("state", flat=True))
    if State.REFUSED in states:
        word = Sync.REFUSED
    elif State.CHECKING in states:
        word = Sync.CHECKING
    elif states:
        word = Sync.PENDING
    else:
        word = Sync.SENT if last.state == State.DONE else Sync.NONE
    type(row)._default_manager.filter(pk=row.pk).update(sync_state=word)
    transaction.on_commit(lambda: outcomes.forget(row.psa_account_id))
    live.touch(live.HEALTH)


# ---- parts ----------------------------------------------------------------------------------------------------------


def _lock(row: ConfiguredRow) -> ConfiguredRow:
    """The row, held until the transaction ends: also the lock of its lane."""
    found: ConfiguredRow | None = type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
    if found is None:
        raise Stale("it is not there any more")
    return found


def _enqueue(
    row: ConfiguredRow, verb: Verb, fields: Mapping[str, Any], base: Mapping[str, Any], by: User, now: datetime
) -> None:
    lane = lane_of(row)
    outbox.enqueue(
        psa_account_id=row.psa_account_id,
        lane=lane,
        verb=verb,
        subject=lane,
        fields=fields,
        base=base,
        origin=Origin.desk(by),
        now=now,
    )


def _check_account(account: PsaAccount, kind: ConfigKind) -> None:
    if not takes_changes(account, kind):
        raise Refused({"": _("%(psa)s does not let this be changed from here.") % {"psa": account.title}})


def _check(account: PsaAccount, kind: ConfigKind, values: Mapping[str, Any], row: ConfiguredRow | None) -> None:
    """Names are unique among what is in use: by its name a value is found again when an answer got lost."""
    _check_account(account, kind)
    name = str(values.get("name") or "").strip()
    if not name:
        raise Refused({"name": _("This must not be empty.")})
    off, value = kind.off
    same = kind.model._default_manager.filter(psa_account=account, name__iexact=name, is_being_deleted=False)
    if kind.word != "outcome":
        same = same.exclude(**{off: value})
    if same.exclude(pk=row.pk if row is not None else None).exists():
        raise Refused({"name": _("There is one of this name already.")})
    if values.get("sla_hold") and values.get("sla_release"):
        raise Refused({"sla_release": _("It cannot hold the SLA and end the hold at once.")})
    if bool(values.get("change_to")) != bool(values.get("change_hours")):
        field = "change_hours" if values.get("change_to") else "change_to"
        raise Refused({field: _("Moving on needs both: where to, and after how long.")})
    if row is not None and values.get("change_to") and values["change_to"] == row.remote_id:
        raise Refused({"change_to": _("It cannot move on to itself.")})


def _audit(row: ConfiguredRow, verb: str, by: User, now: datetime, request_id: str, detail: Mapping[str, Any]) -> None:
    said = {"account": row.psa_account.name, "name": str(row), **detail}
    subject = f"{kind_of(row).word}:{row.pk}"
    record_audit(user=by, verb=verb, subject=subject, detail=said, now=now, request_id=request_id)
