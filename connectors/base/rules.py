"""What a PSA can do and asks for, as data: the desk evaluates these without knowing which PSA they came from.

`to_json()` gives the shape that the desk stores on the PSA account; the desk reads it with its own frozen twins.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RequiredField:
    """`verb`: create or assign. `fields` are canonical names: on create all of them, on assign all or none."""

    verb: str
    fields: tuple[str, ...]
    text: str
    level: str = "error"


@dataclass(frozen=True, kw_only=True)
class TransitionRule:
    """A rule on a change of status, matched on canonical categories; empty tuples match every category.

    `needs` are canonical fields that must be filled after the change; `level` is error, or warning (one confirming
    press). A rule with no `needs` speaks whenever the categories match. `from_values` and `to_values` are remote ids
    of statuses, for a rule that means these and not every status of the category. `via` is an offer: the category
    to pass through, as two changes in one act, where the direct way is refused.
    """

    from_categories: tuple[str, ...] = ()
    to_categories: tuple[str, ...] = ()
    from_values: tuple[str, ...] = ()
    to_values: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    level: str = "error"
    text: str = ""
    via: str = ""


@dataclass(frozen=True, kw_only=True)
class Description:
    """Capabilities are flags or limits by name (canonical flag names, plus limits such as `attachment_bytes`).

    `usual_targets`: what is promised where neither the PSA nor a policy says more, by rank as text:
    `{"1": [response seconds, resolution seconds], ...}`; null = nothing is promised.
    """

    capabilities: dict[str, Any] = field(default_factory=dict)
    required_fields: tuple[RequiredField, ...] = ()
    transition_rules: tuple[TransitionRule, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: lists and dicts only."""
        return {
            "capabilities": dict(self.capabilities),
            "required_fields": [_plain(asdict(r)) for r in self.required_fields],
            "transition_rules": [_plain(asdict(r)) for r in self.transition_rules],
        }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in row.items()}
