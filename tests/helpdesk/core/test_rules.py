"""What an account says of itself, read out of stored JSON."""

from __future__ import annotations

from helpdesk.core.rules import usual_targets


def test_usual_targets_are_read_by_rank() -> None:
    stored = {"usual_targets": {"1": [900, 3600], "4": [86_400, None]}}
    assert usual_targets(stored) == {1: (900, 3600), 4: (86_400, None)}


def test_what_does_not_fit_is_left_out() -> None:
    assert usual_targets({}) == {}
    assert usual_targets({"usual_targets": "soon"}) == {}
    stored = {"usual_targets": {"x": [1, 2], "2": [1], "3": ["1", True], "4": [-5, 0]}}
    assert usual_targets(stored) == {3: (None, None), 4: (None, None)}
