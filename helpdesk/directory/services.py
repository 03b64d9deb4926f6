"""People, places and promises of a PSA account: upserts from a pull, and who is who at our own door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models.functions import Lower

from helpdesk.accounts.choices import STAFF, Role
from helpdesk.core.secrets import decrypt, encrypt
from helpdesk.directory.models import Agent, Contact, PsaAccount, PsaSecret, Team


@dataclass(frozen=True, kw_only=True)
class RemoteRecord:
    """One record of a PSA in our columns (`client_id`, `name`, ...), only what the feed carries."""

    remote_id: str
    values: Mapping[str, Any]
    remote_updated_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def upsert_records(model: type[models.Model], *, account_id: int, rows: Sequence[RemoteRecord]) -> int:
    """Insert or update rows of any mirrored model. Rows of one call must carry the same columns. Counts the rows.

    An erased contact's own fields stay erased, whatever a later pull says.
    """
    rows = list({row.remote_id: row for row in rows}.values())
    if model is Contact:
        rows = _without_erased(account_id, rows)
    if not rows:
        return 0
    columns = sorted({name for row in rows for name in row.values})
    objects = [
        model(
            psa_account_id=account_id,
            remote_id=row.remote_id,
            remote_updated_at=row.remote_updated_at,
            raw=dict(row.raw),
            is_placeholder=False,
            **row.values,
        )
        for row in rows
    ]
    model._default_manager.bulk_create(
        objects,
        update_conflicts=True,
        unique_fields=["psa_account", "remote_id"],
        update_fields=[*[c.removesuffix("_id") for c in columns], "remote_updated_at", "raw", "is_placeholder"],
        batch_size=200,
    )
    return len(objects)


def _without_erased(account_id: int, rows: Iterable[RemoteRecord]) -> list[RemoteRecord]:
    erased = set(
        Contact.objects.filter(psa_account_id=account_id, erased_at__isnull=False).values_list("remote_id", flat=True)
    )
    return [row for row in rows if row.remote_id not in erased]


def ids_by_remote(
    model: type[models.Model], account_id: int, remote_ids: Iterable[str] | None = None
) -> dict[str, int]:
    """remote id -> our key; all of the account when no ids are named."""
    found = model._default_manager.filter(psa_account_id=account_id)
    if remote_ids is not None:
        found = found.filter(remote_id__in=set(remote_ids))
    return dict(found.values_list("remote_id", "pk"))


@transaction.atomic
def place_holder(model: type[models.Model], *, account_id: int, remote_id: str, values: Mapping[str, Any]) -> int:
    """A row for an id that a record names before (or without) its own record being seen; its key."""
    row, _made = model._default_manager.get_or_create(
        psa_account_id=account_id, remote_id=remote_id, defaults={**values, "is_placeholder": True}
    )
    return row.pk


@transaction.atomic
def set_agent_teams(*, account_id: int, teams: Mapping[str, Sequence[str]]) -> None:
    """agent remote id -> remote ids of its teams; agents that are not named keep theirs."""
    team_ids = ids_by_remote(Team, account_id)
    through = Agent.teams.through
    agents = ids_by_remote(Agent, account_id, teams)
    wanted = {
        (agents[agent], team_ids[team]) for agent, names in teams.items() if agent in agents for team in names
        if team in team_ids
    }  # fmt: skip
    have = set(through.objects.filter(agent_id__in=agents.values()).values_list("agent_id", "team_id"))
    for agent_id, team_id in have - wanted:
        through.objects.filter(agent_id=agent_id, team_id=team_id).delete()
    through.objects.bulk_create([through(agent_id=a, team_id=t) for a, t in wanted - have], ignore_conflicts=True)


@transaction.atomic
def join_users(*, now: datetime) -> int:
    """Tie users to the agents and contacts that share their e-mail; what somebody tied by hand stays."""
    users = {u.email.lower(): u for u in get_user_model().objects.filter(is_active=True)}
    joined = 0
    for model, roles in ((Agent, STAFF), (Contact, {Role.CLIENT})):
        wanted = [email for email, user in users.items() if user.role in roles]
        rows = model.objects.filter(user=None).annotate(mail=Lower("email")).filter(mail__in=wanted)
        for row in rows:
            joined += model.objects.filter(pk=row.pk, user=None).update(user=users[row.mail])
    return joined


def agent_of(user_id: int, account_id: int) -> Agent | None:
    """The person's agent in this account; None when they have none there."""
    return Agent.objects.filter(user=user_id, psa_account=account_id, is_active=True).order_by("pk").first()


@transaction.atomic
def keep_secrets(*, account: PsaAccount, secrets: Mapping[str, str]) -> None:
    """Store credentials, encrypted."""
    for name, value in secrets.items():
        PsaSecret.objects.update_or_create(psa_account=account, name=name, defaults={"token": encrypt(value)})


def read_secrets(account: PsaAccount) -> dict[str, str]:
    """Raises core.secrets.SecretLost when the key that encrypted them is gone."""
    return {secret.name: decrypt(secret.token) for secret in account.secrets.all()}
