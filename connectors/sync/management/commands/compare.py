"""`manage.py compare [NAME] [--json] [--limit N]`: desk and PSA side by side, field by field.

Reads every ticket of the account through the connector, at backfill rank: people and pushes go first. One call
for a hundred tickets, two more for each ticket, a third where it has files (2,000 tickets: some 4,500 calls; 100,000
tickets at 100 calls a minute: 35 hours, so use `--limit` there). Memory stays flat: pages are compared as
they come. Nothing is changed on either side. The exit status is 1 when something differs or is missing, and 2 when the
PSA could not be read to the end.
"""

from __future__ import annotations

import json
import logging
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connectors.base.errors import ConnectorError
from connectors.sync.compare import Report, by_field, compare
from helpdesk.directory.models import PsaAccount

SHOWN = 40


class Command(BaseCommand):
    help = "Compares every ticket, action and file of the desk with the PSA's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", metavar="NAME")
        parser.add_argument("--json", action="store_true", dest="as_json")
        parser.add_argument("--limit", type=int, metavar="N", help="only the first N tickets")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("connectors").setLevel(logging.WARNING)  # the terminal is for the result
        accounts = PsaAccount.objects.all()
        if options["name"]:
            accounts = accounts.filter(name=options["name"])
            if not accounts:
                raise CommandError(f"There is no account “{options['name']}”.")
        reports = []
        for account in accounts:
            try:
                on_ticket = self._progress if sys.stderr.isatty() and not options["as_json"] else None
                report = compare(account, clock=timezone.now, limit=options["limit"], on_ticket=on_ticket)
            except ConnectorError as error:
                self.stderr.write(f"{account.name}: {error.text or type(error).__name__}")
                sys.exit(2)
            reports.append(report)
            if not options["as_json"]:
                self._say(report)
        if options["as_json"]:
            self.stdout.write(json.dumps({"accounts": [r.to_json() for r in reports]}))
        if not all(r.is_same for r in reports):
            sys.exit(1)

    def _progress(self, report: Report, total: int | None) -> None:
        if report.tickets % 10 == 0:
            sys.stderr.write(f"\r{report.name}: {report.tickets} of {total or '?'} tickets compared   ")
            sys.stderr.flush()

    def _say(self, report: Report) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r" + " " * 70 + "\r")
        out = self.stdout.write
        out(
            f"{report.name}: {report.tickets} tickets, {report.actions} actions, {report.attachments} files compared; "
            f"{report.calls} calls in {report.seconds:.1f} s"
        )
        for row in report.differences[:SHOWN]:
            out(f"  ticket {row['ticket']}, {row['field']}: here {row['ours']!r}, there {row['theirs']!r}")
        if report.difference_count > SHOWN:
            counts = ", ".join(f"{name} {n}" for name, n in sorted(by_field(report).items(), key=lambda p: -p[1]))
            out(f"  and {report.difference_count - SHOWN} more ({counts})")
        for title, ids in (("Missing here", report.missing_here), ("Missing there", report.missing_there)):
            if ids:
                out(f"  {title}: {', '.join(ids[:SHOWN])}{' …' if len(ids) > SHOWN else ''}")
        if report.waiting:
            out(f"  On its way, not counted: {len(report.waiting)}")
        out("  No difference." if report.is_same else f"  {report.difference_count} differences.")
