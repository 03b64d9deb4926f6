"""`manage.py aggregate [--since DATE]`: recompute report rows."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from helpdesk.reports.services import rebuild


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date: write 2026-11-01") from error


class Command(BaseCommand):
    help = "Recompute report rows from the tickets. Pages stay readable meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=_day, help="only tickets with a day at or after this one (2026-11-01)")

    def handle(self, *args: Any, since: date | None = None, **options: Any) -> None:
        def say(done: int) -> None:
            self.stderr.write(f"\r{done} tickets counted", ending="")

        done = rebuild(now=timezone.now(), since=since, say=say)
        self.stderr.write("")
        self.stdout.write(f"{done.tickets} tickets counted, {done.changed} rows or tickets differed")
