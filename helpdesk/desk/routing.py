"""Routing as it is kept: rules made, ordered, switched and deleted, the priority matrix; every change is audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.core.errors import Refused
from helpdesk.directory.models import Agent, PsaAccount
from helpdesk.tickets import matrix
from helpdesk.tickets.choices import Rank
from helpdesk.tickets.models import RoutingRule
from helpdesk.tickets.routing import (
    MOST_RULES,
    Finding,
    Share,
    condition_words,
    findings,
    offered_categories,
    open_counts,
    rule_words,
    rules_of,
    target_words,
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One rule as the page shows it."""

    rule: RoutingRule
    number: int
    when: str
    then: str
    share: Share
    findings: Sequence[Finding]
    is_first: bool
    is_last: bool

    @property
    def words(self) -> str:
        return f"{self.when} → {self.then}"


def lines_of(account: PsaAccount, rules: Sequence[RoutingRule] | None = None) -> list[Line]:
    """The account's rules in their order, with what is wrong and what each would take. Queries do not grow."""
    rules = rules_of(account.pk) if rules is None else rules
    if not rules:
        return []
    shares = open_counts(rules, account.pk)
    wrong = findings(rules, offered_categories(account.pk), _teams_of_agents(rules))
    return [
        Line(
            rule=rule,
            number=at + 1,
            when=condition_words(rule),
            then=target_words(rule),
            share=shares[rule.pk],
            findings=wrong[rule.pk],
            is_first=at == 0,
            is_last=at == len(rules) - 1,
        )
        for at, rule in enumerate(rules)
    ]


def preview_of(account: PsaAccount, rule: RoutingRule) -> Line:
    """How a rule would do that is not saved yet, in its place among the others."""
    others = rules_of(account.pk)
    if rule.pk is None:
        rule.pk = 0
        rules = [*others, rule]
    else:
        rules = [rule if one.pk == rule.pk else one for one in others]
    return next(line for line in lines_of(account, rules) if line.rule is rule)


def _teams_of_agents(rules: Sequence[RoutingRule]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    rows = Agent.teams.through.objects.filter(agent__in=[r.agent_id for r in rules if r.agent_id])
    for agent, team in rows.values_list("agent", "team"):
        found.setdefault(agent, set()).add(team)
    return found


@transaction.atomic
def save_rule(
    *,
    account: PsaAccount,
    rule: RoutingRule | None,
    values: Mapping[str, Any],
    by: User,
    now: datetime,
    request_id: str = "",
) -> RoutingRule:
    """Make one at the end of the order, or change this one in its place."""
    rules = _locked_rules(account.pk)
    if rule is None and len(rules) >= MOST_RULES:
        raise Refused({"": _("An account takes at most %(most)d rules.") % {"most": MOST_RULES}})
    verb = "routing.change" if rule else "routing.add"
    kept = rule or RoutingRule(psa_account=account, position=len(rules) + 1)
    before = rule_words(kept) if rule else ""
    for name, value in values.items():
        setattr(kept, name, value)
    kept.save(update_fields=list(values) if rule else None)
    if not rule or before != rule_words(kept):
        _record(kept, verb, by, now, request_id, {"before": before} if before else {})
    return kept


@transaction.atomic
def move_rule(*, rule: RoutingRule, is_up: bool, by: User, now: datetime, request_id: str = "") -> None:
    """One place up or down; at the end of the list nothing happens."""
    rules = _locked_rules(rule.psa_account_id)
    at = next((n for n, one in enumerate(rules) if one.pk == rule.pk), None)
    to = None if at is None else at + (-1 if is_up else 1)
    if at is None or to is None or not 0 <= to < len(rules):
        return
    rules[at], rules[to] = rules[to], rules[at]
    for position, one in enumerate(rules, start=1):
        one.position = position
    RoutingRule.objects.bulk_update(rules, ["position"])
    _record(rule, "routing.move", by, now, request_id, {"from": at + 1, "to": to + 1})


@transaction.atomic
def switch_rule(*, rule: RoutingRule, is_active: bool, by: User, now: datetime, request_id: str = "") -> None:
    if rule.is_active == is_active:
        return
    rule.is_active = is_active
    rule.save(update_fields=["is_active"])
    _record(rule, "routing.on" if is_active else "routing.off", by, now, request_id, {})


@transaction.atomic
def delete_rule(*, rule: RoutingRule, by: User, now: datetime, request_id: str = "") -> None:
    rest = [one for one in _locked_rules(rule.psa_account_id) if one.pk != rule.pk]
    _record(rule, "routing.delete", by, now, request_id, {})
    rule.delete()
    for position, one in enumerate(rest, start=1):
        one.position = position
    RoutingRule.objects.bulk_update(rest, ["position"])


@transaction.atomic
def save_matrix(
    *, account: PsaAccount, cells: Mapping[str, Any], by: User, now: datetime, request_id: str = ""
) -> None:
    """Impact and urgency ("12") -> rank, all nine of them. Raises Refused for any other rank or a missing one."""
    wanted: dict[str, int] = {}
    for cell in matrix.DEFAULT:
        text = str(cells.get(cell, ""))
        if text not in {str(rank) for rank in Rank.values}:
            raise Refused({cell: _("Choose one from the list.")})
        wanted[cell] = int(text)
    before = matrix.matrix_of(account)
    changed = {cell: [before[cell], rank] for cell, rank in wanted.items() if before[cell] != rank}
    if changed:
        _set(account, matrix.SETTING, wanted)
        _audit(account, "routing.matrix", by, now, request_id, changed)


def _set(account: PsaAccount, name: str, value: Any) -> None:
    """One of the account's settings; the others stay as somebody else may just have left them."""
    fresh = PsaAccount.objects.select_for_update().get(pk=account.pk)
    fresh.settings = {**fresh.settings, name: value}
    fresh.save(update_fields=["settings"])
    account.settings = fresh.settings


def _locked_rules(account_id: int) -> list[RoutingRule]:
    """The account's rules in their order; nobody else orders them until the transaction ends."""
    PsaAccount.objects.select_for_update().get(pk=account_id)
    return list(RoutingRule.objects.of_account(account_id))


def _record(rule: RoutingRule, verb: str, by: User, now: datetime, request_id: str, detail: Mapping[str, Any]) -> None:
    said = {"account": rule.psa_account.name, "rule": rule_words(rule), **detail}
    subject = f"routing_rule:{rule.pk}"
    record_audit(user=by, verb=verb, subject=subject, detail=said, now=now, request_id=request_id)


def _audit(account: PsaAccount, verb: str, by: User, now: datetime, request_id: str, detail: Mapping[str, Any]) -> None:
    said = {"account": account.name, **detail}
    subject = f"account:{account.pk}"
    record_audit(user=by, verb=verb, subject=subject, detail=said, now=now, request_id=request_id)
