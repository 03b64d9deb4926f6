"""`manage.py pull [NAME] [--full] [--json]`: one pull in the foreground, to its end."""

from __future__ import annotations

import json
import logging
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connectors.sync import pull
from connectors.sync.models import Cursor, Feed
from helpdesk.directory.models import PsaAccount

BAR = 30


class Command(BaseCommand):
    help = "Pulls one account, or all of them, until everything that the PSA has is here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME")
        parser.add_argument("--full", action="store_true", help="read everything again, not only what changed")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("connectors").setLevel(logging.WARNING)  # the terminal is for the result
        accounts = PsaAccount.objects.all()
        if options["name"]:
            accounts = accounts.filter(name=options["name"])
            if not accounts:
                raise CommandError(f"There is no account “{options['name']}”.")
        self.as_json = options["as_json"]
        rows = [self._pull(account, is_full=options["full"]) for account in accounts]
        if self.as_json:
            self.stdout.write(json.dumps({"accounts": rows}))
        elif not rows:
            self.stdout.write("No account is connected: manage.py connect KIND NAME --url URL")
        if any(row["errors"] for row in rows):
            sys.exit(1)

    def _pull(self, account: PsaAccount, *, is_full: bool) -> dict[str, Any]:
        started = time.monotonic()
        tally = pull.pull_to_end(account, clock=timezone.now, is_full=is_full, on_page=self._show)
        seconds = time.monotonic() - started
        applied = {"tickets": 0, "actions": 0, **tally.applied}
        if not self.as_json:
            self._end_bar()
            shown = ", ".join(f"{count} {what}" for what, count in applied.items())
            self.stdout.write(f"{account.name}: {shown}; {tally.calls} calls in {seconds:.1f} s")
            for error in tally.errors:
                self.stderr.write(f"{account.name}: {error}")
        return {
            "name": account.name,
            "applied": applied,
            "calls": tally.calls,
            "seconds": round(seconds, 3),
            "errors": tally.errors,
        }

    def _show(self, cursor: Cursor) -> None:
        if self.as_json or not sys.stderr.isatty():
            return
        share = min(1.0, cursor.done / cursor.total) if cursor.total else 0.0
        filled = round(share * BAR)
        total = f" of {cursor.total}" if cursor.total else ""
        line = f"{Feed(cursor.feed).label:<30} [{'#' * filled}{'.' * (BAR - filled)}] {cursor.done}{total}"
        sys.stderr.write(f"\r{line:<100}")
        sys.stderr.flush()

    def _end_bar(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r" + " " * 100 + "\r")
