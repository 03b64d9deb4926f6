"""The benchmark: fills a database (kept between runs), serves the product beside a bare page, measures, reports."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import places

if TYPE_CHECKING:
    from tests.bench.report import Report

SEED = 2026
SMALL, MILLION = 10_000, 1_000_000


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["run", "fill", "profile"], default="run")
    parser.add_argument("--only", default="", metavar="WORDS", help="operations whose name holds these words")
    parser.add_argument("--tickets", type=int, default=places.USUAL, help="size of the desk (100,000)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--sqlite", action="store_true", help="SQLite, although PostgreSQL may be there")
    parser.add_argument("--again", action="store_true", help="fill anew, although a fill is kept")
    parser.add_argument("--rounds", type=int, default=25, help="at most so many rounds of all operations (25)")
    parser.add_argument("--seconds", type=float, default=150, help="no new round after this (150)")
    parser.add_argument("--growth", action="store_true", help="only with --tickets: compare with 10,000 all the same")
    parser.add_argument("--no-growth", action="store_true", help="do not compare with a desk of 10,000")
    parser.add_argument("--million", action="store_true", help="compare with a desk of 1,000,000, too (a long fill)")
    parser.add_argument("--pull", type=int, default=20_000, metavar="N", help="tickets of the pull (20,000; 0 = none)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    return parser.parse_args(given)


def main(given: list[str]) -> int:
    asked = arguments(given)
    # Ended from outside like from the keyboard: servers stop and copies go.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = places.place_for(asked.tickets, sqlite=asked.sqlite)
    places.use(place)
    try:
        places.filled(place, tickets=asked.tickets, seed=asked.seed, again=asked.again, say=_say)
        if asked.what == "fill":
            _tell_of(place)
        elif asked.what == "profile":
            from tests.bench.inside import profiles

            print("\n".join(profiles(asked.only)))
        else:
            _run(place, asked)
    except places.CannotRun as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _tell_of(place: places.Place) -> None:
    from tests.bench import desk, fill

    for name, count in fill.counts():
        print(f"{count:>10,} {name}")
    print(f"DATABASE_URL={place.url}")
    print(f"Sign in as {desk.DISPATCHER} or {desk.MANAGER}, password {desk.PASSWORD}")


def _run(place: places.Place, asked: argparse.Namespace) -> None:
    from tests.bench import run
    from tests.bench.report import Report

    reports: list[Report] = []
    sizes = [asked.tickets]
    if not asked.no_growth and (asked.tickets == places.USUAL or asked.growth):
        sizes = [SMALL, asked.tickets]
    if asked.million:
        sizes.append(MILLION)
    whole = Report(0, 0, "")
    for tickets in sizes:
        is_whole = tickets == asked.tickets
        source = place if is_whole else places.place_for(tickets, sqlite=asked.sqlite, is_other=True)
        places.switch(source)
        places.filled(source, tickets=tickets, seed=asked.seed, say=_say)
        with run.copy_of(source) as copy:
            places.switch(copy)
            report = _report(tickets)
            _say(f"{report.title}: {'everything' if is_whole else 'for growth'}")
            seconds = asked.seconds if is_whole else asked.seconds / 3
            run.operations_on(
                copy, report, seconds=seconds, rounds=asked.rounds, only=asked.only, say=_say, is_whole=is_whole
            )
            if is_whole and not asked.only:
                run.background(report, _say)
        reports.append(report)
        whole = report if is_whole else whole
    if len(reports) > 1:
        whole.lines += run.compare_sizes(reports)
    if asked.pull and not asked.only:
        run.pull_speed(place, whole, tickets=asked.pull, seed=asked.seed, say=_say)
    if asked.json:
        whole.write_json(asked.json)
    print(whole.markdown() if asked.markdown else whole.text())


def _report(tickets: int) -> Report:
    from django.db import connection

    from helpdesk.actions.models import Action
    from tests.bench.report import Report

    name = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[connection.vendor]
    notes = ["saves were made on a copy of the filled database, which is gone"]
    return Report(tickets, Action.objects.count(), name, notes=notes)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
