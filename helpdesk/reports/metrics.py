"""What every figure means. The definition stands on the page; the counters say which contributions are behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


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
            key="reopened", label=_("Reopened"), counters=("reopened",),
            definition=_("Tickets that went from resolved or closed back to open, by the day of the last time."),
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
            key="resolution", label=_("Resolution judged"), counters=("resolution_met", "resolution_breached"),
            definition=_("Tickets with a resolution target that were finished in the period."),
        ),
        Metric(
            key="resolution_met", label=_("Resolved in time"), counters=("resolution_met",),
            definition=_("Finished at or before the resolution was due."),
        ),
        Metric(
            key="resolution_breached", label=_("Resolved late"), counters=("resolution_breached",),
            definition=_("Finished after the resolution was due."),
        ),
        Metric(
            key="retroactive", label=_("Breached retroactively"), counters=("retroactive",),
            definition=_("Resolved late only because priority, policy or calendar was changed later."),
        ),
        Metric(
            key="answered", label=_("First answers"), counters=("answered",),
            definition=_("Tickets by the day of their first answer to the client."),
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
