"""The dialog before tickets go to a status that wants to be told something: what was done and who gets to read it, or
why a ticket is escalated. From a row, a lane or in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.accounts.requests import SignedIn
from helpdesk.core.htmx import render_page
from helpdesk.desk import moves
from helpdesk.tickets.models import Ticket

FIELDS = ("resolution", "share", "escalation_reason")
ASKED = ("resolution", "escalation_reason")


def read_answers(data: Any) -> dict[str, Any]:
    """What was done, whether the client gets it, and why, as `moves.move` takes them: None while nobody was asked,
    shared only where the box is ticked."""
    return {
        "resolution": data.get("resolution"),
        "is_shared": data.get("share") == "yes",
        "reason": data.get("escalation_reason"),
    }


def asked_again(result: moves.Result, data: Any) -> bool:
    """Whether the dialog is what has to answer: it was not asked yet, or what it asked for was refused."""
    return result.state == "resolve" or (result.state == "refused" and any(name in data for name in ASKED))


def kept(data: Any) -> list[tuple[str, Any]]:
    """The dialog's answers, for a question that follows it."""
    return [(name, data[name]) for name in FIELDS if name in data]


def resolve_dialog(
    request: SignedIn, *, tickets: Sequence[Ticket], count: int, word: str, action: str,
    hidden: Sequence[tuple[str, Any]], back: str, result: moves.Result | None = None,
    asks: Sequence[str] = ("resolution",),
) -> HttpResponse:  # fmt: skip
    """422: the form that asks, with what was typed; its press confirms a warning that it shows."""
    is_refused = result is not None and result.state == "refused"
    said = result.text if result else ""
    confirms = (said and not is_refused) or request.POST.get("confirmed") == "yes"
    one = tickets[0] if count == 1 and tickets else None
    given = read_answers(request.POST)
    text = given["resolution"]
    asks = list(result.asks) if result and result.asks else [name for name in ASKED if name in request.POST] or asks
    errors = result.errors if result and is_refused else {}
    what = one.label if one else ngettext("%(n)d ticket", "%(n)d tickets", count) % {"n": count}
    context = {
        "title": _("%(what)s to %(status)s") % {"what": what, "status": word},
        "subject": one.subject if one else "",
        "action": action,
        "hidden": [*hidden, ("confirmed", "yes")] if confirms else hidden,
        "back": back,
        "button": (result.button if result else "") or word,
        "asks_resolution": "resolution" in asks,
        "asks_reason": "escalation_reason" in asks,
        "resolution": text if text is not None else one.resolution if one else "",
        "share": given["is_shared"] if text is not None else True,
        "reason": given["reason"] or "",
        "resolve_error": " ".join(t for n, t in errors.items() if n != "escalation_reason"),
        "reason_error": errors.get("escalation_reason", ""),
        "warning": "" if is_refused else said,
        "tells": str(one.contact or "") if one else _("each ticket’s contact"),
    }
    return render_page(request, page="desk/resolve.html", partial="desk/_resolve.html", context=context, status=422)
