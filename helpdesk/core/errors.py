"""What the domain says when it will not do something. Views turn these into a 422 with the message at its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """Root: nothing was changed."""


class Refused(DomainError):
    """The change breaks a rule. `fields` maps a field name to a sentence; "" holds one for the whole form."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = dict(fields)


class NeedsConfirmation(DomainError):
    """Allowed, but said first: one confirming press lets it through."""

    def __init__(self, warnings: Sequence[str]) -> None:
        super().__init__("; ".join(warnings))
        self.warnings = list(warnings)


class Stale(DomainError):
    """The person acted on what is no longer so (double press, an item already gone)."""
