"""Which tickets a bulk change is meant for."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from django.utils import timezone

from helpdesk.accounts.requests import SignedIn
from helpdesk.desk import bulk
from helpdesk.tickets.filter_reading import read_filters


def wanted(request: SignedIn, data: Any) -> tuple[list[int], bool]:
    """The tickets meant: the picked ones, or all that the list's filters match."""
    user = request.user
    if data.get("all") == "yes":
        now, zone = timezone.now(), timezone.get_current_timezone()
        filters = read_filters(dict(parse_qsl(data.get("query", "").lstrip("?"))), user=user, now=now, zone=zone)
        ids = bulk.matching_ids(filters, user=user, now=now, zone=zone)
    else:
        ids = bulk.picked_ids(data.getlist("pick"), user)
    return ids[: bulk.MOST], len(ids) > bulk.MOST
