"""Ring for a worker without making the caller wait: the message leaves from a thread, and a lost one is no harm.

The job is a row in the database; beat rings again within two seconds.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger("bell")

Ring = tuple[str, tuple[Any, ...]]


class _Bell:
    """Rings that wait, and the one thread that sends them."""

    def __init__(self) -> None:
        self._waiting: dict[Ring, None] = {}
        self._lock = threading.Condition()
        self._pid = 0

    def ring(self, task: str, *args: Any) -> None:
        with self._lock:
            self._waiting[(task, args)] = None
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._send_all, name="bell", daemon=True).start()
            self._lock.notify()

    def _send_all(self) -> None:
        while True:
            with self._lock:
                while not self._waiting:
                    self._lock.wait()
                rings = list(self._waiting)
                self._waiting.clear()
            for task, args in rings:
                _send(task, args)


def _send(task: str, args: tuple[Any, ...]) -> None:
    try:
        current_app.send_task(task, args=list(args), retry=False, expires=60)
    except (OperationalError, OSError) as error:
        log.warning("bell not heard", task=task, error=str(error)[:200])


_bell = _Bell()


def ring(task: str, *args: Any) -> None:
    """Ask for a task to be run soon. Returns at once and never fails; the same ring waiting twice is one."""
    _bell.ring(task, *args)
