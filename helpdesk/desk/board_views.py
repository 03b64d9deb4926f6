"""The dispatch board: the page, its lanes as they change, a drop, and who is looking."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from helpdesk.accounts.permissions import requires
from helpdesk.accounts.requests import SignedIn
from helpdesk.actions.resolving import is_resolving
from helpdesk.core.htmx import render_page
from helpdesk.core.paging import BadCursor, Cursor, read_cursor
from helpdesk.desk import moves
from helpdesk.desk import presence as people
from helpdesk.desk.board import FIRST_CARDS, Board, build, cards_html, more_cards
from helpdesk.desk.board_lanes import LANES, Lane
from helpdesk.desk.board_scope import GROUPS, Scope, filter_choices, joined, read_scope
from helpdesk.desk.lanes import lanes_html, more_html
from helpdesk.desk.resolve_form import asked_again, kept, read_answers, resolve_dialog
from helpdesk.desk.row_views import back_of, gone
from helpdesk.directory.groups import kin_of
from helpdesk.tickets.access import desk_tickets, ticket_for, tickets_for, tickets_to_change
from helpdesk.tickets.choices import Category, Rank
from helpdesk.tickets.preferences import set_preferences

MOST_DROPPED = 50
MOST_TOUCHED = 8
"""Lanes that come with the answer to a drop; those beyond are asked for like any others that changed."""


@require_GET
@requires("board.view")
def board(request: SignedIn) -> HttpResponse:
    now, zone, user = timezone.now(), timezone.get_current_timezone(), request.user
    scope = read_scope(request.GET, user)
    found = build(desk_tickets(user), scope, now=now, zone=zone, reader=user)
    context = {
        "now": now,
        "board": found,
        "scope": scope,
        "groups": [
            {"key": key, "label": label, "href": _address(request, group=key), "is_on": key == scope.group}
            for key, label in GROUPS.items()
        ],
        "without_team": _address(request, team="all"),
        "without_account": _address(request, account=None),
        "query": _query(request.GET),
        "drawn": lanes_html(found.lanes, _query(request.GET)),
    }
    return render(request, "desk/board.html", context)


@require_GET
@requires("board.view")
def choose_filter(request: SignedIn) -> HttpResponse:
    """Teams and PSAs, as a plain form back to the board."""
    scope = read_scope(request.GET, request.user)
    context = {
        **filter_choices(),
        "scope": scope,
        "chosen_teams": scope.team_words.split(", "),
        "chosen_accounts": scope.account_words.split(", "),
    }
    return render_page(request, page="desk/board_filter_page.html", partial="desk/_board_filter.html", context=context)


@require_POST
@requires("board.view")
def keep_teams(request: SignedIn) -> HttpResponse:
    """Remember these teams: the board opens on them."""
    scope = read_scope(request.POST, request.user)
    set_preferences(user=request.user, values={"board_teams": list(scope.teams) or None})
    return redirect("desk:board")


@require_GET
@requires("board.view")
def lanes(request: SignedIn) -> HttpResponse:
    """Of the lanes the browser has (`have=key:digest:cards,...`), those that look different now. 204 when none does."""
    now, zone, user = timezone.now(), timezone.get_current_timezone(), request.user
    have, shown = _have(request.GET.get("have", ""))
    scope = read_scope(request.GET, user)
    found = build(desk_tickets(user), scope, now=now, zone=zone, reader=user, only=list(have), shown=shown)
    changed = [lane for lane in found.lanes if lane.digest != have[lane.key]]
    if not changed:
        return HttpResponse(status=204)
    return _lanes(request, found, changed)


@require_GET
@requires("board.view")
def more(request: SignedIn) -> HttpResponse:
    """The next cards of one lane, when somebody scrolls to its end."""
    now, zone, user = timezone.now(), timezone.get_current_timezone(), request.user
    scope = read_scope(request.GET, user)
    key = request.GET.get("lane", "")
    try:
        cursor = read_cursor(request.GET.get("cursor", ""), order=key)
    except BadCursor as error:
        raise Http404 from error
    lane = _lane_of(scope, key)
    if lane is None or not hasattr(cursor.value, "tzinfo"):
        raise Http404
    found = more_cards(desk_tickets(user), scope, lane, cursor)
    cards, rest = found[:FIRST_CARDS], found[FIRST_CARDS:]
    html = cards_html(cards, now=now, zone=zone, reader=user)
    following = Cursor(order=key, value=cards[-1].next_due_at, pk=cards[-1].pk).spell() if rest else ""
    context = {"cards": html, "link": more_html(lane, following, _query(request.GET)) if following else ""}
    return render(request, "desk/_more.html", context)


@require_GET
@requires("tickets.change")
def targets(request: SignedIn) -> HttpResponse:
    """Before a drop: for every lane, why it would be refused; a lane that is not named takes the tickets.

    One answer when a drag begins, for all lanes: `{"refused": {lane: reason}, "asks": [lane, ...]}`.
    """
    user = request.user
    scope = read_scope(request.GET, user)
    keys = [k for k in request.GET.get("lanes", "").split(",") if k][:60]
    tickets = tickets_for(user, _ids(request.GET.getlist("ticket")))
    if not tickets:
        raise Http404
    refused, asks = {}, []
    for lane in _lanes_of(scope, keys):
        if not lane.target:
            refused[lane.key] = _("A drop does not change the client. Open the ticket to do that.")
            continue
        reason = _why_not(lane, scope, tickets)
        if reason is None:
            asks.append(lane.key)
        elif reason:
            refused[lane.key] = reason
    return JsonResponse({"refused": refused, "asks": asks})


@require_POST
@requires("tickets.change")
def move(request: SignedIn) -> HttpResponse:
    """A drop or its keys: tickets to a lane. Answers a toast with its undo, and of the lanes that the browser names
    (`have`, as in `lanes`: those it took from and put into) how they look now."""
    now, zone, user = timezone.now(), timezone.get_current_timezone(), request.user
    scope = read_scope(request.POST, user)
    have, shown = _have(request.POST.get("have", ""))
    named = _lanes_of(scope, [request.POST.get("lane", ""), *list(have)[:MOST_TOUCHED]])
    lane = next((one for one in named if one.key == request.POST.get("lane")), None)
    ids = _ids(request.POST.getlist("ticket"))
    held = tickets_to_change(user, ids)
    tickets = [held[pk] for pk in ids if pk in held]
    if lane is None or not lane.target or not tickets:
        return gone(request)
    value = request.POST.get("value") or lane.target
    results = [
        moves.move(
            ticket=ticket,
            name=scope.group,
            value=value,
            user=user,
            now=now,
            zone=zone,
            is_confirmed=request.POST.get("confirmed") == "yes",
            **read_answers(request.POST),
        )
        for ticket in tickets
    ]
    done = [r for r in results if r.state == "done"]
    failed = [r for r in results if r.state not in ("done", "same")]
    if failed and not done and asked_again(failed[0], request.POST):
        hidden = [*_lane_fields(request, scope, lane, failed), ("value", value)]
        return resolve_dialog(
            request, tickets=[r.ticket for r in failed], count=len(failed), word=_word(scope, lane), hidden=hidden,
            action=reverse("desk:board_move"), back=back_of(request), result=failed[0],
        )  # fmt: skip
    toast = _toast(done, failed, now, zone, lane)
    if not getattr(request, "htmx", False):
        messages.success(request, f"{toast['text']}. {toast.get('detail', '')}".strip())
        return redirect(back_of(request))
    if failed and failed[0].state in ("ask", "warned") and not done:
        return _question(request, scope, lane, failed)
    touched = [one for one in named if one.key in have] if done else []
    response = HttpResponse(status=422 if failed and not done else 204)
    if touched:
        build(desk_tickets(user), scope, now=now, zone=zone, reader=user, only=list(have), shown=shown, lanes=touched)
        response = HttpResponse(lanes_html(touched, _query(request.POST)))
    response["HX-Trigger"] = json.dumps({"toast": toast, "desk:changed": ""})
    return response


@require_POST
@requires("tickets.view")
def presence(request: SignedIn, pk: int) -> HttpResponse:
    """Heartbeat of a ticket page: `typing=1` while somebody types, `gone=1` when the page closes."""
    ticket = ticket_for(request.user, pk)
    now = timezone.now().timestamp()
    if request.POST.get("gone"):
        people.leave(request.user, ticket.pk, now=now)
    else:
        people.beat(request.user, ticket.pk, is_typing=request.POST.get("typing") == "1", now=now)
    return HttpResponse(status=204)


def _have(text: str) -> tuple[dict[str, str], dict[str, int]]:
    """What the browser shows, "key:digest:cards,...": lane -> digest, lane -> number of its cards."""
    have: dict[str, str] = {}
    shown: dict[str, int] = {}
    for part in text.split(",")[:60]:
        key, _colon, rest = part.partition(":")
        digest, _colon, count = rest.partition(":")
        if key:
            have[key] = digest
            shown[key] = int(count) if count.isdecimal() and len(count) < 5 else 0
    return have, shown


# ---- parts ----------------------------------------------------------------------------------------------------------


def _lanes(request: SignedIn, found: Board, changed: list[Lane]) -> HttpResponse:
    context = {"board": found, "drawn": lanes_html(changed, _query(request.GET)), "now": timezone.now()}
    return render(request, "desk/_lanes.html", context)


def _lanes_of(scope: Scope, keys: list[str]) -> list[Lane]:
    wanted = set(keys)
    if scope.group == "client":
        return [
            Lane(key=key, title="", values=list(kin_of([int(key[1:])])))
            for key in keys
            if key[:1] == "k" and key[1:].isdecimal() and len(key) < 17
        ]
    return [lane for lane in LANES[scope.group](scope, {}) if lane.key in wanted]


def _lane_of(scope: Scope, key: str) -> Lane | None:
    return next(iter(_lanes_of(scope, [key])), None)


def _why_not(lane: Lane, scope: Scope, tickets: list[Any]) -> str | None:
    """The reason of the first ticket that may not go there; "" when all may; None when a person has to choose."""
    asks = False
    for ticket in tickets:
        if scope.group == "agent" and lane.accounts:
            # Said from the lane's own accounts: a board of twenty lanes asks the database nothing.
            if ticket.psa_account_id not in lane.accounts:
                return moves.no_agent(lane.title, ticket.psa_account.title)
            continue
        if why := moves.rules.why_off(ticket, scope.group):
            return why
        if lane.target == moves.NOBODY:
            if scope.group == "agent" and ticket.agent_id and (why := moves.rules.why_owned(ticket.psa_account)):
                return why
            continue
        try:
            target = moves.resolve(ticket, scope.group, lane.target)
        except moves.Ask:
            asks = True
            continue
        except moves.Refused as refusal:
            return " ".join(refusal.fields.values())
        if scope.group == "status":
            choice = moves.rules.choice_of(ticket, target)
            if choice.why_not:
                return choice.why_not
            asks = asks or bool(choice.asks) or is_resolving(ticket, target)
    return None if asks else ""


def _question(request: SignedIn, scope: Scope, lane: Lane, failed: list[moves.Result]) -> HttpResponse:
    """Several rows of the PSA fit, or a warning needs one confirming press: ask in the same chooser."""
    first = failed[0]
    word = _word(scope, lane)
    context = {
        "title": _("%(ticket)s: which “%(word)s”?") % {"ticket": first.ticket.label, "word": word},
        "subject": first.ticket.subject,
        "action": reverse("desk:board_move"),
        "options": first.options,
        "problem": first.text,
        "confirm": (request.POST.get("value") or lane.target) if first.state == "warned" else "",
        "hidden": [*_lane_fields(request, scope, lane, failed), *kept(request.POST)],
        "back": back_of(request),
    }
    return render(request, "desk/_chooser.html", context, status=422)


def _word(scope: Scope, lane: Lane) -> str:
    """What the lane stands for, in words."""
    labels = {"status": dict(Category.choices), "priority": {str(k): v for k, v in Rank.choices}}
    return str(labels.get(scope.group, {}).get(lane.target, lane.title))


def _lane_fields(request: SignedIn, scope: Scope, lane: Lane, failed: list[moves.Result]) -> list[tuple[str, Any]]:
    """A drop as fields of a form that asks something first."""
    return [
        ("lane", lane.key),
        ("group", scope.group),
        *(("ticket", r.ticket.pk) for r in failed),
        *((k, v) for k, v in request.POST.items() if k in ("team", "account")),
    ]


def _toast(done: list[moves.Result], failed: list[moves.Result], now: Any, zone: Any, lane: Lane) -> dict[str, str]:
    if failed:
        text = _("%(ticket)s stays where it was") % {"ticket": failed[0].ticket.label}
        if done:
            text = _("%(done)d moved, %(failed)d not") % {"done": len(done), "failed": len(failed)}
        toast = {"text": text, "detail": failed[0].text}
    elif not done:
        return {"text": _("Nothing to change")}
    elif len(done) == 1:
        toast = {"text": done[0].text, "detail": moves.still_due(done[0].ticket, now, zone)}
    else:
        toast = {
            "text": _("%(count)d tickets moved to %(lane)s") % {"count": len(done), "lane": lane.title},
            "detail": "",
        }
    undo = moves.undo_address(done)
    return {**toast, "undo_url": undo} if undo else toast


def _ids(given: list[str]) -> list[int]:
    parts = [p for text in given for p in text.split(",")]
    return list(dict.fromkeys(int(p) for p in parts if p.isdecimal() and len(p) < 19))[:MOST_DROPPED]


def _kept(given: QueryDict) -> dict[str, Any]:
    return {k: joined(given, k) for k in ("group", "team", "account") if k in given}


def _query(given: QueryDict) -> str:
    """The board's own part of the address, for everything it fetches later."""
    return urlencode(_kept(given), safe=",")


def _address(request: SignedIn, **changes: str | None) -> str:
    kept = _kept(request.GET) | changes
    kept = {k: v for k, v in kept.items() if v is not None and (k, v) != ("group", "agent")}
    return "?" + urlencode(kept, safe=",") if kept else "?"
