"""What the address of a board asks for: the grouping, teams and PSA accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.accounts.models import User
from helpdesk.directory.models import PsaAccount, Team
from helpdesk.tickets.querysets import TicketQuerySet

GROUPS = {
    "agent": gettext_lazy("Agent"),
    "team": gettext_lazy("Team"),
    "status": gettext_lazy("Status"),
    "priority": gettext_lazy("Priority"),
    "client": gettext_lazy("Client"),
}


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the address of a board asks for."""

    group: str = "agent"
    teams: tuple[int, ...] = ()
    accounts: tuple[int, ...] = ()
    team_words: str = ""
    account_words: str = ""
    ignored: tuple[str, ...] = ()
    query: str = ""

    def narrow(self, tickets: TicketQuerySet) -> TicketQuerySet:
        tickets = tickets.open()
        if self.accounts:
            tickets = tickets.in_accounts(self.accounts)
        if self.teams and self.group != "agent":
            tickets = tickets.in_teams(self.teams, or_none=self.group == "team")
        return tickets


def joined(data: Mapping[str, str], name: str) -> str | None:
    """All values of a name as one text: a form's ticked boxes, or a comma-separated address. None = not given."""
    if name not in data:
        return None
    values = data.getlist(name) if hasattr(data, "getlist") else [data[name]]
    return ",".join(values).replace("\x00", "")


def filter_choices() -> dict[str, Any]:
    """Teams by name (one team is a row in every PSA) and PSA accounts."""
    teams = Team.objects.filter(is_active=True).values_list("name", flat=True)
    return {
        "teams": sorted({t for t in teams if "," not in t}, key=str.lower),
        "accounts": list(PsaAccount.objects.values_list("name", "title")),
    }


def read_scope(data: Mapping[str, str], user: User) -> Scope:
    """The board's address; without a word about teams it opens on the dispatcher's own."""
    ignored = []
    group = data.get("group", "agent")
    if group not in GROUPS:
        ignored.append(_("grouping “%(value)s”") % {"value": group[:40]})
        group = "agent"
    given = joined(data, "team")
    if given is None:
        chosen = user.preferences.get("board_teams")
        wanted = [str(t) for t in chosen] if isinstance(chosen, list) else []
    else:
        wanted = [t.strip() for t in given.split(",") if t.strip() and t != "all"]
    teams: dict[int, str] = {}
    if wanted:
        ids = [int(t) for t in wanted if t.isdecimal() and len(t) < 16]
        names = [t for t in wanted if not t.isdecimal()]
        found = Team.objects.filter(pk__in=ids) | Team.objects.filter(name__in=names)
        meant = set(found.values_list("name", flat=True))
        # One team is a row in every PSA: the name is what people mean.
        teams = dict(Team.objects.filter(name__in=meant).values_list("pk", "name"))
        if not teams:
            ignored.append(_("team “%(value)s”") % {"value": ", ".join(wanted)[:60]})
    accounts: dict[int, str] = {}
    asked = joined(data, "account")
    if asked:
        names = [a.strip() for a in asked.split(",")]
        accounts = dict(PsaAccount.objects.filter(name__in=names).values_list("pk", "title"))
        if not accounts:
            ignored.append(_("PSA “%(value)s”") % {"value": asked[:60]})
    return Scope(
        group=group,
        teams=tuple(teams),
        accounts=tuple(accounts),
        team_words=", ".join(dict.fromkeys(teams.values())),
        account_words=", ".join(accounts.values()),
        ignored=tuple(ignored),
    )
