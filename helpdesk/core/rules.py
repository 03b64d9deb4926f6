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
    from_categories: tuple[str, ...] = ()
    to_categories: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    level: str = "error"
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`errors` block (by field), `warnings` need one confirming press."""

    errors: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def can_transition(self) -> bool:
        return not self.errors


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
            needs=tuple(r.get("needs") or ()),
            level=r.get("level", "error"),
            text=str(r.get("text", "")),
        )
        for r in rows
    )


def judge_transition(rules: Collection[TransitionRule], *, old: str, new: str, filled: Collection[str]) -> Verdict:
    """Judge a move between two status categories. `filled` names the fields that hold a value after the change."""
    errors: dict[str, str] = {}
    warnings: list[str] = []
    for rule in rules:
        if rule.from_categories and old not in rule.from_categories:
            continue
        if rule.to_categories and new not in rule.to_categories:
            continue
        missing = [name for name in rule.needs if name not in filled]
        if rule.needs and not missing:
            continue
        if rule.level == "warning":
            warnings.append(rule.text)
        else:
            errors.setdefault(missing[0] if missing else "status", rule.text)
    return Verdict(errors=errors, warnings=tuple(warnings))


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
