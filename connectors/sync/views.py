"""Accounts and sync: pages of an administrator. No PSA is called here; the worker tests and reads."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connectors.registry import CONNECTORS
from connectors.sync import accounts, health, hooks, overview
from connectors.sync.accounts import Wanted
from connectors.sync.forms import ClientMailForm, ConnectionForm, LookForm, kinds
from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.services import record_audit
from helpdesk.core import bell, live
from helpdesk.core.errors import Refused, Stale
from helpdesk.core.htmx import render_page
from helpdesk.core.origin import Origin
from helpdesk.directory.looks import change_look
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.models import OutboxItem


@require_GET
@requires("settings.view")
def accounts_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        **_live(request),
        "cards": overview.cards(now=now),
        "new_connections": overview.new_connections(),
        "may_change": can(request.user, "accounts.change"),
        "now": now,
    }
    return render_page(request, page="settings/accounts.html", partial="settings/_accounts.html", context=context)


@require_GET
@requires("settings.view")
def sync_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    chosen = overview.account_named(request.GET.get("account", ""))
    context = {
        **_live(request),
        "cards": [c for c in overview.cards(now=now) if chosen is None or c.account.pk == chosen.pk],
        "accounts": PsaAccount.objects.only("name", "title"),
        "chosen": chosen,
        "items": overview.open_items(chosen),
        "failed_mails": overview.failed_mails(chosen),
        "log": overview.log_lines(chosen),
        "may_configure": can(request.user, "settings.change"),
        "may_change": can(request.user, "accounts.change"),
        "now": now,
    }
    return render_page(request, page="settings/sync.html", partial="settings/_sync.html", context=context)


def _live(request: HttpRequest) -> dict[str, Any]:
    """First in a context: a worker's answer between the stamp and the reading is shown twice, never missed."""
    return {
        "poll": live.poll_address(user_id=request.user.pk or 0, scope=live.HEALTH),
        "poll_tag": live.stamp(live.HEALTH),
        "here": request.get_full_path(),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@requires("accounts.change")
def account_new(request: HttpRequest) -> HttpResponse:
    """Choose a PSA, type, and let the worker try it: the account appears once it has passed."""
    kind = request.POST.get("kind") or request.GET.get("kind") or next(iter(CONNECTORS))
    if kind not in CONNECTORS:
        kind = next(iter(CONNECTORS))
    form = ConnectionForm(request.POST or None, kind=kind)
    if request.method == "POST" and form.is_valid():
        _request(request, form.wanted(), None, stores=True)
        messages.success(request, _("Being tested. The account appears here once it has passed."))
        return redirect("sync:accounts")
    return _form_page(request, form, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("accounts.change")
def account_edit(request: HttpRequest, name: str) -> HttpResponse:
    account = get_object_or_404(PsaAccount, name=name)
    form = ConnectionForm(request.POST or None, kind=account.kind, account=account)
    if request.method == "POST" and form.is_valid():
        _request(request, form.wanted(), account, stores=True)
        messages.success(request, _("Being tested. The new settings count once they have passed."))
        return redirect("sync:accounts")
    return _form_page(request, form, status=422 if request.method == "POST" else 200)


@require_POST
@requires("accounts.change")
def account_mails(request: HttpRequest, name: str) -> HttpResponse:
    """Who mails the client: saved at once, nothing to test."""
    account = get_object_or_404(PsaAccount, name=name)
    form = ClientMailForm(request.POST, account=account)
    if not form.is_valid():
        return _form_page(request, ConnectionForm(kind=account.kind, account=account), status=422, mail_form=form)
    changed = accounts.change_client_mail(account=account, values=form.values())
    if changed:
        _audit(request, "account.client_mail", account.name, changed)
    messages.success(request, _("Saved. Replies that are under way keep who was named."))
    return redirect("sync:account", account.name)


@require_POST
@requires("accounts.change")
def account_look(request: HttpRequest, name: str) -> HttpResponse:
    """How the account is shown: saved at once, nothing to test."""
    account = get_object_or_404(PsaAccount, name=name)
    form = LookForm(request.POST, account=account)
    connection = ConnectionForm(kind=account.kind, account=account)
    if not form.is_valid():
        return _form_page(request, connection, status=422, look_form=form)
    try:
        changed = change_look(account=account, **form.cleaned_data)
    except Refused as refusal:
        for field, text in refusal.fields.items():
            form.add_error(field, text)
        return _form_page(request, connection, status=422, look_form=form)
    if changed:
        _audit(request, "account.look", account.name, changed)
        live.touch(live.HEALTH, live.DESK)
    messages.success(request, _("Saved."))
    return redirect("sync:account", account.name)


def _form_page(
    request: HttpRequest, form: ConnectionForm, *, status: int, mail_form: ClientMailForm | None = None,
    look_form: LookForm | None = None,
) -> HttpResponse:  # fmt: skip
    context = {**_live(request), "form": form, "account": form.account, "kind": form.kind, "kinds": kinds()}
    if form.account is not None:
        context |= {"hook": overview.hook_of(form.account), "now": timezone.now()}
    if request.method == "GET" and getattr(request, "htmx", False) and form.account is not None:
        return render(request, "settings/_hook.html", context)
    if form.account is not None:
        context["mail_form"] = mail_form or ClientMailForm(account=form.account)
        context["look_form"] = look_form or LookForm(account=form.account)
    return render(request, "settings/account_form.html", context, status=status)


def _request(request: HttpRequest, wanted: Wanted, account: PsaAccount | None, *, stores: bool) -> None:
    now = timezone.now()
    accounts.request_connection(wanted=wanted, account=account, stores=stores, user_id=request.user.pk or 0, now=now)
    verb = "account.test" if not stores else "account.change" if account else "account.connect"
    _audit(request, verb, wanted.name, {"url": wanted.url, "changed": sorted((*wanted.settings, *wanted.secrets))})


def _audit(request: HttpRequest, verb: str, name: str, detail: dict[str, Any] | None = None) -> None:
    record_audit(
        user=request.user,  # type: ignore[arg-type]
        verb=verb,
        subject=f"account:{name}",
        detail=detail,
        now=timezone.now(),
        request_id=getattr(request, "id", ""),
    )


@require_POST
@requires("accounts.change")
def account_test(request: HttpRequest, name: str) -> HttpResponse:
    account = get_object_or_404(PsaAccount, name=name)
    _request(request, Wanted(kind=account.kind, name=account.name, url=account.url), account, stores=False)
    return redirect("sync:accounts")


@require_POST
@requires("accounts.change")
def account_pause(request: HttpRequest, name: str) -> HttpResponse:
    account = get_object_or_404(PsaAccount, name=name)
    reason = _("Paused by %(who)s") % {"who": request.user}
    health.pause(account_id=account.pk, reason=reason)
    _audit(request, "account.pause", name)
    return redirect("sync:accounts")


@require_POST
@requires("accounts.change")
def account_resume(request: HttpRequest, name: str) -> HttpResponse:
    account = get_object_or_404(PsaAccount, name=name)
    health.resume(account_id=account.pk, now=timezone.now())
    _audit(request, "account.resume", name)
    bell.ring("sync.pull_due")
    bell.ring("sync.push_due")
    return redirect("sync:accounts")


@require_POST
@requires("accounts.change")
def account_hook(request: HttpRequest, name: str) -> HttpResponse:
    """Switch the webhook on or off, or give it new secrets; a worker tells the PSA."""
    account = get_object_or_404(PsaAccount, name=name)
    verb = request.POST.get("verb", "")
    if verb == "renew":
        hooks.renew(account=account)
    elif verb in (hooks.ON, hooks.OFF):
        hooks.choose(account=account, choice=verb, now=timezone.now())
    else:
        return HttpResponse(status=400)
    _audit(request, f"account.webhook_{verb}", name)
    return redirect("sync:account", name=name)


@require_POST
@requires("settings.view")
def account_pull(request: HttpRequest, name: str) -> HttpResponse:
    account = get_object_or_404(PsaAccount, name=name)
    health.pull_now(account_id=account.pk, now=timezone.now())
    bell.ring("sync.pull_due")
    messages.success(request, _("%(psa)s is being read.") % {"psa": account.title})
    return redirect("sync:sync" if request.POST.get("back") == "sync" else "sync:accounts")


@require_POST
def item_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a refused change again, or one in doubt on a person's word."""
    return _decide(request, pk, "retry")


@require_POST
def item_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a change up; its fields fall back to the PSA's."""
    return _decide(request, pk, "discard")


def _decide(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    if not (can(request.user, "settings.view") and can(request.user, "tickets.change")):
        raise PermissionDenied("tickets.change")
    item = get_object_or_404(OutboxItem, pk=pk)
    if item.lane.startswith("config:") and not can(request.user, "settings.change"):
        raise PermissionDenied("settings.change")
    now = timezone.now()
    try:
        if verb == "retry":
            outbox.retry_item(item=item, origin=Origin.desk(request.user), now=now)
        else:
            outbox.discard_item(item=item, now=now)
    except Stale:
        messages.info(request, _("This change has moved on meanwhile."))
        return redirect("sync:sync")
    _audit(request, f"outbox.{verb}", item.psa_account.name, {"item": pk, "subject": item.subject})
    return redirect("sync:sync")
