"""Where a new ticket goes: the account's rules, first match wins, then what the PSA says of the ticket type.

`route` is pure: every door that opens a ticket asks it, and sends the answer with the creation itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Case, Count, IntegerField, Q, Value, When
from django.utils.translation import gettext as _

from helpdesk.directory.models import Agent, Team
from helpdesk.tickets.models import Priority, RoutingRule, Ticket, TicketCategory, TicketType

Row = TypeVar("Row", Team, Agent, Priority)
MOST_RULES = 200
"""Per account: more than a person can order, and few enough to count in one statement."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of the ticket before it is routed."""

    client_id: int | None = None
    type_id: int | None = None
    category: str = ""
    subcategory: str = ""


@dataclass(frozen=True, kw_only=True)
class Route:
    """What the first rule that fits says; without one, the ticket type's own defaults. Both None = nobody said."""

    team: Team | None = None
    agent: Agent | None = None
    priority: Priority | None = None
    rule: RoutingRule | None = None
    kind: TicketType | None = None

    @property
    def words(self) -> str:
        if self.rule is not None:
            return rule_words(self.rule)
        return _("type %(type)s") % {"type": self.kind} if self.kind is not None else ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong with a rule. `skips`: it is passed over as if it were not there."""

    text: str
    skips: bool = False


def rules_of(account_id: int) -> list[RoutingRule]:
    """An account's rules in their order, with all that they name."""
    return list(RoutingRule.objects.of_account(account_id).with_parts())


def route(rules: Sequence[RoutingRule], facts: Facts, kind: TicketType | None = None) -> Route:
    """The way of a ticket with these facts. A rule that leads nowhere is passed over, never an error."""
    for rule in rules:
        if rule.is_active and not leads_nowhere(rule) and fits(rule, facts):
            return Route(team=_usable(rule.team), agent=_usable(rule.agent), priority=_usable(rule.priority), rule=rule)
    team, agent = (_usable(kind.default_team), _usable(kind.default_agent)) if kind else (None, None)
    return Route(team=team, agent=agent, kind=kind if team or agent else None)


def fits(rule: RoutingRule, facts: Facts) -> bool:
    """Whether every condition holds; a category stands for those below it (`Network` for `Network>Wi-Fi`), too."""
    return (
        rule.client_id in (None, facts.client_id)
        and rule.ticket_type_id in (None, facts.type_id)
        and _is_under(facts.category, rule.category)
        and _is_under(facts.subcategory, rule.subcategory)
    )


def leads_nowhere(rule: RoutingRule) -> bool:
    """Its team is no longer there, and so is nobody else it could give a ticket to."""
    if rule.team_id is not None:
        return _usable(rule.team) is None
    return _usable(rule.agent) is None


def _usable(row: Row | None) -> Row | None:
    """A row that a new ticket may name: in use, and known to the PSA."""
    return row if row is not None and row.is_active and row.remote_id else None


def _is_under(value: str, wanted: str) -> bool:
    value, wanted = value.casefold(), wanted.casefold()
    return not wanted or value == wanted or value.startswith(f"{wanted}>")


# ---- in words -------------------------------------------------------------------------------------------------------


def rule_words(rule: RoutingRule) -> str:
    """`Acme, category Network → Field team`."""
    return f"{condition_words(rule)} → {target_words(rule)}"


def condition_words(rule: RoutingRule) -> str:
    parts = [str(rule.client)] if rule.client else []
    if rule.ticket_type:
        parts.append(_("type %(type)s") % {"type": rule.ticket_type})
    if rule.category:
        parts.append(_("category %(category)s") % {"category": _path(rule.category)})
    if rule.subcategory:
        parts.append(_("subcategory %(category)s") % {"category": _path(rule.subcategory)})
    return ", ".join(parts) or _("every ticket")


def target_words(rule: RoutingRule) -> str:
    parts = [str(row) for row in (rule.team, rule.agent) if row is not None]
    if rule.priority:
        parts.append(_("priority %(priority)s") % {"priority": rule.priority})
    return ", ".join(parts) or _("nobody")


def _path(value: str) -> str:
    return ", ".join(part.strip() for part in value.split(">") if part.strip()) or value


# ---- what is wrong, and how much each would take --------------------------------------------------------------------


def findings(
    rules: Sequence[RoutingRule], offered: Collection[str], teams_of: Mapping[int, Collection[int]] | None = None
) -> dict[int, list[Finding]]:
    """Rule id -> what a person should mend.

    `offered`: every category and subcategory that the PSA still has. `teams_of`: agent -> teams, where they are known.
    """
    found = {rule.pk: _own_findings(rule, offered, teams_of or {}) for rule in rules}
    working = [rule for rule in rules if rule.is_active and not leads_nowhere(rule)]
    for at, rule in enumerate(working):
        earlier = next((one for one in working[:at] if covers(one, rule)), None)
        if earlier is not None:
            found[rule.pk].append(Finding(text=_unreached(rule, earlier, rules)))
    return found


def covers(general: RoutingRule, rule: RoutingRule) -> bool:
    """Whether every ticket that `rule` fits is one that `general` fits."""
    facts = Facts(
        client_id=rule.client_id,
        type_id=rule.ticket_type_id,
        category=rule.category,
        subcategory=rule.subcategory,
    )
    return fits(general, facts)


def _unreached(rule: RoutingRule, earlier: RoutingRule, rules: Sequence[RoutingRule]) -> str:
    number = [one.pk for one in rules].index(earlier.pk) + 1
    if covers(rule, earlier) and (rule.team_id, rule.agent_id) != (earlier.team_id, earlier.agent_id):
        return _("Contradicts rule %(number)d, which asks for the same and comes first.") % {"number": number}
    return _("Never reached: rule %(number)d takes all of these before.") % {"number": number}


def _own_findings(
    rule: RoutingRule, offered: Collection[str], teams_of: Mapping[int, Collection[int]]
) -> list[Finding]:
    found = []
    if leads_nowhere(rule):
        gone = rule.team or rule.agent
        text = _("%(name)s is not in use any more: this rule is skipped.") % {"name": gone}
        found.append(Finding(text=text if gone else _("Its team is gone: this rule is skipped."), skips=True))
    elif rule.agent and _usable(rule.agent) is None:
        found.append(Finding(text=_("%(name)s is not active any more: tickets get no owner.") % {"name": rule.agent}))
    elif rule.agent and rule.team and teams_of.get(rule.agent.pk) and rule.team.pk not in teams_of[rule.agent.pk]:
        names = {"agent": rule.agent, "team": rule.team}
        found.append(Finding(text=_("%(agent)s does not belong to %(team)s.") % names))
    if rule.priority and _usable(rule.priority) is None:
        found.append(
            Finding(text=_("Priority %(name)s is not in use any more: it is left out.") % {"name": rule.priority})
        )
    found += [
        Finding(text=_("%(name)s is not active any more: no new ticket fits.") % {"name": row})
        for row in (rule.client, rule.ticket_type)
        if row is not None and not row.is_active
    ]
    found += [
        Finding(text=_("Category %(name)s is not offered any more: no new ticket fits.") % {"name": _path(value)})
        for value in (rule.category, rule.subcategory)
        if value and not any(_is_under(one, value) for one in offered)
    ]
    return found


def offered_categories(account_id: int) -> set[str]:
    rows = TicketCategory.objects.filter(psa_account=account_id, is_active=True, level__lte=2)
    return set(rows.values_list("value", flat=True)[:5000])


@dataclass(frozen=True, kw_only=True)
class Share:
    """Open tickets that a rule fits, and those of them that no earlier rule takes."""

    fits: int = 0
    takes: int = 0


def open_counts(rules: Sequence[RoutingRule], account_id: int) -> dict[int, Share]:
    """Rule id -> how many of the open tickets it would have; two statements for all rules."""
    if not rules:
        return {}
    tickets = Ticket.objects.present().open().in_accounts([account_id]).order_by()
    fitting = tickets.aggregate(**{f"n{rule.pk}": Count("pk", filter=condition(rule)) for rule in rules})
    working = [rule for rule in rules if rule.is_active and not leads_nowhere(rule)]
    taken: dict[int | None, int] = {}
    if working:
        first = Case(*(When(condition(r), then=Value(r.pk)) for r in working), output_field=IntegerField())
        taken = dict(tickets.annotate(rule=first).values_list("rule").annotate(n=Count("pk")))
    return {rule.pk: Share(fits=fitting[f"n{rule.pk}"], takes=taken.get(rule.pk, 0)) for rule in rules}


def condition(rule: RoutingRule) -> Q:
    """`fits` as a query."""
    wanted = Q(pk__isnull=False)
    if rule.client_id is not None:
        wanted &= Q(client=rule.client_id)
    if rule.ticket_type_id is not None:
        wanted &= Q(ticket_type=rule.ticket_type_id)
    for name in ("category", "subcategory"):
        value = getattr(rule, name)
        if value:
            wanted &= Q(**{f"{name}__iexact": value}) | Q(**{f"{name}__istartswith": f"{value}>"})
    return wanted
