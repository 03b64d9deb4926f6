"""What a person does about a change that the PSA refused, doubts, or has changed itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions import mails
from helpdesk.actions.drafts import save_draft
from helpdesk.actions.forms import AddressesField, draft_fields, read_time
from helpdesk.actions.models import ClientMail
from helpdesk.actions.outcomes import outcomes_for
from helpdesk.actions.services import edit_refused
from helpdesk.core.errors import Refused, Stale
from helpdesk.core.formatting import duration, hours_minutes
from helpdesk.core.htmx import render_page
from helpdesk.core.origin import Origin
from helpdesk.desk import composer, ticket_page
from helpdesk.desk.answers import answer
from helpdesk.desk.entries import refusal_of
from helpdesk.desk.mail_lines import mail_of
from helpdesk.desk.ticket_page import item_of
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import State, Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.access import ticket_for
from helpdesk.tickets.conflicts import keep_mine, send_again, take_theirs
from helpdesk.tickets.fields import FIELDS
from helpdesk.tickets.models import Ticket

View = Callable[..., HttpResponse]


def calm(view: View) -> View:
    """A press that came too late says so instead of failing."""

    @wraps(view)
    def inner(request: SignedIn, pk: int, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, pk, **kwargs)
        except Stale:
            return answer(request, ticket_for(request.user, pk), _("That was settled already."))

    return inner


@require_POST
@requires("actions.add")
@calm
def retry(request: SignedIn, pk: int, item: int) -> HttpResponse:
    ticket = ticket_for(request.user, pk)
    send_again(item=item_of(ticket, item), origin=Origin.desk(request.user), now=timezone.now())
    return answer(request, ticket, _("Sent again"))


@require_http_methods(["GET", "POST"])
@requires("actions.add")
@calm
def discard(request: SignedIn, pk: int, item: int) -> HttpResponse:
    """Ask, saying what goes; then give the change up."""
    ticket = ticket_for(request.user, pk)
    found = item_of(ticket, item)
    loss = loss_of(found)
    if request.method == "GET":
        context = {"ticket": ticket, "item": found, "loss": loss}
        return render_page(request, page="tickets/item_page.html", partial="tickets/_discard.html", context=context)
    outbox.discard_item(item=found, now=timezone.now())
    return answer(request, ticket, _("Discarded: %(what)s") % {"what": loss})


def loss_of(item: OutboxItem) -> str:
    """What a discard throws away, in a few words."""
    if item.verb == Verb.CREATE_TICKET:
        return _("the ticket")
    if item.verb == Verb.UPLOAD_FILE:
        return str(item.fields.get("name", _("the file")))
    if item.verb == Verb.UPDATE_TICKET:
        return ", ".join(str(FIELDS[n].label) for n in item.fields if n in FIELDS)
    seconds = item.fields.get("time_seconds") or item.fields.get("time_apart")
    said = {"reply": _("the reply"), "call": _("the call"), "visit": _("the visit"), "time": ""}
    what = said.get(str(item.fields.get("kind")), _("the note"))
    if seconds and what:
        return _("%(time)s and %(what)s") % {"time": duration(seconds), "what": what}
    return duration(seconds) if seconds else what


@require_http_methods(["GET", "POST"])
@requires("actions.add")
@calm
def edit(request: SignedIn, pk: int, item: int) -> HttpResponse:
    """Change what the PSA refused and send it again."""
    ticket = ticket_for(request.user, pk)
    found = item_of(ticket, item)
    if found.verb != Verb.CREATE_ACTION:
        raise Http404
    typed = {
        "text": str(found.fields.get("body_text") or ""),
        "time": hours_minutes(found.fields.get("time_seconds")),
        "billable": bool(found.fields.get("time_is_billable", True)),
        "to": str(found.fields.get("email_to") or ""),
    }
    context = {
        "ticket": ticket,
        "item": found,
        "typed": typed,
        "refusal": refusal_of(found),
        "has_text": found.subject.startswith("action:"),
        "has_time": bool(found.fields.get("time_seconds")),
        "has_to": bool(found.fields.get("send_email")) and not found.fields.get("is_to_staff"),
    }
    if request.method == "GET":
        return _edit_page(request, context)
    for name in ("text", "time", "to"):
        typed[name] = request.POST.get(name, typed[name])
    typed["billable"] = bool(request.POST.get("billable"))
    try:
        seconds = read_time(str(typed["time"])) if context["has_time"] else None
    except ValueError:
        errors = {"time": _("Time is hours and minutes: 0:18, 18, 1h30 or 90m.")}
        return _edit_page(request, context | {"errors": errors}, 422)
    try:
        typed["to"] = AddressesField(required=False, max_length=2000).clean(typed["to"]) if context["has_to"] else ""
    except ValidationError as error:
        return _edit_page(request, context | {"errors": {"to": " ".join(error.messages)}}, 422)
    if "\x00" in str(typed["text"]):
        errors = {"text": _("This holds a character that cannot be kept (NUL).")}
        return _edit_page(request, context | {"errors": errors}, 422)
    try:
        edit_refused(
            item=found,
            origin=Origin.desk(request.user),
            now=timezone.now(),
            text=str(typed["text"]) if context["has_text"] else None,
            seconds=seconds,
            is_billable=bool(typed["billable"]) if context["has_time"] else None,
            email_to=str(typed["to"]) if context["has_to"] else None,
        )
    except Refused as refusal:
        errors = {"time" if n == "seconds" else n: text for n, text in refusal.fields.items()}
        return _edit_page(request, context | {"errors": errors}, 422)
    return answer(request, ticket, _("Changed, and sent again"))


def _edit_page(request: SignedIn, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render_page(
        request, page="tickets/item_page.html", partial="tickets/_item_edit.html", context=context, status=status
    )


@require_POST
@requires("tickets.change")
@calm
def keep(request: SignedIn, pk: int, item: int) -> HttpResponse:
    """A conflict: ours goes out again, over theirs."""
    ticket = ticket_for(request.user, pk)
    keep_mine(item=item_of(ticket, item), origin=Origin.desk(request.user), now=timezone.now())
    return answer(request, ticket, _("Yours is sent again"))


@require_POST
@requires("tickets.change")
@calm
def take(request: SignedIn, pk: int, item: int) -> HttpResponse:
    """A conflict: theirs stands, ours is given up."""
    ticket = ticket_for(request.user, pk)
    take_theirs(item=item_of(ticket, item), origin=Origin.desk(request.user), now=timezone.now())
    return answer(request, ticket, _("Theirs stands"))


@require_POST
@requires("actions.add")
@calm
def unsend(request: SignedIn, pk: int, action: int) -> HttpResponse:
    """Undo send, while it is held: the words go back into the composer."""
    ticket = ticket_for(request.user, pk)
    now = timezone.now()
    found = OutboxItem.objects.in_lane(ticket.lane).about([f"action:{action}"]).last()
    if found is None or found.actor_id != request.user.pk:
        raise Http404
    if found.state != State.WAITING or found.not_before_at <= now:
        return answer(request, ticket, _("It has left already."))
    outbox.discard_item(item=found, now=now)
    fields = found.fields
    again = {
        "kind": fields.get("kind"), "text": fields.get("body_text"), "to": fields.get("email_to"),
        "cc": fields.get("email_cc"), "time": hours_minutes(fields.get("time_seconds") or fields.get("time_apart")),
        "visibility": "public",
        "billable": fields.get("time_is_billable", True), "resolution": fields.get("resolution") or "", "share": True,
        "escalation_reason": fields.get("escalation_reason") or "",
        "outcome": next((o.pk for o in outcomes_for(ticket) if o.remote_id == fields.get("outcome")), ""),
    }  # fmt: skip
    save_draft(user=request.user, ticket=ticket, fields=draft_fields(again, [], []), now=now)
    if not getattr(request, "htmx", False):
        messages.success(request, _("Not sent: it is in the composer again."))
        return redirect(ticket.get_absolute_url() + "#composer")
    return answer(request, ticket, _("Not sent: it is in the composer again."), more=["composer:reload"])


@require_POST
@requires("actions.add")
@calm
def mail_retry(request: SignedIn, pk: int, mail: int) -> HttpResponse:
    """A mail that failed is tried again."""
    ticket = ticket_for(request.user, pk)
    mails.retry_mail(mail=_mail(ticket, mail), now=timezone.now())
    return answer(request, ticket, _("Mailed again"))


@require_POST
@requires("actions.add")
@calm
def mail_leave(request: SignedIn, pk: int, mail: int) -> HttpResponse:
    """A mail that failed is given up."""
    ticket = ticket_for(request.user, pk)
    mails.give_up_mail(mail=_mail(ticket, mail))
    return answer(request, ticket, _("Not mailed"))


def _mail(ticket: Ticket, pk: int) -> ClientMail:
    found = mail_of(ticket, pk)
    if found is None:
        raise Http404
    return found


@require_GET
@requires("actions.add")
def composer_again(request: SignedIn, pk: int) -> HttpResponse:
    """The composer as the page would open it now."""
    ticket = ticket_for(request.user, pk)
    files = [f for f in ticket_page.ticket_files(ticket, request.user) if not f.ticket_id]
    box = composer.opened_composer(ticket, request.user, files=files)
    return render_page(
        request, page="actions/composer_page.html", partial="actions/_composer.html",
        context={"composer": box, "ticket": ticket},
    )  # fmt: skip
