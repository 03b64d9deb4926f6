"""A change that may leave rings for a worker, once, after its transaction has committed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from kombu import Connection, Exchange, Queue

from helpdesk.core import bell
from helpdesk.core.origin import Origin
from helpdesk.tickets import services
from tests import patience
from tests.factories import NOW, make_ticket


@pytest.fixture
def queue() -> Iterator[Any]:
    """The broker's queue (in this process), empty."""
    with current_app.connection_for_read() as connection:
        found = connection.SimpleQueue("celery")
        time.sleep(0.2)
        found.clear()
        yield found
        found.close()


def rung(queue: Any, seconds: float = patience.SECONDS) -> int:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not queue.qsize():
        time.sleep(0.02)
    time.sleep(0.2)
    return int(queue.qsize())


@pytest.mark.django_db(transaction=True)
def test_many_changes_of_one_transaction_ring_once_it_has_committed(queue: Any) -> None:
    tickets = [make_ticket(subject=f"T{n}") for n in range(5)]
    with transaction.atomic():
        for ticket in tickets:
            services.change_ticket(ticket=ticket, changes={"subject": "x"}, origin=Origin.system("t"), now=NOW)
        assert rung(queue, 0.3) == 0
    assert rung(queue) == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_that_was_rolled_back_rings_nobody(queue: Any) -> None:
    ticket = make_ticket()
    with transaction.atomic():
        services.change_ticket(ticket=ticket, changes={"subject": "x"}, origin=Origin.system("t"), now=NOW)
        transaction.set_rollback(True)
    assert rung(queue, 0.4) == 0


def test_a_broker_that_is_away_costs_the_caller_nothing(queue: Any) -> None:
    assert queue is not None
    started = time.thread_time()  # of the caller alone
    for _n in range(1000):
        bell.ring("sync.push_due")
    assert time.thread_time() - started < 0.5


def test_a_message_of_the_folder_broker_is_whole_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "messages").mkdir()
    (tmp_path / "control").mkdir()
    options = {"data_folder_in": str(tmp_path / "messages"), "data_folder_out": str(tmp_path / "messages"),
               "control_folder": str(tmp_path / "control")}  # fmt: skip
    with Connection("filesystem://", transport_options=options) as connection:
        assert type(connection.transport).__module__ == "helpdesk.core.broker"
        queue = connection.SimpleQueue("celery")
        (tmp_path / "messages" / "0_cut-short.celery.msg").write_text("")
        queue.put({"task": "x"})
        assert queue.get(timeout=patience.SECONDS).payload == {"task": "x"}
        assert not list((tmp_path / "messages").glob(".*"))
        queue.close()


def test_a_table_of_queues_that_a_kill_cut_short_is_written_anew(tmp_path: Path) -> None:
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    (tmp_path / "control" / "cut.exchange").write_text("")
    options = {"data_folder_in": str(tmp_path / "messages"), "data_folder_out": str(tmp_path / "messages"),
               "control_folder": str(tmp_path / "control")}  # fmt: skip
    with Connection("filesystem://", transport_options=options) as connection, connection.channel() as channel:
        bound = Queue("short", Exchange("cut", "direct"), routing_key="short")(channel)
        for _again in range(2):
            bound.declare()
        assert [q.queue for q in channel.get_table("cut")] == ["short"]
