"""Which contracts count on a day."""

from __future__ import annotations

from datetime import date

from django.db.models import Q


def in_force(today: date) -> Q:
    """Active by its flag and by both of its dates; a date that is not given is open."""
    started = Q(starts_on=None) | Q(starts_on__lte=today)
    return Q(is_active=True) & started & (Q(ends_on=None) | Q(ends_on__gte=today))
