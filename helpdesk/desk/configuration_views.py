"""The settings' configuration pages: what the PSA's values are and do, and, where it takes that, their change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.permissions import can, requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.accounts.services import record_audit
from helpdesk.actions import configuring
from helpdesk.actions.config_kinds import KINDS, ConfigKind
from helpdesk.core import live
from helpdesk.core.errors import Refused, Stale
from helpdesk.core.htmx import render_page
from helpdesk.core.models import ConfiguredRow
from helpdesk.core.origin import Origin
from helpdesk.desk import config_changes
from helpdesk.desk import configuration as shown
from helpdesk.desk.configuration_forms import ConfigForm
from helpdesk.desk.frame import has_page
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox import services as outbox
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.conflicts import keep_mine

MAPPED = {"statuses", "types", "priorities"}
PAGES = {"status": "statuses", "outcome": "outcomes", "ticket_type": "types"}
"""Kind that may be changed -> its page."""


@require_GET
@requires("settings.view")
def configuration(request: SignedIn) -> HttpResponse:
    """One kind of one account; another one, or none, shows the first there is."""
    poll = live.poll_address(user_id=request.user.pk, scope=live.HEALTH)
    context: dict[str, Any] = {"poll": poll, "poll_tag": live.stamp(live.HEALTH), "here": request.get_full_path()}
    accounts = list(PsaAccount.objects.order_by("title", "pk"))
    wanted = request.GET.get("account", "")
    account = next((a for a in accounts if a.name == wanted), accounts[0] if accounts else None)
    context |= {"accounts": accounts, "account": account}
    if account is not None:
        kinds = shown.kinds_of(account)
        kind = request.GET.get("kind", "")
        kind = PAGES.get(kind, kind)
        kind = kind if kind in kinds else next(iter(kinds))
        word = next((word for word, page in PAGES.items() if page == kind), "")
        changes = config_changes.changes_of(account, word)
        lines = [replace(line, changes=changes.get(line.row.pk, ())) for line in shown.lines_of(account, kind)]
        may_change = bool(word) and can(request.user, "settings.change")
        may_change = may_change and configuring.takes_changes(account, KINDS[word])
        context |= {
            "kinds": kinds.items(),
            "kind": kind,
            "word": word,
            "title": kinds[kind],
            "mapping": _mapping(account, kind),
            "lines": [line for line in lines if not line.is_off or line.changes],
            "off_lines": [line for line in lines if line.is_off and not line.changes],
            "may_change": may_change,
        }
    return render_page(
        request, page="settings/configuration.html", partial="settings/_configuration.html", context=context
    )


def _mapping(account: PsaAccount, kind: str) -> str:
    """Where an administrator says what these values mean here; empty for kinds that need no meaning."""
    address = f"/settings/mapping/{account.name}/"
    return address if kind in MAPPED and has_page(address) else ""


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def value_add(request: SignedIn, name: str, word: str) -> HttpResponse:
    account = get_object_or_404(PsaAccount, name=name)
    kind = _kind(account, word)
    form = ConfigForm(request.POST if request.method == "POST" else None, account=account, kind=kind)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            row = configuring.create_value(
                account=account, kind=kind, values=form.values, by=request.user, now=now, request_id=request.id
            )
        except Refused as refusal:
            _tell(form, refusal)
        else:
            messages.success(request, _("Saved. It is offered once %(psa)s has it.") % {"psa": account.title})
            return _back(row)
    return _form_page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def value(request: SignedIn, word: str, pk: int) -> HttpResponse:
    row = _row(word, pk)
    kind = _kind(row.psa_account, word)
    form = ConfigForm(request.POST if request.method == "POST" else None, account=row.psa_account, kind=kind, row=row)
    if request.method == "POST" and form.is_valid():
        try:
            has_changed = configuring.change_value(
                row=row, values=form.values, by=request.user, now=timezone.now(), request_id=request.id
            )
        except Refused as refusal:
            _tell(form, refusal)
        except Stale:
            messages.info(request, _("This change has moved on meanwhile."))
            return _back(row)
        else:
            messages.success(request, _("Saved.") if has_changed else _("Nothing to change."))
            return _back(row)
    return _form_page(request, form)


def _tell(form: ConfigForm, refusal: Refused) -> None:
    for field, text in refusal.fields.items():
        form.add_error(field if field in form.fields else None, text)


def _form_page(request: SignedIn, form: ConfigForm) -> HttpResponse:
    word, row = form.kind.word, form.row
    here = reverse("desk:config_value", args=[word, row.pk]) if row is not None else request.path
    context = {
        "form": form,
        "row": row,
        "account": form.account,
        "kind": form.kind,
        "here": here,
        "back": _address(form.account, word),
        "changes": config_changes.changes_of(form.account, word, row).get(row.pk, []) if row is not None else [],
    }
    return render(request, "settings/config_value.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def value_delete(request: SignedIn, word: str, pk: int) -> HttpResponse:
    """Asked for on a page of its own, which says what uses it; done by the press there."""
    row = _row(word, pk)
    kind = _kind(row.psa_account, word)
    if request.method != "POST":
        context = {
            "row": row, "kind": kind, "account": row.psa_account, "back": _address(row.psa_account, word),
            "uses": config_changes.uses_of(row),
        }  # fmt: skip
        return render(request, "settings/config_delete.html", context)
    account, name = row.psa_account, str(row)
    try:
        configuring.delete_value(row=row, by=request.user, now=timezone.now(), request_id=request.id)
    except Stale:
        messages.info(request, _("This change has moved on meanwhile."))
    else:
        messages.success(request, _("Deleted here: %(name)s") % {"name": name})
    return redirect(_address(account, word))


@require_POST
@requires("settings.change")
def value_move(request: SignedIn, word: str, pk: int) -> HttpResponse:
    row = _row(word, pk)
    _kind(row.psa_account, word)
    is_up = request.POST.get("way") == "up"
    try:
        configuring.move_value(row=row, is_up=is_up, by=request.user, now=timezone.now(), request_id=request.id)
    except Refused as refusal:
        messages.error(request, " ".join(refusal.fields.values()))
    except Stale:
        messages.info(request, _("This change has moved on meanwhile."))
    return _back(row)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("settings.change")
def change_decide(request: SignedIn, word: str, pk: int, item: int, verb: str) -> HttpResponse:
    """What a person does about a change that the PSA refused, doubts, or has changed itself. Discarding asks first."""
    row = _row(word, pk)
    found = config_changes.item_of(row, item)
    if found is None or verb not in ("retry", "discard", "keep", "take"):
        raise Http404
    if request.method != "POST":
        if verb != "discard":
            raise Http404
        context = {
            "row": row, "item": found, "word": word, "account": row.psa_account,
            "back": _address(row.psa_account, word),
            "loss": config_changes.words_of(found, KINDS[word]),
        }  # fmt: skip
        return render(request, "settings/config_discard.html", context)
    account, now = row.psa_account, timezone.now()
    try:
        _decide(found, verb, request)
    except Stale:
        messages.info(request, _("This change has moved on meanwhile."))
        return redirect(_address(account, word))
    subject = f"{word}:{pk}"
    detail = {"account": account.name, "name": str(row), "item": item}
    record_audit(
        user=request.user, verb=f"config.{verb}", subject=subject, detail=detail, now=now, request_id=request.id
    )
    return redirect(_address(account, word, pk))


def _decide(item: OutboxItem, verb: str, request: SignedIn) -> None:
    origin, now = Origin.desk(request.user), timezone.now()
    if verb == "retry":
        outbox.retry_item(item=item, origin=origin, now=now)
    elif verb == "discard":
        outbox.discard_item(item=item, now=now)
    elif verb == "keep":
        keep_mine(item=item, origin=origin, now=now)
    else:
        configuring.take_theirs(item=item, now=now)


# ---- parts ----------------------------------------------------------------------------------------------------------


def _kind(account: PsaAccount, word: str) -> ConfigKind:
    """The kind, where the account lets it be changed; else there is no such page."""
    if word not in KINDS or not configuring.takes_changes(account, KINDS[word]):
        raise Http404
    return KINDS[word]


def _row(word: str, pk: int) -> Any:
    if word not in KINDS or pk >= 2**63:
        raise Http404
    return get_object_or_404(KINDS[word].model.objects.select_related("psa_account"), pk=pk)


def _address(account: PsaAccount, word: str, pk: int | None = None) -> str:
    query = urlencode({"account": account.name, "kind": PAGES[word]})
    return f"{reverse('desk:configuration')}?{query}" + (f"#value-{pk}" if pk else "")


def _back(row: ConfiguredRow) -> HttpResponse:
    word = next(word for word, kind in KINDS.items() if isinstance(row, kind.model))
    return redirect(_address(row.psa_account, word, row.pk))
