"""The factories agree with the models: each makes a row by itself, and the people are who they say."""

from __future__ import annotations

import pytest

from helpdesk.accounts.choices import Role
from helpdesk.tickets.choices import Category
from helpdesk.tickets.models import Ticket
from tests import factories, people

MAKERS = sorted(
    name for name in dir(factories) if name.startswith("make_") and name not in {"make_organisation", "make_view"}
)


@pytest.mark.django_db
@pytest.mark.parametrize("name", MAKERS)
def test_each_factory_makes_a_row_by_itself(name: str) -> None:
    assert getattr(factories, name)().pk


@pytest.mark.django_db
def test_a_closed_ticket_is_not_open() -> None:
    ticket = factories.make_ticket(status=factories.make_status(Category.CLOSED))
    assert not ticket.is_open
    assert list(Ticket.objects.open()) == []


@pytest.mark.django_db
def test_people_have_their_roles_and_rows(account) -> None:
    assert {name: make(account).role for name, make in people.EVERYBODY.items()} == {
        "dana": Role.DISPATCHER,
        "theo": Role.AGENT,
        "mona": Role.MANAGER,
        "ada": Role.ADMIN,
        "cleo": Role.CLIENT,
        "otto": Role.CLIENT,
    }
    cleo, otto = people.make_cleo(), people.make_otto()
    ticket = factories.make_ticket(contact=people.contact_of(cleo))
    assert list(Ticket.objects.visible_to(cleo)) == [ticket]
    assert list(Ticket.objects.visible_to(otto)) == []
