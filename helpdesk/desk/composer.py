"""The composer of a ticket: what stands in it, what a macro puts there, and what pressing send does."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models.functions import Lower
from django.http import QueryDict
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.actions.choices import Kind
from helpdesk.actions.drafts import draft_of
from helpdesk.actions.files import drafted, limit_for
from helpdesk.actions.forms import ComposerForm, read_ids
from helpdesk.actions.models import Action, Attachment, Macro, Outcome, TimeEntry
from helpdesk.actions.outcomes import outcome_for
from helpdesk.actions.resolving import add_with_summary
from helpdesk.actions.services import NewAction
from helpdesk.core.errors import NeedsConfirmation, Refused
from helpdesk.core.formatting import file_size
from helpdesk.core.origin import Origin
from helpdesk.desk import moves
from helpdesk.desk.macro_use import plan, tab_words
from helpdesk.desk.outcome_buttons import Outcomes, outcomes_on, picked, thens_of
from helpdesk.desk.ticket_page import Then, statuses_of, thens
from helpdesk.directory.models import Agent, Contact
from helpdesk.directory.services import agent_of
from helpdesk.tickets import type_rules
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.models import Ticket

TABS = ((Kind.REPLY, "reply"), (Kind.NOTE, "lock"), (Kind.CALL, "phone"), (Kind.VISIT, "map-pin"))


@dataclass(frozen=True, kw_only=True)
class Composer:
    """Everything `actions/_composer.html` shows. `values` are as typed; `warnings` wait for one confirming press."""

    ticket: Ticket
    values: Mapping[str, Any]
    errors: Mapping[str, Sequence[str]]
    thens: Sequence[Then]
    files: Sequence[Attachment]
    public_files: frozenset[int]
    saved_at: datetime | None
    warnings: Sequence[str]
    confirm: str
    tabs: Sequence[tuple[str, str, str]]
    is_internal: bool
    mails: str
    takes_files: bool
    why_no_files: str
    takes_time: bool
    limit: str
    outcomes: Outcomes
    assignee: str
    """Whom the ticket goes to with it, in words."""
    is_picked: bool
    """An outcome was pressed just now: the words come next."""


def default_kind(ticket: Ticket) -> str:
    chosen = ticket.psa_account.settings.get("composer_default")
    return str(chosen) if chosen in {Kind.REPLY, Kind.NOTE} else str(Kind.NOTE)


def blank(ticket: Ticket) -> dict[str, Any]:
    return {
        "marker": str(uuid.uuid4()),
        "kind": default_kind(ticket),
        "visibility": "internal",
        "to": ticket.contact.email if ticket.contact else "",
        "cc": ", ".join(a for a in re.split(r"[,;\s]+", ticket.cc) if "@" in a),
        "text": "",
        "time": "",
        "billable": True,
        "status": "",
        "resolution": "",
        "escalation_reason": "",
        "share": True,
        "outcome": "",
        "assignee": "",
    }


def composer_of(
    ticket: Ticket,
    values: Mapping[str, Any],
    *,
    files: Sequence[Attachment] = (),
    public_files: Iterable[int] = (),
    saved_at: datetime | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
    warnings: Sequence[str] = (),
    confirm: str = "",
    is_picked: bool = False,
) -> Composer:
    statuses = statuses_of(ticket.psa_account_id)
    found = outcomes_on(ticket, values.get("outcome"), statuses)
    hides = found.chosen is not None and found.chosen.hides
    kind = values.get("kind") or Kind.NOTE
    words = tab_words()
    why_no_files = type_rules.no_files(ticket.psa_account, ticket.ticket_type)
    return Composer(
        ticket=ticket,
        values=values,
        errors=errors or {},
        thens=thens_of(found.chosen, thens(ticket, statuses)),
        files=files,
        public_files=frozenset(public_files),
        saved_at=saved_at,
        warnings=warnings,
        confirm=confirm,
        tabs=[(str(k), words[k], icon) for k, icon in TABS],
        is_internal=hides or kind == Kind.NOTE or (kind != Kind.REPLY and values.get("visibility") != "public"),
        mails=who_mails(ticket, wants_mail=found.chosen is None or found.chosen.mails),
        takes_files=not why_no_files,
        why_no_files=why_no_files,
        takes_time=ticket.psa_account.capabilities.get("time_entry_create") is not False,
        limit=file_size(limit_for(ticket.psa_account)),
        outcomes=found,
        assignee=_person(ticket, values.get("assignee")) if found.chosen is None else "",
        is_picked=is_picked,
    )


def _person(ticket: Ticket, value: Any) -> str:
    """Whom a macro gives the ticket to; empty for nobody, and for who is no choice any more."""
    try:
        agent = moves.resolve(ticket, "agent", str(value)) if value else None
    except Refused:
        return ""
    return str(agent.user or agent) if agent is not None else ""


def who_mails(ticket: Ticket, *, wants_mail: bool = True) -> str:
    who, psa = ticket.psa_account.mailer("reply"), ticket.psa_account.title
    if not wants_mail:
        return _("Nobody is mailed: the client reads it in the portal")
    if who == "psa":
        return _("%(psa)s mails it") % {"psa": psa}
    if who == "desk":
        return _("This desk mails it")
    return _("Nobody is mailed: the client reads it in the portal")


def opened_composer(
    ticket: Ticket, user: User, *, files: Sequence[Attachment], macro: Macro | None = None, outcome: str = ""
) -> Composer:
    """As the page opens: the person's draft, a macro or an outcome that was picked by its address, or empty."""
    values, draft = blank(ticket), draft_of(user, ticket)
    saved_at, public, refused = None, [], ""
    if draft is not None and draft.fields:
        values |= {k: v for k, v in draft.fields.items() if k in values}
        saved_at, public = draft.saved_at, draft.fields.get("public_files", [])
    if macro is not None:
        ready = plan(macro, ticket, user, mine=agent_of(user.pk, ticket.psa_account_id))
        if ready.refused:
            refused = f"“{macro.name}”: {ready.refused}"
        else:
            values |= ready.values
    if outcome:
        values |= picked(ticket, outcome, user, values)
    return composer_of(
        ticket, values, files=files, public_files=[p for p in public if isinstance(p, int)], saved_at=saved_at,
        is_picked=bool(outcome), errors={"text": [refused]} if refused else None,
    )  # fmt: skip


def typed_composer(
    ticket: Ticket, user: User, data: QueryDict, *, errors: Mapping[str, Sequence[str]] | None = None,
    warnings: Sequence[str] = (), confirm: str = "", extra_files: Sequence[int] = (), saved_at: datetime | None = None,
    is_picked: bool = False,
) -> Composer:  # fmt: skip
    """The same form with everything that was typed."""
    values: dict[str, Any] = {name: data.get(name, "") for name in blank(ticket)}
    try:
        uuid.UUID(values["marker"])
    except ValueError:
        values["marker"] = str(uuid.uuid4())
    values["billable"], values["share"] = bool(data.get("billable")), bool(data.get("share"))
    ids = [*read_ids(data.getlist("file")), *extra_files]
    return composer_of(
        ticket,
        values,
        files=drafted(user=user, ids=ids),
        public_files=read_ids(data.getlist("public_file")),
        errors=errors,
        warnings=warnings,
        confirm=confirm,
        saved_at=saved_at,
        is_picked=is_picked,
    )


# ---- send -----------------------------------------------------------------------------------------------------------


def send(
    *, ticket: Ticket, user: User, form: ComposerForm, files: Sequence[Attachment], public: Iterable[int], now: datetime
) -> Action | TimeEntry:
    """What the form asks for, in one go. Raises Refused or NeedsConfirmation (whose words name what was asked)."""
    data = form.cleaned_data
    confirmed = form.confirmed_words
    kind = Kind(data["kind"])
    outcome = _outcome(ticket, data["outcome"])
    is_reply = kind == Kind.REPLY and not (outcome is not None and outcome.hide_from_client)
    if is_reply and "recipients" not in confirmed:
        _guard_recipients(ticket, data["to"], data["cc"])
    status = None
    if data["status"]:
        status = next((s for s in statuses_of(ticket.psa_account_id) if s.pk == data["status"]), None)
        if status is None:
            raise Refused({"status": _("There is no such status for this ticket.")})
    if outcome is not None and outcome.new_status is not None:
        status = outcome.new_status
    new = NewAction(
        kind=kind,
        text=data["text"],
        is_internal=form.is_internal,
        seconds=data["time"],
        is_billable=data["billable"],
        status=status,
        escalation_reason=data["escalation_reason"].strip() if status is not None else "",
        email_to=data["to"] if is_reply else "",
        email_cc=data["cc"] if is_reply else "",
        sends_email=is_reply and ticket.psa_account.mailer("reply") != "off",
        files=files,
        public_files=frozenset(public),
        marker=str(data["marker"]),
        outcome=outcome,
        assignee=_assignee(ticket, data["assignee"]) if outcome is None or outcome.must_assign else None,
    )
    return add_with_summary(
        ticket=ticket,
        new=new,
        summary=data["resolution"] if status is not None and status.category in FINISHED else "",
        is_shared=data["share"],
        origin=Origin.desk(user),
        now=now,
        user=user,
        is_confirmed="status" in confirmed,
    )


def _outcome(ticket: Ticket, key: int | None) -> Outcome | None:
    found = outcome_for(ticket, key) if key else None
    if key and found is None:
        raise Refused({"outcome": _("This outcome is no longer offered for this ticket. Choose another.")})
    return found


def _assignee(ticket: Ticket, value: str) -> Agent | None:
    return moves.resolve(ticket, "agent", value) if value else None


class UnknownRecipients(NeedsConfirmation):
    """An address nobody at this client is known by."""


def _guard_recipients(ticket: Ticket, to: str, cc: str) -> None:
    """Addresses outside the client's known people and domain are asked about once."""
    asked = [a.strip().lower() for a in f"{to},{cc}".split(",") if a.strip()]
    domain = (ticket.client.domain if ticket.client else "").lower().removeprefix("www.").strip("/ ")
    own = {ticket.contact.email.lower()} if ticket.contact and ticket.contact.email else set()
    strange = [a for a in asked if a not in own and not (domain and a.endswith(f"@{domain}"))]
    if strange and ticket.client_id:
        people = Contact.objects.annotate(mail=Lower("email")).filter(client=ticket.client_id, is_active=True)
        heard = set(people.filter(mail__in=strange).values_list("mail", flat=True))
        strange = [a for a in strange if a not in heard]
    if strange:
        raise UnknownRecipients(
            [
                _("%(address)s is not known at %(client)s.")
                % {"address": address, "client": ticket.client or _("this client")}
                for address in strange
            ]
        )
