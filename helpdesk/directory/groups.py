"""Clients of several PSA accounts that are one customer: linked by a person, and seen as one by those who work here.

A link widens what staff finds and counts. It never widens what a client sees: a person sees the tickets of an account
only through a contact of that account, so who is the same person in both (the same e-mail) sees both, and everybody
else what they saw before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from helpdesk.core.errors import Refused
from helpdesk.directory.models import Client, ClientGroup

MOST = 12
"""Accounts that one customer may be in."""
_LEGAL = re.compile(r"\b(ltd|limited|llc|llp|plc|inc|gmbh|ag|kg|bv|sa|sarl|srl|oy|ab|as|co|company|corp)\b\.?", re.I)
_REST = re.compile(r"[^\w]+")
_SHARED = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com",
     "gmx.de", "gmx.net", "web.de", "aol.com", "btinternet.com", "proton.me", "protonmail.com"}
)  # fmt: skip
"""Domains of everybody: they say nothing about whose client it is."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Clients of different accounts that look like one customer, and by what."""

    clients: Sequence[Client]
    why: str


# ---- seen as one ----------------------------------------------------------------------------------------------------


def kin_of(client_ids: Collection[int]) -> list[int]:
    """These clients and all that they are linked with. One query."""
    ids = list(client_ids)
    if not ids:
        return []
    groups = Client.objects.filter(pk__in=ids, group__isnull=False).values("group")
    linked = Client.objects.filter(group__in=groups).values_list("pk", flat=True)
    return list(dict.fromkeys([*ids, *linked]))


def customers_of(client_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """client -> all clients that are one customer with it, the first of them first; only itself where it is not linked.
    One query."""
    groups = Client.objects.filter(pk__in=list(client_ids), group__isnull=False).values("group")
    some: dict[int | None, list[int]] = {}
    of: dict[int, int | None] = {}
    for pk, group in Client.objects.filter(group__in=groups).order_by("pk").values_list("pk", "group"):
        some.setdefault(group, []).append(pk)
        of[pk] = group
    return {pk: tuple(some[of[pk]]) if pk in of else (pk,) for pk in client_ids}


def relatives(client: Client) -> list[Client]:
    """The same customer in other accounts; no query for a client that is linked with none."""
    if client.group_id is None:
        return []
    rows = Client.objects.filter(group=client.group_id).exclude(pk=client.pk)
    return list(rows.select_related("psa_account").defer("raw", "psa_account__capabilities"))


def first_of_each(rows: Iterable[tuple[int, str, int | None]]) -> list[tuple[int, str, list[int]]]:
    """(client, name, group) -> (client, name, all clients) with linked ones once, under the first of them."""
    found: dict[Any, tuple[int, str, list[int]]] = {}
    for pk, name, group in rows:
        key = ("group", group) if group else ("client", pk)
        if key in found:
            found[key][2].append(pk)
        else:
            found[key] = (pk, name, [pk])
    return list(found.values())


# ---- suggestions ----------------------------------------------------------------------------------------------------


def suggestions(most: int = 50) -> list[Suggestion]:
    """Clients with one domain, or one name, in different accounts. Two queries, whatever their number."""
    rows = list(
        Client.objects.filter(is_active=True, is_placeholder=False).order_by("name", "pk")
        .values_list("pk", "name", "domain", "psa_account_id", "group_id")
    )  # fmt: skip
    found: dict[frozenset[int], str] = {}
    used: set[int] = set()
    for why, key_of in ((_("same domain"), _domain), (_("same name"), _plain_name)):
        same: dict[str, list[tuple[Any, ...]]] = {}
        for row in rows:
            if key := key_of(row):
                same.setdefault(key, []).append(row)
        for some in same.values():
            keys = _apart(some)
            if keys and not used & keys:
                found[frozenset(keys)] = why
                used |= keys
    shown = list(found.items())[:most]
    clients = _with_account(Client.objects.filter(pk__in=[pk for keys, _why in shown for pk in keys]))
    return [Suggestion(clients=[one for one in clients if one.pk in keys], why=why) for keys, why in shown]


def _apart(rows: Sequence[tuple[Any, ...]]) -> set[int]:
    """Those of them that could be linked: one of each account, and not one customer already; else none."""
    accounts = [row[3] for row in rows]
    if len(rows) < 2 or len(set(accounts)) < len(accounts) or len(rows) > MOST:
        return set()
    groups = {row[4] for row in rows}
    return set() if len(groups) == 1 and None not in groups else {row[0] for row in rows}


def _domain(row: tuple[Any, ...]) -> str:
    domain = str(row[2] or "").strip().lower().removeprefix("https://").removeprefix("http://").removeprefix("www.")
    domain = domain.partition("/")[0]
    return "" if domain in _SHARED or "." not in domain else domain


def _plain_name(row: tuple[Any, ...]) -> str:
    """A name without what firms write now and then: Ltd, dots, capitals."""
    plain = _REST.sub(" ", _LEGAL.sub(" ", str(row[1]).casefold())).strip()
    return plain if len(plain) > 2 else ""


def _with_account(rows: QuerySet[Client]) -> list[Client]:
    found = rows.select_related("psa_account").defer("raw", "psa_account__capabilities")
    return sorted(found, key=lambda one: (one.name.lower(), one.pk))


def linked(start: int, most: int) -> tuple[list[list[Client]], bool]:
    """Customers that are linked, by their first name, and whether there are more. Two queries."""
    keys = list(
        ClientGroup.objects.filter(clients__isnull=False).distinct().order_by("-pk")
        .values_list("pk", flat=True)[start : start + most + 1]
    )  # fmt: skip
    rows: dict[int, list[Client]] = {key: [] for key in keys[:most]}
    for one in _with_account(Client.objects.filter(group__in=rows)):
        rows[one.group_id or 0].append(one)
    return sorted((some for some in rows.values() if some), key=lambda some: some[0].name.lower()), len(keys) > most


def named(text: str, picked: Collection[int] = (), most: int = 30) -> list[Client]:
    """Clients to link by hand: those picked already, then others by a part of their name or domain."""
    chosen = _with_account(Client.objects.filter(pk__in=picked)) if picked else []
    if not text:
        return chosen
    wanted = Q(name__icontains=text) | Q(domain__icontains=text)
    rows = Client.objects.filter(wanted, is_active=True, is_placeholder=False).exclude(pk__in=picked)
    return [*chosen, *_with_account(rows[:most])]


# ---- link and unlink ------------------------------------------------------------------------------------------------


@transaction.atomic
def link(*, client_ids: Collection[int], user_id: int, now: datetime) -> list[Client]:
    """Say that these clients, and whom they are linked with, are one customer. Raises Refused."""
    rows = list(Client.objects.select_for_update().filter(pk__in=kin_of(client_ids)).order_by("pk"))
    keys = {row.pk for row in rows}
    if set(kin_of(keys)) != keys:  # another press was first, and this one waited for its rows
        raise Refused({"client": _("Somebody has just linked one of these. Look again.")})
    if len(keys & set(client_ids)) < 2:
        raise Refused({"client": _("Choose two clients or more.")})
    accounts = [row.psa_account_id for row in rows]
    if len(set(accounts)) < len(accounts):
        raise Refused({"client": _("Two of these are in one PSA account: there they are two customers.")})
    group = next((row.group for row in rows if row.group), None)
    group = group or ClientGroup.objects.create(created_at=now, created_by_id=user_id)
    old = {row.group_id for row in rows if row.group_id} - {group.pk}
    Client.objects.filter(pk__in=[row.pk for row in rows]).update(group=group)
    ClientGroup.objects.filter(pk__in=old).delete()
    return rows


@transaction.atomic
def unlink(*, client_id: int) -> Client:
    """This client is a customer of its own again; a group of one is none."""
    key = Client.objects.filter(pk=client_id).values_list("group", flat=True).first()
    # All of them, in the order of their keys: of two presses at once the second counts without the first one's.
    rows = list(Client.objects.select_for_update().filter(group=key).order_by("pk")) if key else []
    row = next((one for one in rows if one.pk == client_id), None)
    if key is None or row is None:
        raise Refused({"client": _("It is not linked any more.")})
    row.group = None
    row.save(update_fields=["group"])
    if len(rows) < 3:
        Client.objects.filter(group=key).update(group=None)
        ClientGroup.objects.filter(pk=key).delete()
    return row
