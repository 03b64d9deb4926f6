from __future__ import annotations

from typing import Any

import pytest

from helpdesk.accounts.models import User
from helpdesk.actions.models import Macro
from helpdesk.core.errors import Refused
from helpdesk.desk.demo import PASSWORD, PEOPLE, create_demo_people
from helpdesk.desk.macro_use import unknown_variables
from helpdesk.directory.models import Organisation, PsaAccount
from tests.factories import NOW, make_agent, make_contact

pytestmark = pytest.mark.django_db


def test_refused_while_the_demo_is_off() -> None:
    with pytest.raises(Refused):
        create_demo_people(now=NOW)
    assert not User.objects.exists()


def test_people_are_made_once(settings: Any) -> None:
    settings.DEMO = True
    create_demo_people(now=NOW)
    first = create_demo_people(now=NOW)
    assert [u.email for u in first] == [p.email for p in PEOPLE]
    assert User.objects.count() == len(PEOPLE)
    assert all(u.is_demo and u.check_password(PASSWORD) for u in first)
    assert Organisation.objects.get().name == "Harbour IT"
    assert Macro.objects.count() == 5
    assert all(not unknown_variables(m.body) for m in Macro.objects.all())


def test_people_are_tied_once_the_psa_is_pulled(settings: Any, account: PsaAccount) -> None:
    settings.DEMO = True
    create_demo_people(now=NOW)
    cleo = make_contact(first_name="Cleo", last_name="Marchetti-Ward", email="Client@demo.test", psa_account=account)
    make_contact(email="somebody@client.test", psa_account=account)
    priya = make_agent("P. Nair", email="technician@demo.test", psa_account=account)
    for _twice in range(2):
        create_demo_people(now=NOW)
    client = User.objects.get(email="client@demo.test")
    assert (client.contacts.get(), client.name) == (cleo, "Cleo Marchetti-Ward")
    assert User.objects.get(email="technician@demo.test").agents.get() == priya
    assert not User.objects.get(email="otherclient@demo.test").contacts.exists()
