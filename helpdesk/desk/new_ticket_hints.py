"""What a person should know before they open a ticket: told already, covered by a contract, due when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from helpdesk.core.formatting import moment
from helpdesk.desk.new_ticket_form import Filled
from helpdesk.directory.models import Client, Contract
from helpdesk.sla.choices import ClockKind
from helpdesk.tickets.models import Priority, Ticket
from helpdesk.tickets.similar import similar_open
from helpdesk.tickets.what_if import due_when_opened

OTHERS = 5


def add_hints(filled: Filled, now: datetime) -> None:
    if filled.account is None:
        return
    add_similar(filled)
    if filled.client:
        found = Ticket.objects.present().open().of_clients([filled.client.pk]).for_rows()
        filled.others = list(found.order_by("-opened_at", "-pk")[:OTHERS])
        filled.contract_warning = _contract_warning(filled, timezone.localdate(now))
    filled.due_hint = _due_hint(filled, now)


def add_similar(filled: Filled) -> None:
    """Open tickets of the same client whose subject is much the same."""
    if filled.client:
        filled.similar = similar_open(filled.client.pk, filled.values["subject"][:255])


def similar_form(data: Mapping[str, str]) -> Filled:
    """Just enough of the form to show what is like the subject being typed."""
    account, client = (
        int(v) if (v := data.get(n, "")).isdecimal() and len(v) < 19 else 0 for n in ("account", "client")
    )
    filled = Filled(values={"subject": data.get("subject", "")}, account=None, accounts=())
    filled.client = Client.objects.filter(pk=client, psa_account=account, is_active=True).first()
    add_similar(filled)
    return filled


def _contract_warning(filled: Filled, today: date) -> str:
    """Empty when a contract covers the client, and where the PSA knows of none at all."""
    client, account = filled.client, filled.account
    assert client is not None
    assert account is not None
    is_told = account.can("contracts") and getattr(client, "are_contracts_known", False)
    if not is_told or getattr(client, "is_covered", False):
        return ""
    ended = _last_ended(client, today)
    if ended is None or ended.ends_on is None:
        return _("%(client)s has no active contract.") % {"client": client}
    return _("%(client)s has no active contract: “%(contract)s” ended on %(day)s.") % {
        "client": client,
        "contract": ended.name,
        "day": date_format(ended.ends_on, "j F Y"),
    }


def _last_ended(client: Client, today: date) -> Contract | None:
    return Contract.objects.filter(client=client, ends_on__lt=today).defer("raw").order_by("-ends_on", "-pk").first()


def _due_hint(filled: Filled, now: datetime) -> str:
    """Both clocks, as the ticket would promise them if it were opened now."""
    priority = filled.rows.get("priority")
    if priority is None:
        return ""
    promised = _promised(filled, priority, now)
    zone = timezone.get_current_timezone()
    phrases = ((ClockKind.RESPONSE, _("Response due %(when)s")), (ClockKind.RESOLUTION, _("resolution %(when)s")))
    words = [phrase % {"when": moment(promised[kind], now, zone)} for kind, phrase in phrases if promised.get(kind)]
    return ", ".join(words)


def _promised(filled: Filled, priority: Priority, now: datetime) -> dict[str, datetime]:
    """Clock -> when it would run out, worked out as the ticket's own clocks would be."""
    kind, team = filled.rows.get("ticket_type"), filled.rows.get("team")
    trial = Ticket(
        psa_account=filled.account, client=filled.rows.get("client"), contract=filled.rows.get("contract"), team=team,
        priority=priority, rank=priority.rank, sla_policy_id=kind.default_sla_policy_id if kind else None,
        opened_at=now, changed_at=now,
    )  # fmt: skip
    return due_when_opened(trial, now)
