"""What one ticket's page is made of: head, clocks, timeline, side. Parts are also fetched alone by the live page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.actions.models import Attachment
from helpdesk.core import chips
from helpdesk.core.formatting import FOREVER, duration, moment
from helpdesk.desk.presence import present
from helpdesk.desk.story import Window, is_conflict, refusal_of, story_of
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import rules
from helpdesk.tickets.access import desk_tickets
from helpdesk.tickets.choices import Sync
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.forms import LEVELS, scale_words
from helpdesk.tickets.models import Status, Ticket, TicketClock
from helpdesk.tickets.services import from_spelling

OTHERS = 5


_RELATED = ("psa_account", "status", "priority", "client", "contact", "site", "agent__user", "team", "ticket_type",
            "contract", "sla_policy", "parent")  # fmt: skip
_SHOWN = (
    *(f.name for f in Ticket._meta.concrete_fields),
    *(f"psa_account__{n}" for n in ("name", "title", "mark", "ticket_url", "capabilities", "transition_rules")),
    "psa_account__settings", "psa_account__client_mail",
    "status__name", "status__category", "status__sla_clock", "priority__name", "priority__rank", "priority__remote_id",
    "client__name", "client__domain", "client__time_zone", "site__name", "site__time_zone",
    "contact__first_name", "contact__last_name", "contact__email", "contact__phone",
    "agent__name", "agent__user__name", "agent__user__email", "team__name", "ticket_type__name",
    "ticket_type__allow_attachments", "contract__name", "contract__block_seconds_left", "sla_policy__name",
    "parent__number", "parent__subject",
)  # fmt: skip
"""Only what the page shows: naming the columns makes the twelve joins four times cheaper than taking all of them."""


def page_ticket(user: User, pk: int) -> Ticket:
    """One ticket with everything its page shows of it, or 404."""
    children = Ticket.objects.filter(parent=OuterRef("pk"), removed_at=None)
    found = desk_tickets(user).select_related(*_RELATED).only(*_SHOWN).annotate(has_children=Exists(children))
    ticket = found.filter(pk=pk).first()
    if ticket is None:
        raise Http404
    return ticket


def open_items(ticket: Ticket) -> list[OutboxItem]:
    """What of this ticket is under way or refused; no query while its summary says nothing is."""
    if ticket.sync_state in (Sync.NONE, Sync.SENT):
        return []
    return list(OutboxItem.objects.in_lane(ticket.lane).open())


def item_of(ticket: Ticket, pk: int) -> OutboxItem:
    """A change of this very ticket, or 404."""
    found = OutboxItem.objects.in_lane(ticket.lane).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def ticket_files(ticket: Ticket, user: User | None = None) -> list[Attachment]:
    """Files of the ticket, and those that hang on this person's draft, in one query."""
    wanted = Q(ticket=ticket)
    if user is not None:
        wanted |= Q(draft__ticket=ticket, draft__user=user, ticket=None, uploaded_by=user)
    found = Attachment.objects.filter(wanted, inline_reference="").present()
    return list(
        found.only(
            "ticket_id", "action_id", "name", "size", "content_type", "is_public", "state", "state_text", "sync_state"
        ).order_by("created_at", "pk")[:300]
    )


# ---- head -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ClockCard:
    kind: str
    label: str
    state: str
    icon: str
    text: str
    due: int | None
    risk: int | None
    lines: Sequence[str]
    tone: str
    percent: int


ICONS = {
    "not_started": "circle-dashed", "running": "clock", "at_risk": "triangle-alert", "paused": "circle-pause",
    "met": "circle-check", "breached": "octagon-alert",
}  # fmt: skip
TONES = {"at_risk": "risk", "breached": "breach", "met": "met"}


def clock_cards(ticket: Ticket, now: datetime) -> list[ClockCard]:
    zone = timezone.get_current_timezone()
    found = sorted(ticket.clocks.all(), key=lambda c: c.kind != "response")
    return [_card(clock, now, zone) for clock in found]


def _card(clock: TicketClock, now: datetime, zone: Any) -> ClockCard:
    seconds = _seconds(clock)
    shown = chips.chip(clock.kind, clock.state, clock.due_at, clock.at_risk_at, seconds, now, zone)
    ticks = seconds is None and clock.due_at is not None and clock.due_at < FOREVER and shown.state not in chips.ENDED
    lines = []
    if clock.target_seconds:
        lines.append(_("Target %(time)s") % {"time": duration(clock.target_seconds)})
    if clock.finished_at:
        lines.append(_("done %(when)s") % {"when": moment(clock.finished_at, now, zone)})
    elif clock.paused_since and shown.state == "paused":
        lines.append(_("since %(when)s") % {"when": moment(clock.paused_since, now, zone)})
    elif clock.due_at and clock.due_at < FOREVER:
        word = _("was due %(when)s") if shown.state == "breached" else _("due %(when)s")
        lines.append(word % {"when": moment(clock.due_at, now, zone)})
    return ClockCard(
        kind=clock.kind,
        label=str(clock.get_kind_display()),
        state=shown.state,
        icon=ICONS[shown.state],
        text=shown.text,
        due=int(clock.due_at.timestamp()) if ticks and clock.due_at else None,
        risk=int(clock.at_risk_at.timestamp()) if ticks and clock.at_risk_at and shown.state == "running" else None,
        lines=lines,
        tone=TONES.get(shown.state, ""),
        percent=_percent(clock, shown.state, now),
    )


def _seconds(clock: TicketClock) -> float | None:
    if clock.state == "paused":
        return clock.remaining_seconds
    stopped = clock.finished_at or (clock.paused_since if clock.state == "breached" else None)
    if stopped is None:
        return None
    since = clock.due_at if clock.state == "breached" else clock.started_at
    return (stopped - since).total_seconds() if since else None


def _percent(clock: TicketClock, state: str, now: datetime) -> int:
    """How much of the promise is used."""
    if state == "breached":
        return 100
    if state == "paused" and clock.target_seconds:
        return max(0, min(100, 100 - round(100 * (clock.remaining_seconds or 0) / clock.target_seconds)))
    if clock.started_at is None or clock.due_at is None or clock.due_at <= clock.started_at:
        return 0
    used = ((clock.finished_at or now) - clock.started_at) / (clock.due_at - clock.started_at)
    return max(0, min(100, round(used * 100)))


def head_context(ticket: Ticket, user: User, now: datetime, items: Sequence[OutboxItem]) -> dict[str, Any]:
    return {
        "cards": clock_cards(ticket, now),
        "watching": present([ticket.pk], but=user.pk, now=now.timestamp()).get(ticket.pk, []),
        "moving": moving_fields(items),
        "psa_url": psa_url(ticket),
        "owner": owner_name(ticket),
    }


def owner_name(ticket: Ticket) -> str:
    if ticket.agent is None:
        return ""
    return str(ticket.agent.user.name if ticket.agent.user else ticket.agent.name)


def psa_url(ticket: Ticket) -> str:
    """The record in the PSA's own pages."""
    address = ticket.psa_account.ticket_url
    if not ticket.remote_id or not address.startswith(("https://", "http://")):
        return ""
    return address.replace("{remote_id}", ticket.remote_id)


def moving_fields(items: Sequence[OutboxItem]) -> dict[str, str]:
    """field -> the sync word of its change under way; the worst counts."""
    worst = {"refused": 3, "checking": 2, "pending": 1}
    found: dict[str, str] = {}
    for item in items:
        names = set(item.fields) & set(FIELDS) if item.verb == Verb.UPDATE_TICKET else set()
        if item.verb == Verb.CREATE_ACTION and item.fields.get("new_status"):
            names = {"status"}
        for name in names:
            if worst.get(item.sync, 0) > worst.get(found.get(name, ""), 0):
                found[name] = item.sync
    return found


# ---- side -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Line:
    """One property. `why` says why it cannot be changed; `is_open` = it can."""

    name: str
    label: str
    value: str
    sync: str = ""
    is_open: bool = False
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A field of a conflict: before, mine, theirs."""

    item: OutboxItem
    name: str
    label: str
    before: str
    mine: str
    theirs: str


SIDE_FIELDS = ("team", "ticket_type", "category", "subcategory", "category_3", "category_4", "impact", "urgency",
               "contract", "sla_policy", "source", "deadline_at", "resolution", "cc", "reported_by")  # fmt: skip
ALWAYS = frozenset({"team", "ticket_type", "contract", "resolution"})
"""Shown also while empty; other empty ones are folded away."""
CLIENT_FIELDS = ("client", "contact", "site")
HIDDEN_WITHOUT = {"site": "sites", "team": "teams", "category": "categories", "subcategory": "categories",
                  "category_3": "categories", "category_4": "categories", "impact": "impact", "urgency": "impact",
                  "contract": "contracts"}  # fmt: skip


def is_hidden(ticket: Ticket, name: str) -> bool:
    """A field this PSA does not know, and that holds nothing."""
    flag = HIDDEN_WITHOUT.get(name)
    off = flag is not None and ticket.psa_account.capabilities.get(flag) is False
    if name == "source" and ticket.source and not ticket.source_word:
        return True  # a number of the PSA's own says nothing to anybody
    if name in ("subcategory", "category_3", "category_4") and not getattr(ticket, name):
        # Deeper levels appear once the level above is chosen.
        above = {"subcategory": "category", "category_3": "subcategory", "category_4": "category_3"}[name]
        return off or not getattr(ticket, above)
    return off and not getattr(ticket, FIELDS[name].attname)


def why_fixed(ticket: Ticket, name: str, user: User) -> str:
    """Why a field cannot be changed; empty when it can."""
    if not can(user, "tickets.change"):
        return _("You may read tickets, not change them.")
    if ticket.removed_at is not None:
        return _("It was deleted in %(psa)s.") % {"psa": ticket.psa_account.title}
    flag = FIELDS[name].flag
    if flag and ticket.psa_account.capabilities.get(flag) is False:
        return _("%(psa)s does not let this be changed.") % {"psa": ticket.psa_account.title}
    return ""


def value_words(ticket: Ticket, name: str, now: datetime) -> str:
    value = getattr(ticket, name)
    if value is None or value == "":
        return ""
    if FIELDS[name].is_instant:
        return moment(value, now, timezone.get_current_timezone())
    if name in ("impact", "urgency"):
        return scale_words().get(value, str(value))
    if name in LEVELS:
        return category_words(str(value))
    return str(value)


def category_words(text: str) -> str:
    """`Access>Password` as people read it; what is sent stays as the PSA spells it."""
    return ", ".join(part.strip() for part in text.split(">") if part.strip()) or text


def line_of(ticket: Ticket, name: str, user: User, now: datetime, moving: Mapping[str, str]) -> Line:
    why = why_fixed(ticket, name, user)
    return Line(
        name=name,
        label=str(FIELDS[name].label),
        value=value_words(ticket, name, now),
        sync=moving.get(name, ""),
        is_open=not why,
        why=why,
    )


def lines_of(ticket: Ticket, names: Sequence[str], user: User, now: datetime, moving: Mapping[str, str]) -> list[Line]:
    return [line_of(ticket, name, user, now, moving) for name in names if not is_hidden(ticket, name)]


def clashes(ticket: Ticket, items: Sequence[OutboxItem]) -> list[Clash]:
    return [
        Clash(
            item=item,
            name=name,
            label=str(FIELDS[name].label),
            before=_spelt(ticket, name, item.base.get(name)),
            mine=_spelt(ticket, name, item.fields[name]),
            theirs=_spelt(ticket, name, theirs),
        )
        for item in items
        if is_conflict(item)
        for name, theirs in item.theirs.items()
        if name in FIELDS and name in item.fields
    ]


def _spelt(ticket: Ticket, name: str, value: Any) -> str:
    found = from_spelling(ticket.psa_account_id, name, value)
    if found is None or found == "":
        return _("nothing")
    if FIELDS[name].is_instant:
        return moment(found, timezone.now(), timezone.get_current_timezone())
    return str(found)[:300]


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """A refused change of fields, or of the ticket's creation, in words."""

    item: OutboxItem
    what: str
    text: str
    loss: str


def stuck_items(ticket: Ticket, items: Sequence[OutboxItem]) -> list[Stuck]:
    """Refused and doubtful changes that have no entry in the timeline."""
    found = []
    for item in items:
        if item.state not in (State.REFUSED, State.CHECKING) or is_conflict(item):
            continue
        if item.verb == Verb.CREATE_TICKET:
            what, loss = _("This new ticket"), _("the ticket")
        elif item.verb == Verb.UPDATE_TICKET:
            what = ", ".join(str(FIELDS[n].label) for n in item.fields if n in FIELDS)
            loss = what
        elif item.verb == Verb.UPLOAD_FILE:
            what = loss = str(item.fields.get("name", _("A file")))
        else:
            continue
        found.append(Stuck(item=item, what=what, text=refusal_of(item) or str(item.get_reason_display()), loss=loss))
    return found


def side_context(ticket: Ticket, user: User, now: datetime, items: Sequence[OutboxItem]) -> dict[str, Any]:
    moving = moving_fields(items)
    waiting = [i for i in items if i.state in (State.WAITING, State.SENDING)]
    lines = lines_of(ticket, SIDE_FIELDS, user, now, moving)
    return {
        "moving": moving,
        "lines": [one for one in lines if one.value or one.sync or one.name in ALWAYS],
        "empty_lines": [one for one in lines if not (one.value or one.sync or one.name in ALWAYS)],
        "client_lines": lines_of(ticket, CLIENT_FIELDS, user, now, moving),
        "dates": _dates(ticket, now),
        "clashes": clashes(ticket, items),
        "stuck": stuck_items(ticket, items),
        "waiting": len(waiting),
        "checking": sum(i.state == State.CHECKING for i in items),
        "refused": sum(i.state == State.REFUSED for i in items),
        "others": others_of(ticket),
        "children": children_of(ticket),
        "extras": extras_of(ticket),
        "local_time": local_time(ticket, now),
        "link_url": _link_url(ticket),
        "log_url": _log_url(ticket, user),
        "psa_says": _psa_says(ticket, now),
    }


def _dates(ticket: Ticket, now: datetime) -> list[tuple[str, str]]:
    zone = timezone.get_current_timezone()
    rows = [
        (_("Opened"), ticket.opened_at),
        (_("Responded"), ticket.first_responded_at),
        (_("Resolved"), ticket.resolved_at),
        (_("Closed"), ticket.closed_at),
    ]
    found = [(label, moment(at, now, zone)) for label, at in rows if at]
    if ticket.billable_seconds:
        found.append((_("Billable"), duration(ticket.billable_seconds)))
    if ticket.nonbillable_seconds:
        found.append((_("Not billable"), duration(ticket.nonbillable_seconds)))
    return found


def others_of(ticket: Ticket) -> list[Ticket]:
    """Other open tickets of the client, next deadline first."""
    if ticket.client_id is None:
        return []
    found = Ticket.objects.present().open().of_clients([ticket.client_id]).exclude(pk=ticket.pk)
    return list(_as_lines(found).by_due()[: OTHERS + 1])


def _as_lines(tickets: Any) -> Any:
    """With what one line of the side panel shows."""
    return tickets.select_related("priority").only(
        "number", "subject", "rank", "priority__name", "next_clock", "clock_state", "next_due_at", "next_at_risk_at",
        "clock_seconds",
    )  # fmt: skip


def children_of(ticket: Ticket) -> list[Ticket]:
    if not getattr(ticket, "has_children", False):
        return []
    return list(_as_lines(Ticket.objects.present().filter(parent=ticket.pk)).order_by("pk")[:20])


_EXTRA_WORDS = 60
MOST_EXTRAS = 40


def extras_of(ticket: Ticket) -> list[tuple[str, str]]:
    """What the PSA says of the ticket beyond our fields: plain values only, read as they are."""
    found = []
    for key, value in sorted((ticket.raw or {}).items()):
        if isinstance(value, str | int | float | bool) and value not in ("", 0, False) and len(str(value)) <= 200:
            found.append((str(key)[:_EXTRA_WORDS], str(value)))
    return found[:MOST_EXTRAS]


def local_time(ticket: Ticket, now: datetime) -> str:
    """What the client's own clock shows; empty when their zone is unknown."""
    name = (ticket.site.time_zone if ticket.site else "") or (ticket.client.time_zone if ticket.client else "")
    if not name:
        return ""
    try:
        return f"{now.astimezone(ZoneInfo(name)):%H:%M}"
    except (ZoneInfoNotFoundError, ValueError):
        return ""


def _link_url(ticket: Ticket) -> str:
    try:
        return reverse("portal:link_create", args=[ticket.pk])
    except NoReverseMatch:
        return ""


def _log_url(ticket: Ticket, user: User) -> str:
    if not can(user, "settings.view"):
        return ""
    try:
        return f"{reverse('sync:log')}?ticket={ticket.pk}"
    except NoReverseMatch:
        return ""


def _psa_says(ticket: Ticket, now: datetime) -> str:
    if not ticket.resolution_due_at:
        return ""
    return _("due %(when)s") % {"when": moment(ticket.resolution_due_at, now, timezone.get_current_timezone())}


# ---- statuses -------------------------------------------------------------------------------------------------------


def statuses_of(account_id: int) -> list[Status]:
    """The account's active statuses, kept for half a minute: a choice is judged anew when it is made."""
    key = f"desk:statuses:{account_id}"
    found = cache.get(key)
    if found is None:
        found = list(Status.objects.filter(psa_account=account_id, is_active=True).defer("raw"))
        cache.set(key, found, 30)
    return found


@dataclass(frozen=True, kw_only=True)
class Then:
    """A status that may follow. `needs` are fields that open it; `blocked` says why it is not to be had."""

    status: Status
    blocked: str = ""
    needs: str = ""


def thens(ticket: Ticket) -> list[Then]:
    found = []
    for status in statuses_of(ticket.psa_account_id):
        if status.pk == ticket.status_id:
            continue
        verdict = rules.judge_status(ticket, status)
        missing = set(verdict.errors)
        can_ask = missing == {"resolution"}
        found.append(
            Then(
                status=status,
                blocked="" if can_ask else " ".join(verdict.errors.values()),
                needs="resolution" if can_ask else "",
            )
        )
    return found


# ---- the page -------------------------------------------------------------------------------------------------------


def page_context(ticket: Ticket, user: User, window: Window, now: datetime) -> dict[str, Any]:
    """Everything but the composer."""
    items = open_items(ticket)
    files = ticket_files(ticket, user)
    on_ticket = [f for f in files if f.ticket_id]
    return {
        "ticket": ticket,
        "now": now,
        "window": window,
        "story": story_of(ticket, window, items=items, files=on_ticket, now=now),
        "draft_files": [f for f in files if not f.ticket_id],
        "may_write": can(user, "actions.add"),
        **head_context(ticket, user, now, items),
        **side_context(ticket, user, now, items),
    }
