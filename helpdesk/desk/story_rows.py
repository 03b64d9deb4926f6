"""What a ticket's timeline is told from, as plain rows: fifty actions as objects, each with five more behind it, cost a
page more than all its other queries together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from helpdesk.actions.cleaning import cleaned
from helpdesk.actions.models import Action, TimeEntry
from helpdesk.actions.outcomes import RULES, has_rules
from helpdesk.actions.querysets import ActionQuerySet
from helpdesk.actions.text import CLEANER_VERSION
from helpdesk.directory.models import person_name
from helpdesk.tickets.querysets import EventQuerySet


class Said(NamedTuple):
    """An action. `told` is None unless it escalated, `outcome` empty unless one with rules was chosen."""

    pk: int
    kind: str
    is_internal: bool
    is_from_client: bool
    sends_email: bool
    body_clean: str
    occurred_at: datetime
    email_to: str
    sync_state: str
    title: str
    author: str
    told: str | None = None
    outcome: str = ""


class Booked(NamedTuple):
    """A time entry."""

    pk: int
    seconds: int
    is_billable: bool
    note: str
    ended_at: datetime
    sync_state: str
    action_id: int | None
    author: str


class Changed(NamedTuple):
    """An event."""

    pk: int
    field: str
    new: str
    old_label: str
    new_label: str
    at: datetime
    origin: str
    actor: str


_SAID = (
    "pk", "kind", "is_internal", "is_from_client", "sends_email", "body_clean", "occurred_at", "email_to",
    "sync_state", "title",
)  # fmt: skip
AUTHOR = (
    "author_user", "author_user__name", "author_user__email", "author_agent", "author_agent__name", "author_contact",
    "author_contact__first_name", "author_contact__last_name", "author_contact__email",
)  # fmt: skip
"""What `author_in` reads."""
_OF_ACTION = (
    *AUTHOR, "cleaner_version", "author_name", "escalation", "escalation__told", "outcome__name", "outcome__label",
)  # fmt: skip
_OF_OUTCOME = tuple(f"outcome__{name}" for name in RULES)
_BOOKED = ("pk", "seconds", "is_billable", "note", "ended_at", "sync_state", "action_id")
_OF_TIME = ("author_name", "user", "user__name", "user__email", "agent", "agent__name")
_CHANGED = ("pk", "field", "new", "old_label", "new_label", "at", "origin", "actor")


def read_actions(found: ActionQuerySet, most: int) -> list[Said]:
    """The newest of them, newest first. One query, while all are cleaned by today's cleaner."""
    rows, stale = [], []
    for values in found.order_by("-occurred_at", "-pk").values_list(*_SAID, *_OF_ACTION, *_OF_OUTCOME)[:most]:
        version, written, escalation, told, outcome, label = values[19:25]
        author = author_in(values[10:19]) or written
        said = (label or outcome) if any(values[25:]) else ""
        told = (told or "") if escalation else None
        rows.append(Said._make((*values[:10], author or _("Somebody"), told, said or "")))
        if version != CLEANER_VERSION:
            stale.append(values[0])
    return _with_clean(rows, stale) if stale else rows


def _with_clean(rows: Sequence[Said], stale: Sequence[int]) -> list[Said]:
    old = list(Action.objects.filter(pk__in=stale))
    cleaned(old)
    clean = {action.pk: action.body_clean for action in old}
    return [row._replace(body_clean=clean[row.pk]) if row.pk in clean else row for row in rows]


def author_in(columns: Sequence[Any]) -> str:
    """Who said it, by name: one of us, an agent, a contact; empty for somebody who is none of them."""
    user, name, email, agent, agent_name, contact, first, last, address = columns
    if user:
        return name or email or ""
    if agent:
        return agent_name or ""
    return person_name(first, last, address) if contact else ""


def said_of(action: Action) -> Said:
    """One that is at hand as an object."""
    author = action.author_user or action.author_agent or action.author_contact
    told = action.escalation.told if hasattr(action, "escalation") else None
    outcome = str(action.outcome) if action.outcome is not None and has_rules(action.outcome) else ""
    who = str(author) if author else action.author_name or _("Somebody")
    return Said._make((*(getattr(action, name) for name in _SAID), who, told, outcome))


def read_times(times: QuerySet[TimeEntry], most: int) -> list[Booked]:
    """The newest of them, newest first. One query."""
    found = []
    for values in times.order_by("-ended_at", "-pk").values_list(*_BOOKED, *_OF_TIME)[:most]:
        written, user, name, email, agent, agent_name = values[7:]
        author = name or email if user else agent_name if agent else ""
        found.append(Booked._make((*values[:7], author or written)))
    return found


def booked_of(time: TimeEntry) -> Booked:
    """One that is at hand as an object."""
    who = str(time.user or time.agent or "") or time.author_name
    return Booked._make((*(getattr(time, name) for name in _BOOKED), who))


def read_events(found: EventQuerySet, most: int) -> list[Changed]:
    """The newest of them, newest first. One query."""
    return [Changed._make(values) for values in found.order_by("-at", "-pk").values_list(*_CHANGED)[:most]]
