"""A PSA account and the people, places and promises that live in it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import validate_slug
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from helpdesk.core.models import RemoteRow, unique_in_account
from helpdesk.directory.choices import Colour, Health


class Organisation(models.Model):
    """The MSP itself. One row."""

    name = models.CharField(_("name"), max_length=120, default="Helpdesk")
    colour = models.CharField(_("colour"), max_length=7, default="#5145cd")
    logo = models.FileField(_("logo"), upload_to="organisation/", blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=16, default="en-gb")
    phone = models.CharField(_("phone"), max_length=60, blank=True)

    def __str__(self) -> str:
        return self.name


class PsaAccount(models.Model):
    """Our login at one PSA, what it can do, and how it is doing."""

    name = models.SlugField(max_length=60, unique=True, validators=[validate_slug])
    kind = models.CharField(max_length=30)
    """The registry's word; opaque to the domain."""
    title = models.CharField(max_length=60)
    mark = models.CharField(max_length=30, blank=True)
    """The PSA's own shape."""
    colour = models.CharField(max_length=10, choices=Colour.choices, blank=True)
    code = models.CharField(max_length=2, blank=True)
    """A letter or two beside the mark, where several accounts are of one kind."""
    url = models.URLField(max_length=300)
    settings = models.JSONField(default=dict, blank=True)
    client_mail = models.JSONField(default=dict, blank=True)
    """`{"acknowledgement", "reply", "status"}` -> psa, desk or off."""
    ticket_url = models.CharField(max_length=300, blank=True)
    """Address of a ticket in the PSA's own pages, with `{remote_id}`."""

    capabilities = models.JSONField(default=dict, blank=True)
    required_fields = models.JSONField(default=list, blank=True)
    transition_rules = models.JSONField(default=list, blank=True)

    is_paused = models.BooleanField(default=False)
    paused_reason = models.CharField(max_length=300, blank=True)
    health = models.CharField(max_length=8, choices=Health.choices, default=Health.OK)
    health_text = models.CharField(max_length=300, blank=True)
    failures = models.PositiveIntegerField(default=0)
    down_since = models.DateTimeField(null=True, blank=True)
    breaker_until = models.DateTimeField(null=True, blank=True)
    """No call goes out before this instant."""
    last_answer_at = models.DateTimeField(null=True, blank=True)
    last_pull_at = models.DateTimeField(null=True, blank=True)
    """End of the last complete incremental pull: the freshness people see."""
    next_pull_at = models.DateTimeField(null=True, blank=True)
    calls_per_minute = models.PositiveIntegerField(default=100)
    backfill_done_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.title or self.name

    def can(self, flag: str) -> bool:
        """Whether the PSA offers this; unknown flags are off."""
        return bool(self.capabilities.get(flag))

    def mailer(self, occasion: str) -> str:
        return self.client_mail.get(occasion) or self.capabilities.get("mails") or "desk"


class PsaSecret(models.Model):
    """One credential of an account, encrypted."""

    psa_account = models.ForeignKey(PsaAccount, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=40)
    token = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["psa_account", "name"], name="secret_once")]

    def __str__(self) -> str:
        return f"{self.psa_account_id}:{self.name}"


class ClientGroup(models.Model):
    """One customer that is a client in several PSA accounts. A person said so: nothing is linked by itself."""

    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"group {self.pk}"


class Client(RemoteRow):
    group = models.ForeignKey(ClientGroup, null=True, blank=True, on_delete=models.SET_NULL, related_name="clients")
    """The same customer elsewhere."""
    name = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True)
    phone = models.CharField(max_length=60, blank=True)
    domain = models.CharField(max_length=255, blank=True)
    address = models.TextField(blank=True)
    time_zone = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [unique_in_account("client_remote")]
        indexes = [models.Index(Lower("name"), name="client_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Site(RemoteRow):
    client = models.ForeignKey(Client, null=True, on_delete=models.CASCADE, related_name="sites")
    name = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True)
    phone = models.CharField(max_length=60, blank=True)
    address = models.TextField(blank=True)
    time_zone = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [unique_in_account("site_remote")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def person_name(first: str, last: str, email: str) -> str:
    """What a contact is called."""
    return f"{first} {last}".strip() or email or str(_("Unknown person"))


class Contact(RemoteRow):
    """A person at a client."""

    client = models.ForeignKey(Client, null=True, on_delete=models.CASCADE, related_name="contacts")
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.SET_NULL, related_name="contacts")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="contacts"
    )
    first_name = models.CharField(max_length=120, blank=True)
    last_name = models.CharField(max_length=120, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    is_active = models.BooleanField(default=True)
    is_vip = models.BooleanField(default=False)
    sees_company = models.BooleanField(
        default=True, help_text="Sees all tickets of the client in the portal, not only their own"
    )
    erased_at = models.DateTimeField(null=True, blank=True)
    """Pseudonymised on request: pulls leave the person's fields alone."""

    class Meta:
        constraints = [unique_in_account("contact_remote")]
        indexes = [models.Index(Lower("email"), name="contact_email")]
        ordering = ["first_name", "last_name"]

    def __str__(self) -> str:
        return person_name(self.first_name, self.last_name, self.email)


class Team(RemoteRow):
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="teams_led"
    )

    class Meta:
        constraints = [unique_in_account("team_remote")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Agent(RemoteRow):
    """Our staff as the PSA knows them: one human may be an agent in several accounts."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="agents"
    )
    name = models.CharField(max_length=120)
    email = models.CharField(max_length=254, blank=True)
    joined_as = models.CharField(max_length=40, blank=True)
    """Set by hand: agents with the same text here are one person, whatever their e-mail."""
    is_active = models.BooleanField(default=True)
    teams = models.ManyToManyField(Team, blank=True, related_name="agents")
    roles = models.JSONField(null=True, blank=True)
    """`[{"key", "name", "is_default", "teams"}]` where the PSA has roles; null = it has not told. See `roles`."""

    class Meta:
        constraints = [unique_in_account("agent_remote")]
        indexes = [models.Index(Lower("email"), name="agent_email")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Contract(RemoteRow):
    client = models.ForeignKey(Client, null=True, on_delete=models.CASCADE, related_name="contracts")
    name = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    sla_policy = models.ForeignKey("sla.Policy", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    block_seconds_left = models.IntegerField(null=True, blank=True)

    class Meta:
        constraints = [unique_in_account("contract_remote")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def default_client_mail(capabilities: dict[str, Any]) -> dict[str, str]:
    """Who mails the client, until an administrator says otherwise."""
    who = capabilities.get("mails") or "desk"
    return {"acknowledgement": who, "reply": who, "status": who}
