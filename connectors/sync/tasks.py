"""Read the clock, call one function. A task is a doorbell: it may be rung twice, late, or never."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from connectors.sync import accounts, fetch, hints, hooks, pull, push, remaps, reread
from connectors.sync.journal import log
from helpdesk.core import bell

PUSHERS = 3
"""Threads of one worker that may push at once: one is left for whoever waits for a file or a test."""
LOST_FILES_EVERY_SECONDS = 30

_pushers = threading.BoundedSemaphore(PUSHERS)
_hinters = threading.BoundedSemaphore(1)
_sweepers = threading.BoundedSemaphore(1)
_remappers = threading.BoundedSemaphore(1)

F = TypeVar("F", bound=Callable[..., Any])


def _task(name: str) -> Callable[[F], F]:
    return cast(Callable[[F], F], shared_task(name=name))


@contextmanager
def _slot(slots: threading.BoundedSemaphore) -> Iterator[bool]:
    """One of a few; False when all are taken, so that a bell rung too often costs nothing."""
    taken = slots.acquire(blocking=False)
    try:
        yield taken
    finally:
        if taken:
            slots.release()


@_task("sync.push_due")
def push_due() -> None:
    with _slot(_pushers) as taken:
        done = push.drain(clock=timezone.now) if taken else push.Drained(is_empty=True)
    if done.states:
        log.info("push", calls=done.calls, **{str(k): v for k, v in done.states.items()})
    if not done.is_empty:
        bell.ring("sync.push_due")


@_task("sync.pull_due")
def pull_due() -> None:
    try:
        if pull.pull_due(clock=timezone.now):
            bell.ring("sync.pull_due")
        if hooks.is_due(now=timezone.now()):
            bell.ring("sync.hooks_due")
        if hints.are_waiting():
            bell.ring("sync.hints_due")
        if remaps.are_waiting(now=timezone.now()):
            bell.ring("sync.remap_due")
        if pull.is_sweep_due(clock=timezone.now):
            bell.ring("sync.sweep_due")
        if cache.add("sync:lost_files", 1, LOST_FILES_EVERY_SECONDS):
            for attachment_id in fetch.waiting_files():
                bell.ring("sync.fetch_file", attachment_id)
    except Exception:  # the last line: the next ring is a second away
        log.exception("pull failed")


@_task("sync.sweep_due")
def sweep_due() -> None:
    with _slot(_sweepers) as taken:
        if taken:
            pull.sweep_due(clock=timezone.now)


@_task("sync.hooks_due")
def hooks_due() -> None:
    hooks.settle_due(clock=timezone.now)


@_task("sync.hints_due")
def hints_due() -> None:
    with _slot(_hinters) as taken:
        left = taken and hints.drain(clock=timezone.now)
    if left:
        bell.ring("sync.hints_due")


@_task("sync.remap_due")
def remap_due() -> None:
    with _slot(_remappers) as taken:
        left = taken and remaps.run(clock=timezone.now)
    if left:
        bell.ring("sync.remap_due")


@_task("sync.read_ticket")
def read_ticket(ticket_id: int) -> None:
    reread.read_ticket(ticket_id=ticket_id, clock=timezone.now)


@_task("sync.fetch_file")
def fetch_file(attachment_id: int) -> None:
    fetch.fetch_file(attachment_id=attachment_id, clock=timezone.now)


@_task("sync.test_connection")
def test_connection(connection_id: int) -> None:
    accounts.answer(connection_id=connection_id, clock=timezone.now)
