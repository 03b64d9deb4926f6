"""Who may do what, as one table. A role holds flags; views ask for a flag, never for a role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from helpdesk.accounts.choices import Role

_EVERY_DESK = frozenset(
    {"board.view", "tickets.view", "tickets.create", "tickets.change", "tickets.assign", "actions.add", "views.change"}
)
CAPABILITIES: dict[str, frozenset[str]] = {
    Role.DISPATCHER: _EVERY_DESK | {"tickets.bulk", "clients.link", "macros.change", "views.share"},
    Role.AGENT: _EVERY_DESK | {"tickets.bulk"},
    Role.MANAGER: _EVERY_DESK
    | {
        "tickets.bulk", "clocks.correct", "macros.change", "views.share", "reports.view", "reports.export",
        "settings.view", "audit.view",
    },
    Role.ADMIN: _EVERY_DESK
    | {
        "tickets.bulk", "clocks.correct", "clients.link", "macros.change", "views.share", "reports.view",
        "reports.export", "settings.view", "settings.change", "accounts.change", "people.change",
        "audit.view", "contacts.erase",
    },
    Role.CLIENT: frozenset({"portal.view"}),
}  # fmt: skip
"""role -> what it may do. A client's pages ask for `portal.view`; staff has other ways to see what a client sees."""

FLAGS = frozenset().union(*CAPABILITIES.values())

P = ParamSpec("P")
View = Callable[..., HttpResponse]


def can(user: Any, flag: str) -> bool:
    """Whether this person may. A flag that no role holds is a mistake in the code, not a "no"."""
    if flag not in FLAGS:
        raise KeyError(f"no role holds {flag!r}: add it to accounts.permissions.CAPABILITIES")
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return False
    return flag in CAPABILITIES.get(user.role, frozenset())


def requires(flag: str) -> Callable[[View], View]:
    """A view for people who may `flag`; others get the page that says so (403). Sign-in is asked for before this."""
    if flag not in FLAGS:
        raise KeyError(f"no role holds {flag!r}: add it to accounts.permissions.CAPABILITIES")

    def wrap(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not can(request.user, flag):
                raise PermissionDenied(flag)
            return view(request, *args, **kwargs)

        inner.requires = flag  # type: ignore[attr-defined]
        return inner

    return wrap


def staff_required(view: View) -> View:
    """A view for everybody who works here, and for no client."""
    return requires("tickets.view")(view)


class Can:
    """The same table for templates: `{% if frame.can.settings.change %}`."""

    def __init__(self, user: Any) -> None:
        self._user = user

    def __getitem__(self, area: str) -> dict[str, bool]:
        if not any(flag.startswith(f"{area}.") for flag in FLAGS):
            raise KeyError(area)
        return {f.partition(".")[2]: can(self._user, f) for f in FLAGS if f.startswith(f"{area}.")}

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(flag for flag in FLAGS if can(self._user, flag)))
