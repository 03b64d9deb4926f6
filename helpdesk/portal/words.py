"""What a client reads about a request: one table of situations, one sentence each. Pure: knows no model, no request.

Nothing here repeats a word of the PSA or of our own desk; names are first names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import Enum

from django.utils.functional import Promise as Lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from helpdesk.core.formatting import clock_time, day, moment

Words = str | Lazy
ACTIVE_FOR = timedelta(hours=4)
"""How long after the last sign of work "right now" is still true."""
MAX_QUESTION = 200


class Situation(Enum):
    NEW = "new"
    ACTIVE = "active"
    WORK = "work"
    URGENT = "urgent"
    PLANNED = "planned"
    SUPPLIER = "supplier"
    YOURS = "yours"
    ANSWERED = "answered"
    FIXED = "fixed"
    DONE = "done"
    AGAIN = "again"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is so, in canonical words. `who` is a first name or empty; `question` is what we last asked."""

    category: str
    opened_at: datetime
    who: str = ""
    answered_at: datetime | None = None
    answer_due_at: datetime | None = None
    fix_due_at: datetime | None = None
    in_work_at: datetime | None = None
    worked_at: datetime | None = None
    fixed_at: datetime | None = None
    client_wrote_at: datetime | None = None
    """The client's last message, while nobody has answered it."""
    question: str = ""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whose eyes: instants are told in `zone`; `zone_words` names it ("your time", or a place)."""

    now: datetime
    zone: tzinfo
    zone_words: str = ""


@dataclass(frozen=True)
class Sentences:
    """`{who}` is filled in; the second of each pair is said when nobody has it yet."""

    headline: tuple[Words, Words]
    next_step: tuple[Words, Words]
    line: tuple[Words, Words]


@dataclass(frozen=True, kw_only=True)
class Step:
    name: str
    when: str
    is_done: bool = False
    is_current: bool = False


TABLE: dict[Situation, Sentences] = {
    Situation.NEW: Sentences(
        (lazy("Yes. {who} has it and looks at it next."), lazy("We have it. Somebody looks at it next.")),
        (lazy("{who} writes to you as soon as the work starts."), lazy("We tell you here who takes it.")),
        (lazy("{who} has it"), lazy("Received, somebody looks at it next")),
    ),
    Situation.ACTIVE: Sentences(
        (lazy("Yes. {who} is working on it right now."), lazy("Yes. Our team is working on it right now.")),
        (lazy("{who} writes to you with the result."), lazy("We write to you with the result.")),
        (lazy("{who} is working on it"), lazy("Our team is working on it")),
    ),
    Situation.WORK: Sentences(
        (lazy("Yes. {who} is working on it."), lazy("Yes. Our team is working on it.")),
        (lazy("{who} writes to you with the result."), lazy("We write to you with the result.")),
        (lazy("{who} is working on it"), lazy("Our team is working on it")),
    ),
    Situation.URGENT: Sentences(
        (lazy("Yes. {who} is on it, ahead of other work."), lazy("Yes. Our team is on it, ahead of other work.")),
        (lazy("{who} writes to you with the result."), lazy("We write to you with the result.")),
        (lazy("{who} is on it, ahead of other work"), lazy("Our team is on it, ahead of other work")),
    ),
    Situation.PLANNED: Sentences(
        (
            lazy("Yes. {who} has it and goes on at the next step."),
            lazy("Yes. It is planned and goes on at the next step."),
        ),
        (lazy("Nothing is needed from you until then."), lazy("Nothing is needed from you until then.")),
        (lazy("Planned, {who} has it"), lazy("Planned")),
    ),
    Situation.SUPPLIER: Sentences(
        (lazy("Yes. {who} is waiting for a supplier."), lazy("Yes. We are waiting for a supplier.")),
        (
            lazy("{who} goes on as soon as the supplier has answered. Nothing is needed from you."),
            lazy("We go on as soon as the supplier has answered. Nothing is needed from you."),
        ),
        (lazy("{who} is waiting for a supplier"), lazy("Waiting for a supplier")),
    ),
    Situation.YOURS: Sentences(
        (lazy("Yes, and {who} needs your answer."), lazy("Yes, and we need your answer.")),
        (lazy("{who} goes on as soon as you have answered."), lazy("We go on as soon as you have answered.")),
        (lazy("We need your answer"), lazy("We need your answer")),
    ),
    Situation.ANSWERED: Sentences(
        (lazy("Yes. {who} has your answer."), lazy("Yes. We have your answer.")),
        (lazy("{who} reads it and goes on from there."), lazy("We read it and go on from there.")),
        (lazy("{who} has your answer"), lazy("We have your answer")),
    ),
    Situation.FIXED: Sentences(
        (lazy("It is fixed."), lazy("It is fixed.")),
        (
            lazy("If it comes back, tell us and {who} looks again."),
            lazy("If it comes back, tell us and we look again."),
        ),
        (lazy("Fixed. Tell us if it comes back"), lazy("Fixed. Tell us if it comes back")),
    ),
    Situation.DONE: Sentences(
        (lazy("It is done."), lazy("It is done.")),
        (lazy("Nothing is left to do."), lazy("Nothing is left to do.")),
        (lazy("Done"), lazy("Done")),
    ),
    Situation.AGAIN: Sentences(
        (lazy("We have your message and look at it again."), lazy("We have your message and look at it again.")),
        (lazy("{who} reads it and writes back."), lazy("Somebody reads it and writes back.")),
        (lazy("We have your new message"), lazy("We have your new message")),
    ),
}
"""The one place where a client's sentences stand."""

_SIMPLE = {
    "new": Situation.NEW,
    "escalated": Situation.URGENT,
    "waiting": Situation.PLANNED,
    "waiting_third_party": Situation.SUPPLIER,
}
_OPEN_ENDED = {Situation.NEW, Situation.ACTIVE, Situation.WORK, Situation.URGENT}
FINISHED = {Situation.FIXED, Situation.DONE, Situation.AGAIN}


def situation(facts: Facts, now: datetime) -> Situation:
    if facts.category in ("resolved", "closed"):
        if facts.client_wrote_at and (not facts.fixed_at or facts.client_wrote_at > facts.fixed_at):
            return Situation.AGAIN
        return Situation.FIXED if facts.category == "resolved" else Situation.DONE
    if facts.category == "waiting_client":
        return Situation.ANSWERED if facts.client_wrote_at else Situation.YOURS
    if facts.category in _SIMPLE:
        return _SIMPLE[facts.category]
    if facts.client_wrote_at and (not facts.worked_at or facts.client_wrote_at >= facts.worked_at):
        return Situation.ANSWERED  # the clock runs again by itself; that nobody has looked yet is not hidden
    seen = max((at for at in (facts.worked_at, facts.in_work_at) if at), default=None)
    is_active = bool(facts.who) and seen is not None and now - seen <= ACTIVE_FOR
    return Situation.ACTIVE if is_active else Situation.WORK


def _pick(pair: tuple[Words, Words], who: str) -> str:
    return str(pair[0]).format(who=who) if who else str(pair[1])


def headline(facts: Facts, now: datetime) -> str:
    """The answer to "is anybody on it?", as one sentence."""
    return _pick(TABLE[situation(facts, now)].headline, facts.who)


def is_late(facts: Facts, now: datetime) -> bool:
    """A promise has passed, and the work does not wait for the client."""
    if situation(facts, now) in FINISHED | {Situation.YOURS}:
        return False
    due = [facts.fix_due_at] if facts.answered_at else [facts.fix_due_at, facts.answer_due_at]
    return any(at is not None and at <= now for at in due)


def by(at: datetime, reader: Reader) -> str:
    """ "15:00 today", "09:00 tomorrow", "Wed 09:42": what stands after "by"."""
    if abs((at.astimezone(reader.zone).date() - reader.now.astimezone(reader.zone).date()).days) <= 1:
        return f"{clock_time(at, reader.zone)} {day(at, reader.now, reader.zone)}"
    return moment(at, reader.now, reader.zone)


def promise(facts: Facts, reader: Reader) -> SafeString:
    """By when, then what happens next. Times stand in bold; everything else is escaped."""
    parts = [times(facts, reader), _pick(TABLE[situation(facts, reader.now)].next_step, facts.who)]
    return format_html_join(" ", "{}", ((part,) for part in parts if part))


def times(facts: Facts, reader: Reader) -> SafeString | str:
    """By when, or when it was done; empty when there is nothing to promise."""
    now = situation(facts, reader.now)
    if now in FINISHED:
        if now is Situation.AGAIN or not facts.fixed_at:
            return ""
        text = _("Fixed {when}.") if now is Situation.FIXED else _("Finished {when}.")
        return format_html(text, when=_bold(moment(facts.fixed_at, reader.now, reader.zone)))
    if now is Situation.YOURS:
        return ""
    if is_late(facts, reader.now):
        passed = [at for at in (facts.fix_due_at, facts.answer_due_at) if at and at <= reader.now]
        return format_html(
            _("We said {when} and are late. We are sorry."), when=_bold(moment(max(passed), reader.now, reader.zone))
        )
    return _expected(facts, reader, now)


def _expected(facts: Facts, reader: Reader, now: Situation) -> SafeString | str:
    texts = []
    if not facts.answered_at and facts.answer_due_at:
        texts.append((_("You hear from us {by}."), _("You hear from us {by}, {zone}."), facts.answer_due_at))
    if facts.fix_due_at:
        texts.append(
            (_("We expect it to be fixed {by}."), _("We expect it to be fixed {by}, {zone}."), facts.fix_due_at)
        )
    if not texts:
        return _("We have not set a time yet.") if now in _OPEN_ENDED else ""
    done = []
    for place, (plain, with_zone, at) in enumerate(texts):
        text = with_zone if place == 0 and reader.zone_words else plain
        done.append((format_html(text, by=_bold(_("by {when}").format(when=by(at, reader))), zone=reader.zone_words),))
    return format_html_join(" ", "{}", done)


def _bold(text: str) -> SafeString:
    return format_html("<b>{}</b>", text)


def line(facts: Facts, reader: Reader) -> str:
    """One line in the list of requests."""
    now = situation(facts, reader.now)
    text = _pick(TABLE[now].line, facts.who)
    if now is Situation.YOURS and facts.question:
        return _("{text}: {question}").format(text=text, question=facts.question)
    if now in FINISHED | {Situation.YOURS}:
        return text
    if is_late(facts, reader.now):
        if now is Situation.NEW:
            return _("We are late with our answer")
        return _("{text}, later than we said").format(text=text)
    due = facts.answer_due_at if not facts.answered_at and facts.answer_due_at else facts.fix_due_at
    if due is None:
        return text
    wording = _("{text}, answer by {when}") if due == facts.answer_due_at else _("{text}, expected by {when}")
    return wording.format(text=text, when=by(due, reader))


def stamp(facts: Facts, reader: Reader, updated_at: datetime | None) -> str:
    """The small words at the end of a line: "asked 10:20", "updated Mon 11:02", "fixed Fri 16:00"."""
    now = situation(facts, reader.now)
    if now in FINISHED and facts.fixed_at:
        text, at = _("fixed {when}"), facts.fixed_at
    elif updated_at is None:
        text, at = _("received {when}"), facts.opened_at
    else:
        text, at = (_("asked {when}") if now is Situation.YOURS else _("updated {when}")), updated_at
    is_today = at.astimezone(reader.zone).date() == reader.now.astimezone(reader.zone).date()
    return text.format(when=clock_time(at, reader.zone) if is_today else moment(at, reader.now, reader.zone))


def summary(*, total: int, opened: int, yours: int, late: int) -> str:
    """The sentence on top of the list."""
    if not total:
        return _("You have not asked us for anything yet.")
    if not opened:
        return _("Nothing is open. Everything is done.")
    first = ngettext("One request is late.", "%(n)d requests are late.", late) % {"n": late}
    second = ngettext("One thing needs you.", "%(n)d things need you.", yours) % {"n": yours}
    return f"{first if late else _('Everything is on time.')} {second if yours else _('Nothing needs you.')}"


_END = re.compile(r"(?<=[.!?\n])")
_QUOTED = re.compile(r"^[^\S\n]*(>|On .{4,120} wrote:|-{3,}|From: )", re.MULTILINE)


def question_in(text: str) -> str:
    """The last question of a message, without what it quotes; empty when it asks nothing."""
    cut = _QUOTED.search(text)
    found = [q.strip() for q in _END.split(text[: cut.start()] if cut else text) if q.endswith("?")]
    found = [q for q in found if len(q) > 3]
    if not found or len(found[-1]) > MAX_QUESTION:
        return ""
    return found[-1]


def first_name(name: str) -> str:
    """ "Priya" of "Priya Nair" and of "Nair, Priya"; empty for an address or nothing."""
    if "@" in name:
        return ""
    _last, comma, given = name.partition(",")
    words = (given if comma else name).split()
    return words[0] if words else ""
