"""Random histories of tickets for the tests: every kind of change that moves a count from one key or day to another."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from helpdesk.actions.models import TimeEntry
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.choices import FINISHED, Category, Rank
from helpdesk.tickets.clocks import derive, save_clocks
from helpdesk.tickets.models import Ticket, TicketClock, TicketEvent
from tests.factories import make_agent, make_client, make_priority, make_status, make_team, make_ticket, make_time_entry


class History:
    """A desk on which things happen, seeded: the same number gives the same history."""

    def __init__(self, seed: int, account: PsaAccount, start: datetime) -> None:
        self.random, self.now, self.account = random.Random(seed), start, account
        self.statuses = {c: make_status(c, psa_account=account) for c in Category.values}
        self.priorities = [make_priority(r, psa_account=account) for r in Rank.values]
        self.clients = [make_client(f"Client {i}", psa_account=account) for i in range(4)]
        self.teams = [make_team(f"Team {i}", psa_account=account) for i in range(2)]
        self.agents = [make_agent(f"Agent {i}", psa_account=account) for i in range(3)]
        self.made = 0

    def go_on(self, steps: int) -> None:
        acts = [self.open, self.open, self.finish, self.finish, self.reopen, self.move, self.book, self.unbook,
                self.remove, self.return_, self.retell, self.escalate, self.destroy]  # fmt: skip
        for _ in range(steps):
            self.now += timedelta(minutes=self.random.randrange(1, 900))
            self.random.choice(acts)()

    def pick(self, **wanted: Any) -> Ticket | None:
        found = list(Ticket.objects.filter(**wanted).order_by("pk"))
        return self.random.choice(found) if found else None

    def save(self, ticket: Ticket, **values: Any) -> None:
        for name, value in values.items():
            setattr(ticket, name, value)
        ticket.rank, ticket.changed_at = ticket.priority.rank, self.now
        ticket.status_category = ticket.status.category
        ticket.is_open = ticket.status_category not in FINISHED
        before = {c.kind: c for c in TicketClock.objects.filter(ticket=ticket)}
        clocks = derive(ticket, status=ticket.status, target=None, before=before, now=self.now)
        ticket.save()
        save_clocks(clocks)

    def open(self) -> None:
        self.made += 1
        ticket = make_ticket(
            f"Ticket {self.made}", psa_account=self.account, client=self.random.choice([*self.clients, None]),
            status=self.statuses["new"], priority=self.random.choice(self.priorities),
            team=self.random.choice([*self.teams, None]), agent=self.random.choice([*self.agents, None]),
            opened_at=self.now - timedelta(minutes=self.random.randrange(3000)),
        )  # fmt: skip
        self.save(ticket)

    def finish(self) -> None:
        ticket = self.pick(is_open=True)
        if ticket:
            at = max(ticket.opened_at, self.now - timedelta(minutes=self.random.randrange(600)))
            if not ticket.first_responded_at and self.random.random() < 0.7:
                ticket.first_responded_at = ticket.opened_at + (at - ticket.opened_at) / 2
            self.save(ticket, status=self.statuses[self.random.choice(["resolved", "closed"])], resolved_at=at)

    def reopen(self) -> None:
        ticket = self.pick(is_open=False)
        if ticket:
            TicketEvent.objects.create(
                ticket=ticket, field="status", old=str(ticket.status_id), new=str(self.statuses["open"].pk),
                at=self.now, known_at=self.now, origin="psa", remote_key=f"r{self.now.isoformat()}",
            )  # fmt: skip
            self.save(ticket, status=self.statuses["open"], resolved_at=None, closed_at=None)

    def move(self) -> None:
        ticket = self.pick()
        if ticket:
            self.save(
                ticket, client=self.random.choice([*self.clients, None]), team=self.random.choice([*self.teams, None]),
                agent=self.random.choice([*self.agents, None]), priority=self.random.choice(self.priorities),
            )  # fmt: skip

    def book(self) -> None:
        ticket = self.pick()
        if ticket:
            make_time_entry(
                ticket, self.random.randrange(1, 90) * 60, agent=self.random.choice([*self.agents, None]),
                is_billable=self.random.random() < 0.6, ended_at=self.now,
            )  # fmt: skip

    def unbook(self) -> None:
        entry = TimeEntry.objects.filter(removed_at=None).order_by("?").first()
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
