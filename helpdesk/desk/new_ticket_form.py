"""The new-ticket form as it stands: what was typed, what may be chosen, what fits, and where it is routed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.files import drafted, limit_for
from helpdesk.actions.forms import read_ids
from helpdesk.actions.models import Attachment
from helpdesk.core.formatting import file_size
from helpdesk.desk.new_ticket_choices import load_choices
from helpdesk.desk.ticket_side import category_words
from helpdesk.directory import groups, roles
from helpdesk.directory.contracts import in_force
from helpdesk.directory.models import Client, Contract, PsaAccount
from helpdesk.sla.models import Target
from helpdesk.tickets import routing, type_rules
from helpdesk.tickets.choices import Category, Rank, TypeKind
from helpdesk.tickets.forms import Choice, find_clients, scale_of, told_values
from helpdesk.tickets.matrix import rank_for
from helpdesk.tickets.models import Priority, Status, Ticket, TicketType
from helpdesk.tickets.routing import Route
from helpdesk.tickets.rules import needed_to_create
from helpdesk.tickets.similar import Alike

TEXTS = ("subject", "description", "reported_by", "source", "cc", "impact", "urgency", "category", "subcategory",
         "agent_role")  # fmt: skip
ROWS = ("ticket_type", "status", "priority", "site", "contact", "team", "agent")
ROUTED = ("status", "priority", "team", "agent")
"""What the form fills in by itself, kept as `auto_<name>`: any other value is a person's choice."""
NAMES = ("account", "client", "client_text", *TEXTS, *ROWS, *(f"auto_{name}" for name in ROUTED))
FLAGS = {"site": "sites", "team": "teams", "category": "categories", "subcategory": "categories",
         "impact": "impact", "urgency": "urgency", "source": "source", "cc": "cc"}  # fmt: skip
NOT_OURS = "-"
"""`auto_<name>` of a field that a person has emptied."""


@dataclass
class Filled:
    """The form as it stands: what was typed, what may be chosen, and what is wrong."""

    values: dict[str, str]
    account: PsaAccount | None
    accounts: Sequence[PsaAccount]
    client: Client | None = None
    clients: Sequence[Choice] = ()
    kin: Sequence[Client] = ()
    """The client's own self in other accounts."""
    choices: dict[str, Sequence[Any]] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    files: Sequence[Attachment] = ()
    public_files: frozenset[int] = frozenset()
    marker: str = ""
    saved_at: datetime | None = None
    confirm: bool = False

    route: Route = field(default_factory=Route)
    targets: Mapping[str, Target] = field(default_factory=dict)
    """The promises of the type's SLA by the PSA's priority."""
    suggestion: str = ""
    routed_by: str = ""
    others: Sequence[Ticket] = ()
    similar: Sequence[Alike] = ()
    seen: frozenset[int] = frozenset()
    """Tickets that the person was told of before and that are not theirs."""
    made: Ticket | None = None
    """What this very form has opened already."""
    contract_warning: str = ""
    due_hint: str = ""

    @property
    def required(self) -> frozenset[str]:
        """Fields without which this PSA takes no ticket of this type."""
        return needed_to_create(self.account, self.rows.get("ticket_type")) if self.account else frozenset()

    @property
    def shown(self) -> dict[str, bool]:
        """Which fields this PSA knows."""
        off = self.account.capabilities if self.account else {}
        found = {name: off.get(flag) is not False for name, flag in FLAGS.items()}
        found["category"] = found["category"] and bool(self.choices.get("category"))
        found["subcategory"] = found["category"] and bool(self.choices.get("subcategory"))
        found["agent_role"] = bool(self.choices.get("agent_role"))
        found["files"] = not self.no_files
        return found

    @property
    def no_files(self) -> str:
        """Why no file may be added; empty: one may."""
        return type_rules.no_files(self.account, self.rows.get("ticket_type")) if self.account else ""

    @property
    def limit(self) -> str:
        return file_size(limit_for(self.account))

    @property
    def repeats(self) -> list[Ticket]:
        """Open tickets that look the same and that the person was not told of."""
        return [one.ticket for one in self.similar if one.is_same and one.ticket.pk not in self.seen]

    @property
    def seen_keys(self) -> str:
        """As the form sends them back: those that this very page names are known, too."""
        named = [ticket.pk for ticket in self.repeats] if self.confirm else []
        return ",".join(str(pk) for pk in sorted({*self.seen, *named}))


def read_form(data: Mapping[str, Any], user: User, today: date) -> Filled:
    """What was typed and chosen, completed by the type's defaults, the matrix and the routing rules."""
    values = {name: str(data.get(name, "")).replace("\r\n", "\n") for name in NAMES}
    accounts = list(PsaAccount.objects.filter(is_paused=False).order_by("title"))
    account = next((a for a in accounts if str(a.pk) == values["account"]), None) or _usual_account(accounts, user)
    filled = Filled(values=values, account=account, accounts=accounts)
    filled.marker = fresh_marker(str(data.get("marker", "")))
    filled.seen = frozenset(read_ids(str(data.get("seen", "")).split(",")))
    if isinstance(data, QueryDict):
        filled.files = drafted(user=user, ids=read_ids(data.getlist("file")))
        filled.public_files = frozenset(read_ids(data.getlist("public_file")))
    if account is None:
        filled.errors[""] = _("No PSA account is connected yet: a ticket has nowhere to live.")
        return filled
    values["account"] = str(account.pk)
    find_client(filled, today)
    _load_choices(filled)
    _read_rows(filled)
    return filled


def _usual_account(accounts: Sequence[PsaAccount], user: User) -> PsaAccount | None:
    """Where the person is an agent, else the first."""
    own = set(user.agents.values_list("psa_account", flat=True)) if len(accounts) > 1 else set()
    return next((a for a in accounts if a.pk in own), accounts[0] if accounts else None)


def fresh_marker(text: str = "") -> str:
    """The form's own marker; a new one where it has none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid4())


def find_client(filled: Filled, today: date) -> None:
    """The client chosen, or the only one of the typed name; with what its contracts cover."""
    assert filled.account is not None
    values, account = filled.values, filled.account.pk
    key, typed = values["client"], values["client_text"].strip().replace("\x00", "")[:255]
    known = _clients(account, today)
    if key.isdecimal() and len(key) < 19:
        filled.client = known.filter(pk=int(key)).first()
        if filled.client is None:  # chosen in another account: the same customer in this one
            filled.client = known.filter(pk__in=groups.kin_of([int(key)])).first()
    if filled.client is None and typed:
        exact = list(known.filter(name__iexact=typed)[:2])
        filled.client = exact[0] if len(exact) == 1 else None
        filled.clients = [] if filled.client else find_clients(account, typed)
        if filled.client is None:
            filled.errors["client"] = (
                _("Choose one of these.") if filled.clients else _("No client of this name is known.")
            )
    values["client"] = str(filled.client.pk) if filled.client else ""
    if filled.client:
        values["client_text"] = filled.client.name
        filled.kin = groups.relatives(filled.client)


def _clients(account_id: int, today: date) -> QuerySet[Client]:
    contracts = Contract.objects.filter(psa_account=account_id)
    return Client.objects.filter(psa_account=account_id, is_active=True).annotate(
        is_covered=Exists(contracts.filter(in_force(today), client=OuterRef("pk"))),
        are_contracts_known=Exists(contracts),
    )


def _load_choices(filled: Filled) -> None:
    assert filled.account is not None
    found: dict[str, Sequence[Any]] = dict(load_choices(filled.account, filled.client))
    parts = ("initial_status", "default_priority", "default_team", "default_agent")
    types = list(TicketType.objects.filter(psa_account=filled.account).offered().select_related(*parts))
    kind = _chosen(types, filled.values["ticket_type"]) or _default_type(types)
    _obey_type(filled, kind, found)
    filled.rows["ticket_type"], found["ticket_type"] = kind, types
    if kind and kind.default_sla_policy_id:
        targets = Target.objects.filter(policy=kind.default_sla_policy_id)
        filled.targets = {target.priority: target for target in targets}
        # Only priorities that the SLA knows, unless it knows none.
        known = [p for p in found["priority"] if p.remote_id in filled.targets]
        found["priority"] = known or found["priority"]
    levels = found["category"]
    found["category"] = [_level(c) for c in levels if c.level == 1]
    beneath = [c for c in levels if c.level == 2]
    above = {c.remote_id for c in levels if c.level == 1 and c.value == filled.values["category"]}
    fitting = [c for c in beneath if not c.parent or c.parent in above]
    found["subcategory"] = [_level(c) for c in fitting]
    if filled.values["subcategory"] in {c.value for c in beneath} - {c.value for c in fitting}:
        filled.values["subcategory"] = ""  # it belonged to another category
    filled.choices = found


def _obey_type(filled: Filled, kind: TicketType | None, found: dict[str, Sequence[Any]]) -> None:
    """Statuses that the type does not know are not offered; one that is asked for all the same is named."""
    every = found["status"]
    found["status"] = [status for status in every if type_rules.allows(status, kind)]
    asked = _chosen(every, filled.values["status"])
    if asked is not None and asked not in found["status"]:
        filled.errors["status"] = type_rules.why_not(asked, kind) + "."


def _level(row: Any) -> Choice:
    return Choice(value=row.value, label=category_words(row.name or row.value))


def _chosen(rows: Sequence[Any], key: str) -> Any:
    return next((r for r in rows if str(r.pk) == key), None)


def _default_type(types: Sequence[TicketType]) -> TicketType | None:
    return next((t for t in types if t.kind == TypeKind.INCIDENT), types[0] if types else None)


def _read_rows(filled: Filled) -> None:
    """Chosen rows, with the type's defaults where nothing is chosen; a key that does not fit is named."""
    values, rows, choices = filled.values, filled.rows, filled.choices
    kind = rows["ticket_type"]
    own = {name: values[name] != values[f"auto_{name}"] for name in ROUTED}
    for name in ROWS:
        if name == "ticket_type":
            continue
        rows[name] = _chosen(choices[name], values[name]) if own.get(name, True) else None
        if values[name] and rows[name] is None and name in ("team", "agent") and own[name]:
            filled.errors[name] = _("There is no such choice for this ticket.")
    if values["ticket_type"] and kind and str(kind.pk) != values["ticket_type"]:
        filled.errors["ticket_type"] = _("There is no such choice for this ticket.")
    rows["status"] = rows["status"] or _initial_status(kind, choices["status"])
    _route(filled, own)
    suggested = _suggested(filled)
    wanted = _same(choices["priority"], filled.route.priority)
    own["priority"] = rows["priority"] is not None
    rows["priority"] = rows["priority"] or suggested or wanted or _default_priority(kind, choices["priority"])
    filled.suggestion = str(suggested) if suggested and suggested != rows["priority"] else ""
    _read_role(filled)
    for name in ROWS:
        values[name] = str(rows[name].pk) if rows[name] is not None else ""
    for name in ROUTED:
        values[f"auto_{name}"] = ("" if values[name] else NOT_OURS) if own[name] else values[name]


def _read_role(filled: Filled) -> None:
    """The owner's roles, the default one chosen; nothing where the PSA knows no such thing."""
    assert filled.account is not None
    agent, values = filled.rows["agent"], filled.values
    known = roles.roles_of(agent) if agent is not None and filled.account.can(roles.FLAG) else []
    for name in ("impact", "urgency"):
        filled.choices[name] = scale_of(filled.account, name)
    filled.choices["source"] = told_values(filled.account, "source")
    filled.choices["agent_role"] = [Choice(value=role.key, label=role.name) for role in known]
    if values["agent_role"] not in {role.key for role in known}:
        values["agent_role"] = roles.default_role(agent, filled.rows["team"]) if known else ""


def _route(filled: Filled, own: Mapping[str, bool]) -> None:
    """Team and owner by the account's rules, where the person has not chosen; an owner goes with the rule's team."""
    assert filled.account is not None
    rows, values, shown = filled.rows, filled.values, filled.shown
    facts = routing.Facts(
        client_id=filled.client.pk if filled.client else None,
        type_id=getattr(rows["ticket_type"], "pk", None),
        category=values["category"] if shown["category"] else "",
        subcategory=values["subcategory"] if shown["subcategory"] else "",
    )
    way = filled.route = routing.route(routing.rules_of(filled.account.pk), facts, rows["ticket_type"])
    team, agent = _same(filled.choices["team"], way.team), _same(filled.choices["agent"], way.agent)
    if not shown["team"]:
        team = None
    if not own["team"]:
        rows["team"] = team
    if not own["agent"]:
        rows["agent"] = agent if rows["team"] == team else None
    if not (team or agent):
        return
    is_kept = rows["team"] == team and (agent is None or rows["agent"] == agent)
    phrase = _("Routed by: %(rule)s") if is_kept else _("Your choice. The rule says: %(rule)s")
    filled.routed_by = phrase % {"rule": way.words}


def _same(rows: Sequence[Any], wanted: Any) -> Any:
    return next((row for row in rows if wanted is not None and row.pk == wanted.pk), None)


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
    rank = rank_for(filled.account, filled.values["impact"], filled.values["urgency"])
    return next((p for p in filled.choices["priority"] if p.rank == rank), None)
