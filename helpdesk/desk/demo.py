"""The people and PSA accounts of the demo. The people exist only while DEMO is on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import User
from helpdesk.actions.choices import Kind
from helpdesk.actions.models import Macro
from helpdesk.core.errors import Refused
from helpdesk.directory.models import Organisation, PsaAccount
from helpdesk.directory.services import join_users
from helpdesk.sla.models import EVER, Policy, PolicyUse, Target
from helpdesk.sla.versions import save_policy_version, use_policy
from helpdesk.tickets.choices import Category, SlaClock
from helpdesk.tickets.models import Status

PASSWORD = "helpdesk-demo"
FIRM, ZONE, COLOUR, PHONE = "Harbour IT", "Europe/London", "#0b5f6b", "0117 496 0100"


@dataclass(frozen=True)
class Account:
    """A PSA of the sandbox: its word in the registry, our name for it, and what `connect` is told."""

    kind: str
    name: str
    settings: tuple[str, ...]
    words: tuple[tuple[str, Category], ...] = ()
    """Statuses of the tenant's own, as its administrator would have mapped them; all of them pause the clock."""
    tells_targets: bool = False
    """Off: it gives due dates without a word on what they follow; what its tenant promises was entered here."""


ACCOUNTS = (
    Account("halopsa", "halo", ("client_id=demo", "client_secret=demo-secret"), tells_targets=True),
    Account(
        "autotask",
        "autotask",
        ("username=api@demo.test", "secret=demo-secret", "integration_code=demo", "impersonate=yes"),
    ),
    Account(
        "atera",
        "atera",
        (
            "api_key=demo-secret",
            "default_technician_id=9001",
            "open_statuses=Waiting customer,On hold,Waiting third party",
        ),
        (
            ("Waiting customer", Category.WAITING_CLIENT),
            ("On hold", Category.WAITING),
            ("Waiting third party", Category.WAITING_THIRD_PARTY),
        ),
    ),
)
"""One of each: the sandbox deals its clients to them in this order."""
AROUND_THE_CLOCK = "Around the clock"
PROMISED = {1: (900, 3600), 2: (3600, 4 * 3600), 3: (4 * 3600, 8 * 3600), 4: (8 * 3600, 24 * 3600)}
"""Rank -> (response, resolution) seconds: what the tenants of the sandbox promise."""
LIFTED = "calls_per_minute=10000"


def account_url(sandbox: str, account: Account) -> str:
    return f"{sandbox.rstrip('/')}/{account.kind}"


def unconnected(sandbox: str, known: Mapping[str, str]) -> list[Account]:
    """Those that the desk does not know yet, or knows at another address. `known`: name -> address."""
    return [one for one in ACCOUNTS if known.get(one.name, "").rstrip("/") != account_url(sandbox, one)]


def connect_words(sandbox: str, account: Account) -> list[str]:
    """What `manage.py connect` is told."""
    pairs = [word for pair in (*account.settings, LIFTED) for word in ("--set", pair)]
    return [account.kind, account.name, "--url", account_url(sandbox, account), *pairs]


@transaction.atomic
def map_words(account: Account) -> None:
    """Before its tickets come: no list of the PSA tells these statuses, so they would count as open."""
    row = PsaAccount.objects.get(name=account.name)
    for word, category in account.words:
        meaning = {"name": word, "category": category, "sla_clock": SlaClock.PAUSED, "is_mapped": True}
        Status.objects.update_or_create(
            psa_account=row, remote_id=word, defaults={**meaning, "is_edited": True, "is_active": True}
        )


@transaction.atomic
def give_policy(account: Account) -> None:
    """The same promise as in the tenant, from ever, where its PSA does not tell it. What is chosen here stays."""
    row = PsaAccount.objects.get(name=account.name)
    if account.tells_targets or PolicyUse.objects.filter(psa_account=row).exists():
        return
    policy, is_new = Policy.objects.get_or_create(name=AROUND_THE_CLOCK, psa_account=None)
    if is_new:
        Target.objects.bulk_create(
            Target(policy=policy, priority=str(rank), rank=rank, response_seconds=first, resolution_seconds=last)
            for rank, (first, last) in PROMISED.items()
        )
        save_policy_version(policy, now=EVER)
    use_policy(policy=policy, now=EVER, psa_account=row)


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


@dataclass(frozen=True)
class Canned:
    name: str
    body: str
    kind: str = Kind.REPLY
    status: str = ""
    minutes: int | None = None


MACROS = (
    Canned(
        "restart first",
        "Hi {{contact.first_name}},\n\ncould you save your work and restart the machine once, then try again? If it is "
        "still there, tell me what you see on the screen, word for word.\n\n{{agent.first_name}}",
        status=Category.WAITING_CLIENT, minutes=5,
    ),
    Canned(
        "ask for a screenshot",
        "Hi {{contact.first_name}},\n\na screenshot of the message, with the time it came up, would help me find the "
        "cause of “{{ticket.subject}}”.\n\n{{agent.first_name}}",
        status=Category.WAITING_CLIENT, minutes=5,
    ),
    Canned(
        "call me back",
        "Hi {{contact.first_name}},\n\nI tried to reach you by phone about {{ticket.number}}. When does it suit you "
        "today?\n\n{{agent.first_name}}",
        status=Category.WAITING_CLIENT, minutes=5,
    ),
    Canned(
        "fixed, please check",
        "Hi {{contact.first_name}},\n\nthis is working again. Please try it once; if anything is still odd, answer "
        "this message and it opens again.\n\n{{agent.first_name}}",
        status=Category.RESOLVED, minutes=10,
    ),
    Canned(
        "with the vendor",
        "Opened a case with the vendor for {{client.name}}. Case number: \nThey answer by: ",
        kind=Kind.NOTE, status=Category.WAITING_THIRD_PARTY, minutes=10,
    ),
)  # fmt: skip


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
    _make_macros()
    join_users(now=now)
    _take_names([u for u in users if not u.is_desk])
    return users


def _make_macros() -> None:
    """Those that are missing; what somebody changed stays changed."""
    for one in MACROS:
        values = {
            "body": one.body, "kind": one.kind, "is_internal": one.kind == Kind.NOTE, "status_category": one.status,
            "minutes": one.minutes,
        }  # fmt: skip
        Macro.objects.get_or_create(name=one.name, defaults=values)


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
