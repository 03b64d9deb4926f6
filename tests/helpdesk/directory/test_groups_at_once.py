"""Two people link or unlink clients of one customer at the same instant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connections

from helpdesk.core.errors import Refused
from helpdesk.directory import groups
from helpdesk.directory.models import Client, ClientGroup
from tests.factories import NOW, make_account, make_client
from tests.people import make_ada

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> None:
    start = threading.Barrier(len(acts))

    def do(act: Callable[[], Any]) -> None:
        try:
            start.wait()
            with suppress(Refused):
                act()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def at(account: str) -> Client:
    return make_client("Northwind Dental", psa_account=make_account(account))


@pytest.mark.parametrize("turn", range(5))
def test_no_customer_is_twice_in_one_account(turn: int) -> None:
    first, middle, twin, user = at("halo"), at("atera"), at("halo"), make_ada().pk
    at_once(
        lambda: groups.link(client_ids=[first.pk, middle.pk], user_id=user, now=NOW),
        lambda: groups.link(client_ids=[middle.pk, twin.pk], user_id=user, now=NOW),
    )
    accounts = Client.objects.filter(group__isnull=False).values_list("psa_account", flat=True)
    assert len(accounts) == len(set(accounts)) == 2
    assert ClientGroup.objects.count() == 1


@pytest.mark.parametrize("turn", range(5))
def test_nobody_is_left_linked_with_nobody(turn: int) -> None:
    some = [at(name) for name in ("halo", "atera", "autotask")]
    groups.link(client_ids=[one.pk for one in some], user_id=make_ada().pk, now=NOW)
    at_once(lambda: groups.unlink(client_id=some[0].pk), lambda: groups.unlink(client_id=some[1].pk))
    assert not Client.objects.filter(group__isnull=False).exists()
    assert not ClientGroup.objects.exists()
