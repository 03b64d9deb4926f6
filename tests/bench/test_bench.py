"""The harness itself: every operation answers on a small desk, and carries its queries and bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from helpdesk.actions.models import Action
from helpdesk.tickets.models import Ticket
from tests.bench import fill, measure, run, usage
from tests.bench.browser import HTMX, Answer
from tests.bench.inside import profiles, scene_inside
from tests.bench.operations import Operation, Wrong, check, operations
from tests.bench.report import Line, Report

AT = datetime(2026, 11, 17, 14, 22, tzinfo=UTC)
COUNT = 300


@pytest.fixture(scope="module")
def desk(django_db_setup: None, django_db_blocker: Any) -> Any:
    """Filled once; what a test saves is rolled back."""
    from django.core.management import call_command

    with django_db_blocker.unblock():
        fill.fill(tickets=COUNT, seed=7, now=AT)
        yield
        call_command("flush", verbosity=0, interactive=False)


@pytest.mark.django_db
def test_every_operation_answers_and_is_counted(desk: None) -> None:
    counting = ["tests.bench.counted.CountQueries", *settings.MIDDLEWARE]
    with override_settings(MIDDLEWARE=counting):
        found = scene_inside()
        for operation in operations():
            queries, size = measure.count(operation, found)
            assert size > 100, operation.name
            assert queries > 0 or operation.name == "unchanged poll", operation.name
            if operation.name.startswith("list"):
                assert queries >= 2, operation.name
    assert Ticket.objects.get(pk=found.long).actions.count() >= 50


@pytest.mark.django_db
def test_saves_save_and_are_shown(desk: None) -> None:
    found = scene_inside()
    for operation in (o for o in operations() if o.writes):
        pk = found.working[(found.written.get("saves", 0) + 1) % len(found.working)]
        before = Ticket.objects.get(pk=pk)
        said = before.actions.count()
        # Turn 1: another owner than most have.
        check(operation, operation.ask(found, 1))
        after = Ticket.objects.get(pk=pk)
        changed = (after.status_id, after.agent_id) != (before.status_id, before.agent_id)
        assert changed or after.actions.count() > said or after.agent.user_id == found.people[1], operation.name  # type: ignore[union-attr]


def test_a_wrong_answer_is_no_figure() -> None:
    reads = Operation("x", lambda _scene, _turn: [], ratio=1.0)
    check(reads, [Answer(200, {}, b"x")])
    check(reads, [Answer(204, {}, b""), Answer(200, {}, b"x")])
    for answers in ([Answer(500, {}, b"")], [Answer(302, {}, b"")], [Answer(204, {}, b"")]):
        with pytest.raises(Wrong):
            check(reads, answers)


def _result(**values: Any) -> measure.Result:
    given = {"name": "list", "ms": 8.0, "p95": 9.0, "ratio": 0.9, "spread": 0.02, "cpu_ms": 7.0, "cpu_ratio": 0.9}
    return measure.Result(**{**given, "per_second": 125.0, **values})


def test_verdict_names_what_is_over() -> None:
    assert _result(target=1.0, queries=6, most_queries=6, size=40_000, most_bytes=40_000).over == []
    assert _result(target=0.8).over == ["time"]
    assert _result(queries=7, most_queries=6).over == ["queries"]
    assert _result(size=40_001, most_bytes=40_000).over == ["bytes"]


def test_sums_are_medians_of_rounds() -> None:
    samples = measure.Samples(wall=[1, 2, 30], cpu=[1, 1, 4], ratios=[0.5, 1.0, 9.0], cpu_ratios=[0.5, 0.6, 7])
    found = measure.summed("x", samples, target=1.0)
    assert (found.ms, found.ratio, found.cpu_ms, found.cpu_ratio, found.p95) == (2, 1.0, 1, 0.6, 30)


def test_report_is_a_table_markdown_and_json(tmp_path: Path) -> None:
    report = Report(300, 1500, "SQLite", unit=_result(name="B"), results=[_result(target=0.5, queries=3)])
    report.lines.append(Line("memory", "120 MiB", "200 MiB", False))
    assert "over: time" in report.text()
    assert "| list | 8.0 |" in report.markdown()
    report.write_json(tmp_path / "x.json")
    kept = json.loads((tmp_path / "x.json").read_text())
    assert kept["operations"][0]["verdict"] == "over: time"
    assert kept["other"][0]["is_over"] is False


def test_growth_compares_ratios_of_two_desks() -> None:
    small = Report(10, 50, "SQLite", results=[_result(ratio=0.5, cpu_ratio=0.5)])
    big = Report(100, 500, "SQLite", results=[_result(ratio=0.7, cpu_ratio=0.5)])
    (line,) = run.compare_sizes([small, big])
    assert line.is_over
    assert line.figures["times"] == pytest.approx(1.4)


def test_usage_is_read_from_the_kernel() -> None:
    import os

    assert usage.cpu_seconds([os.getpid()]) > 0
    pss, rss = usage.memory_mib([os.getpid()])
    assert 0 < pss <= rss
    assert usage.cpu_seconds([2**22 + 1]) == 0


def test_htmx_header_is_what_the_product_reads() -> None:
    assert HTMX == {"HX-Request": "true"}


@pytest.mark.django_db
def test_a_profile_names_functions_and_saves_nothing(desk: None) -> None:
    before = Action.objects.count()
    (told,) = profiles("save a note")
    assert "ticket_views.py" in told
    assert Action.objects.count() == before
