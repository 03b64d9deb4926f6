"""What an escalation is called, on pages and in mails."""

from __future__ import annotations

from django.utils.translation import gettext as _

from helpdesk.actions.choices import Trigger
from helpdesk.sla.choices import ClockKind


def title(trigger: str, level: int, clock: str) -> str:
    """ "Resolution overdue, level 2", "Response 75 % used", "Critical without an owner"."""
    known = str(ClockKind(clock).label) if clock else ""
    if trigger == Trigger.BREACH:
        return _("%(clock)s overdue, level %(level)d") % {"clock": known, "level": level}
    if trigger == Trigger.THRESHOLD:
        return _("%(clock)s %(share)d %% used") % {"clock": known, "share": level}
    return str(Trigger(trigger).label)


def about(trigger: str, clock: str) -> str:
    """ "Resolution overdue", "Response running out", "Critical without an owner"."""
    known = str(ClockKind(clock).label) if clock else ""
    if trigger == Trigger.BREACH:
        return _("%(clock)s overdue") % {"clock": known}
    if trigger == Trigger.THRESHOLD:
        return _("%(clock)s running out") % {"clock": known}
    return str(Trigger(trigger).label)


def level_word(trigger: str, level: int) -> str:
    """ "Level 2", "75 %"; empty for a person's, which has none."""
    if trigger == Trigger.THRESHOLD:
        return _("%(share)d %%") % {"share": level}
    return _("Level %(level)d") % {"level": level} if trigger != Trigger.PERSON else ""


def kind_word(trigger: str, level: int) -> str:
    """ "SLA breached, level 2", "Much of the target is used, 75 %", "Client has not answered": for counting them."""
    name = str(Trigger(trigger).label)
    if trigger == Trigger.THRESHOLD:
        return _("%(name)s, %(share)d %%") % {"name": name, "share": level}
    return _("%(name)s, level %(level)d") % {"name": name, "level": level} if trigger == Trigger.BREACH else name
