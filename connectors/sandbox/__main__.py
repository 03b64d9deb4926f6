"""`python -m connectors.sandbox`: the PSA imitations on one port, with a demo data set of their own."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from pathlib import Path

from connectors.sandbox import DEFAULT, IMITATIONS
from connectors.sandbox.generator import generated
from connectors.sandbox.imitation import ProfileNotServed
from connectors.sandbox.incident_replay import read_source
from connectors.sandbox.loader import BadData
from connectors.sandbox.sandbox import Sandbox


def _rate(text: str) -> tuple[int, float]:
    requests, _, seconds = text.partition("/")
    try:
        return int(requests), float(seconds or 300)
    except ValueError:
        raise argparse.ArgumentTypeError("N/SECONDS, for example 500/300") from None


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m connectors.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--profile", choices=("vendor", "brief"), default="vendor")
    parser.add_argument(
        "--psa",
        dest="psas",
        action="append",
        choices=tuple(IMITATIONS),
        help=f"a PSA to imitate, once for each; they share the clients and tickets (all: {', '.join(DEFAULT)})",
    )
    parser.add_argument("--tickets", type=int, default=2_000, metavar="N", help="how many tickets to generate (2000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument(
        "--load",
        type=Path,
        metavar="DIR",
        help="load this folder of JSON Lines instead of generating; `servicenow` replays 890 real incidents",
    )
    parser.add_argument(
        "--state", type=Path, metavar="PATH", help="keep the state in this SQLite file and go on from it"
    )
    parser.add_argument(
        "--live", type=float, default=0.0, metavar="RATE", help="events per minute that happen by themselves"
    )
    parser.add_argument("--rate-limit", type=_rate, metavar="N/SECONDS", help="answer 429 above it (no limit)")
    return parser.parse_args(argv)


def _fill(sandbox: Sandbox, options: argparse.Namespace) -> None:
    empty = sandbox.empty()
    if not empty:
        return
    if options.load is not None:
        sandbox.load(read_source(options.load), only=empty)
    elif options.tickets > 0:
        sandbox.load(generated(tickets=options.tickets, seed=options.seed, now_ms=sandbox.clock.now()), only=empty)


def _leave(*_: object) -> None:
    """A signal while the data set is written: leave at once, its transaction is taken back."""
    raise SystemExit(0)


def main(argv: list[str] | None = None) -> int:
    options = _arguments(argv)
    ends = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    started = time.monotonic()
    try:
        sandbox = Sandbox(
            state=options.state,
            profile=options.profile,
            live=options.live,
            seed=options.seed,
            rate_limit=options.rate_limit,
            psas=tuple(dict.fromkeys(options.psas or DEFAULT)),
        )
    except ProfileNotServed as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own output
        return 2
    with sandbox:
        try:
            _fill(sandbox, options)
        except BadData as error:
            print(error, file=sys.stderr)  # noqa: T201 - the command's own output
            return 2
        try:
            address = sandbox.start(options.host, options.port)
        except OSError as error:
            print(f"{options.host}:{options.port}: {error.strerror}", file=sys.stderr)  # noqa: T201
            return 1
        counts = "; ".join(
            f"{address}/{name} {item.counts()['tickets']} tickets" for name, item in sandbox.imitations.items()
        )
        print(f"Sandbox ready after {time.monotonic() - started:.1f} s: {counts}", flush=True)  # noqa: T201
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ends.set())
        ends.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
