"""Opening a ticket: one form for every PSA, checked by the account's own rules before anything leaves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.drafts import draft_of, drop_draft
from helpdesk.actions.files import drafted, limit_for, store_file
from helpdesk.actions.forms import read_ids
from helpdesk.actions.models import Attachment
from helpdesk.actions.services import attach_file, save_draft
from helpdesk.actions.text import BODY_LIMIT
from helpdesk.core.errors import NeedsConfirmation, Refused
from helpdesk.core.formatting import file_size, moment
from helpdesk.core.htmx import render_page, wants_partial
from helpdesk.core.origin import Origin
from helpdesk.desk.ticket_page import category_words
from helpdesk.directory.models import Agent, Client, Contact, Contract, PsaAccount, Site, Team
from helpdesk.sla.models import Target
from helpdesk.tickets.choices import FINISHED, Category, Rank, TypeKind
from helpdesk.tickets.clocks import DEFAULT_TARGETS
from helpdesk.tickets.forms import Choice, find_clients
from helpdesk.tickets.models import Priority, Status, Ticket, TicketCategory, TicketType
from helpdesk.tickets.rules import priority_choices
from helpdesk.tickets.services import create_ticket

TEXTS = ("subject", "description", "reported_by", "source", "cc", "impact", "urgency", "category", "subcategory")
ROWS = ("ticket_type", "status", "priority", "site", "contact", "team", "agent")
NAMES = ("account", "client", "client_text", *TEXTS, *ROWS)
FLAGS = {"site": "sites", "team": "teams", "category": "categories", "subcategory": "categories",
         "impact": "impact", "urgency": "impact"}  # fmt: skip
MATRIX = {"11": 1, "12": 2, "21": 2, "13": 3, "22": 3, "31": 3, "23": 4, "32": 4, "33": 4}
"""Impact and urgency together -> rank, unless the account's settings say otherwise."""
MOST = 300


@dataclass
class Filled:
    """The form as it stands: what was typed, what may be chosen, and what is wrong."""

    values: dict[str, str]
    account: PsaAccount | None
    accounts: Sequence[PsaAccount]
    client: Client | None = None
    clients: Sequence[Choice] = ()
    choices: dict[str, Sequence[Any]] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    files: Sequence[Attachment] = ()
    public_files: frozenset[int] = frozenset()
    others: Sequence[Ticket] = ()
    contract_warning: str = ""
    due_hint: str = ""
    suggestion: str = ""
    marker: str = ""
    saved_at: datetime | None = None
    confirm: bool = False

    @property
    def shown(self) -> dict[str, bool]:
        """Which fields this PSA knows."""
        off = self.account.capabilities if self.account else {}
        found = {name: off.get(flag) is not False for name, flag in FLAGS.items()}
        found["category"] = found["category"] and bool(self.choices.get("category"))
        found["subcategory"] = found["category"] and bool(self.choices.get("subcategory"))
        found["files"] = off.get("attachments_upload") is not False
        return found

    @property
    def limit(self) -> str:
        return file_size(limit_for(self.account))


@require_http_methods(["GET", "POST"])
@requires("tickets.create")
def new(request: SignedIn) -> HttpResponse:
    user, now = request.user, timezone.now()
    if request.method == "GET":
        return _page(request, _opened(user, request.GET, now))
    filled = _fill(request.POST, user, now)
    problems = _keep_plain_files(request, filled, now)
    if problems:
        filled.errors["files"] = " ".join(problems)
    if request.POST.get("look"):
        # Without script: show what the account, client or type asks for, create nothing.
        filled.errors.clear()
        return _page(request, filled)
    _check(filled)
    if filled.errors:
        return _page(request, filled, status=422)
    try:
        ticket = _create(filled, user, now, is_confirmed=request.POST.get("confirmed") == "yes")
    except Refused as refusal:
        filled.errors |= refusal.fields
        return _page(request, filled, status=422)
    except NeedsConfirmation as warning:
        filled.warnings, filled.confirm = warning.warnings, True
        return _page(request, filled, status=422)
    if wants_partial(request):
        return HttpResponse(status=204, headers={"HX-Redirect": ticket.get_absolute_url()})
    return redirect(ticket)


def _page(request: SignedIn, filled: Filled, status: int = 200) -> HttpResponse:
    context = {"form": filled, "values": filled.values, "now": timezone.now()}
    return render_page(
        request, page="tickets/new.html", partial="tickets/_new_form.html", context=context, status=status
    )


def _opened(user: User, data: QueryDict, now: datetime) -> Filled:
    """Empty, or the draft; the address may name an account or a client."""
    draft = draft_of(user, None)
    given: dict[str, str] = {n: str(v) for n, v in (draft.fields if draft else {}).items() if n in NAMES}
    given |= {name: str(data[name])[:255] for name in ("account", "client", "subject") if name in data}
    filled = _fill(given, user, now)
    if draft is not None:
        filled.saved_at = draft.saved_at if draft.fields else None
        filled.files = list(draft.attachments.present())
        filled.public_files = frozenset(i for i in draft.fields.get("public_files", []) if isinstance(i, int))
    filled.errors.clear()
    return filled


def _fill(data: Mapping[str, Any], user: User, now: datetime) -> Filled:
    values = {name: str(data.get(name, "")).replace("\r\n", "\n") for name in NAMES}
    accounts = list(PsaAccount.objects.filter(is_paused=False).order_by("title"))
    account = next((a for a in accounts if str(a.pk) == values["account"]), None) or _usual_account(accounts, user)
    filled = Filled(values=values, account=account, accounts=accounts)
    filled.marker = _marker(str(data.get("marker", "")))
    if isinstance(data, QueryDict):
        filled.files = drafted(user=user, ids=read_ids(data.getlist("file")))
        filled.public_files = frozenset(read_ids(data.getlist("public_file")))
    if account is None:
        filled.errors[""] = _("No PSA account is connected yet: a ticket has nowhere to live.")
        return filled
    values["account"] = str(account.pk)
    _find_client(filled)
    _load_choices(filled)
    _read_rows(filled)
    _hints(filled, now)
    return filled


def _usual_account(accounts: Sequence[PsaAccount], user: User) -> PsaAccount | None:
    """Where the person is an agent, else the first."""
    own = set(user.agents.values_list("psa_account", flat=True)) if len(accounts) > 1 else set()
    return next((a for a in accounts if a.pk in own), accounts[0] if accounts else None)


def _marker(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid4())


def _find_client(filled: Filled) -> None:
    assert filled.account is not None
    values, account = filled.values, filled.account.pk
    key, typed = values["client"], values["client_text"].strip().replace("\x00", "")[:255]
    if key.isdecimal() and len(key) < 19:
        filled.client = Client.objects.filter(pk=int(key), psa_account=account, is_active=True).first()
    if filled.client is None and typed:
        exact = list(Client.objects.filter(psa_account=account, is_active=True, name__iexact=typed)[:2])
        filled.client = exact[0] if len(exact) == 1 else None
        filled.clients = [] if filled.client else find_clients(account, typed)
        if filled.client is None:
            filled.errors["client"] = (
                _("Choose one of these.") if filled.clients else _("No client of this name is known.")
            )
    values["client"] = str(filled.client.pk) if filled.client else ""
    if filled.client:
        values["client_text"] = filled.client.name


def _load_choices(filled: Filled) -> None:
    assert filled.account is not None
    account, client = filled.account.pk, filled.client
    types = list(TicketType.objects.filter(psa_account=account, is_active=True).select_related(
        "initial_status", "default_priority"))  # fmt: skip
    statuses = Status.objects.filter(psa_account=account, is_active=True).exclude(category__in=FINISHED)
    found: dict[str, Sequence[Any]] = {"ticket_type": types, "status": list(statuses)}
    kind = _chosen(types, filled.values["ticket_type"]) or _default_type(types)
    filled.rows["ticket_type"] = kind
    policy = kind.default_sla_policy_id if kind else None
    found["priority"] = priority_choices(account, policy)
    found["site"] = list(Site.objects.filter(client=client, is_active=True)[:MOST]) if client else []
    found["contact"] = (
        list(Contact.objects.filter(client=client, is_active=True, erased_at=None).defer("raw")[:MOST])
        if client
        else []
    )
    found["team"] = list(Team.objects.filter(psa_account=account, is_active=True))
    found["agent"] = list(Agent.objects.filter(psa_account=account, is_active=True).select_related("user"))
    levels = TicketCategory.objects.filter(psa_account=account, level__lte=2, is_active=True)[:1000]
    found["category"] = [_level(c) for c in levels if c.level == 1]
    found["subcategory"] = [_level(c) for c in levels if c.level == 2]
    filled.choices = found


def _level(row: TicketCategory) -> Choice:
    return Choice(value=row.value, label=category_words(row.name or row.value))


def _chosen(rows: Sequence[Any], key: str) -> Any:
    return next((r for r in rows if str(r.pk) == key), None)


def _default_type(types: Sequence[TicketType]) -> TicketType | None:
    return next((t for t in types if t.kind == TypeKind.INCIDENT), types[0] if types else None)


def _read_rows(filled: Filled) -> None:
    """Chosen rows, with the type's defaults where nothing is chosen; a key that does not fit is named."""
    values, rows, choices = filled.values, filled.rows, filled.choices
    kind = rows["ticket_type"]
    for name in ROWS:
        if name == "ticket_type":
            continue
        rows[name] = _chosen(choices[name], values[name])
        if values[name] and rows[name] is None and name not in ("site", "contact", "priority", "status"):
            filled.errors[name] = _("There is no such choice for this ticket.")
    if values["ticket_type"] and kind and str(kind.pk) != values["ticket_type"]:
        filled.errors["ticket_type"] = _("There is no such choice for this ticket.")
    rows["status"] = rows["status"] or _initial_status(kind, choices["status"])
    suggested = _suggested(filled)
    rows["priority"] = rows["priority"] or suggested or _default_priority(kind, choices["priority"])
    filled.suggestion = str(suggested) if suggested and suggested != rows["priority"] else ""
    for name in ROWS:
        values[name] = str(rows[name].pk) if rows[name] is not None else ""


def _initial_status(kind: TicketType | None, statuses: Sequence[Status]) -> Status | None:
    if kind and kind.initial_status in statuses:
        return kind.initial_status
    new_ones = [s for s in statuses if s.category == Category.NEW]
    return next(iter(new_ones or statuses), None)


def _default_priority(kind: TicketType | None, priorities: Sequence[Priority]) -> Priority | None:
    if kind and kind.default_priority in priorities:
        return kind.default_priority
    medium = [p for p in priorities if p.rank == Rank.MEDIUM]
    return next(iter(medium or priorities), None)


def _suggested(filled: Filled) -> Priority | None:
    """What impact and urgency together ask for; None while one of them is open."""
    assert filled.account is not None
    matrix = filled.account.settings.get("priority_matrix") or MATRIX
    rank = matrix.get(filled.values["impact"] + filled.values["urgency"])
    return next((p for p in filled.choices["priority"] if p.rank == rank), None)


def _hints(filled: Filled, now: datetime) -> None:
    """Other open tickets of the client, whether a contract covers it, and when it will be due."""
    assert filled.account is not None
    if filled.client:
        found = Ticket.objects.present().open().of_clients([filled.client.pk]).for_rows()
        filled.others = list(found.order_by("-opened_at", "-pk")[:6])
        if filled.account.can("contracts") and Contract.objects.filter(psa_account=filled.account).exists():
            covered = Contract.objects.filter(client=filled.client, is_active=True).exists()
            if not covered:
                filled.contract_warning = _("%(client)s has no active contract.") % {"client": filled.client}
    priority, kind = filled.rows.get("priority"), filled.rows.get("ticket_type")
    if priority is None:
        return
    policy = kind.default_sla_policy_id if kind else None
    target = Target.objects.filter(policy=policy, priority=priority.remote_id or "").first() if policy else None
    pair = (
        (target.response_seconds, target.resolution_seconds)
        if target
        else DEFAULT_TARGETS.get(priority.rank, (None, None))
    )
    zone = timezone.get_current_timezone()
    words = [
        phrase % {"when": moment(now + timedelta(seconds=seconds), now, zone)}
        for phrase, seconds in zip((_("Response due %(when)s"), _("resolution %(when)s")), pair, strict=True)
        if seconds
    ]
    filled.due_hint = ", ".join(words)


def _check(filled: Filled) -> None:
    """What needs no PSA; the account's own rules come with the creation."""
    values = filled.values
    if not values["subject"].strip():
        filled.errors["subject"] = _("Say in one line who is affected, what is wrong, and since when.")
    for name in TEXTS:
        most = BODY_LIMIT if name == "description" else 255
        if "\x00" in values[name]:
            filled.errors[name] = _("This holds a character that cannot be kept (NUL).")
        elif len(values[name]) > most and name != "cc":
            filled.errors[name] = _("At most %(most)d characters; this has %(has)d.") % {
                "most": most,
                "has": len(values[name]),
            }
    if filled.client is None and "client" not in filled.errors:
        filled.errors["client"] = _("A ticket belongs to a client: type the first letters.")
    for name in ("status", "priority"):
        if filled.account is not None and filled.rows.get(name) is None:
            filled.errors[name] = _("%(psa)s has not told its choices yet: try after the next pull.") % {
                "psa": filled.account.title
            }


def _create(filled: Filled, user: User, now: datetime, *, is_confirmed: bool) -> Ticket:
    assert filled.account is not None
    shown = filled.shown
    fields: dict[str, Any] = {n: filled.values[n].strip() for n in TEXTS if shown.get(n, True)}
    fields |= {n: filled.rows[n] for n in ROWS if shown.get(n, True)}
    fields["client"] = filled.client
    origin = Origin.desk(user)
    ticket = create_ticket(
        psa_account=filled.account,
        fields=fields,
        origin=origin,
        now=now,
        is_confirmed=is_confirmed,
        marker=filled.marker,
    )
    for file in filled.files:
        is_public = file.pk in filled.public_files
        attach_file(file=file, ticket=ticket, action=None, is_public=is_public, origin=origin, now=now)
    drop_draft(user=user, ticket=None)
    return ticket


def _keep_plain_files(request: SignedIn, filled: Filled, now: datetime) -> list[str]:
    problems: list[str] = []
    kept = list(filled.files)
    for given in request.FILES.getlist("upload")[:20]:
        try:
            kept.append(
                store_file(
                    upload=given,
                    name=given.name or "",
                    account=filled.account,
                    user=request.user,
                    draft=None,
                    now=now,
                )
            )
        except Refused as refusal:
            problems.extend(refusal.fields.values())
    filled.files = kept
    return problems


@require_POST
@requires("tickets.create")
def draft(request: SignedIn) -> HttpResponse:
    """Keep what is half typed."""
    fields: dict[str, Any] = {n: request.POST.get(n, "")[:BODY_LIMIT].replace("\x00", "") for n in NAMES}
    fields["public_files"] = read_ids(request.POST.getlist("public_file"))
    kept = save_draft(user=request.user, ticket=None, fields=fields, now=timezone.now())
    if wants_partial(request):
        return render(request, "actions/_draft.html", {"saved_at": kept.saved_at if kept else None})
    return redirect("tickets:new")


@require_GET
@requires("tickets.create")
def clients(request: SignedIn) -> HttpResponse:
    """Clients whose name holds what was typed."""
    account, typed = request.GET.get("account", ""), request.GET.get("q", "")
    key = int(account) if account.isdecimal() and len(account) < 19 else 0
    context = {"clients": find_clients(key, typed), "typed": typed.strip()}
    if not wants_partial(request):
        return redirect("tickets:new")
    return render(request, "tickets/_new_clients.html", context)


@require_GET
@requires("tickets.create")
def parts(request: SignedIn) -> HttpResponse:
    """What depends on account, client, type, impact and urgency, as chosen so far."""
    if not wants_partial(request):
        return redirect("tickets:new")
    filled = _fill(request.GET, request.user, timezone.now())
    filled.errors.clear()
    return render(request, "tickets/_new_refresh.html", {"form": filled, "values": filled.values})
