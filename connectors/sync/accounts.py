"""Connect an account, test one, change it: address, credentials and scope are tried before anything is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from django.utils.translation import gettext as _

from connectors.base.connector import AccountConfig, Connector
from connectors.base.errors import AuthFailed, ConnectorError, Forbidden
from connectors.registry import CONNECTORS, connector_class
from connectors.sync import feeds, health, hooks, journal
from connectors.sync.models import Connection, RemoteToken
from helpdesk.core import bell, live
from helpdesk.core.secrets import SecretLost, decrypt, encrypt
from helpdesk.directory import looks
from helpdesk.directory.models import PsaAccount
from helpdesk.directory.services import keep_secrets, read_secrets

DEMO_CALLS_PER_MINUTE = 10_000
_ID_IN_ADDRESS = "987654321"


class WrongSettings(Exception):
    """One clear line about what is missing or wrong, before or after the PSA was asked."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody typed: secrets apart from settings."""

    kind: str
    name: str
    url: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def sort(cls, *, kind: str, name: str, url: str, values: Mapping[str, str]) -> Wanted:
        """Tell secrets from settings by what the connector says of its own. WrongSettings for an unknown kind."""
        known = {s.name: s for s in kind_class(kind).settings}
        secrets = {k: v for k, v in values.items() if k in known and known[k].is_secret}
        rest = {k: _parsed(v) for k, v in values.items() if k not in secrets}
        return cls(kind=kind, name=name, url=url.rstrip("/"), settings=rest, secrets=secrets)


def kind_class(kind: str) -> type[Connector]:
    if kind not in CONNECTORS:
        raise WrongSettings(_("There is no PSA kind “%(kind)s”. Known: %(known)s.") % {
            "kind": kind, "known": ", ".join(sorted(CONNECTORS)),
        })  # fmt: skip
    return connector_class(kind)


def _parsed(value: str) -> Any:
    """JSON where it is an object or list, for settings such as `outcomes`; text otherwise."""
    if value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def completed(wanted: Wanted) -> Wanted:
    """What is left blank stays as it is stored, else takes its default. WrongSettings for what is still missing."""
    known = PsaAccount.objects.filter(name=wanted.name).first()
    if known is not None and known.kind != wanted.kind:
        raise WrongSettings(_("%(name)s is an account of %(title)s.") % {"name": wanted.name, "title": known.title})
    stored, secrets = (known.settings if known else {}), _stored_secrets(known)
    fields = kind_class(wanted.kind).settings
    defaults = {f.name: f.default for f in fields if f.default and not f.is_secret}
    values = {**defaults, **stored, **{k: v for k, v in wanted.settings.items() if v != ""}}
    secrets = {**secrets, **{k: v for k, v in wanted.secrets.items() if v}}
    missing = [f.name for f in fields if f.is_required and not (values.get(f.name) or secrets.get(f.name))]
    if missing:
        raise WrongSettings(_("Missing: %(names)s.") % {"names": ", ".join(missing)})
    return Wanted(kind=wanted.kind, name=wanted.name, url=wanted.url, settings=values, secrets=secrets)


def _stored_secrets(account: PsaAccount | None) -> dict[str, str]:
    try:
        return read_secrets(account) if account else {}
    except SecretLost:
        return {}


def stored_names(name: str) -> frozenset[str]:
    """Names of the credentials that are stored for an account."""
    return frozenset(_stored_secrets(PsaAccount.objects.filter(name=name).first()))


def connect(*, wanted: Wanted, clock: Callable[[], datetime]) -> tuple[PsaAccount, str]:
    """Test and store an account, or change a known one. WrongSettings says what is wrong; then nothing is stored."""
    wanted = completed(wanted)
    kind = kind_class(wanted.kind)
    connector = kind(
        AccountConfig(
            name=wanted.name,
            url=wanted.url,
            settings=wanted.settings,
            secrets=wanted.secrets,
            allow_private_addresses=django_settings.PSA_ALLOW_PRIVATE_ADDRESSES,
        ),
        rank=0,
        clock=clock,
    )
    try:
        line = connector.check()
        account = _store(wanted, connector, clock())
    except ConnectorError as error:
        raise WrongSettings(what_is_wrong(error)) from error
    finally:
        connector.close()
    journal.note(account_id=account.pk, what="connect", text=line, now=clock(), calls=connector.calls)
    bell.ring("sync.pull_due")
    hooks.look_again(account_id=account.pk)
    return account, line


@transaction.atomic
def change_client_mail(*, account: PsaAccount, values: Mapping[str, str]) -> dict[str, str]:
    """Store who mails the client. Gives what has changed."""
    row = PsaAccount.objects.select_for_update().get(pk=account.pk)
    changed = {name: value for name, value in values.items() if row.client_mail.get(name, "") != value}
    row.client_mail = {**row.client_mail, **values}
    row.save(update_fields=["client_mail"])
    return changed


def what_is_wrong(error: ConnectorError) -> str:
    """Which of the three it is, in one line: address, credentials or scope."""
    text = " ".join((error.text or type(error).__name__).split())
    if text.partition(":")[0] in {"Address", "Credentials", "Scope"}:
        return text
    if isinstance(error, AuthFailed):
        return f"Credentials: {text}"
    return f"Scope: {text}" if isinstance(error, Forbidden) else f"Address: {text}"


def _store(wanted: Wanted, connector: Connector, now: datetime) -> PsaAccount:
    account = PsaAccount.objects.filter(name=wanted.name).first() or PsaAccount(name=wanted.name)
    found = connector.describe()  # asked before the transaction: no call inside it
    with transaction.atomic():
        account.kind, account.url = wanted.kind, wanted.url
        if account.pk is None:
            looks.give_look(account, connector.title)
        account.mark, account.ticket_url = connector.mark, _ticket_url(connector)
        account.settings = dict(wanted.settings)
        account.calls_per_minute = _calls_per_minute(account, wanted)
        account.is_paused, account.paused_reason = False, ""
        if account.pk is None:
            account.next_pull_at = now
        account.save()
        feeds.keep_description(account, found, now=now)
        keep_secrets(account=account, secrets=wanted.secrets)
        RemoteToken.objects.filter(psa_account=account).delete()
        health.resume(account_id=account.pk, now=now)
    account.refresh_from_db()
    return account


def _calls_per_minute(account: PsaAccount, wanted: Wanted) -> int:
    asked = str(wanted.settings.get("calls_per_minute") or "")
    if asked.isdigit() and int(asked):
        return int(asked)
    if account.pk:
        return account.calls_per_minute
    return DEMO_CALLS_PER_MINUTE if django_settings.DEMO else account.calls_per_minute


def _ticket_url(connector: Connector) -> str:
    try:
        return connector.ticket_url(_ID_IN_ADDRESS).replace(_ID_IN_ADDRESS, "{remote_id}")
    except ConnectorError:
        return ""


# ---- tests that a page asks for -------------------------------------------------------------------------------------


@transaction.atomic
def request_connection(
    *, wanted: Wanted, account: PsaAccount | None, stores: bool, user_id: int, now: datetime
) -> Connection:
    """Ask the worker to test a connection and, when it works, to store it."""
    row = Connection.objects.create(
        psa_account=account,
        kind=wanted.kind,
        name=wanted.name,
        url=wanted.url,
        settings=dict(wanted.settings),
        secrets=encrypt(json.dumps(dict(wanted.secrets))),
        stores=stores,
        user_id=user_id,
        created_at=now,
    )
    transaction.on_commit(lambda: bell.ring("sync.test_connection", row.pk))
    live.touch(live.HEALTH)
    return row


def answer(*, connection_id: int, clock: Callable[[], datetime]) -> None:
    """Test what was asked for; the page shows the line."""
    row = Connection.objects.filter(pk=connection_id, state=Connection.State.WAITING).first()
    if row is None:
        return
    state, account = Connection.State.OK, row.psa_account
    try:
        secrets = json.loads(decrypt(row.secrets)) if row.secrets else {}
        wanted = Wanted(kind=row.kind, name=row.name, url=row.url, settings=row.settings, secrets=secrets)
        if row.stores:
            account, text = connect(wanted=wanted, clock=clock)
        else:
            text = _try_out(completed(wanted), clock)
    except WrongSettings as error:
        state, text = Connection.State.FAILED, str(error)
    except SecretLost:
        state, text = Connection.State.FAILED, _("The credentials could not be read: enter them again.")
    Connection.objects.filter(pk=row.pk).update(
        state=state, text=text[:300], secrets="", answered_at=clock(), psa_account=account
    )
    transaction.on_commit(lambda: live.touch(live.HEALTH))


def _try_out(wanted: Wanted, clock: Callable[[], datetime]) -> str:
    config = AccountConfig(
        name=wanted.name,
        url=wanted.url,
        settings=wanted.settings,
        secrets=wanted.secrets,
        allow_private_addresses=django_settings.PSA_ALLOW_PRIVATE_ADDRESSES,
    )
    connector = kind_class(wanted.kind)(config, rank=0, clock=clock)
    try:
        return connector.check()
    except ConnectorError as error:
        raise WrongSettings(what_is_wrong(error)) from error
    finally:
        connector.close()
