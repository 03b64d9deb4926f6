"""Who gets a policy: found by a part of the name, never listed in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from helpdesk.desk.sla_lists import who_words
from helpdesk.directory import groups
from helpdesk.directory.models import Client, Contract, PsaAccount, Team
from helpdesk.sla.models import Policy, PolicyUse
from helpdesk.sla.versions import REPLACES, USERS

MODELS: Mapping[str, Any] = {
    "contract": Contract, "client": Client, "team": Team, "psa_account": PsaAccount,
    REPLACES: Policy,
}  # fmt: skip
MOST = 12
"""Rows that a search shows of each kind."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Somebody who can get a policy, or a PSA's policy that ours can replace. `policy`: what was given here already."""

    who: str
    word: str
    key: int
    name: str
    of: str
    account: PsaAccount
    policy: str = ""

    @property
    def value(self) -> str:
        return f"{self.who}:{self.key}"


def clean_words(text: str) -> str:
    return text.replace("\x00", "").strip()[:80]


def one(who: str, key: str) -> Found | None:
    """The row that an address names; None for anything else."""
    row = row_of(who, key)
    return _found(who, [row])[0] if row is not None else None


def row_of(who: str, key: str) -> Any:
    if who not in USERS or not key.isdecimal() or len(key) > 18:
        return None
    return _rows(who).filter(pk=int(key)).first()


def search(text: str, *, among: Sequence[str] = USERS) -> list[Found]:
    """Contracts, clients, teams, accounts and PSAs' policies of these words. A fixed number of queries."""
    words = clean_words(text)
    if not words:
        return []
    found: list[Found] = []
    for who in among:
        wanted = Q(title__icontains=words) | Q(name__icontains=words) if who == "psa_account" else _named(who, words)
        rows = _rows(who).filter(wanted)
        if who == REPLACES:
            rows = rows.filter(archived_at=None)
        elif who != "psa_account":
            rows = rows.filter(is_active=True, is_placeholder=False)
        found += _found(who, list(rows[:MOST]))
    return found


def takers(policy: Policy | None) -> Sequence[str]:
    """Kinds that a policy can be given to: one of a PSA replaces no other. None = not known yet."""
    return [who for who in USERS if who != REPLACES or policy is None or policy.psa_account_id is None]


def accounts() -> list[Found]:
    """All of each PSA account: few enough to be offered without a search."""
    return _found("psa_account", list(PsaAccount.objects.order_by("title", "pk")))


def _named(who: str, words: str) -> Q:
    by_name = Q(name__icontains=words)
    return by_name | Q(client__name__icontains=words) if who == "contract" else by_name


def _rows(who: str) -> Any:
    rows = MODELS[who].objects.all()
    if who == "psa_account":
        return rows.order_by("title", "pk")
    rows = rows.select_related("psa_account").defer("raw")
    if who == REPLACES:
        return rows.exclude(psa_account=None)
    return rows.select_related("psa_account", "client").defer("raw", "client__raw") if who == "contract" else rows


def _found(who: str, rows: list[Any]) -> list[Found]:
    standing = PolicyUse.objects.filter(**{f"{who}__in": [row.pk for row in rows]}, to_at=None)
    given = dict(standing.values_list(f"{who}_id", "policy__name"))
    return [
        Found(
            who=who, word=who_words()[who], key=row.pk, name=str(row),
            of=str(row.client) if isinstance(row, Contract) and row.client else "",
            account=row if isinstance(row, PsaAccount) else row.psa_account, policy=given.get(row.pk, ""),
        )
        for row in rows
    ]  # fmt: skip


def kin_of(target: Found) -> list[Client]:
    """The same customer in other accounts: what it is given counts for all of it."""
    return groups.relatives(row_of(target.who, str(target.key))) if target.who == "client" else []


def given_apart(clients: Sequence[Client]) -> list[tuple[str, str]]:
    """(client, policy) of those that were given one here, where not all of one customer have the same; else nothing."""
    rows = PolicyUse.objects.filter(client__in=clients, to_at=None).select_related("policy", "client__psa_account")
    found = [(f"{one.client} ({one.client.psa_account.title})", one.policy.name) for one in rows if one.client]
    return found if len(found) < len(clients) or len({one.policy_id for one in rows}) > 1 else []


def standing_policy(who: str, key: int) -> int | None:
    found = PolicyUse.objects.filter(**{who: key}, to_at=None).values_list("policy_id", flat=True)
    return next(iter(found), None)


def policies(who: str) -> list[Policy]:
    """Those that can be given to one of this kind: ours first."""
    rows = Policy.objects.filter(archived_at=None).select_related("psa_account").defer("raw")
    if who == REPLACES:
        rows = rows.filter(psa_account=None)
    return sorted(rows, key=lambda row: (row.psa_account is not None, str(row.psa_account or ""), row.name.casefold()))


def policy_of(text: str) -> Policy | None:
    if not text.isdecimal() or len(text) > 18:
        return None
    return Policy.objects.filter(archived_at=None, pk=int(text)).select_related("psa_account").first()
