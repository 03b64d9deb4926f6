"""From remote ids to our keys, kept for the length of a run. An id that nobody has seen yet gets a placeholder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from helpdesk.actions.models import Outcome
from helpdesk.directory.models import Agent, Client, Contact, Contract, PsaAccount, Site, Team
from helpdesk.directory.services import place_holder
from helpdesk.sla.models import Calendar, Policy
from helpdesk.tickets.models import Priority, Status, Ticket, TicketType

MODELS: dict[str, type[models.Model]] = {
    "client": Client,
    "site": Site,
    "contact": Contact,
    "status": Status,
    "priority": Priority,
    "ticket_type": TicketType,
    "agent": Agent,
    "team": Team,
    "contract": Contract,
    "sla_policy": Policy,
    "calendar": Calendar,
    "outcome": Outcome,
    "parent": Ticket,
}
"""Reference field -> the model behind it."""

NO_ID = "?"
"""Remote id of the placeholder behind a required reference that the PSA leaves empty."""
LISTS = {"agent": "list_agents", "status": "list_statuses", "ticket_type": "list_ticket_types"}
"""Reference field -> the capability that is off where the PSA has no complete list: what is named is learned then."""
KEPT_IDS = 20_000
"""Per model; beyond it the map starts anew, so that memory stays flat."""


class Keys:
    """Remote id -> (our key, name) by reference field, for one account."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self._known: dict[str, dict[str, tuple[int, str]]] = {name: {} for name in MODELS}
        self._capabilities: dict[str, Any] | None = None

    def forget(self) -> None:
        """What was renamed or merged meanwhile is read anew."""
        for known in self._known.values():
            known.clear()

    def prime(self, name: str, remote_ids: Iterable[str]) -> None:
        """Read the keys of these ids in one query."""
        known = self._known[name]
        wanted = {i for i in set(remote_ids) if i not in known}
        if not wanted:
            return
        if len(known) > KEPT_IDS:
            known.clear()
        rows = MODELS[name]._default_manager.filter(psa_account_id=self.account_id, remote_id__in=wanted)
        if name == "parent":
            known.update({remote_id: (pk, "") for remote_id, pk in rows.values_list("remote_id", "pk")})
            return
        for row in rows.defer("raw"):
            known[str(row.remote_id)] = (row.pk, str(row))  # type: ignore[attr-defined]

    def find(self, name: str, remote_id: str | None) -> int | None:
        """Our key, or None for an id that we do not have."""
        if remote_id is None:
            return None
        found = self._known[name].get(remote_id)
        if found is None:
            self.prime(name, [remote_id])
            found = self._known[name].get(remote_id)
        return found[0] if found else None

    def get(self, name: str, remote_id: str | None, *, label: str = "", **values: Any) -> int | None:
        """Our key; an id without a row gets a placeholder that shows `label`."""
        found = self.find(name, remote_id)
        if remote_id is None or name == "parent":
            return found
        if found is not None:
            self._learn(name, remote_id, found, label, values)
            return found
        # A word is its own name; a number is none.
        shown = label or (f"#{remote_id}" if remote_id.isdigit() else remote_id)
        known = _placeholder(name, shown)
        if name in ("status", "ticket_type") and self._is_learned(name):
            known["is_active"] = True
        pk = place_holder(MODELS[name], account_id=self.account_id, remote_id=remote_id, values={**known, **values})
        self._known[name][remote_id] = (pk, shown)
        return pk

    def _learn(self, name: str, remote_id: str, pk: int, label: str, values: Mapping[str, Any]) -> None:
        """An agent without a name gets the one that a later record tells, where no list ever will."""
        if name != "agent" or not label or self._known[name][remote_id][1] != f"#{remote_id}":
            return
        if self._is_learned(name):
            row = {"name": label[:120], **{k: v for k, v in values.items() if v}}
            MODELS[name]._default_manager.filter(pk=pk, is_placeholder=True).update(**row)
        self._known[name][remote_id] = (pk, label)

    def _is_learned(self, name: str) -> bool:
        if self._capabilities is None:
            rows = PsaAccount.objects.filter(pk=self.account_id)
            self._capabilities = rows.values_list("capabilities", flat=True).first() or {}
        return name in LISTS and self._capabilities.get(LISTS[name]) is False

    def required(self, name: str, remote_id: str | None) -> int:
        """Like `get`, for a reference that may not be empty here."""
        label = "" if remote_id else "(none)"
        key = self.get(name, remote_id or NO_ID, label=label)
        assert key is not None
        return key

    def label(self, name: str, remote_id: str | None) -> str:
        """The name behind an id that was looked up before; empty when unknown."""
        found = self._known[name].get(remote_id or "")
        return found[1] if found else ""


def _placeholder(name: str, label: str) -> dict[str, Any]:
    if name == "contact":
        return {"first_name": label[:120]}
    values: dict[str, Any] = {"name": label[:120]}
    if name in {"status", "priority", "ticket_type"}:
        # Nobody chose what it means: it is shown, flagged for mapping, and never offered in a form.
        values |= {"is_mapped": False, "is_active": False}
    return values
