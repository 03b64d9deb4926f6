"""One client on one page: what was asked, promised and kept, what waits, and where it went wrong.

It may be handed to the client: it names no note, and no person by more than the first name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Window
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.directory.models import Client
from helpdesk.reports import breaches, tables
from helpdesk.reports.compliance import count, kept_delta
from helpdesk.reports.figures import Totals, all_quantiles, by, lowest
from helpdesk.reports.overview import Sums, read_sums, took, within
from helpdesk.reports.reasons import first_name
from helpdesk.reports.shapes import Address, Figure, change, hours, number, percent_sign, points
from helpdesk.reports.sheets import Cell, Column, Kind, Line, Picture, Sheet
from helpdesk.reports.times import near
from helpdesk.reports.trends import GOAL
from helpdesk.reports.workload import Standing, standing, together
from helpdesk.sla.choices import ClockKind
from helpdesk.tickets.choices import WAITING, Category, Rank
from helpdesk.tickets.models import Ticket, TicketClock
from helpdesk.tickets.querysets import TicketQuerySet

SHORT, MOST = 40, 300
OPEN_SHOWN, LATE_SHOWN = 15, 12
CATEGORIES = 6
JUDGED = 200
"""Of a client's newest tickets: what was promised for them stands in the table of priorities."""
COUNTED = (
    "opened", "finished", "response_met", "response_breached", "resolution_met", "resolution_breached",
    "billable_seconds", "nonbillable_seconds",
)  # fmt: skip
_HEADS = (
    Column(label=gettext_lazy("Opened")),
    Column(label=gettext_lazy("Finished"), is_spare=True),
    Column(label=gettext_lazy("Resp. %"), kind=Kind.PERCENT, is_spare=True),
    Column(label=gettext_lazy("Resol. %"), kind=Kind.PERCENT),
    Column(label=gettext_lazy("Resolved late"), is_spare=True),
    Column(label=gettext_lazy("Open now")),
    Column(label=gettext_lazy("Past due now"), is_spare=True),
    Column(label=gettext_lazy("Time"), kind=Kind.HOURS, is_spare=True),
)


# ---- all clients ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Clients:
    sheet: Sheet
    first: int
    """Where a review of all of them begins; 0 = there is none."""
    total: int
    is_all: bool


def read_clients(address: Address, seen: TicketQuerySet, now: datetime, *, is_all: bool, most: int = MOST) -> Clients:
    """Six queries, whatever their number."""
    whole = tables.whole(address, COUNTED)
    parts, total = tables.parts(address, "client", COUNTED, most if is_all else SHORT)
    here = standing(address, seen, "client", now)
    lines = [_client_line(address, who.keys[0], who.name, t, before, together(here, who)) for who, t, before in parts]
    all_open = Standing(sum(s.open for s in here.values()), sum(s.late for s in here.values()))
    sheet = Sheet(
        key="clients", title=_("Clients, the least kept promises first"), first=_("Client"), columns=_HEADS,
        definition=_("%(shown)d of %(total)d with something finished or due in the period. A name opens its review.")
        % {"shown": len(lines), "total": total},
        lines=lines, foot=_client_line(address, 0, _("All"), *whole, all_open, is_foot=True), has_pictures=True,
        has_deltas=address.compare, empty=_("No client had anything finished in this period."),
    )  # fmt: skip
    return Clients(
        sheet=sheet,
        first=next((who.keys[0] for who, _now, _before in parts if who.keys[0]), 0),
        total=total,
        is_all=len(lines) == total,
    )


def _client_line(
    address: Address, key: int, name: str, t: Totals, before: Totals | None, here: Standing, *, is_foot: bool = False
) -> Line:
    own = {} if is_foot else tables.narrowed("client", key)
    kept = t.percent("resolution")
    seconds = t["billable_seconds"] + t["nonbillable_seconds"]
    cells = [
        Cell(t["opened"], address.tickets("opened", **own)), Cell(t["finished"], address.tickets("finished", **own)),
        Cell(t.percent("response"), address.tickets("response", **own)),
        Cell(kept, address.tickets("resolution", **own)),
        Cell(t["resolution_breached"], address.tickets("resolution_breached", **own)),
        Cell(here.open, address.tickets("open", **own)), Cell(here.late, address.tickets("breached_now", **own)),
        Cell(round(seconds / 3600, 2), address.tickets("time", **own)) if seconds else Cell(None),
    ]  # fmt: skip
    missing = round(GOAL - kept, 1) if kept is not None and kept < GOAL else None
    said = _("%(name)s: %(n)d resolved late") % {"name": name, "n": t["resolution_breached"]}
    late = address.tickets("resolution_breached", **own)
    return Line(
        name=name,
        href=address.other("review", key) if key and name else "",
        cells=cells,
        picture=Picture(width=kept, missing=missing, goal=GOAL, href=late, said=said) if kept is not None else None,
        delta=kept_delta(kept, before),
    )


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a client stands among all of them, the worst first. Keys of its neighbours; 0 = there is none."""

    number: int
    total: int
    previous: int = 0
    following: int = 0


def place(address: Address, client: int) -> Place | None:
    """None when the client had nothing in the period. One query; `address` is that of all clients."""
    spans = {"first": address.period.first, "last": address.period.last}
    keys = {name: ids for name, ids in address.filters.dimensions.items() if name != "client"}
    found, _total = lowest(keys=keys, dimension="client", fewest=1, limit=2000, **spans)
    client = min([client, *address.filters.keys.get("client", [])])  # linked ones stand under the first of them
    order = [key for key, _totals in found if key]
    if client not in order:
        return Place(number=0, total=len(order), following=order[0]) if order else None
    at = order.index(client)
    return Place(
        number=at + 1, total=len(order), previous=order[at - 1] if at else 0,
        following=order[at + 1] if at + 1 < len(order) else 0,
    )  # fmt: skip


def client_for(pk: int) -> Client:
    """One client or 404; only staff asks."""
    found = Client.objects.filter(pk=pk).select_related("psa_account").first()
    if found is None:
        raise Http404
    return found


# ---- one client -----------------------------------------------------------------------------------------------------


class Request(NamedTuple):
    """An open ticket as a review shows it."""

    pk: int
    number: str
    subject: str
    rank: int
    priority: str
    opened_at: datetime
    category: str
    agent: str | None

    @property
    def label(self) -> str:
        return self.number or f"new-{self.pk}"

    @property
    def standing(self) -> str:
        return str(Category(self.category).label)


_REQUEST = ("pk", "number", "subject", "rank", "priority__name", "opened_at", "status_category", "agent__name")


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An open request, and for whom it waits."""

    ticket: Request
    what: str
    is_yours: bool


@dataclass(frozen=True, kw_only=True)
class Review:
    client: Client
    found: Sums
    figures: list[Figure]
    promised: Sheet
    waiting: list[Waiting]
    open: int
    late: breaches.Found
    tables: list[Sheet]


def read_review(address: Address, client: Client, seen: TicketQuerySet, now: datetime) -> Review:
    """Everything on the page, in a fixed number of queries."""
    found = read_sums(address)
    chosen = address.filters.apply(seen.open())
    rows, open_now = _open(chosen)
    period = address.period
    wanted = breaches.wanted("resolution", address.filters, period.first, period.last, now)
    late = breaches.every(
        wanted, "resolution", seen, for_client=True, most=LATE_SHOWN, count=found.now["resolution_breached"]
    )
    return Review(
        client=client,
        found=found,
        figures=_figures(address, found, open_now),
        promised=_promised(address, _targets(address)),
        waiting=sorted((_waiting(one) for one in rows), key=lambda one: not one.is_yours),
        open=open_now,
        late=late,
        tables=[_categories(address)],
    )


def _figures(address: Address, found: Sums, open_now: int) -> list[Figure]:
    t, b = found.now, found.before if address.compare else None

    def kept(clock: str, label: str) -> Figure:
        delta = change(t.percent(clock), b.percent(clock), more_is="good", words=points, digits=1) if b else None
        note = _("%(met)s of %(all)s") % {"met": number(t[f"{clock}_met"]), "all": number(t.judged(clock))}
        value = percent_sign(t.percent(clock))
        return Figure(label=label, value=value, href=address.tickets(clock), note=note, delta=delta)

    exact = all_quantiles(address.period, address.filters, kinds=("answer", "resolve"), totals=t)

    def middle(label: str, kind: str, metric: str) -> Figure:
        value, most = (near(kind, t, share, exact[kind]) for share in (0.5, 0.9))
        return Figure(label=label, value=took(value), href=address.tickets(metric), note=within(most))

    seconds = t["billable_seconds"] + t["nonbillable_seconds"]
    billable = _("%(n)s billable") % {"n": hours(round(t["billable_seconds"] / 3600, 2))} if seconds else ""
    return [
        count(address, "opened", t, b),
        count(address, "finished", t, b),
        kept("response", _("Answered in time")),
        kept("resolution", _("Resolved in time")),
        middle(_("First answer, median"), "answer", "answered"),
        middle(_("Resolution, median"), "resolve", "finished"),
        count(address, "reopened", t, b, "bad"),
        Figure(label=_("Open now"), value=number(open_now), href=address.tickets("open")),
        Figure(
            label=_("Time spent"), value=hours(round(seconds / 3600, 2)), href=address.tickets("time"), note=billable
        ),
        count(address, "escalated", t, b, "bad"),
    ]  # fmt: skip


def _open(tickets: TicketQuerySet) -> tuple[list[Request], int]:
    """Those due first, and how many there are; one query."""
    counted = tickets.order_by("next_due_at", "pk").annotate(n=Window(Count("pk")))
    rows = list(counted.values_list(*_REQUEST, "n")[:OPEN_SHOWN])
    return [Request._make(row[:-1]) for row in rows], rows[0][-1] if rows else 0


def _targets(address: Address) -> Mapping[tuple[int, str], int]:
    """(rank, clock) -> the seconds promised most often, among the client's newest tickets. One query."""
    clients = address.filters.keys.get("client", [])
    newest = Ticket.objects.present().filter(client__in=clients).order_by("-pk").values("pk")[:JUDGED]
    counts = (
        TicketClock.objects.filter(ticket__in=newest, target_seconds__isnull=False)
        .order_by()
        .values_list("ticket__rank", "kind", "target_seconds")
        .annotate(n=Count("pk"))
    )
    most: dict[tuple[int, str], tuple[int, int]] = {}
    for rank, kind, seconds, n in counts:
        most[rank, kind] = max(most.get((rank, kind), (0, 0)), (n, seconds or 0))
    return {key: seconds for key, (_n, seconds) in most.items()}


def _promised(address: Address, targets: Mapping[tuple[int, str], int]) -> Sheet:
    columns = ("finished", "response_met", "response_breached", "resolution_met", "resolution_breached")
    parts, _total = tables.parts(address, "priority", columns, MOST)
    lines = []
    for who, t, _before in parts:
        key = who.keys[0]
        own = tables.narrowed("priority", key)
        kept = t.percent("resolution")
        lines.append(
            Line(
                name=str(Rank(key).label), rank=key,
                cells=[
                    Cell(t["finished"], address.tickets("finished", **own)),
                    Cell(target_words(targets.get((key, ClockKind.RESPONSE.value)))),
                    Cell(t.percent("response"), address.tickets("response", **own)),
                    Cell(target_words(targets.get((key, ClockKind.RESOLUTION.value)))),
                    Cell(kept, address.tickets("resolution", **own)),
                ],
            )
        )  # fmt: skip
    return Sheet(
        key="promised", title=_("What was promised, and kept"), first=_("Priority"), is_wide=False,
        definition=_("The time promised in opening hours, and the share of requests for which it was kept."),
        columns=(
            Column(label=_("Finished")), Column(label=_("Answer within"), kind=Kind.TEXT),
            Column(label=_("Kept %"), kind=Kind.PERCENT), Column(label=_("Resolved within"), kind=Kind.TEXT),
            Column(label=_("Kept %"), kind=Kind.PERCENT),
        ),
        lines=lines,
    )  # fmt: skip


def _categories(address: Address) -> Sheet:
    """What was asked for most."""
    found = by("category", address.period, address.filters, columns=("opened", "finished"))
    most = max((line.totals["opened"] for line in found), default=0) or 1
    lines = []
    for line in [one for one in found if one.totals["opened"]][:CATEGORIES]:
        own = tables.narrowed("category", line.key)
        opened = address.tickets("opened", **own)
        lines.append(
            Line(
                name=line.name, cells=[Cell(line.totals["opened"], opened)],
                picture=Picture(
                    width=round(100 * line.totals["opened"] / most, 1), href=opened,
                    said=_("%(name)s: %(n)d opened") % {"name": line.name, "n": line.totals["opened"]},
                ),
            )
        )  # fmt: skip
    return Sheet(
        key="categories", title=_("What was asked for"), first=_("Category"), has_pictures=True, is_wide=False,
        definition=_("Requests opened in the period, the %(n)d categories with most.") % {"n": CATEGORIES},
        columns=(Column(label=_("Opened")),), lines=lines, empty=_("Nothing was opened in this period."),
    )  # fmt: skip


def target_words(seconds: int | None) -> str:
    """ "30 min", "4 h": promised time is opening time, so that hours never become days."""
    if seconds is None:
        return ""
    minutes = seconds // 60
    if minutes < 60 or minutes % 15:
        return _("%(n)d min") % {"n": minutes}
    return _("%(n)s h") % {"n": f"{minutes / 60:g}"}


def _waiting(ticket: Request) -> Waiting:
    is_yours = ticket.category == Category.WAITING_CLIENT
    if is_yours:
        what = _("waits for an answer of yours")
    elif ticket.category == Category.WAITING_THIRD_PARTY:
        what = _("waits for a supplier")
    elif ticket.category in {one.value for one in WAITING}:
        what = _("waits")
    elif ticket.agent:
        what = _("with %(who)s") % {"who": first_name(ticket.agent)}
    else:
        what = _("waits for somebody to take it")
    return Waiting(ticket=ticket, what=what, is_yours=is_yours)


def sheets(review: Review, zone: object) -> Sequence[Sheet]:
    """For a file."""
    waiting = Sheet(
        key="open", title=_("Open requests"), definition=_("As they stand now, those due first."), first=_("Number"),
        columns=(
            Column(label=_("Subject"), kind=Kind.TEXT), Column(label=_("Priority"), kind=Kind.TEXT),
            Column(label=_("Where it stands"), kind=Kind.TEXT), Column(label=_("Waits"), kind=Kind.TEXT),
        ),
        lines=[
            Line(
                name=one.ticket.label,
                cells=[
                    Cell(one.ticket.subject), Cell(str(Rank(one.ticket.rank).label)),
                    Cell(one.ticket.standing), Cell(one.what),
                ],
            )
            for one in review.waiting
        ],
    )  # fmt: skip
    late = breaches.sheet(review.late, "resolution", zone, for_client=True)  # type: ignore[arg-type]
    return [review.promised, *review.tables, waiting, late]
