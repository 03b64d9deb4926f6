from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When

from helpdesk.actions.choices import Kind, MailState, Occasion, Trigger
from helpdesk.outbox.choices import UNFINISHED, State

if TYPE_CHECKING:
    from helpdesk.actions.models import Action, Attachment, ClientMail, Escalation, Notice  # noqa: F401


class ActionQuerySet(QuerySet["Action"]):
    def present(self) -> ActionQuerySet:
        return self.filter(removed_at=None)

    def public(self) -> ActionQuerySet:
        """What a client may read: neither internal nor a system entry."""
        return self.present().filter(is_internal=False).exclude(kind=Kind.SYSTEM)

    def of_staff_to_client(self, ticket_id: int) -> ActionQuerySet:
        """What a person of staff told the client, here or in the PSA: no automatic reply, no system entry."""
        person = Q(author_agent__isnull=False) | Q(author_user__isnull=False)
        return self.public().filter(person, ticket=ticket_id, is_from_client=False)

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


class EscalationQuerySet(QuerySet["Escalation"]):
    def going_on(self) -> EscalationQuerySet:
        """What was found still holds."""
        return self.filter(ended_at=None)

    def of_clocks(self) -> EscalationQuerySet:
        return self.filter(trigger__in=[Trigger.BREACH, Trigger.THRESHOLD])

    def of_trigger(self, trigger: str) -> EscalationQuerySet:
        return self.filter(trigger=trigger)

    def marking(self) -> EscalationQuerySet:
        """Those for which a ticket counts as escalated: a share of its target that is used is none."""
        return self.exclude(trigger=Trigger.THRESHOLD)

    def on_desk(self) -> EscalationQuerySet:
        """Those that still hold, of work that goes on: also in the seconds until a finished ticket ends them."""
        return self.going_on().filter(ticket__is_open=True, ticket__removed_at=None)

    def of_level(self, level: int) -> EscalationQuerySet:
        return self.filter(level=level)

    def owned_by(self, user_id: int) -> EscalationQuerySet:
        return self.filter(ticket__agent__user=user_id)

    def told_to(self, user_id: int) -> EscalationQuerySet:
        return self.filter(notices__user=user_id)

    def worst_first(self) -> EscalationQuerySet:
        """By what they are and how high, the oldest of each first."""
        weight = Case(
            When(trigger=Trigger.BREACH, then=Value(1000) + F("level")),
            When(trigger=Trigger.UNASSIGNED, then=Value(900)),
            When(trigger=Trigger.PERSON, then=Value(800)),
            When(trigger=Trigger.STALE, then=Value(700)),
            default=F("level"),
            output_field=IntegerField(),
        )
        return self.order_by(weight.desc(), "at", "pk")

    def with_ticket(self) -> EscalationQuerySet:
        """With what a row of the page names, in one query."""
        return self.select_related("user", "ticket__client", "ticket__psa_account", "ticket__agent__user").only(
            "trigger", "level", "clock", "reason", "told", "at", "user__name", "user__email", "ticket__number",
            "ticket__subject", "ticket__rank", "ticket__client__name", "ticket__agent__name",
            "ticket__agent__user__name", "ticket__agent__user__email", "ticket__psa_account__title",
            "ticket__psa_account__mark", "ticket__psa_account__colour", "ticket__psa_account__code",
        )  # fmt: skip

    def tally(self) -> dict[tuple[str, int], int]:
        """(trigger, level) -> how many."""
        rows = self.order_by().values_list("trigger", "level").annotate(n=Count("pk", distinct=True))
        return {(trigger, level): n for trigger, level, n in rows}

    def on_tickets(self, ids: Iterable[int]) -> EscalationQuerySet:
        return self.filter(ticket__in=list(ids))


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
            "created_at", "seen_at", "user_id", "escalation__reason", "escalation__at", "escalation__trigger",
            "escalation__level", "escalation__clock", "escalation__ended_at", "escalation__user__name",
            "escalation__user__email", "escalation__ticket__number", "escalation__ticket__subject",
            "escalation__ticket__removed_at", "escalation__ticket__client__name",
            "escalation__ticket__psa_account__title", "escalation__ticket__psa_account__mark",
            "escalation__ticket__psa_account__colour", "escalation__ticket__psa_account__code",
        )  # fmt: skip
