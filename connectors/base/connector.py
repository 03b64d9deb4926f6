"""The one interface between the desk and a PSA. A PSA folder implements it; `connectors.sync` calls it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from connectors.base.errors import BadSignature, NotFound
from connectors.base.records import (
    ActionDraft,
    ActionRecord,
    AttachmentRecord,
    FileDraft,
    Page,
    Record,
    StatusChangeRecord,
    TicketRecord,
    TimeRecord,
)
from connectors.base.rules import Description

if TYPE_CHECKING:
    import httpx

    from connectors.base.auth import TokenStore


class Budget(Protocol):
    """The account's call allowance. `take` waits for (or refuses) one call at a rank; `spent` hears of each answer."""

    def take(self, *, rank: int, cost: int = 1) -> None:
        """Block until one call may go out. Raises RateLimited when the wait would be too long for this rank."""

    def punish(self, *, seconds: float | None) -> None:
        """The PSA answered 429: hold everything back for that long (None = our own backoff)."""


class NoBudget:
    """An allowance without a limit: connection tests and unit tests."""

    def take(self, *, rank: int, cost: int = 1) -> None:
        return

    def punish(self, *, seconds: float | None) -> None:
        return


@dataclass(frozen=True, kw_only=True)
class AccountConfig:
    """One PSA account as a connector needs it. `secrets` never appears in a log or an error."""

    name: str
    url: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_private_addresses: bool = False


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting that `connect` and the settings page ask for."""

    name: str
    label: str
    is_secret: bool = False
    is_required: bool = True
    default: str = ""
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class Download:
    """An open download: `chunks` yields bytes; `size` None when the PSA does not say."""

    content_type: str
    size: int | None
    chunks: Iterator[bytes]


@dataclass(frozen=True, kw_only=True)
class HookState:
    """What the PSA holds of our webhook. `answer`: what we answered its latest delivery, as an HTTP status."""

    remote_id: str
    url: str
    is_active: bool = True
    is_bound: bool = True
    delivered_at: datetime | None = None
    answer: int | None = None


@dataclass(frozen=True, kw_only=True)
class HookCall:
    """What a genuine call of the PSA says: remote ids of tickets to read again, or that it calls no more."""

    tickets: tuple[str, ...] = ()
    is_switched_off: bool = False


class Connector(ABC):
    """Reads raise only errors of `connectors.base.errors`; writes raise Unknown when they may have been applied.

    `rank` of a call: 0 people waiting, 1 pushes, 2 polling, 3 backfill.
    """

    kind: ClassVar[str]
    """The registry's word, as in `manage.py connect KIND`."""
    title: ClassVar[str]
    """What people call it."""
    mark: ClassVar[str]
    """The shape of its mark in the style sheet: ring (what an unknown one gets), peak or wave."""
    settings: ClassVar[tuple[Setting, ...]]
    action_ids_per_ticket: ClassVar[bool] = False
    is_ordered: ClassVar[bool] = True
    """Whether lists of tickets come by ascending id; else in an order of the PSA's own."""
    call_limit: ClassVar[tuple[int, float]] = (100, 60.0)
    """Calls per rolling seconds that an account gets unless its settings say otherwise."""

    def __init__(
        self,
        account: AccountConfig,
        *,
        budget: Budget | None = None,
        rank: int = 2,
        clock: Callable[[], datetime] | None = None,
        tokens: TokenStore | None = None,
        http: httpx.BaseTransport | None = None,
    ) -> None:
        """`tokens`: where access tokens are shared between processes; `http` replaces the network in tests."""
        self.account = account
        self.budget: Budget = budget or NoBudget()
        self.rank = rank
        self.clock = clock
        self.tokens = tokens
        self.http = http

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""

    @property
    @abstractmethod
    def calls(self) -> int:
        """HTTP calls made so far."""

    @abstractmethod
    def check(self) -> str:
        """Test address, credentials and scope, in that order; a short line for people. Stores nothing.

        Raises WrongAddress or Unavailable (address), AuthFailed (credential), Forbidden (scope).
        """

    @abstractmethod
    def describe(self) -> Description:
        """Capabilities, required fields and transition rules of this account, found out where the PSA tells."""

    @abstractmethod
    def reference(self) -> Iterator[tuple[str, tuple[Record, ...]]]:
        """Reference data, complete, in an order in which every reference is known before it is used.

        Yields (kind, rows): teams, agents, calendars, policies, statuses, priorities, ticket_types, categories,
        outcomes. A kind that the PSA has not, or forbids, is left out.
        """

    @abstractmethod
    def directory(self, *, since: datetime | None, token: str | None = None) -> Iterator[tuple[str, Page[Record]]]:
        """Clients, sites, contacts and contracts, page by page: (kind, page). `token` resumes after that page."""

    @abstractmethod
    def tickets(
        self, *, since: datetime | None, until: datetime, is_open: bool | None = None, token: str | None = None
    ) -> Iterator[Page[TicketRecord]]:
        """Tickets changed in [since, until], oldest id first; `since` None = all. `is_open` None = open and closed."""

    @abstractmethod
    def ticket(self, remote_id: str) -> TicketRecord:
        """One ticket with everything its record carries. NotFound when deleted."""

    @abstractmethod
    def ticket_ids(self, *, token: str | None = None) -> Iterator[Page[str]]:
        """Every ticket id there is, page by page, for the slow sweep that notices deletions; `token` resumes."""

    @abstractmethod
    def actions(self, ticket: str) -> tuple[ActionRecord, ...]:
        """All actions of a ticket, oldest first, system entries included."""

    def times(self, ticket: str) -> tuple[TimeRecord, ...]:
        """All time booked on a ticket, where the PSA keeps it apart (capability `time_in_action` off)."""
        return ()

    def status_changes(self, ticket: str) -> tuple[StatusChangeRecord, ...]:
        """Changes of status to the second, oldest first, where the PSA has a history (capability `status_history`)."""
        return ()

    @abstractmethod
    def attachments(self, ticket: str) -> tuple[AttachmentRecord, ...]:
        """The attachment list of a ticket, without bytes."""

    @abstractmethod
    def download(self, attachment: str, *, ticket: str) -> AbstractContextManager[Download]:
        """Stream one attachment."""

    def inline_image(self, reference: str) -> AbstractContextManager[Download]:
        """Stream an image that the PSA's HTML names by `reference`. NotFound where the PSA has no such thing."""
        raise NotFound("no inline images")

    @abstractmethod
    def create_ticket(self, fields: Mapping[str, Any], *, marker: str) -> TicketRecord:
        """Create a ticket from canonical fields (references as remote ids) and give back the PSA's record.

        `acknowledge` among them says whether the PSA mails the contact; only where `mail_switches` names it.
        """

    @abstractmethod
    def update_ticket(self, remote_id: str, fields: Mapping[str, Any]) -> TicketRecord:
        """Change only these canonical fields. Gives back the record as read after the write."""

    @abstractmethod
    def create_action(self, draft: ActionDraft) -> ActionRecord:
        """Write a note, reply, call, visit or time in one go, with the new status where the draft has one.

        Where actions have no id of their own the record is what was read back: Unknown while it does not show.
        """

    @abstractmethod
    def upload(self, draft: FileDraft) -> AttachmentRecord:
        """Stream a file to the ticket in constant memory."""

    @abstractmethod
    def find_ticket(self, fields: Mapping[str, Any], *, marker: str, since: datetime) -> TicketRecord | None:
        """Was this create applied? By our marker, else author, client and subject since that instant."""

    @abstractmethod
    def find_action(self, draft: ActionDraft, *, since: datetime, taken: frozenset[str]) -> ActionRecord | None:
        """Was this action applied? By marker, else text and author since then; never one of `taken`."""

    @abstractmethod
    def find_attachment(self, draft: FileDraft, *, since: datetime, taken: frozenset[str]) -> AttachmentRecord | None:
        """Was this file applied? By name and size since then; never one of `taken`."""

    def ticket_url(self, remote_id: str) -> str:
        """Address of the ticket in the PSA's own web pages; empty when there is none."""
        return ""

    # Configuration: a connector whose capability `configure` names kinds (status, outcome, ticket_type) overrides all
    # four. Fields have the names of the records; references are remote ids.

    def config(self, kind: str, remote_id: str) -> Record:
        """One status, outcome or ticket type as it is now. NotFound when it is gone."""
        raise NotFound("this PSA's configuration is not read one by one")

    def save_config(self, kind: str, remote_id: str | None, fields: Mapping[str, Any]) -> Record:
        """Create one (no id) or change only these fields of one; the record as read after the write.

        Forbidden, with words for people, when the credentials may not.
        """
        raise NotFound("this PSA's configuration cannot be changed from outside")

    def delete_config(self, kind: str, remote_id: str) -> None:
        """Delete one. Rejected when the PSA still uses it, NotFound when it is gone already."""
        raise NotFound("this PSA's configuration cannot be changed from outside")

    def find_config(self, kind: str, name: str) -> Record | None:
        """The one of this name, whatever its case; None when there is none."""
        raise NotFound("this PSA's configuration is not read one by one")

    # Webhooks: a connector whose capability `webhooks` is on overrides all four.

    def hook_register(self, *, url: str, secret: str, known: str | None = None) -> str:
        """Make the PSA call `url` about every ticket, signed with `secret`; the hook's remote id.

        Idempotent: it finds its own by `known`, the remote id of an earlier one, by address or by name, leaves exactly
        one, and switches it on. Forbidden when the credentials may not.
        """
        raise NotFound("this PSA has no webhooks")

    def hook_state(self, *, url: str, known: str | None = None) -> HookState | None:
        """What the PSA holds of our hook; None when it holds none."""
        raise NotFound("this PSA has no webhooks")

    def hook_remove(self, *, url: str, known: str | None = None) -> None:
        """Delete our hook. No error when it is gone already."""
        raise NotFound("this PSA has no webhooks")

    @classmethod
    def read_hook(cls, headers: Mapping[str, str], body: bytes, secret: str) -> HookCall:
        """What a call of the PSA says; pure, calls nothing.

        BadSignature when it is not the PSA's, or cannot be read.
        """
        raise BadSignature("this PSA has no webhooks")
