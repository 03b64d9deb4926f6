"""What every figure means. The definition stands on the page; the counters say which contributions are behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from helpdesk.actions.choices import Trigger
from helpdesk.actions.titles import kind_word
from helpdesk.reports.slices import AGE_EDGES, IN_CATEGORY
from helpdesk.tickets.choices import Category


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure that can be clicked. `counters`: any of them counts; `without`: none does. Live ones have none."""

    key: str
    label: Any
    definition: Any
    counters: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    is_live: bool = False
    """About tickets as they are now, whatever the period."""
    is_many: bool = False
    """A ticket may stand in several contributions of the period: tickets are counted once."""
    source: str = "days"
    """Where its tickets are listed from: days, stretches (open at the end of the last day) or raised (escalations)."""
    age: int | None = None
    """Bucket of AGE_EDGES that a stretch's ticket is in."""
    trigger: str = ""
    level: int | None = None
    is_sum: bool = False
    """The figure is the sum of its counters, which a ticket may add to several times."""
    is_cyclic: bool = False
    """As `is_sum`, though hardly ever: where reopening starts a clock anew, each of its cycles has a verdict."""


METRICS: dict[str, Metric] = {
    m.key: m
    for m in (
        Metric(
            key="counted", label=_("Opened or finished"), counters=("opened", "finished"), is_many=True,
            definition=_("Every ticket that was opened or finished in the period, each once."),
        ),
        Metric(
            key="opened", label=_("Opened"), counters=("opened",),
            definition=_("Tickets by the day they were opened in the PSA."),
        ),
        Metric(
            key="finished", label=_("Finished"), counters=("finished",),
            definition=_("Tickets that are resolved or closed, by the day they were resolved (else closed). One that "
                         "is reopened counts again when it is finished again."),
        ),
        Metric(
            key="closed", label=_("Closed"), counters=("closed",),
            definition=_("Finished in the period and closed by now."),
        ),
        Metric(
            key="resolved", label=_("Resolved"), counters=("finished",), without=("closed",),
            definition=_("Finished in the period, resolved and not closed yet."),
        ),
        Metric(
            key="reopened", label=_("Reopened"), counters=("reopened",), is_many=True, is_sum=True,
            definition=_("How often tickets went from resolved or closed back to open, each time on its day."),
        ),
        Metric(
            key="ended", label=_("Finished, every time"), counters=("ended",), is_many=True, is_sum=True,
            definition=_("How often tickets were resolved or closed, also those reopened since: what leaves the "
                         "backlog."),
        ),
        Metric(
            key="escalated", label=_("Escalated"), counters=("escalated",),
            definition=_("Tickets escalated here or in the PSA, by the day they first were."),
        ),
        Metric(
            key="response", label=_("Answer judged"), counters=("response_met", "response_breached"),
            definition=_("Tickets with a response target whose clock came to its end in the period."),
        ),
        Metric(
            key="response_met", label=_("Answered in time"), counters=("response_met",),
            definition=_("First answer at or before the response was due."),
        ),
        Metric(
            key="response_breached", label=_("Answered late"), counters=("response_breached",),
            definition=_("First answer after the response was due."),
        ),
        Metric(
            key="resolution", is_cyclic=True, label=_("Resolution judged"),
            counters=("resolution_met", "resolution_breached"),
            definition=_("Tickets with a resolution target that were finished in the period."),
        ),
        Metric(
            key="resolution_met", is_cyclic=True, label=_("Resolved in time"), counters=("resolution_met",),
            definition=_("Finished at or before the resolution was due."),
        ),
        Metric(
            key="resolution_breached", is_cyclic=True, label=_("Resolved late"), counters=("resolution_breached",),
            definition=_("Finished after the resolution was due."),
        ),
        Metric(
            key="retroactive", is_cyclic=True, label=_("Breached retroactively"), counters=("retroactive",),
            definition=_("Resolved late only because priority, policy or calendar was changed later."),
        ),
        Metric(
            key="answered", label=_("First answers"), counters=("answered",),
            definition=_("Tickets by the day of their first answer to the client."),
        ),
        Metric(
            key="response_retroactive", label=_("Answered late, retroactively"), counters=("response_retroactive",),
            definition=_("Answered late only because priority, policy or calendar was changed later."),
        ),
        Metric(
            key="response_corrected", label=_("Answers corrected by hand"), counters=("response_corrected",),
            definition=_("Response clocks with a verdict that a person has set right."),
        ),
        Metric(
            key="resolution_corrected", label=_("Resolutions corrected by hand"), counters=("resolution_corrected",),
            definition=_("Resolution clocks with a verdict that a person has set right."),
        ),
        Metric(
            key="response_paused", label=_("Answers with a pause"), counters=("response_paused",),
            definition=_("Response clocks with a verdict that stood still for some business time."),
        ),
        Metric(
            key="resolution_paused", is_cyclic=True, label=_("Resolutions with a pause"),
            counters=("resolution_paused",),
            definition=_("Resolution clocks with a verdict that stood still for some business time."),
        ),
        Metric(
            key="excluded", label=_("Taken out by hand"), counters=("excluded",),
            definition=_("Finished tickets of which a person said that a promise does not count."),
        ),
        Metric(
            key="answer_timed", label=_("First answers, business time"), counters=("answer_timed",),
            definition=_("Tickets whose response clock came to its end, with the business time it ran."),
        ),
        Metric(
            key="resolve_timed", is_cyclic=True, label=_("Resolutions, business time"), counters=("resolve_timed",),
            definition=_("Tickets whose resolution clock came to its end, with the business time it ran."),
        ),
        Metric(
            key="raised", label=_("Escalations"), source="raised", is_many=True, is_sum=True, counters=("raised",),
            definition=_("Every time a person or a rule escalated a ticket, on the day it did."),
        ),
        Metric(
            key="backlog", label=_("Backlog"), source="stretches",
            definition=_("Tickets that were open at the end of the last day."),
        ),
        Metric(
            key="time", label=_("Time booked"), counters=("billable_seconds", "nonbillable_seconds"), is_many=True,
            definition=_("Tickets with time booked in the period, under the person who booked it."),
        ),
        Metric(
            key="billable", label=_("Billable time"), counters=("billable_seconds",), is_many=True,
            definition=_("Time booked as billable, by the day it ended, under the person who booked it."),
        ),
        Metric(
            key="nonbillable", label=_("Time not billable"), counters=("nonbillable_seconds",), is_many=True,
            definition=_("Time booked as not billable, by the day it ended, under the person who booked it."),
        ),
        Metric(
            key="compliance", label=_("SLA compliance, judged"), is_many=True,
            counters=("resolution_met", "resolution_breached"),
            definition=_("Tickets with a resolution target: those finished in the period, and those open now."),
        ),
        Metric(key="open", label=_("Open now"), is_live=True, definition=_("Tickets not finished, right now.")),
        Metric(
            key="at_risk", label=_("At risk now"), is_live=True,
            definition=_("Open, and a clock runs out within the hour (a short one: in its last quarter)."),
        ),
        Metric(
            key="breached_now", label=_("Breached, open"), is_live=True,
            definition=_("Open, and past the next thing that was promised, right now."),
        ),
        Metric(
            key="unassigned", label=_("Needs an owner"), is_live=True, definition=_("Open tickets that nobody has."),
        ),
        Metric(
            key="waiting_long", label=_("Waiting over 7 days"), is_live=True,
            definition=_("Open tickets in a waiting status on which nothing has happened for 7 days."),
        ),
    )
}  # fmt: skip
DEFAULT = "counted"


def age_name(bucket: int) -> str:
    """ "today", "1 to 2 days", "90 days and more"."""
    if not bucket:
        return str(_("today"))
    first = AGE_EDGES[bucket - 1]
    if bucket == len(AGE_EDGES):
        return str(_("%(first)d days and more")) % {"first": first}
    return str(_("%(first)d to %(last)d days")) % {"first": first, "last": AGE_EDGES[bucket] - 1}


def _add(*found: Metric) -> None:
    METRICS.update({one.key: one for one in found})


_age_name = lazy(age_name, str)
for _bucket in range(len(AGE_EDGES) + 1):
    _add(
        Metric(
            key=f"backlog_age_{_bucket}", label=format_lazy("{}, {}", _("Backlog"), _age_name(_bucket)), age=_bucket,
            source="stretches",
            definition=_("Tickets that were open at the end of the last day, by days since they were opened."),
        ),
        Metric(
            key=f"open_age_{_bucket}", label=format_lazy("{}, {}", _("Open now"), _age_name(_bucket)), is_live=True,
            definition=_("Tickets not finished, by days since they were opened."),
        ),
    )  # fmt: skip
for _category, _column in IN_CATEGORY.items():
    _add(
        Metric(
            key=f"{_category}_time", label=format_lazy("{}: {}", _("Time"), Category(_category).label), is_many=True,
            counters=(_column,),
            definition=_("Tickets that were finished in the period, and how long they had stood so while open."),
        )
    )  # fmt: skip
for _trigger in Trigger:
    _add(
        Metric(
            key=f"raised_{_trigger}", label=_trigger.label, source="raised", is_many=True, is_sum=True,
            counters=("raised",), trigger=_trigger.value,
            definition=_("Every time this escalated a ticket, on the day it did."),
        )
    )  # fmt: skip


def find_metric(key: str) -> Metric | None:
    """Also of one level of escalation: `raised_<trigger>_<level>`."""
    if key in METRICS:
        return METRICS[key]
    name, _dash, level = key.rpartition("_")
    found = METRICS.get(name)
    if not found or not found.trigger or not level.isdecimal() or len(level) > 4:
        return None
    return replace(found, key=key, level=int(level), label=lazy(kind_word, str)(found.trigger, int(level)))
