"""The settings' configuration pages: what the PSA's values are and do, and, where it takes that, their change."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.desk import configuration as shown
from helpdesk.desk.frame import has_page
from helpdesk.directory.models import PsaAccount

MAPPED = {"statuses", "types", "priorities"}


@require_GET
@requires("settings.view")
def configuration(request: SignedIn) -> HttpResponse:
    """One kind of one account; another one, or none, shows the first there is."""
    accounts = list(PsaAccount.objects.order_by("title", "pk"))
    wanted = request.GET.get("account", "")
    account = next((a for a in accounts if a.name == wanted), accounts[0] if accounts else None)
    context: dict[str, Any] = {"accounts": accounts, "account": account}
    if account is not None:
        kinds = shown.kinds_of(account)
        kind = request.GET.get("kind", "")
        kind = kind if kind in kinds else next(iter(kinds))
        lines = shown.lines_of(account, kind)
        context |= {
            "kinds": kinds.items(),
            "kind": kind,
            "title": kinds[kind],
            "mapping": _mapping(account, kind),
            "lines": [line for line in lines if not line.is_off],
            "off_lines": [line for line in lines if line.is_off],
        }
    return render(request, "settings/configuration.html", context)


def _mapping(account: PsaAccount, kind: str) -> str:
    """Where an administrator says what these values mean here; empty for kinds that need no meaning."""
    address = f"/settings/mapping/{account.name}/"
    return address if kind in MAPPED and has_page(address) else ""
