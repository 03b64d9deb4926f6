"""The four steps a client sees: Received, Answered, In work, Fixed."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from helpdesk.core.formatting import clock_time, duration, moment
from helpdesk.portal.words import FINISHED, Facts, Reader, Situation, Step, situation


def steps(facts: Facts, reader: Reader) -> tuple[Step, ...]:
    now = situation(facts, reader.now)
    is_finished = now in FINISHED
    is_started = is_finished or now is not Situation.NEW
    return (
        Step(
            name=_("Received"),
            when=moment(facts.opened_at, reader.now, reader.zone),
            is_done=True,
            is_current=not is_started and not facts.answered_at,
        ),
        Step(
            name=_("Answered"),
            when=_answered(facts, reader, is_finished),
            is_done=bool(facts.answered_at),
            is_current=not is_started and bool(facts.answered_at),
        ),
        Step(
            name=_("In work"),
            when="" if is_finished else _since(facts, reader),
            is_done=is_finished,
            is_current=is_started and not is_finished,
        ),
        Step(name=_("Fixed"), when=_fixed(facts, reader, is_finished), is_done=is_finished, is_current=is_finished),
    )


def _answered(facts: Facts, reader: Reader, is_finished: bool) -> str:
    if facts.answered_at:
        return _("after {time}").format(time=duration((facts.answered_at - facts.opened_at).total_seconds()))
    if is_finished or facts.answer_due_at is None:
        return ""
    return _due(facts.answer_due_at, reader)


def _since(facts: Facts, reader: Reader) -> str:
    return _("since {when}").format(when=_short(facts.in_work_at, reader)) if facts.in_work_at else ""


def _fixed(facts: Facts, reader: Reader, is_finished: bool) -> str:
    if is_finished:
        return moment(facts.fixed_at, reader.now, reader.zone)
    return _due(facts.fix_due_at, reader) if facts.fix_due_at else ""


def _due(at: datetime, reader: Reader) -> str:
    text = _("was due {when}") if at <= reader.now else _("by {when}")
    return text.format(when=_short(at, reader))


def _short(at: datetime, reader: Reader) -> str:
    """The time alone when it is today: there is little room."""
    is_today = at.astimezone(reader.zone).date() == reader.now.astimezone(reader.zone).date()
    return clock_time(at, reader.zone) if is_today else moment(at, reader.now, reader.zone)
