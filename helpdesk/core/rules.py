"""Rules of a PSA as data: how the JSON on a PSA account is read and evaluated. Knows no PSA and no model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RequiredField:
    verb: str
    fields: tuple[str, ...]
    text: str
    level: str = "error"


@dataclass(frozen=True, kw_only=True)
class TransitionRule:
    """`from_values` and `to_values` are remote ids: where they are given, a status of another value is not meant.

    `via` is an offer: the category to pass through on the way, where the direct one is refused.
    """

    from_categories: tuple[str, ...] = ()
    to_categories: tuple[str, ...] = ()
    from_values: tuple[str, ...] = ()
    to_values: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    level: str = "error"
    text: str = ""
    via: str = ""

    def fits(self, *, old: str, new: str, old_value: str = "", new_value: str = "") -> bool:
        """Whether it speaks of a move between these categories and values."""
        pairs = (
            (self.from_categories, old),
            (self.to_categories, new),
            (self.from_values, old_value),
            (self.to_values, new_value),
        )
        return all(not wanted or found in wanted for wanted, found in pairs)

    @property
    def is_final(self) -> bool:
        """It lets nobody leave, whatever they bring."""
        is_open = self.to_categories or self.to_values or self.needs
        return self.level == "error" and not is_open and bool(self.from_categories or self.from_values)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`errors` block (by field), `warnings` need one confirming press. `via`: the category that leads around them."""

    errors: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    via: str = ""

    @property
    def can_transition(self) -> bool:
        return not self.errors


def usual_targets(capabilities: Mapping[str, Any]) -> dict[int, tuple[int | None, int | None]]:
    """Rank -> (response, resolution) seconds that an account usually promises; None = nothing.

    Empty where it says none; what does not fit in the stored JSON is left out.
    """
    found = capabilities.get("usual_targets")
    pairs = found.items() if isinstance(found, Mapping) else ()
    return {
        int(rank): (_seconds(pair[0]), _seconds(pair[1]))
        for rank, pair in pairs
        if str(rank).isdigit() and isinstance(pair, list | tuple) and len(pair) == 2
    }


def _seconds(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def required_fields(rows: Collection[Mapping[str, Any]]) -> tuple[RequiredField, ...]:
    """Read the stored JSON; rows that do not fit are left out, so that an old account never stops the desk."""
    return tuple(
        RequiredField(
            verb=str(r["verb"]), fields=tuple(r["fields"]), text=str(r.get("text", "")), level=r.get("level", "error")
        )
        for r in rows
        if r.get("verb") and r.get("fields")
    )


def transition_rules(rows: Collection[Mapping[str, Any]]) -> tuple[TransitionRule, ...]:
    return tuple(
        TransitionRule(
            from_categories=tuple(r.get("from_categories") or ()),
            to_categories=tuple(r.get("to_categories") or ()),
            from_values=tuple(r.get("from_values") or ()),
            to_values=tuple(r.get("to_values") or ()),
            needs=tuple(r.get("needs") or ()),
            level=r.get("level", "error"),
            text=str(r.get("text", "")),
            via=str(r.get("via") or ""),
        )
        for r in rows
    )


def judge_transition(
    rules: Collection[TransitionRule],
    *,
    old: str,
    new: str,
    filled: Collection[str],
    old_value: str = "",
    new_value: str = "",
) -> Verdict:
    """Judge a move between two status categories. `filled` names the fields that hold a value after the change."""
    errors: dict[str, str] = {}
    warnings: list[str] = []
    offers: set[str] = set()
    for rule in rules:
        if not rule.fits(old=old, new=new, old_value=old_value, new_value=new_value):
            continue
        missing = [name for name in rule.needs if name not in filled]
        if rule.needs and not missing:
            continue
        if rule.level == "warning":
            warnings.append(rule.text)
        else:
            errors.setdefault(missing[0] if missing else "status", rule.text)
            offers |= {rule.via} if "status" in errors and not missing else set()
    # An offer leads around the rule that makes it, not around another one that refuses the same move.
    via = next(iter(offers)) if len(offers) == 1 else ""
    return Verdict(errors=errors, warnings=tuple(warnings), via=via)


def judge_together(rules: Collection[RequiredField], *, verb: str, filled: Collection[str]) -> dict[str, str]:
    """Errors of the fields that are missing beside others of the same rule: all of them, or none."""
    errors: dict[str, str] = {}
    for rule in rules:
        missing = [name for name in rule.fields if name not in filled]
        if rule.verb == verb and 0 < len(missing) < len(rule.fields):
            errors |= {name: rule.text for name in missing if name not in errors}
    return errors


def judge_required(rules: Collection[RequiredField], *, verb: str, filled: Collection[str]) -> Verdict:
    """Judge whether everything that the PSA asks for on this verb is there."""
    errors: dict[str, str] = {}
    warnings: list[str] = []
    for rule in rules:
        if rule.verb != verb:
            continue
        missing = [name for name in rule.fields if name not in filled]
        if not missing:
            continue
        if rule.level == "warning":
            warnings.append(rule.text)
        else:
            for name in missing:
                errors.setdefault(name, rule.text)
    return Verdict(errors=errors, warnings=tuple(warnings))
