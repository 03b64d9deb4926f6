"""Random histories of tickets for the tests: every kind of change that moves a count from one key or day to another."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from helpdesk.actions.choices import Trigger
from helpdesk.actions.models import Escalation, TimeEntry
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.choices import FINISHED, Category, Rank
from helpdesk.tickets.models import Ticket, TicketClock, TicketEvent
from helpdesk.tickets.writing import write_clocks
from tests.factories import (
    make_agent,
    make_client,
    make_priority,
    make_status,
    make_team,
    make_ticket,
    make_ticket_type,
    make_time_entry,
)

CATEGORIES = ("Network", "Network>VPN", "Printer", "")


class History:
    """A desk on which things happen, seeded: the same number gives the same history."""

    def __init__(self, seed: int, account: PsaAccount, start: datetime) -> None:
        self.random, self.now, self.account = random.Random(seed), start, account
        self.statuses = {c: make_status(c, psa_account=account) for c in Category.values}
        self.priorities = [make_priority(r, psa_account=account) for r in Rank.values]
        self.clients = [make_client(f"Client {i}", psa_account=account) for i in range(4)]
        self.teams = [make_team(f"Team {i}", psa_account=account) for i in range(2)]
        self.agents = [make_agent(f"Agent {i}", psa_account=account) for i in range(3)]
        self.types = [make_ticket_type(name, psa_account=account) for name in ("Incident", "Request")]
        self.made = self.told = 0
        self.late: list[TicketEvent] = []

    def go_on(self, steps: int) -> None:
        acts = [self.open, self.open, self.finish, self.finish, self.reopen, self.wait, self.move, self.book,
                self.unbook, self.remove, self.return_, self.retell, self.escalate, self.destroy, self.correct,
                self.raise_, self.sharpen]  # fmt: skip
        for _ in range(steps):
            self.now += timedelta(minutes=self.random.randrange(1, 900))
            self.random.choice(acts)()
            if self.random.random() < 0.1:
                self.deliver()

    def tell(self, ticket: Ticket, field: str, old: int | None, new: int | None, at: datetime) -> None:
        """As an event: at once, or later."""
        self.told += 1
        event = TicketEvent(
            ticket=ticket, field=field, old=str(old or ""), new=str(new or ""), at=at, known_at=self.now, origin="psa",
            remote_key=f"action:{self.told}",
        )  # fmt: skip
        if self.random.random() < 0.6:
            event.save()
        else:
            self.late.append(event)

    def deliver(self) -> None:
        """What was late comes in any order, and some of it twice."""
        here = set(Ticket.objects.values_list("pk", flat=True))
        late, self.late = [e for e in self.late if e.ticket_id in here], []
        self.random.shuffle(late)
        for event in late:
            TicketEvent.objects.bulk_create([event], ignore_conflicts=True)
            if self.random.random() < 0.3:
                event.pk = None
                TicketEvent.objects.bulk_create([event], ignore_conflicts=True)

    def pick(self, **wanted: Any) -> Ticket | None:
        found = list(Ticket.objects.filter(**wanted).order_by("pk"))
        return self.random.choice(found) if found else None

    def one_of(self, rows: Any) -> Any:
        """The same one for the same seed."""
        found = list(rows.order_by("pk"))
        return self.random.choice(found) if found else None

    def save(self, ticket: Ticket, *, at: datetime | None = None, **values: Any) -> None:
        for name, value in values.items():
            if name in ("status", "agent", "team") and getattr(ticket, f"{name}_id") != (value and value.pk):
                self.tell(ticket, name, getattr(ticket, f"{name}_id"), value and value.pk, at or self.now)
            setattr(ticket, name, value)
        ticket.rank, ticket.changed_at = ticket.priority.rank, self.now
        ticket.status_category = ticket.status.category
        ticket.is_open = ticket.status_category not in FINISHED
        write_clocks(ticket, now=self.now)
        ticket.save()

    def open(self) -> None:
        self.made += 1
        ticket = make_ticket(
            f"Ticket {self.made}", psa_account=self.account, client=self.random.choice([*self.clients, None]),
            status=self.statuses["new"], priority=self.random.choice(self.priorities),
            team=self.random.choice([*self.teams, None]), agent=self.random.choice([*self.agents, None]),
            opened_at=self.now - timedelta(minutes=self.random.randrange(3000)),
            ticket_type=self.random.choice([*self.types, None]), category=self.random.choice(CATEGORIES),
        )  # fmt: skip
        self.save(ticket)

    def finish(self) -> None:
        ticket = self.pick(is_open=True)
        if ticket:
            at = max(ticket.opened_at, self.now - timedelta(minutes=self.random.randrange(600)))
            if not ticket.first_responded_at and self.random.random() < 0.7:
                ticket.first_responded_at = ticket.opened_at + (at - ticket.opened_at) / 2
            status = self.statuses[self.random.choice(["resolved", "closed"])]
            self.save(ticket, at=at, status=status, resolved_at=self.random.choice([at, self.now, None]))

    def reopen(self) -> None:
        ticket = self.pick(is_open=False)
        if ticket:
            self.save(ticket, status=self.statuses["open"], resolved_at=None, closed_at=None)

    def wait(self) -> None:
        ticket = self.pick(is_open=True)
        if ticket:
            self.save(ticket, status=self.statuses[self.random.choice(["waiting_client", "waiting", "open"])])

    def move(self) -> None:
        ticket = self.pick()
        if ticket:
            self.save(
                ticket, client=self.random.choice([*self.clients, None]), team=self.random.choice([*self.teams, None]),
                agent=self.random.choice([*self.agents, None]), priority=self.random.choice(self.priorities),
                category=self.random.choice(CATEGORIES), ticket_type=self.random.choice(self.types),
            )  # fmt: skip

    def book(self) -> None:
        ticket = self.pick()
        if ticket:
            make_time_entry(
                ticket, self.random.randrange(1, 90) * 60, agent=self.random.choice([*self.agents, None]),
                is_billable=self.random.random() < 0.6, ended_at=self.now,
            )  # fmt: skip

    def unbook(self) -> None:
        entry = self.one_of(TimeEntry.objects.filter(removed_at=None))
        if entry:
            TimeEntry.objects.filter(pk=entry.pk).update(removed_at=self.now)
            Ticket.objects.filter(pk=entry.ticket_id).update(changed_at=self.now)

    def remove(self) -> None:
        ticket = self.pick(removed_at=None)
        if ticket and self.random.random() < 0.5:
            self.save(ticket, removed_at=self.now)

    def return_(self) -> None:
        ticket = self.pick(removed_at__isnull=False)
        if ticket:
            self.save(ticket, removed_at=None)

    def retell(self) -> None:
        """The PSA says, late, that things happened at other times than we thought."""
        ticket = self.pick()
        if ticket:
            shift = timedelta(days=self.random.randrange(-40, 5))
            self.save(ticket, opened_at=ticket.opened_at + shift)

    def escalate(self) -> None:
        ticket = self.pick(is_open=True)
        if ticket:
            self.save(ticket, status=self.statuses["escalated"])

    def destroy(self) -> None:
        ticket = self.pick()
        if ticket and self.random.random() < 0.3:
            ticket.delete()

    def correct(self) -> None:
        """A person sets a clock right; business time comes with it."""
        ticket = self.pick()
        clock = self.one_of(TicketClock.objects.filter(ticket=ticket))
        if ticket and clock:
            clock.is_corrected = self.random.random() < 0.7
            clock.is_retroactive = self.random.random() < 0.5
            clock.burned_seconds = self.random.choice([None, self.random.randrange(200_000)])
            clock.paused_seconds = self.random.choice([0, 600])
            if self.random.random() < 0.2:
                clock.state, clock.source = "not_started", "hand"
            clock.save()
            Ticket.objects.filter(pk=ticket.pk).update(changed_at=self.now)

    def raise_(self) -> None:
        """A rule tells people: the ticket itself does not change."""
        ticket = self.pick()
        if ticket:
            wanted = {"ticket": ticket, "trigger": self.random.choice(Trigger.values), "level": 1}
            if wanted["trigger"] == Trigger.BREACH:
                wanted["level"] = self.random.randrange(1, 4)
            Escalation.objects.get_or_create(**wanted, defaults={"reason": "late", "at": self.now})

    def sharpen(self) -> None:
        """An event that was only seen is told to the second."""
        event = TicketEvent.objects.filter(field="status").order_by("pk").last()
        if event:
            event.at -= timedelta(minutes=self.random.randrange(300))
            event.save()
            Ticket.objects.filter(pk=event.ticket_id).update(changed_at=self.now)
