"""What each verb of the outbox does at a PSA: check before, write, look up afterwards, and keep the answer.

`send` and `look_up` call the PSA and touch no row. `keep` runs inside the transaction that settles the item.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar, cast

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from connectors.base.connector import Connector
from connectors.base.errors import ConnectorError, NotFound
from connectors.base.records import ActionDraft, ActionRecord, AttachmentRecord, Record, TicketRecord
from connectors.sync import drafts, inbound, inbound_actions
from connectors.sync.keys import Keys
from helpdesk.actions import mails
from helpdesk.actions import mirror as actions_mirror
from helpdesk.actions.models import Action, Attachment, ClientMail, TimeEntry
from helpdesk.core import live
from helpdesk.core.origin import Origin
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.choices import Verb
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets import conflicts, upkeep
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.status_changes import apply_status_changes
from helpdesk.tickets.writing import save_clocks

T = TypeVar("T", bound=Record)


class Contradicted(Exception):
    """The PSA has other values than those the change was made on: field -> its value now."""

    def __init__(self, theirs: Mapping[str, Any], record: Record) -> None:
        super().__init__(", ".join(theirs))
        self.theirs = dict(theirs)
        self.record = record


class Already(Exception):
    """The PSA has these values already: nothing to write."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.remote_id)
        self.record = record


class Job(ABC, Generic[T]):
    """One item on its way. What it is about, a ticket or a part of the configuration, its kind of job knows."""

    needs_subject: ClassVar[bool] = True
    """Whether the PSA must know the subject before."""
    is_harmless: ClassVar[bool] = False
    """Whether writing twice is like writing once."""

    def __init__(self, item: OutboxItem, connector: Connector, keys: Keys) -> None:
        self.item = item
        self.account = item.psa_account
        self.connector = connector
        self.keys = keys

    # The subject

    @property
    @abstractmethod
    def is_known(self) -> bool:
        """Whether the PSA has it."""

    @abstractmethod
    def lost(self) -> str:
        """Why nothing can be sent any more, in words; empty when it can."""

    @abstractmethod
    def read(self) -> Record:
        """The subject as the PSA has it now. NotFound when it is gone."""

    @abstractmethod
    def theirs(self, record: Record) -> dict[str, Any]:
        """The PSA's values of the fields that the item changes."""

    @abstractmethod
    def mark_gone(self, *, now: datetime) -> None:
        """The PSA has deleted it."""

    @abstractmethod
    def apply(self, record: Any, *, now: datetime) -> None:
        """Bring the subject to what was read."""

    def touch(self) -> None:
        """Tell open pages that the write goes on."""
        return

    # The write

    def check(self) -> None:
        """Look before the write. Raises Contradicted or Already; the default trusts the item."""
        return

    @abstractmethod
    def send(self, on_progress: Callable[[int], None]) -> T:
        """The write."""

    def is_there(self, record: T) -> bool:
        """Read what the PSA says it took: a yes that kept nothing must not pass for sent."""
        return True

    @abstractmethod
    def look_up(self, *, since: datetime) -> T | None:
        """Was it applied?"""

    @abstractmethod
    def keep(self, record: T, *, now: datetime) -> None:
        """Store the PSA's answer."""

    def after(self, record: T) -> Record | None:
        """Read the subject again where the write moved more than its answer tells."""
        return None


class TicketJob(Job[T]):
    """An item of a ticket's lane."""

    def __init__(self, item: OutboxItem, ticket: Ticket, connector: Connector, keys: Keys) -> None:
        super().__init__(item, connector, keys)
        self.ticket = ticket

    @property
    def is_known(self) -> bool:
        return bool(self.ticket.remote_id)

    def lost(self) -> str:
        return _("The ticket was discarded.") if self.ticket.removed_at and not self.is_known else ""

    def read(self) -> TicketRecord:
        return self.connector.ticket(str(self.ticket.remote_id))

    def theirs(self, record: Record) -> dict[str, Any]:
        assert isinstance(record, TicketRecord)
        row = inbound.remote_tickets([record], account_id=self.account.pk, keys=self.keys)[0]
        return {name: row.confirmed[name] for name in self.item.fields if name in row.confirmed}

    def mark_gone(self, *, now: datetime) -> None:
        upkeep.mark_removed(ticket_ids=[self.ticket.pk], now=now)

    def apply(self, record: TicketRecord, *, now: datetime) -> None:
        inbound.apply(account=self.account, rows=[record], keys=self.keys, now=now, is_forced=True)

    def touch(self) -> None:
        live.touch(live.ticket_scope(self.ticket.pk))


class UpdateTicket(TicketJob[TicketRecord]):
    is_harmless = True

    def check(self) -> None:
        record = self.connector.ticket(str(self.ticket.remote_id))
        row = inbound.remote_tickets([record], account_id=self.account.pk, keys=self.keys)[0]
        if theirs := conflicts.conflicting_fields(self.item, row.confirmed):
            raise Contradicted(theirs, record)
        if all(name in row.confirmed and row.confirmed[name] == mine for name, mine in self.item.fields.items()):
            raise Already(record)

    def send(self, on_progress: Callable[[int], None]) -> TicketRecord:
        return self.connector.update_ticket(str(self.ticket.remote_id), drafts.ticket_fields(self.item.fields))

    def look_up(self, *, since: datetime) -> TicketRecord | None:
        try:
            self.check()
        except Already as already:
            return cast(TicketRecord, already.record)
        return None

    def keep(self, record: TicketRecord, *, now: datetime) -> None:
        self.apply(record, now=now)


class CreateTicket(TicketJob[TicketRecord]):
    needs_subject = False

    def send(self, on_progress: Callable[[int], None]) -> TicketRecord:
        fields = drafts.ticket_fields(self.item.fields)
        if "acknowledgement" in (self.account.capabilities.get("mail_switches") or ()):
            fields["acknowledge"] = mails.psa_acknowledges(self.ticket)
        return self.connector.create_ticket(fields, marker=str(self.ticket.marker))

    def is_there(self, record: TicketRecord) -> bool:
        try:
            return self.connector.ticket(record.remote_id).remote_id == record.remote_id
        except NotFound:
            return False

    def look_up(self, *, since: datetime) -> TicketRecord | None:
        fields = drafts.ticket_fields(self.item.fields)
        found = self.connector.find_ticket(fields, marker=str(self.ticket.marker), since=since)
        if found is not None and self._is_another_ones(found):
            return None
        return found

    def _is_another_ones(self, record: TicketRecord) -> bool:
        """A ticket that another create of ours has already been matched with."""
        matched = OutboxItem.objects.filter(verb=Verb.CREATE_TICKET, psa_account=self.account).exclude(pk=self.item.pk)
        owner = Ticket.objects.filter(psa_account=self.account, remote_id=record.remote_id).exclude(pk=self.ticket.pk)
        lanes = [t.lane for t in owner]
        return bool(lanes) and matched.filter(lane__in=lanes).exists()

    def keep(self, record: TicketRecord, *, now: datetime) -> None:
        _drop_copy(self.ticket, record.remote_id)
        number = record.number if isinstance(record.number, str) and record.number else record.remote_id
        Ticket.objects.filter(pk=self.ticket.pk).update(remote_id=record.remote_id, number=number)
        self.apply(record, now=now)


def _drop_copy(ticket: Ticket, remote_id: str) -> None:
    """A pull may have seen the new ticket before its answer was stored: its copy goes, what people did on it stays."""
    for copy in Ticket.objects.filter(psa_account=ticket.psa_account_id, remote_id=remote_id).exclude(pk=ticket.pk):
        for model in (Action, TimeEntry, Attachment):
            model._default_manager.filter(ticket=copy).exclude(sync_state="").update(ticket=ticket)
        ClientMail.objects.filter(ticket=copy).update(ticket=ticket)
        last = OutboxItem.objects.in_lane(ticket.lane).last()
        sequence = last.sequence if last else 0
        for item in OutboxItem.objects.in_lane(copy.lane):
            sequence += 1
            item.sequence, item.lane = sequence, ticket.lane
            if item.subject == f"ticket:{copy.pk}":
                item.subject = f"ticket:{ticket.pk}"
            item.save(update_fields=["sequence", "lane", "subject"])
        copy.delete()


class CreateAction(TicketJob[ActionRecord]):
    def _draft(self) -> ActionDraft:
        return drafts.action_draft(self.item, account=self.account, ticket=self.ticket)

    def send(self, on_progress: Callable[[int], None]) -> ActionRecord:
        return self.connector.create_action(self._draft())

    def is_there(self, record: ActionRecord) -> bool:
        if not _has_ids(self.account):
            return True  # what came back was read back
        if self.item.subject.startswith("time:") and self.account.capabilities.get("time_in_action") is False:
            return any(t.remote_id == record.remote_id for t in self.connector.times(str(self.ticket.remote_id)))
        return any(a.remote_id == record.remote_id for a in self.connector.actions(str(self.ticket.remote_id)))

    def look_up(self, *, since: datetime) -> ActionRecord | None:
        return self.connector.find_action(self._draft(), since=since, taken=self._taken())

    def _taken(self) -> frozenset[str]:
        """Actions of the PSA that other writes of ours were matched with. A copy made by a pull may be our own.

        What this very write was matched with (a pull saw its marker first) is no other's: it is what we look for.
        """
        kind, _sep, pk = self.item.subject.partition(":")
        ours = Q(pk=pk) if kind == "time" else Q(action=pk)
        own = Action.objects.filter(ticket=self.ticket).exclude(sync_state="")
        own = own.annotate(key=Coalesce("fingerprint", "remote_id")).exclude(key=None)
        time = TimeEntry.objects.filter(ticket=self.ticket).exclude(sync_state="").exclude(remote_id=None).exclude(ours)
        own = own.exclude(pk=pk) if kind == "action" else own
        return frozenset(map(str, (*own.values_list("key", flat=True), *time.values_list("remote_id", flat=True))))

    def keep(self, record: ActionRecord, *, now: datetime) -> None:
        actions_mirror.confirm_action(
            subject=self.item.subject,
            remote_id=record.remote_id,
            now=now,
            is_fingerprint=not _has_ids(self.account),
            has_time="time_apart" not in self.item.fields,
        )
        change = inbound_actions.status_change(record, self.keys)
        if change is not None and apply_status_changes(ticket=self.ticket, rows=[change], now=now):
            save_clocks(self.ticket, now=now)
        if self.item.fields.get("new_status") and record.new_status is None:
            # The PSA took the words and kept its status: ours falls back to what it has.
            conflicts.fall_back(
                ticket_id=self.ticket.pk,
                fields=["status"],
                values={},
                origin=Origin.system(self.account.title),
                now=now,
            )

    def after(self, record: ActionRecord) -> TicketRecord | None:
        if not self.item.fields.get("new_status") and not self.item.fields.get("resolution"):
            return None
        try:
            return self.connector.ticket(str(self.ticket.remote_id))
        except ConnectorError:
            return None  # the next pull tells


def _has_ids(account: PsaAccount) -> bool:
    """Whether the PSA gives its actions ids; else they are known by a fingerprint."""
    return account.capabilities.get("comment_ids", True) is not False


class UploadFile(TicketJob[AttachmentRecord]):
    def _attachment(self) -> Attachment:
        pk = self.item.subject.partition(":")[2]
        return Attachment.objects.select_related("action").get(pk=pk)

    def send(self, on_progress: Callable[[int], None]) -> AttachmentRecord:
        return self.connector.upload(drafts.file_draft(self._attachment(), ticket=self.ticket, on_progress=on_progress))

    def is_there(self, record: AttachmentRecord) -> bool:
        return any(a.remote_id == record.remote_id for a in self.connector.attachments(str(self.ticket.remote_id)))

    def look_up(self, *, since: datetime) -> AttachmentRecord | None:
        attachment = self._attachment()
        own = Attachment.objects.filter(ticket=self.ticket).exclude(sync_state="").exclude(remote_id=None)
        own = own.exclude(pk=attachment.pk)
        taken = frozenset(map(str, own.values_list("remote_id", flat=True)))
        draft = drafts.file_draft(attachment, ticket=self.ticket)
        return self.connector.find_attachment(draft, since=since, taken=taken)

    def keep(self, record: AttachmentRecord, *, now: datetime) -> None:
        actions_mirror.confirm_file(
            attachment_id=int(self.item.subject.partition(":")[2]), remote_id=record.remote_id, now=now
        )


TICKET_JOBS: dict[str, type[TicketJob[Any]]] = {
    Verb.CREATE_TICKET: CreateTicket,
    Verb.UPDATE_TICKET: UpdateTicket,
    Verb.CREATE_ACTION: CreateAction,
    Verb.UPLOAD_FILE: UploadFile,
}
