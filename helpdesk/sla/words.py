"""The words on a clock. They live in `core`, so that the template tags of every app reach them; `sla` names them."""

from __future__ import annotations

from helpdesk.core.chips import Chip, chip, state_at

__all__ = ["Chip", "chip", "state_at"]
