"""Our webhook at a PSA: is it wanted, its secrets, bringing the PSA to that. A refusal is a state, no error."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from connectors.base.connector import Connector
from connectors.base.errors import AuthFailed, ConnectorError, Forbidden, NotFound, Rejected
from connectors.sync import gateway, health, journal
from connectors.sync.models import Cursor, Feed, Hook
from helpdesk.core import bell, live
from helpdesk.core.logs import hide_keys
from helpdesk.core.secrets import SecretLost
from helpdesk.directory.models import PsaAccount
from helpdesk.directory.services import keep_secrets, read_secrets

ON, OFF = "on", "off"
SETTING = "webhooks"
IN_ADDRESS, FOR_SIGNATURE = "hook_address", "hook_signature"
"""Names of the two secrets among the account's credentials."""
CHECK_EVERY = timedelta(minutes=10)
TRY_AGAIN = timedelta(minutes=1)
CLAIM = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=1)


# ---- wanted or not --------------------------------------------------------------------------------------------------


def wanted(account: PsaAccount) -> tuple[bool, str]:
    """Whether the account should have a webhook, and why not. Unset means: where the PSA can surely reach us."""
    if not account.can("webhooks"):
        return False, _("%(psa)s offers no webhooks.") % {"psa": account.title}
    choice = account.settings.get(SETTING)
    if choice == OFF:
        return False, _("Switched off here.")
    if choice == ON:
        return True, ""
    why = why_unreachable()
    return not why, why


def why_unreachable() -> str:
    """Why a PSA cannot be expected to call this desk; empty when it can. In the demo the PSA runs beside it."""
    if settings.DEMO:
        return ""
    place = urlsplit(settings.BASE_URL)
    if _is_private(place.hostname or ""):
        return _("This desk's own address (%(address)s) is not on the internet.") % {"address": settings.BASE_URL}
    if place.scheme != "https":
        return _("This desk's own address (%(address)s) is not encrypted.") % {"address": settings.BASE_URL}
    return ""


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


# ---- secrets and address --------------------------------------------------------------------------------------------


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def opens(hook: Hook | None, secret: str) -> bool:
    """Whether this is the secret of the hook's address. Takes as long for a hook that is not there."""
    known = hook.secret_hash if hook is not None and hook.secret_hash else digest(settings.SECRET_KEY)
    return hmac.compare_digest(known, digest(secret)) and hook is not None and bool(hook.secret_hash)


def address(account: PsaAccount, secret: str) -> str:
    return f"{settings.BASE_URL}{reverse('sync:hook', args=[account.name, secret])}"


def _secrets_of(account: PsaAccount, hook: Hook, *, is_new: bool) -> tuple[str, str]:
    """The two secrets; made where there are none, or new ones are asked for. SecretLost when the key is gone."""
    found = {} if is_new else read_secrets(account)
    if not (found.get(IN_ADDRESS) and found.get(FOR_SIGNATURE)):
        found = {IN_ADDRESS: secrets.token_urlsafe(32), FOR_SIGNATURE: secrets.token_urlsafe(32)}
        keep_secrets(account=account, secrets=found)
    hook.secret_hash = digest(found[IN_ADDRESS])
    return found[IN_ADDRESS], found[FOR_SIGNATURE]


# ---- what an administrator asks for ---------------------------------------------------------------------------------


@transaction.atomic
def choose(*, account: PsaAccount, choice: str, now: datetime) -> None:
    """On or off; a worker does the rest."""
    account = PsaAccount.objects.select_for_update().get(pk=account.pk)
    account.settings = {**account.settings, SETTING: ON if choice == ON else OFF}
    account.save(update_fields=["settings"])
    hook = Hook.objects.get_or_create(psa_account=account)[0]
    Hook.objects.filter(pk=hook.pk).update(state=Hook.State.REGISTERING if choice == ON else hook.state, text="")
    look_again(account_id=account.pk)


@transaction.atomic
def renew(*, account: PsaAccount) -> None:
    """New secrets: the old address is shut at once, the new one opens when the PSA knows it; polling covers the gap."""
    hook = Hook.objects.get_or_create(psa_account=account)[0]
    _secrets_of(account, hook, is_new=True)
    hook.state, hook.text, hook.heard_at = Hook.State.REGISTERING, "", None
    hook.save(update_fields=["secret_hash", "state", "text", "heard_at"])
    look_again(account_id=account.pk)


def look_again(*, account_id: int) -> None:
    """Let a worker bring the PSA's hook to what is wanted now."""
    Hook.objects.filter(pk=account_id).update(check_at=None)
    live.touch(live.HEALTH)
    transaction.on_commit(lambda: bell.ring("sync.hooks_due"))


# ---- what the PSA tells of it ---------------------------------------------------------------------------------------


@transaction.atomic
def switched_off(*, hook: Hook, now: datetime) -> None:
    """The PSA gave up calling us. A worker switches it on again, each time in a row after twice the wait: a desk that
    cannot be reached would only be given up again. Polling goes on meanwhile. The same word twice is one.
    """
    wait = min(LONGEST_WAIT, TRY_AGAIN * 2 ** min(hook.strikes, 10))
    told = Hook.objects.filter(pk=hook.pk).exclude(state__in=[Hook.State.DEACTIVATED, Hook.State.OFF])
    if told.update(state=Hook.State.DEACTIVATED, text="", strikes=F("strikes") + 1, check_at=now + wait):
        text = f"{_('Webhook')}: {Hook.State.DEACTIVATED.label}"
        journal.note(account_id=hook.psa_account_id, what="connect", text=text, now=now, ok=False)
        live.touch(live.HEALTH)


# ---- what a worker does ---------------------------------------------------------------------------------------------


def is_due(*, now: datetime) -> bool:
    return _due(now).exists()


def _due(now: datetime) -> QuerySet[PsaAccount]:
    """Not before the open tickets are here: people wait for those, and a hint would only name what is being read."""
    old = Q(hook=None) | Q(hook__check_at=None) | Q(hook__check_at__lte=now)
    queues = Cursor.objects.filter(feed=Feed.OPEN_TICKETS, finished_at__isnull=False).values("psa_account")
    read = Q(backfill_done_at__isnull=False) | Q(pk__in=queues)
    return PsaAccount.objects.filter(old, read, pk__in=health.callable_accounts(now))


def settle_due(*, clock: Callable[[], datetime]) -> None:
    for account in list(PsaAccount.objects.filter(pk__in=_due(clock()).values("pk"))):
        settle(account, clock=clock)


def settle(account: PsaAccount, *, clock: Callable[[], datetime]) -> Hook:
    """Bring the PSA's hook to what is wanted. What the PSA will not do stands on the account's page."""
    hook = Hook.objects.get_or_create(psa_account=account)[0]
    claimed = Hook.objects.filter(pk=hook.pk, check_at=hook.check_at).update(check_at=clock() + CLAIM)
    if not claimed:
        return hook
    before, is_on, why = (hook.state, hook.text), *wanted(account)
    try:
        if is_on:
            _switch_on(account, hook, clock)
        else:
            _switch_off(account, hook, why, clock)
        hook.check_at = clock() + CHECK_EVERY
    except (Forbidden, Rejected, NotFound) as error:
        hook.state, hook.text = Hook.State.REFUSED, error.text or _("It may not be made with these credentials.")
        hook.check_at = clock() + CHECK_EVERY
    except SecretLost:
        hook.state, hook.text = Hook.State.REFUSED, _("The key of the stored credentials is gone.")
        hook.check_at = clock() + CHECK_EVERY
    except ConnectorError as error:
        hook.text = error.text or type(error).__name__
        hook.state = Hook.State.REGISTERING if is_on else hook.state
        hook.check_at = clock() + TRY_AGAIN
    hook.text = hook.text[:300]
    hook.save(
        update_fields=[
            "state",
            "text",
            "secret_hash",
            "remote_id",
            "fingerprint",
            "check_at",
            "registered_at",
            "heard_at",
        ]
    )
    if (hook.state, hook.text) != before:
        ok = hook.state != Hook.State.REFUSED
        text = f"{_('Webhook')}: {hook.get_state_display()}{': ' if hook.text else ''}{hook.text}"
        journal.note(account_id=account.pk, what="connect", text=text, now=clock(), ok=ok)
        live.touch(live.HEALTH)
    return hook


def _switch_on(account: PsaAccount, hook: Hook, clock: Callable[[], datetime]) -> None:
    in_address, for_signature = _secrets_of(account, hook, is_new=False)
    url = address(account, in_address)
    fingerprint = digest(f"{url}\n{for_signature}")
    # The address must open before the PSA knows it, and stay as it is if registering fails.
    Hook.objects.filter(pk=hook.pk).update(secret_hash=hook.secret_hash)
    with gateway.using(account, rank=gateway.POLL, clock=clock) as connector, _unquoted(in_address, for_signature):
        if hook.fingerprint == fingerprint and hook.remote_id and _is_in_place(connector, hook, url):
            hook.state, hook.text = Hook.State.REGISTERED, ""
            return
        hook.remote_id = connector.hook_register(url=url, secret=for_signature, known=hook.remote_id or None)
    hook.state, hook.text, hook.fingerprint = Hook.State.REGISTERED, "", fingerprint
    hook.registered_at, hook.heard_at = clock(), None


@contextmanager
def _unquoted(*keys: str) -> Iterator[None]:
    """A PSA that refuses often quotes what it was sent: our secrets do not go on to pages, logs and the journal."""

    def clean(text: str) -> str:
        for key in filter(None, keys):
            text = text.replace(key, "...")
        return hide_keys(None, "", text)  # also an address that was cut short

    try:
        yield
    except ConnectorError as error:
        error.text = clean(error.text)
        error.args = (error.text or type(error).__name__,)
        if isinstance(error, Rejected):
            error.fields = {name: clean(text) for name, text in error.fields.items()}
        raise


def _is_in_place(connector: Connector, hook: Hook, url: str) -> bool:
    """Whether the PSA still has it as we made it. Its log of deliveries counts as a first call that we heard."""
    told = connector.hook_state(url=url, known=hook.remote_id)
    if told is None or told.url != url or not told.is_active or not told.is_bound:
        return False
    hook.heard_at = Hook.objects.values_list("heard_at", flat=True).get(pk=hook.pk)
    if hook.heard_at is None and told.delivered_at and told.answer and 200 <= told.answer < 300:
        hook.heard_at = told.delivered_at
    return True


def _switch_off(account: PsaAccount, hook: Hook, why: str, clock: Callable[[], datetime]) -> None:
    if hook.remote_id:
        try:
            in_address = read_secrets(account).get(IN_ADDRESS, "")
            with gateway.using(account, rank=gateway.POLL, clock=clock) as connector, _unquoted(in_address):
                connector.hook_remove(url=address(account, in_address or "-"), known=hook.remote_id)
        except (Forbidden, NotFound, Rejected, AuthFailed, SecretLost) as error:
            journal.log.warning("webhook not removed", account=account.pk, error=str(error)[:200])
    hook.state, hook.text, hook.secret_hash, hook.remote_id, hook.fingerprint = Hook.State.OFF, why, "", "", ""
    hook.heard_at = hook.registered_at = None
