"""The same operations inside this process: for tests, and to see where their time goes."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.test import Client

from tests.bench.browser import Answer
from tests.bench.operations import Scene, check, operations, prepare, scene

WARM, TURNS = 2, 20


@dataclass
class InProcess:
    """A `Browser` without a socket."""

    client: Client = field(default_factory=lambda: Client(headers={"host": "localhost"}))

    def address(self, path: str) -> str:
        return f"http://localhost{path}"

    def get(self, path: str, **headers: str) -> Answer:
        return _answer(self.client.get(path, headers=_dashed(headers)))

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        return _answer(self.client.post(path, fields, headers=_dashed(headers)))

    def sign_in(self, email: str, password: str) -> None:
        if not self.client.login(email=email, password=password):
            raise RuntimeError(f"{email} could not sign in")


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _answer(response: Any) -> Answer:
    return Answer(response.status_code, {k.lower(): v for k, v in response.items()}, response.content)


def scene_inside() -> Scene:
    return scene(SimpleNamespace(browser=InProcess))  # type: ignore[arg-type]


def profiles(words: str, *, lines: int = 40) -> Sequence[str]:
    """Where the time of every operation goes whose name holds these words. What it saves is rolled back."""
    found = []
    with transaction.atomic():
        around = scene_inside()
        for operation in operations():
            if words not in operation.name:
                continue
            prepare(operation, around)
            for turn in range(WARM):
                check(operation, operation.ask(around, turn))
            profile = cProfile.Profile()
            profile.enable()
            for turn in range(TURNS):
                operation.ask(around, WARM + turn)
            profile.disable()
            out = StringIO()
            pstats.Stats(profile, stream=out).sort_stats("cumulative").print_stats(lines)
            found.append(f"{operation.name}, {TURNS} times\n{out.getvalue()}")
        transaction.set_rollback(True)
    return found
