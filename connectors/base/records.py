"""What a connector hands over and takes: frozen records in canonical words, references as remote ids (text).

A field holds UNSET when this feed does not carry it (keep ours), None when it is known to be empty (clear ours).
Instants are aware UTC datetimes, durations whole seconds, ids always text.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, BinaryIO, Final, Generic, TypeVar


class Unset(enum.Enum):
    """One value only, so that type checkers can narrow it away."""

    UNSET = "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET

Text = str | None | Unset
Instant = datetime | None | Unset
Flag = bool | Unset
Seconds = int | None | Unset
Number = int | None | Unset
Hours = float | None | Unset

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Record:
    """`raw` is what the PSA sent, kept for values that have no room of their own."""

    remote_id: str
    remote_updated_at: Instant = UNSET
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def known(self) -> dict[str, Any]:
        """The fields this record carries: everything but UNSET, `remote_id` and `raw`."""
        skip = {"remote_id", "raw"}
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in skip and getattr(self, f.name) is not UNSET
        }


@dataclass(frozen=True, kw_only=True)
class ClientRecord(Record):
    name: str | Unset = UNSET
    is_active: Flag = UNSET
    phone: Text = UNSET
    domain: Text = UNSET
    address: Text = UNSET
    time_zone: Text = UNSET


@dataclass(frozen=True, kw_only=True)
class SiteRecord(Record):
    client: Text = UNSET
    name: str | Unset = UNSET
    is_active: Flag = UNSET
    phone: Text = UNSET
    address: Text = UNSET
    time_zone: Text = UNSET


@dataclass(frozen=True, kw_only=True)
class ContactRecord(Record):
    client: Text = UNSET
    site: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    email: Text = UNSET
    phone: Text = UNSET
    is_active: Flag = UNSET
    is_vip: Flag = UNSET


@dataclass(frozen=True, kw_only=True)
class TeamRecord(Record):
    name: str | Unset = UNSET
    is_active: Flag = UNSET


@dataclass(frozen=True, kw_only=True)
class AgentRole:
    key: str
    name: str
    is_default: bool = False
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AgentRecord(Record):
    name: str | Unset = UNSET
    email: Text = UNSET
    is_active: Flag = UNSET
    teams: tuple[str, ...] | Unset = UNSET
    """Remote ids of the teams this agent belongs to."""
    roles: tuple[AgentRole, ...] | Unset = UNSET
    """In which the agent may take a ticket, where owner and role go together (capability `agent_roles`)."""


@dataclass(frozen=True, kw_only=True)
class ContractRecord(Record):
    client: Text = UNSET
    name: str | Unset = UNSET
    is_active: Flag = UNSET
    starts_on: date | Unset | None = UNSET
    ends_on: date | Unset | None = UNSET
    sla_policy: Text = UNSET
    block_seconds_left: Seconds = UNSET


@dataclass(frozen=True, kw_only=True)
class TicketRecord(Record):
    number: str | Unset = UNSET
    subject: str | Unset = UNSET
    description: Text = UNSET
    """Plain text, or HTML when `description_is_html`."""
    description_is_html: Flag = UNSET
    description_text: Text = UNSET
    """The description without its markup, where a feed (a list) carries only that: fills an empty description, never
    replaces one."""
    resolution: Text = UNSET
    resolution_type: Text = UNSET
    client: Text = UNSET
    site: Text = UNSET
    contact: Text = UNSET
    contact_name: Text = UNSET
    contact_email: Text = UNSET
    client_name: Text = UNSET
    site_name: Text = UNSET
    reported_by: Text = UNSET
    status: Text = UNSET
    priority: Text = UNSET
    impact: Text = UNSET
    urgency: Text = UNSET
    ticket_type: Text = UNSET
    category: Text = UNSET
    subcategory: Text = UNSET
    category_3: Text = UNSET
    category_4: Text = UNSET
    agent: Text = UNSET
    agent_name: Text = UNSET
    agent_email: Text = UNSET
    """With `agent_name`: where the PSA has no list of agents, they are learned from what names them."""
    agent_role: Text = UNSET
    team: Text = UNSET
    team_name: Text = UNSET
    source: Text = UNSET
    escalation_reason: Text = UNSET
    parent: Text = UNSET
    contract: Text = UNSET
    sla_policy: Text = UNSET
    opened_at: Instant = UNSET
    occurred_at: Instant = UNSET
    first_responded_at: Instant = UNSET
    resolved_at: Instant = UNSET
    closed_at: Instant = UNSET
    last_activity_at: Instant = UNSET
    response_due_at: Instant = UNSET
    resolution_due_at: Instant = UNSET
    deadline_at: Instant = UNSET
    """A date set by hand in the PSA, apart from the SLA's."""
    sla_response_state: Text = UNSET
    sla_resolution_state: Text = UNSET
    sla_paused: Flag = UNSET
    sla_paused_at: Instant = UNSET
    """When `sla_paused` became what it is, where the PSA tells."""
    sla_excluded: Flag = UNSET
    billable_seconds: Seconds = UNSET
    nonbillable_seconds: Seconds = UNSET
    booked_seconds: Seconds = UNSET
    """Both together, where lists tell only that: another sum than ours means that the ticket has to be read again."""
    attachment_count: Number = UNSET
    cc: Text = UNSET
    marker: Text = UNSET
    """Our own UUID, where the PSA keeps one for us."""
    is_removed: Flag = UNSET


@dataclass(frozen=True, kw_only=True)
class ActionRecord(Record):
    """A note, reply, call, visit or system entry. `remote_id` may count within the ticket only.

    Where the PSA gives its comments no id (capability `comment_ids` off) it is a fingerprint that the connector makes:
    the same each time for the same comment, different for two that say the same.
    """

    ticket: str
    kind: str | Unset = UNSET
    """note, reply, call, visit or system."""
    title: Text = UNSET
    body: Text = UNSET
    body_is_html: Flag = UNSET
    is_internal: bool | Unset = UNSET
    is_from_client: Flag = UNSET
    author_agent: Text = UNSET
    author_contact: Text = UNSET
    author_name: Text = UNSET
    author_email: Text = UNSET
    occurred_at: Instant = UNSET
    outcome: Text = UNSET
    email_to: Text = UNSET
    email_cc: Text = UNSET
    old_status: Text = UNSET
    new_status: Text = UNSET
    time_seconds: Seconds = UNSET
    time_is_billable: Flag = UNSET
    attachment_count: Number = UNSET
    marker: Text = UNSET
    is_ours: Flag = UNSET


@dataclass(frozen=True, kw_only=True)
class TimeRecord(Record):
    """Time booked on a ticket, where the PSA keeps it apart from the actions."""

    ticket: str
    agent: Text = UNSET
    author_name: Text = UNSET
    author_email: Text = UNSET
    started_at: Instant = UNSET
    ended_at: Instant = UNSET
    seconds: int = 0
    is_billable: bool = True
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class StatusChangeRecord(Record):
    """A change of status as the PSA's own history has it; `old`, `new` and `agent` are remote ids."""

    old: str
    new: str
    at: datetime
    agent: str | None = None


@dataclass(frozen=True, kw_only=True)
class AttachmentRecord(Record):
    ticket: str
    action: Text = UNSET
    name: str | Unset = UNSET
    content_type: Text = UNSET
    size: Number = UNSET
    """Bytes."""
    is_public: Flag = UNSET
    created_at: Instant = UNSET


@dataclass(frozen=True, kw_only=True)
class ActionDraft:
    """An action to write. `marker` is our UUID; a connector hides it where the PSA keeps one."""

    ticket: str
    kind: str
    body_html: str
    body_text: str
    is_internal: bool
    marker: str
    occurred_at: datetime
    title: str = ""
    outcome: str | None = None
    new_status: str | None = None
    time_seconds: int | None = None
    time_is_billable: bool = True
    send_email: bool = False
    email_to: str = ""
    email_cc: str = ""
    is_to_staff: bool = False
    """`email_to` are our own people: mail it although it is internal, and never let the client see it."""
    author_agent: str | None = None
    author_name: str = ""
    resolution: str | None = None
    escalation_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class FileDraft:
    """A file to write. `open` gives a fresh binary stream each time, so that a retry starts at byte 0."""

    ticket: str
    name: str
    content_type: str
    size: int
    is_public: bool
    sha256: str
    open: Callable[[], BinaryIO]
    action: str | None = None
    on_progress: Callable[[int], None] | None = None
    """Called with the bytes sent so far, at most a few times a second."""


@dataclass(frozen=True, kw_only=True)
class Page(Generic[R]):
    """One page of a list. `next_token` resumes after it; None = this was the last. `total` where the PSA tells."""

    rows: tuple[R, ...]
    next_token: str | None
    total: int | None = None
