"""What may be edited of a PSA's configuration: kinds, their fields, and how values are spelled on the way there.

The names are those that connectors use for the same things. Spelled: text, numbers, flags; references as remote ids,
several of them as a sorted list; nothing as "" (text), None (all else).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Max
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from helpdesk.actions.models import Outcome
from helpdesk.core.models import ConfiguredRow
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.models import Status, TicketType


@dataclass(frozen=True, kw_only=True)
class ConfigField:
    """`shape`: text, colour, number, flag, hours, whole_hours, minutes (kept as seconds), action, one or many.

    `of`: the field of a ticket whose rows a reference may name.
    """

    name: str
    label: str | Promise
    shape: str = "text"
    of: str = ""
    most: int = 120
    is_required: bool = False
    help: str | Promise = ""


@dataclass(frozen=True, kw_only=True)
class ConfigKind:
    """`word` stands in lanes, `model` is a ConfiguredRow.

    `off`: the column that takes a row out of use, and its value then.
    """

    word: str
    model: Any
    title: str | Promise
    fields: tuple[ConfigField, ...]
    off: tuple[str, bool]

    def field(self, name: str) -> ConfigField | None:
        return next((f for f in self.fields if f.name == name), None)


def _flag(name: str, label: str | Promise) -> ConfigField:
    return ConfigField(name=name, label=label, shape="flag")


def _one(name: str, label: str | Promise, of: str = "status") -> ConfigField:
    return ConfigField(name=name, label=label, shape="one", of=of)


_NAME = ConfigField(name="name", label=_("Name"), is_required=True)
_COLOUR = ConfigField(name="colour", label=_("Colour"), shape="colour", most=7, help=_("Six digits, such as #2b7de9"))
_SEQUENCE = ConfigField(name="sequence", label=_("Place in the order"), shape="number", help=_("Small numbers first"))
_TYPES = ConfigField(name="ticket_types", label=_("Only for these types"), shape="many", of="ticket_type")

STATUS = ConfigKind(
    word="status",
    model=Status,
    title=_("status"),
    off=("is_active", False),
    fields=(
        _NAME,
        ConfigField(name="short_name", label=_("Short name"), most=60),
        _COLOUR,
        _SEQUENCE,
        ConfigField(name="sla_action", label=_("The PSA's SLA clock"), shape="action", most=8),
        ConfigField(
            name="hold_hours", label=_("Hold for at most"), shape="hours", help=_("Hours; empty: until it is moved")
        ),
        _one("change_to", _("Moves on by itself to")),
        ConfigField(name="change_hours", label=_("After"), shape="hours", help=_("Hours in this status")),
        _flag("counts_working_hours", _("Those are working hours")),
        _flag("ignores_release", _("Stays on hold whatever the SLA's own limit")),
        _flag("is_quick", _("Offered first when a status is chosen")),
        _TYPES,
    ),
)
OUTCOME = ConfigKind(
    word="outcome",
    model=Outcome,
    title=_("outcome"),
    off=("is_hidden", True),
    fields=(
        _NAME,
        ConfigField(name="label", label=_("What its button says")),
        ConfigField(name="long_label", label=_("In full"), most=200),
        _COLOUR,
        _SEQUENCE,
        _one("new_status", _("Moves the ticket to")),
        ConfigField(name="default_seconds", label=_("Books"), shape="minutes", help=_("Minutes; empty: none")),
        _one("child_ticket_type", _("Opens a ticket beneath, of type"), "ticket_type"),
        _flag("hide_from_client", _("Hidden from the client")),
        _flag("sends_email", _("Mails the client")),
        _flag("must_add_note", _("Needs a note")),
        _flag("must_assign", _("Needs an owner")),
        _flag("sla_hold", _("Holds the SLA")),
        _flag("sla_release", _("Ends a hold of the SLA")),
        _flag("is_hidden", _("Not offered")),
        _TYPES,
    ),
)
TYPE = ConfigKind(
    word="ticket_type",
    model=TicketType,
    title=_("ticket type"),
    off=("is_active", False),
    fields=(
        _NAME,
        _SEQUENCE,
        _one("initial_status", _("Starts as")),
        _one("reopened_status", _("Reopens as")),
        _one("after_client_status", _("After the client's answer")),
        _one("after_agent_status", _("After an agent's answer")),
        _one("default_priority", _("Priority"), "priority"),
        _one("default_team", _("Team"), "team"),
        _one("default_agent", _("Owner"), "agent"),
        _one("default_sla_policy", _("SLA"), "sla_policy"),
        ConfigField(
            name="reopen_hours", label=_("An answer reopens within"), shape="hours", help=_("Hours; empty: always")
        ),
        ConfigField(
            name="auto_close_hours", label=_("Resolved is closed after"), shape="whole_hours",
            help=_("Whole hours; empty: never"),
        ),
        _flag("agents_may_select", _("Agents may choose it")),
        _flag("clients_may_select", _("Clients may choose it")),
        _flag("client_may_reopen", _("Clients may reopen")),
        _flag("allow_attachments", _("Takes attachments")),
    ),
)  # fmt: skip
KINDS: Mapping[str, ConfigKind] = {kind.word: kind for kind in (STATUS, OUTCOME, TYPE)}
_TEXT = ("text", "colour", "action")
STEP = 10
"""Between two places in the order, so that one fits between."""


def lane_of(row: ConfiguredRow) -> str:
    """Its lane in the outbox, and its name there."""
    return f"config:{kind_of(row).word}:{row.pk}"


def kind_of(row: ConfiguredRow) -> ConfigKind:
    return next(kind for kind in KINDS.values() if isinstance(row, kind.model))


def row_of(lane: str) -> ConfiguredRow | None:
    """The row behind a lane; None when it is no lane of ours, or gone."""
    place, _colon, rest = lane.partition(":")
    word, _colon, pk = rest.partition(":")
    if place != "config" or word not in KINDS or not pk.isdecimal():
        return None
    found: ConfiguredRow | None = KINDS[word].model._default_manager.filter(pk=int(pk)).first()
    return found


def spelled(row: ConfiguredRow) -> dict[str, Any]:
    """Every editable field as it stands on the row."""
    return {field.name: _spell(row, field) for field in kind_of(row).fields}


def blank(kind: ConfigKind, account: PsaAccount) -> dict[str, Any]:
    """A new value before anybody said anything of it: our defaults, at the end of the order."""
    row = kind.model(psa_account=account)
    last = kind.model._default_manager.filter(psa_account=account).aggregate(last=Max("sequence"))["last"] or 0
    found = {f.name: _spell(row, f) for f in kind.fields if not kind.model._meta.get_field(f.name).many_to_many}
    return {**found, "sequence": last + STEP}


def _spell(row: ConfiguredRow, field: ConfigField) -> Any:
    if field.shape == "one":
        found = getattr(row, field.name)
        return found.remote_id if found is not None else None
    value = getattr(row, field.name)
    if field.shape == "many":
        keys = value if isinstance(value, list) else value.values_list("remote_id", flat=True)
        return sorted(key for key in keys if key)
    return (value or "") if field.shape in _TEXT else value


def spelled_record(kind: ConfigKind, known: Mapping[str, Any]) -> dict[str, Any]:
    """The same of what a PSA said: `known` are the fields that its record carries."""
    found = {}
    for field in kind.fields:
        if field.name in known:
            value = known[field.name]
            if field.shape == "many":
                value = sorted(value or ())
            found[field.name] = (value or "") if field.shape in _TEXT else value
    return found


def put(row: ConfiguredRow, values: Mapping[str, Any]) -> None:
    """Set spelled values on a row and save it; a reference that is not known here is left empty."""
    kind, columns = kind_of(row), []
    for name, value in values.items():
        field = kind.field(name)
        if field is None:
            continue
        if field.shape == "many" and not isinstance(getattr(row, name), list):
            rows = TicketType.objects.filter(psa_account=row.psa_account_id, remote_id__in=value or [])
            getattr(row, name).set(rows)
            continue
        setattr(row, name, _row_behind(row, name, value) if field.shape == "one" else value)
        columns.append(name)
    if columns:
        row.save(update_fields=columns)


def _row_behind(row: ConfiguredRow, name: str, remote_id: str | None) -> Any:
    model: Any = type(row)._meta.get_field(name).related_model
    assert issubclass(model, models.Model)
    if remote_id is None:
        return None
    return model._default_manager.filter(psa_account=row.psa_account_id, remote_id=remote_id).first()
