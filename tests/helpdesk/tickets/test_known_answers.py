"""An older desk is brought up to date: answers that are known count, and open tickets are worked out anew."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps

from helpdesk.actions.models import Action
from helpdesk.tickets.models import ClockJob, Ticket
from tests.factories import NOW, make_agent, make_ticket

pytestmark = pytest.mark.django_db
forwards = import_module("helpdesk.tickets.migrations.0013_known_answers").forwards


def test_known_answers_count_and_clocks_follow() -> None:
    read, unread = make_ticket(actions_pulled_at=NOW), make_ticket()
    agent = make_agent()
    for ticket in (read, unread):
        for hours, internal in ((1, True), (2, False), (3, False)):
            at = NOW + timedelta(hours=hours)
            Action.objects.create(ticket=ticket, occurred_at=at, is_internal=internal, author_agent=agent)
    forwards(apps, None)
    found = dict(Ticket.objects.values_list("pk", "answered_at"))
    assert found == {read.pk: NOW + timedelta(hours=2), unread.pk: None}
    job = ClockJob.objects.get()
    assert (job.total, job.finished_at) == (2, None)


def test_an_empty_desk_has_nothing_to_follow() -> None:
    forwards(apps, None)
    assert not ClockJob.objects.exists()
