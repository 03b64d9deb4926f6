from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

from helpdesk.actions.choices import Kind

if TYPE_CHECKING:
    from helpdesk.actions.models import Action, Attachment  # noqa: F401


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
