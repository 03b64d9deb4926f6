"""How far each account's pull has come, what it may spend, and what sync did."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Feed(models.TextChoices):
    """What is read apart, each with its own cursor. The first four are the first backfill, in this order."""

    REFERENCE = "reference", _("Statuses, people, calendars")
    DIRECTORY = "directory", _("Clients, sites, contacts")
    OPEN_TICKETS = "open_tickets", _("Open tickets")
    CLOSED_TICKETS = "closed_tickets", _("Closed tickets")
    ACTIONS = "actions", _("Notes, replies, time")
    CHANGES = "changes", _("Changes since")
    SWEEP = "sweep", _("Deleted tickets")


class Cursor(models.Model):
    """One feed of one account. Saved after its page is committed, so that a killed pull resumes there."""

    psa_account = models.ForeignKey("directory.PsaAccount", on_delete=models.CASCADE, related_name="cursors")
    feed = models.CharField(max_length=20, choices=Feed.choices)
    since = models.DateTimeField(null=True, blank=True)
    """Everything changed before this instant is here."""
    run_started_at = models.DateTimeField(null=True, blank=True)
    """Set while a run is under way: its upper bound is counted from it, also when it is resumed."""
    token = models.CharField(max_length=200, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before_at = models.DateTimeField(null=True, blank=True)
    """After an error: when to try again."""
    fence = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["psa_account", "feed"], name="cursor_once")]

    def __str__(self) -> str:
        return f"{self.psa_account_id} {self.feed}"


class Bucket(models.Model):
    """Call allowance of an account where there is no Redis: a token bucket in one row. Instants are Unix seconds."""

    psa_account = models.OneToOneField(
        "directory.PsaAccount", primary_key=True, on_delete=models.CASCADE, related_name="bucket"
    )
    tokens = models.FloatField(default=0)
    at = models.FloatField(default=0)
    held_until = models.FloatField(default=0)
    strikes = models.PositiveIntegerField(default=0)
    struck_at = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"{self.psa_account_id}: {self.tokens:.0f}"


class RemoteToken(models.Model):
    """An access token that several processes share, encrypted. `key` changes with the credentials."""

    psa_account = models.OneToOneField(
        "directory.PsaAccount", primary_key=True, on_delete=models.CASCADE, related_name="token"
    )
    key = models.CharField(max_length=200)
    token = models.TextField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"token of {self.psa_account_id}"


class Connection(models.Model):
    """A request of an administrator to test, change or make a connection; the worker answers it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Being tested")
        OK = "ok", _("Works")
        FAILED = "failed", _("Does not work")

    psa_account = models.ForeignKey(
        "directory.PsaAccount", null=True, blank=True, on_delete=models.CASCADE, related_name="connections"
    )
    """The account to test or change; null until a new one is stored."""
    kind = models.CharField(max_length=30)
    name = models.SlugField(max_length=60)
    url = models.CharField(max_length=300)
    settings = models.JSONField(default=dict, blank=True)
    secrets = models.TextField(blank=True)
    """Encrypted JSON of the credentials typed; wiped with the answer."""
    stores = models.BooleanField(default=False)
    """Whether a passed test stores what was tested."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    text = models.CharField(max_length=300, blank=True)
    user = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class SyncLogEntry(models.Model):
    """One line of what sync did, for the sync page and for each ticket."""

    psa_account = models.ForeignKey("directory.PsaAccount", on_delete=models.CASCADE, related_name="sync_log")
    at = models.DateTimeField()
    what = models.CharField(max_length=20)
    """pull, push, fetch, connect."""
    ok = models.BooleanField(default=True)
    text = models.CharField(max_length=300)
    ticket_id = models.BigIntegerField(null=True, blank=True)
    calls = models.PositiveIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["psa_account", "-at"], name="synclog_account"),
            models.Index(fields=["ticket_id", "-at"], name="synclog_ticket", condition=~models.Q(ticket_id=None)),
        ]
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.what}: {self.text}"


class Hook(models.Model):
    """The webhook of one account: what the PSA calls when a ticket changes. A hint only: polling is the truth.

    The address's secret is kept twice: hashed here, to be compared, and encrypted with the account's credentials, to
    be registered again.
    """

    class State(models.TextChoices):
        OFF = "off", _("Off")
        REGISTERING = "registering", _("Being registered")
        REGISTERED = "registered", _("Registered")
        REFUSED = "refused", _("Refused by the PSA")
        DEACTIVATED = "deactivated", _("Switched off by the PSA")

    psa_account = models.OneToOneField(
        "directory.PsaAccount", primary_key=True, on_delete=models.CASCADE, related_name="hook"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.OFF)
    text = models.CharField(max_length=300, blank=True)
    """Why it is off or refused."""
    secret_hash = models.CharField(max_length=64, blank=True)
    """SHA-256 of the secret in the address, hexadecimal; empty = no call is taken."""
    remote_id = models.CharField(max_length=80, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    """Of address and secrets as they were registered: another one now means to register again."""
    check_at = models.DateTimeField(null=True, blank=True)
    """When a worker looks again; null = at once."""
    registered_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    """The last call with the right signature since it was registered."""
    heard = models.PositiveBigIntegerField(default=0)
    strikes = models.PositiveSmallIntegerField(default=0)
    """How often the PSA switched it off without a good call in between: each time it is switched on again later."""

    def __str__(self) -> str:
        return f"{self.psa_account_id}: {self.state}"


class Hint(models.Model):
    """A ticket that a webhook named. One row per ticket: a second call moves `asked_at`, and is read once."""

    psa_account = models.ForeignKey("directory.PsaAccount", on_delete=models.CASCADE, related_name="hints")
    remote_id = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    is_waiting = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["psa_account", "remote_id"], name="hint_once")]
        indexes = [
            models.Index(fields=["psa_account", "asked_at"], name="hint_waiting", condition=models.Q(is_waiting=True))
        ]

    def __str__(self) -> str:
        return f"{self.psa_account_id} {self.remote_id}"


class HookCount(models.Model):
    """How many calls of each kind came to `/hooks/`, since the beginning: for the metrics."""

    what = models.CharField(max_length=20, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.what}: {self.number}"


class SweptPage(models.Model):
    """The ids of one page of a sweep under way, so that a killed sweep goes on where it was. Gone with its end."""

    cursor = models.ForeignKey(Cursor, on_delete=models.CASCADE, related_name="swept")
    number = models.PositiveIntegerField()
    ids = models.TextField()
    """Separated by a line feed: some hundred of them."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cursor", "number"], name="swept_once")]

    def __str__(self) -> str:
        return f"{self.cursor_id}:{self.number}"


class Remap(models.Model):
    """Tickets of an account that follow a changed mapping, batch by batch. One row per account.

    Each batch moves its tickets and the place reached in one transaction: a worker that is killed leaves nothing half
    done, and the next one goes on there.
    """

    psa_account = models.OneToOneField(
        "directory.PsaAccount", primary_key=True, on_delete=models.CASCADE, related_name="remap"
    )
    todo = models.JSONField(default=list)
    """What is left, in order: [what, key, place]. `status` and `priority`: the tickets that have it, up to the ticket
    of that key; `past`: events of that status, up to the event of that key."""
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    """Tickets that were to be looked at, that have been, and that showed something else before."""
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    check_at = models.DateTimeField(null=True, blank=True)
    """When to look once more for tickets that somebody wrote with the old meaning in hand."""

    def __str__(self) -> str:
        return f"{self.psa_account_id}: {self.done} of {self.total}"

    @property
    def percent(self) -> int:
        if self.finished_at:
            return 100
        return min(99, round(100 * self.done / self.total)) if self.total else 0
