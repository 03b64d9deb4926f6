from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from helpdesk.outbox.choices import OPEN, UNFINISHED, State

if TYPE_CHECKING:
    from helpdesk.outbox.models import OutboxItem  # noqa: F401


class OutboxQuerySet(QuerySet["OutboxItem"]):
    def unfinished(self) -> OutboxQuerySet:
        """Not yet decided: waiting, in flight or being checked."""
        return self.filter(state__in=UNFINISHED)

    def open(self) -> OutboxQuerySet:
        """Unfinished or refused: what a pull may not overwrite."""
        return self.filter(state__in=OPEN)

    def refused(self) -> OutboxQuerySet:
        return self.filter(state=State.REFUSED)

    def in_lane(self, lane: str) -> OutboxQuerySet:
        return self.filter(lane=lane).order_by("sequence")

    def in_lanes(self, lanes: Iterable[str]) -> OutboxQuerySet:
        return self.filter(lane__in=list(lanes)).order_by("sequence")

    def about(self, subjects: Iterable[str]) -> OutboxQuerySet:
        return self.filter(subject__in=list(subjects))

    def due(self, now: datetime) -> OutboxQuerySet:
        """First of their lane, their time come, nobody holding them, and what they depend on is done."""
        earlier = self.model._default_manager.filter(
            lane=OuterRef("lane"), sequence__lt=OuterRef("sequence"), state__in=UNFINISHED
        )
        return (
            self.unfinished()
            .filter(not_before_at__lte=now)
            .filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
            .filter(Q(depends_on__isnull=True) | Q(depends_on__state=State.DONE))
            .filter(~Exists(earlier))
            .order_by("rank", "not_before_at", "pk")
        )

    def count_by_account(self) -> dict[int, dict[str, int]]:
        """account id -> {"pending": n, "refused": n}; what is done is not counted."""
        found: dict[int, dict[str, int]] = {}
        for account_id, state, count in self.open().values_list("psa_account_id", "state").annotate(n=Count("pk")):
            word = "refused" if state == State.REFUSED else "pending"
            row = found.setdefault(account_id, {"pending": 0, "refused": 0})
            row[word] += count
        return found
