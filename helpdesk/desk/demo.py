"""The people and PSA accounts of the demo. The people exist only while DEMO is on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from helpdesk.core.errors import Refused
from helpdesk.directory.models import Organisation
from helpdesk.directory.services import join_users

PASSWORD = "helpdesk-demo"
FIRM, ZONE, COLOUR, PHONE = "Harbour IT", "Europe/London", "#0b5f6b", "0117 496 0100"


@dataclass(frozen=True)
class Account:
    """A PSA of the sandbox: its word in the registry, our name for it, and what `connect` is told."""

    kind: str
    name: str
    settings: tuple[str, ...]


ACCOUNTS = (Account("halopsa", "halo", ("client_id=demo", "client_secret=demo-secret", "calls_per_minute=10000")),)


@dataclass(frozen=True)
class Person:
    email: str
    name: str
    role: Role


PEOPLE = (
    Person("dispatcher@demo.test", "Dana Whitlock", Role.DISPATCHER),
    Person("technician@demo.test", "Priya Nair", Role.AGENT),
    Person("manager@demo.test", "Marcus Oyelaran", Role.MANAGER),
    Person("admin@demo.test", "Ada Lindqvist", Role.ADMIN),
    Person("client@demo.test", "Cleo Marchetti", Role.CLIENT),
    Person("otherclient@demo.test", "Otto Lindqvist", Role.CLIENT),
)


@transaction.atomic
def create_demo_people(*, now: datetime) -> list[User]:
    """Create who is missing, leave who is there, and tie them to their people in the PSA once those are pulled.

    Raises Refused while DEMO is off.
    """
    if not settings.DEMO:
        raise Refused({"": "Demo people exist only while DEMO is on."})
    if not Organisation.objects.exists():
        Organisation.objects.create(name=FIRM, time_zone=ZONE, colour=COLOUR, phone=PHONE)
    users = [_user(person, now) for person in PEOPLE]
    join_users(now=now)
    _take_names([u for u in users if not u.is_desk])
    return users


def _user(person: Person, now: datetime) -> User:
    user = User.objects.filter(email=person.email).first()
    if user is None:
        user = User.objects.create_user(
            person.email, PASSWORD, name=person.name, role=person.role, is_demo=True, date_joined=now,
            time_zone="" if person.role == Role.CLIENT else ZONE,
        )  # fmt: skip
    return user


def _take_names(users: list[User]) -> None:
    """A client's person is called what their company knows them by."""
    for user in users:
        person = user.contacts.first()
        if person and user.name != str(person):
            User.objects.filter(pk=user.pk).update(name=str(person)[:120])
