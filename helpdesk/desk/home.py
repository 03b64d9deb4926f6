"""`/`: everybody's own first page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from helpdesk.accounts.choices import Role
from helpdesk.accounts.requests import SignedIn
from helpdesk.desk.frame import has_page

HOMES = {
    Role.DISPATCHER: ("/board/",),
    Role.AGENT: ("/tickets/?view=mine",),
    Role.MANAGER: ("/reports/", "/board/"),
    Role.ADMIN: ("/settings/",),
    Role.CLIENT: ("/portal/",),
}
"""role -> its pages, best first: the first that is built."""


def home_of(role: str) -> str:
    wanted = HOMES.get(role, ())  # type: ignore[call-overload]
    return next((path for path in wanted if has_page(path.partition("?")[0])), "/settings/personal/")


@require_GET
def home(request: SignedIn) -> HttpResponse:
    return redirect(home_of(request.user.role))
