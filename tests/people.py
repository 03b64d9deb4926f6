"""The six people of every test. Dana dispatches, Theo is an agent, Mona manages, Ada administers, Cleo is a client's
contact, and Otto belongs to another client and must see nothing.

Given an account, staff get an agent there and clients a contact; `client=` puts a contact at a client of your own.
"""

from __future__ import annotations

from typing import Any

from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from helpdesk.directory.models import Client, Contact, PsaAccount
from tests.factories import make_agent, make_client, make_contact

PASSWORD = "correct horse battery"


def _make(email: str, name: str, role: str, **values: Any) -> User:
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, PASSWORD, name=name, role=role, **values)


def _make_staff(email: str, name: str, role: str, account: PsaAccount | None, **values: Any) -> User:
    user = _make(email, name, role, **values)
    if account and not user.agents.filter(psa_account=account).exists():
        make_agent(name, psa_account=account, email=email, user=user)
    return user


def make_dana(account: PsaAccount | None = None, **values: Any) -> User:
    """Dispatcher."""
    return _make_staff("dana@harbour.test", "Dana Whitlock", Role.DISPATCHER, account, **values)


def make_theo(account: PsaAccount | None = None, **values: Any) -> User:
    """Agent."""
    return _make_staff("theo@harbour.test", "Theo Marsh", Role.AGENT, account, **values)


def make_mona(account: PsaAccount | None = None, **values: Any) -> User:
    """Manager."""
    return _make_staff("mona@harbour.test", "Mona Castell", Role.MANAGER, account, **values)


def make_ada(account: PsaAccount | None = None, **values: Any) -> User:
    """Administrator."""
    return _make_staff("ada@harbour.test", "Ada Renner", Role.ADMIN, account, **values)


def make_cleo(account: PsaAccount | None = None, client: Client | None = None, **values: Any) -> User:
    """A client's contact; sees her company's tickets."""
    user = _make("cleo@northwind.test", "Cleo Brandt", Role.CLIENT, **values)
    return _at_client(user, account, client, "Northwind Dental")


def make_otto(account: PsaAccount | None = None, client: Client | None = None, **values: Any) -> User:
    """Another client's contact: must see nothing of Cleo's."""
    user = _make("otto@kestrel.test", "Otto Lindqvist", Role.CLIENT, **values)
    return _at_client(user, account, client, "Kestrel Joinery")


def _at_client(user: User, account: PsaAccount | None, client: Client | None, firm: str) -> User:
    account = account or (client.psa_account if client else None)
    if account and not user.contacts.filter(psa_account=account).exists():
        client = client or make_client(firm, psa_account=account)
        first, last = user.name.split(" ")
        make_contact(client, first_name=first, last_name=last, email=user.email, user=user)
    return user


def contact_of(user: User) -> Contact:
    """The contact behind Cleo or Otto."""
    contact = user.contacts.first()
    assert contact is not None, f"{user} has no contact: make them with an account"
    return contact


EVERYBODY = {
    "dana": make_dana,
    "theo": make_theo,
    "mona": make_mona,
    "ada": make_ada,
    "cleo": make_cleo,
    "otto": make_otto,
}
