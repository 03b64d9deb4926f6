from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from helpdesk.actions.choices import Kind, MailState, Occasion
from helpdesk.outbox.choices import UNFINISHED, State

if TYPE_CHECKING:
    from helpdesk.actions.models import Action, Attachment, ClientMail, Notice  # noqa: F401


class ActionQuerySet(QuerySet["Action"]):
    def present(self) -> ActionQuerySet:
        return self.filter(removed_at=None)

    def public(self) -> ActionQuerySet:
        """What a client may read: neither internal nor a system entry."""
        return self.present().filter(is_internal=False).exclude(kind=Kind.SYSTEM)

    def messages(self) -> ActionQuerySet:
        return self.present().exclude(kind=Kind.SYSTEM)


class AttachmentQuerySet(QuerySet["Attachment"]):
    def present(self) -> AttachmentQuerySet:
        return self.filter(removed_at=None)

    def public(self) -> AttachmentQuerySet:
        """What a client may open: marked for them, and never through an internal action."""
        return self.present().filter(is_public=True).exclude(action__is_internal=True)


class MailQuerySet(QuerySet["ClientMail"]):
    def unsent(self) -> MailQuerySet:
        return self.filter(state__in=[MailState.WAITING, MailState.SENDING])

    def failed(self) -> MailQuerySet:
        return self.filter(state=MailState.FAILED)

    def left(self) -> MailQuerySet:
        """Sent, or being sent at this moment: it cannot be called back."""
        return self.filter(state__in=[MailState.SENT, MailState.SENDING])

    def due(self, now: datetime) -> MailQuerySet:
        """May leave now: nobody holds it, its ticket has a number, and the PSA has accepted what it tells of.

        A PSA that does not answer is waited for until `patience_until`; what it refused waits for a person.
        """
        accepted = Q(item=None) | Q(item__state=State.DONE)
        unanswered = Q(item__state__in=UNFINISHED, patience_until__lte=now)
        return (
            self.unsent()
            .filter(not_before_at__lte=now)
            .filter(Q(lease_until=None) | Q(lease_until__lt=now))
            .filter(accepted | unanswered)
            .exclude(~Q(occasion=Occasion.ESCALATION), ticket__number="")
            .order_by("not_before_at", "pk")
        )


class NoticeQuerySet(QuerySet["Notice"]):
    def of(self, user_id: int) -> NoticeQuerySet:
        return self.filter(user=user_id)

    def unseen(self) -> NoticeQuerySet:
        return self.filter(seen_at=None)

    def before(self, pk: int) -> NoticeQuerySet:
        """Older than this one, which is the same person's."""
        at = self.filter(pk=pk).order_by().values("created_at")[:1]
        return self.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))

    def with_ticket(self) -> NoticeQuerySet:
        """With what a line of the list names, in one query."""
        return self.select_related(
            "escalation__user", "escalation__ticket__client", "escalation__ticket__psa_account"
        ).only(
            "created_at", "seen_at", "user_id", "escalation__reason", "escalation__at", "escalation__user__name",
            "escalation__user__email", "escalation__ticket__number", "escalation__ticket__subject",
            "escalation__ticket__removed_at", "escalation__ticket__client__name",
            "escalation__ticket__psa_account__title", "escalation__ticket__psa_account__mark",
            "escalation__ticket__psa_account__colour", "escalation__ticket__psa_account__code",
        )  # fmt: skip
