"""`manage.py connect KIND NAME --url URL [--set key=value]...`: register and test a PSA account."""

from __future__ import annotations

import getpass
import logging
import os
import select
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connectors.registry import CONNECTORS
from connectors.sync import accounts
from connectors.sync.accounts import Wanted, WrongSettings

PIPE_WAIT_SECONDS = 0.2


class Command(BaseCommand):
    help = "Registers a PSA account, or changes a known one, once address, credentials and scope have passed a test."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", metavar="KIND", help=", ".join(sorted(CONNECTORS)))
        parser.add_argument("name", metavar="NAME", help="our short name for it: letters, digits, - and _")
        parser.add_argument("--url", required=True, help="the tenant's address")
        parser.add_argument(
            "--set", action="append", default=[], metavar="key=value", dest="pairs",
            help="a setting; secrets better come as PSA_<NAME>_<KEY> or on standard input",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("connectors").setLevel(logging.WARNING)  # the terminal is for the result
        try:
            wanted = self._wanted(options)
            account, line = accounts.connect(wanted=wanted, clock=timezone.now)
        except WrongSettings as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{account.name}: {line}")

    def _wanted(self, options: dict[str, Any]) -> Wanted:
        kind, name = options["kind"], options["name"]
        fields = accounts.kind_class(kind).settings
        values = _from_environment(name, [f.name for f in fields])
        values |= _from_pipe()
        values |= dict(_pair(text) for text in options["pairs"])
        stored = accounts.stored_names(name)
        for field in fields:
            if field.is_secret and field.is_required and not values.get(field.name) and field.name not in stored:
                values |= self._ask(field.name, field.label)
        return Wanted.sort(kind=kind, name=name, url=options["url"], values=values)

    def _ask(self, name: str, label: str) -> dict[str, str]:
        if not sys.stdin.isatty():
            return {}
        return {name: getpass.getpass(f"{label}: ")}


def _from_environment(name: str, keys: list[str]) -> dict[str, str]:
    prefix = f"PSA_{name}_".upper().replace("-", "_")
    found = {key: os.environ.get(f"{prefix}{key.upper()}", "") for key in keys}
    return {key: value for key, value in found.items() if value}


def _from_pipe() -> dict[str, str]:
    """`key=value` lines, where something is piped in. A pipe that says nothing is not waited for."""
    try:
        if sys.stdin is None or sys.stdin.isatty() or not _says_something():
            return {}
        lines = sys.stdin.read().splitlines()
    except (OSError, ValueError):
        return {}
    return dict(_pair(line.strip()) for line in lines if "=" in line)


def _says_something() -> bool:
    return bool(select.select([sys.stdin], [], [], PIPE_WAIT_SECONDS)[0])


def _pair(text: str) -> tuple[str, str]:
    key, sep, value = text.partition("=")
    if not sep or not key:
        raise WrongSettings(f"--set takes key=value, not “{text}”.")
    return key.strip(), value
