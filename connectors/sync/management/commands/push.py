"""`manage.py push [--json]`: drain what is due in the outbox, in the foreground."""

from __future__ import annotations

import json
import logging
import time
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from connectors.sync import push
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem


class Command(BaseCommand):
    help = "Sends what is due in the outbox, until nothing is due any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("connectors").setLevel(logging.WARNING)  # the terminal is for the result
        started, states, calls = time.monotonic(), Counter[str](), 0
        while True:
            done = push.drain(clock=timezone.now)
            states.update(done.states)
            calls += done.calls
            if done.is_empty:
                break
        result = {
            "sent": states[State.DONE],
            "checking": OutboxItem.objects.filter(state=State.CHECKING).count(),
            "refused": states[State.REFUSED],
            "left": OutboxItem.objects.unfinished().count(),
            "calls": calls,
            "seconds": round(time.monotonic() - started, 3),
        }
        if options["as_json"]:
            self.stdout.write(json.dumps(result))
        else:
            self.stdout.write(", ".join(f"{value} {name}" for name, value in result.items()))
