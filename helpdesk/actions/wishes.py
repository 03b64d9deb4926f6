"""How each person wants to hear of escalations: per trigger and step in the desk, by mail, both, or not at all.

Only what differs from the usual way is kept. What a person of the desk escalates always reaches the desk of those it is
meant for; whether a mail goes with it is theirs to choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.services import save_preferences
from helpdesk.actions.choices import Trigger, Way
from helpdesk.actions.steps import LEVELS, WHOLE
from helpdesk.sla.models import Policy, usual_thresholds

PREFERENCE = "alerts"
"""Where `User.preferences` holds them."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A line of the form: what it is about, how it is heard of now. `is_bound`: the desk cannot be left out."""

    key: str
    name: str
    about: str
    in_desk: bool
    by_mail: bool
    is_bound: bool = False


def key_of(trigger: str, level: int) -> str:
    return f"{trigger}:{level}" if trigger in (Trigger.BREACH, Trigger.THRESHOLD) else trigger


def usual(key: str) -> Way:
    """Much of a target used is a word in the desk, as is a client's silence; what cannot wait is mailed, too."""
    trigger, _colon, level = key.partition(":")
    is_early = trigger == Trigger.THRESHOLD and int(level) < WHOLE
    return Way.DESK if is_early or trigger == Trigger.STALE else Way.BOTH


def way(user: User, key: str) -> Way:
    """How this person wants to hear of it."""
    kept = user.preferences.get(PREFERENCE)
    found = kept.get(key) if isinstance(kept, Mapping) else None
    wanted = Way(found) if found in Way.values else usual(key)
    return _bound(wanted) if key == Trigger.PERSON else wanted


def _bound(wanted: Way) -> Way:
    return Way.BOTH if wanted in (Way.MAIL, Way.BOTH) else Way.DESK


def in_desk(people: Iterable[User], key: str) -> list[User]:
    return [one for one in people if way(one, key) in (Way.DESK, Way.BOTH)]


def by_mail(people: Iterable[User], key: str) -> list[User]:
    return [one for one in people if way(one, key) in (Way.MAIL, Way.BOTH)]


# ---- the form -------------------------------------------------------------------------------------------------------


def shares() -> list[int]:
    """Per cents at which any policy tells somebody, lowest first. One query."""
    found = set(usual_thresholds())
    for given in Policy.objects.filter(archived_at=None).values_list("thresholds", flat=True):
        found |= {one for one in given or () if isinstance(one, int) and one > 0}
    return sorted(found)


def wishes_of(user: User) -> list[Wish]:
    """Every line of the form for this person."""
    rows = [(Trigger.PERSON.value, _("Somebody escalates a ticket to you"), _("It always stands on your desk."))]
    rows += [
        (key_of(Trigger.THRESHOLD, one), _("%(share)d %% of a target is used") % {"share": one}, _about_share(one))
        for one in shares()
    ]
    about = (
        _("Overdue, below 4 hours: the owner is told, else the team’s lead."),
        _("Overdue for 4 to 8 hours: the team’s lead is told."),
        _("Overdue for 8 hours or more: management is told."),
    )
    rows += [
        (key_of(Trigger.BREACH, level), _("SLA breached, level %(level)d") % {"level": level}, text)
        for level, text in zip(LEVELS, about, strict=True)
    ]
    rows.append((Trigger.UNASSIGNED.value, _("Critical without an owner"), _("The team’s lead is told.")))
    rows.append((Trigger.STALE.value, _("The client has not answered for more than 7 days"), _("The owner is told.")))
    return [_wish(user, *row) for row in rows]


def _about_share(share: int) -> str:
    if share >= WHOLE:
        return _("Where a policy raises no levels.")
    return _("The owner is told, else the team’s lead.")


def _wish(user: User, key: str, name: str, about: str) -> Wish:
    wanted = way(user, key)
    return Wish(
        key=key, name=name, about=about, in_desk=wanted in (Way.DESK, Way.BOTH),
        by_mail=wanted in (Way.MAIL, Way.BOTH), is_bound=key == Trigger.PERSON,
    )  # fmt: skip


def save_wishes(*, user: User, desk: Sequence[str], mail: Sequence[str]) -> None:
    """Keep what the form says: keys that are to stand in the desk, and keys to be mailed."""
    kept: dict[str, Any] = {}
    for one in wishes_of(user):
        wanted = _way_of(one.key in desk or one.is_bound, one.key in mail)
        if wanted != usual(one.key):
            kept[one.key] = wanted.value
    save_preferences(user=user, values={PREFERENCE: kept or None})


def _way_of(in_desk: bool, by_mail: bool) -> Way:
    if in_desk:
        return Way.BOTH if by_mail else Way.DESK
    return Way.MAIL if by_mail else Way.NONE
