"""Long work over many tickets, and how far it has come."""

from __future__ import annotations

from django.db import models


class ClockJob(models.Model):
    """Open tickets follow a changed promise, batch by batch. One row.

    Each batch moves its tickets and the place reached in one transaction: a worker that is killed leaves nothing half
    done, and the next one goes on there.
    """

    place = models.BigIntegerField(default=0)
    """Key of the last ticket that has followed."""
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    """Tickets that are to be looked at, that have been, and that showed something else before."""
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    check_at = models.DateTimeField(null=True, blank=True)
    """When to look once more at tickets that somebody wrote with the old promise in hand."""

    def __str__(self) -> str:
        return f"{self.done} of {self.total}"

    @property
    def percent(self) -> int:
        if self.finished_at:
            return 100
        return min(99, round(100 * self.done / self.total)) if self.total else 0
