"""What a report's address asks for, and what every report page says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.directory.models import Client
from helpdesk.reports import head_markup, pdf
from helpdesk.reports.filters import NAMES, Filters, read_filters
from helpdesk.reports.metrics import METRICS
from helpdesk.reports.models import FoldState
from helpdesk.reports.periods import NAMES as PERIODS
from helpdesk.reports.periods import Period, read_period
from helpdesk.reports.shapes import Address
from helpdesk.reports.tables import ANY
from helpdesk.reports.times import CLOCKS

PAGES = {
    "overview": gettext_lazy("Overview"),
    "compliance": gettext_lazy("Compliance"),
    "times": gettext_lazy("Times"),
    "breaches": gettext_lazy("Breaches"),
    "backlog": gettext_lazy("Backlog"),
    "workload": gettext_lazy("Workload"),
    "clients": gettext_lazy("Clients"),
}
"""The pages about a period, in the order of their tabs."""
BY: Mapping[str, Mapping[str, Any]] = {
    "overview": {
        "client": gettext_lazy("Client"), "team": gettext_lazy("Team"), "agent": gettext_lazy("Owner"),
    },
    "compliance": ANY,
    "times": ANY,
    "workload": {"agent": ANY["agent"], "team": ANY["team"], **ANY},
}  # fmt: skip
"""What a page's table can be about; the first one stands unless another is asked for."""
BREACHES = ("resolution", "response", "open")
"""Which breaches a page lists."""
OWN = frozenset({"kind", "clock", "of", "of_client", "cursor", "all", "format"})
"""What only some pages ask for; never a filter."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The address of a report, read."""

    state: FoldState
    zone: ZoneInfo
    period: Period
    filters: Filters
    address: Address
    notes: list[str]
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def by(self) -> str:
        """What the table is about."""
        return self.address.by or next(iter(BY[self.address.where]))


def person_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def read(data: Mapping[str, str], now: datetime, *, where: str = "overview", client: Client | None = None) -> Asked:
    """`data`: the query of the address; the same for a page, its files and a mail. `client`: whose review it is."""
    if client:
        data = {**data, "client": str(client.pk)}
    state = FoldState.objects.first() or FoldState()
    zone = ZoneInfo(state.time_zone)
    period = read_period(data, today=now.astimezone(zone).date())
    filters = read_filters({name: value for name, value in data.items() if name not in OWN}, client)
    by, known = data.get("by", ""), BY.get(where, {})
    if by and by not in known:
        filters.ignored.append(_("table by “%(value)s”") % {"value": by[:60]})
    address = Address(
        period=period,
        filters=filters,
        compare=data.get("compare", "on") != "off",
        by=by if by in known and by != next(iter(known)) else "",
        where=where,
        of=client.pk if client else 0,
    )
    return Asked(
        state=state, zone=zone, period=period, filters=filters, address=address, notes=list(period.notes), data=data
    )  # fmt: skip


def shared(request: HttpRequest, asked: Asked, now: datetime) -> dict[str, Any]:
    """What every report page says about itself, and where one can go from it."""
    address, may_export = asked.address, can(request.user, "reports.export")
    is_page = address.where in PAGES or bool(address.of)
    kept = {**address.parts(), **address.own, **({"by": address.by} if address.by else {})}
    if address.of:
        kept.pop("client", None)
    return {
        "now": now,
        "period": asked.period,
        "filters": asked.filters,
        "address": address,
        "zone": str(asked.zone),
        "counted_at": asked.state.caught_up_at.astimezone(asked.zone) if asked.state.caught_up_at else None,
        "notes": asked.notes,
        "may_export": may_export,
        "tabs": head_markup.links(
            (
                (address.other(name), label, name == address.where or (name == "clients" and bool(address.of)))
                for name, label in PAGES.items()
            ),
            "page",
        ),
        "periods": head_markup.links(
            (address.with_period(name), label, name == asked.period.name) for name, label in PERIODS.items()
        ),
        "compare_href": address.page(compare="off" if address.compare else None),
        "chips": [(chip, address.page(**{chip.name: None})) for chip in asked.filters.chips()],
        "hidden": head_markup.hidden(kept),
        "hidden_but_days": head_markup.hidden(kept, but_days=True),
        "offered": ",".join(name for name in NAMES if name not in asked.filters.keys) if is_page else "",
        "files": head_markup.take((kind, address.file(kind)) for kind in pdf.kinds()) if may_export and is_page else "",
    }


def choices(asked: Asked) -> SafeString:
    """What the table can be about, as links."""
    known = BY[asked.address.where]
    first = next(iter(known))
    return head_markup.links(
        (asked.address.page(by=name if name != first else None), label, name == asked.by)
        for name, label in known.items()
    )


def can_take(request: HttpRequest) -> bool:
    """Whether this person may have files."""
    return can(request.user, "reports.export")


def as_file(response: Any, name: str) -> HttpResponse:
    """Saved under this name, and kept by nobody on the way."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return cast(HttpResponse, response)


def breach_kind(asked: Asked) -> str:
    """Which breaches the address asks for; put right and said when it is none of them."""
    kind = asked.data.get("kind", "")
    if kind and kind not in BREACHES:
        asked.filters.ignored.append(_("breaches “%(value)s”") % {"value": kind[:60]})
    kind = kind if kind in BREACHES else "resolution"
    if kind != "resolution":
        asked.address.own["kind"] = kind
    return kind


def clock_kind(asked: Asked) -> str:
    """By which clock the address asks for times; put right and said when it is neither of them."""
    clock = asked.data.get("clock", "")
    if clock and clock not in CLOCKS:
        asked.filters.ignored.append(_("clock “%(value)s”") % {"value": clock[:60]})
    clock = clock if clock in CLOCKS else "wall"
    if clock != "wall":
        asked.address.own["clock"] = clock
    return clock


def terms(*metrics: str) -> list[tuple[Any, Any]]:
    """What these figures are called, and mean: it stands on their page."""
    return [(METRICS[key].label, METRICS[key].definition) for key in metrics]
