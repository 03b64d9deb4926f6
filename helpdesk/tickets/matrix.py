"""Impact and urgency together suggest a priority: one small table per account, ours until somebody edits it."""

from __future__ import annotations

from collections.abc import Mapping

from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.choices import Rank

SETTING = "priority_matrix"
"""Key in the account's settings: impact and urgency ("12") -> rank."""
LEVELS = ("1", "2", "3")
"""High, medium, low."""
DEFAULT: Mapping[str, int] = {"11": 1, "12": 2, "21": 2, "13": 3, "22": 3, "31": 3, "23": 4, "32": 4, "33": 4}


def matrix_of(account: PsaAccount) -> dict[str, int]:
    """The account's table, whole: what it does not say, or says wrongly, is as we ship it."""
    kept = account.settings.get(SETTING)
    own = kept if isinstance(kept, dict) else {}
    return {cell: own[cell] if own.get(cell) in Rank.values else rank for cell, rank in DEFAULT.items()}


def rank_for(account: PsaAccount, impact: str, urgency: str) -> int | None:
    """The rank that both ask for; None while one of them is open."""
    return matrix_of(account).get(f"{impact}{urgency}") if impact and urgency else None
