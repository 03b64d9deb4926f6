"""Agents written down by an administrator, beside those that were learned, where a PSA lists nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.core.errors import Refused
from helpdesk.directory.models import Agent, PsaAccount
from helpdesk.directory.services import join_users


def lists_nobody(account: PsaAccount) -> bool:
    """Whether agents of this account are learned and written down, for want of a list."""
    return account.capabilities.get("list_agents") is False


def agents_of(account: PsaAccount) -> QuerySet[Agent]:
    """Everybody who is known there, those who still work first."""
    rows = Agent.objects.filter(psa_account=account).select_related("user").defer("raw")
    return rows.order_by("-is_active", "name", "pk")


@transaction.atomic
def save_agent(
    *, account: PsaAccount, agent: Agent | None, name: str, email: str, remote_id: str, by: User, now: datetime,
    request_id: str = "",
) -> Agent:  # fmt: skip
    """Add one, or change this one. Raises Refused at the field.

    From now on the row is ours: no pull renames it. Who has the e-mail as a user of this desk is joined.
    """
    values = {"name": name, "email": email, "remote_id": remote_id}
    problem = _problem(account, agent, remote_id)
    if problem:
        raise Refused({"remote_id": problem})
    kept = agent or Agent(psa_account=account)
    changed = {n: value for n, value in values.items() if getattr(kept, n) != value}
    if "email" in changed and kept.user is not None and kept.user.email.lower() != email.lower():
        kept.user = None  # joined by the old address
    for column, value in values.items():
        setattr(kept, column, value)
    kept.is_placeholder = False
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError as error:
        raise Refused({"remote_id": _taken(account)}) from error
    join_users(now=now)
    if changed:
        _record(kept, "agent.change" if agent else "agent.add", by, now, request_id, changed)
    return kept


@transaction.atomic
def switch_agent(*, agent: Agent, is_active: bool, by: User, now: datetime, request_id: str = "") -> None:
    """Retire somebody, or take them back. Their tickets and words stay theirs."""
    if Agent.objects.filter(pk=agent.pk).exclude(is_active=is_active).update(is_active=is_active):
        _record(agent, "agent.restore" if is_active else "agent.retire", by, now, request_id, {})


def _record(agent: Agent, verb: str, by: User, now: datetime, request_id: str, changed: Mapping[str, Any]) -> None:
    detail = {"account": agent.psa_account.name, "name": agent.name, **changed}
    record_audit(user=by, verb=verb, subject=f"agent:{agent.pk}", detail=detail, now=now, request_id=request_id)


def _problem(account: PsaAccount, agent: Agent | None, remote_id: str) -> str:
    if account.capabilities.get("agent_ids") == "digits" and not (remote_id.isascii() and remote_id.isdecimal()):
        return _("%(psa)s knows its people by a number.") % {"psa": account.title}
    if agent is not None and agent.remote_id != remote_id and agent.tickets.exists():
        return _("This one has tickets under the old id. Retire it, and add the other one.")
    others = Agent.objects.filter(psa_account=account, remote_id=remote_id)
    if agent is not None:
        others = others.exclude(pk=agent.pk)
    return _taken(account) if others.exists() else ""


def _taken(account: PsaAccount) -> str:
    return _("Somebody of %(psa)s has this id already.") % {"psa": account.title}
