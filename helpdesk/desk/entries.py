"""One entry of a ticket's timeline: a day, a message, booked time, or a line that says what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.safestring import SafeString

from helpdesk.actions.models import Attachment
from helpdesk.desk.fronts import front_of, whole_of
from helpdesk.desk.mail_lines import MailLine
from helpdesk.outbox.models import OutboxItem


@dataclass(kw_only=True)
class Entry:
    """One line of the timeline. `shape` is day, message, time or line."""

    shape: str
    at: datetime
    key: str = ""
    clock: str = ""
    name: str = ""
    words: str | SafeString = ""
    icon: str = ""
    visibility: str = ""
    is_from_client: bool = False
    sync: str = ""
    body_clean: str = ""
    files: list[Attachment] = field(default_factory=list)
    long: str = ""
    is_billable: bool = False
    item: OutboxItem | None = None
    loss: str = ""
    """What a discard would throw away: "40 min", "the reply"."""
    is_held: bool = False
    mail: MailLine | None = None
    leads_earlier: bool = False
    """What is older than the page is asked for behind this entry."""

    @property
    def front(self) -> SafeString:
        """A message up to its text. One string: fifty of them cost the template more than all the rest of a page."""
        return front_of(self)

    @property
    def whole(self) -> SafeString:
        """All of it, where nothing hangs on it; else empty."""
        is_more = self.shape == "time" or self.files or self.mail or self.item or self.leads_earlier
        return SafeString() if is_more else whole_of(self)

    @property
    def refusal(self) -> str:
        return refusal_of(self.item) if self.item else ""


def refusal_of(item: OutboxItem) -> str:
    """What the PSA said against a change, each sentence once; empty when it gave no words."""
    said: list[str] = []
    for text in (item.error_text, *item.error_fields.values()):
        words = str(text).strip()
        if words and not any(words.rstrip(".").lower() in other.lower() for other in said):
            said.append(words)
    return " ".join(said)
