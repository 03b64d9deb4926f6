from django.db import models
from django.utils.translation import gettext_lazy as _


class Category(models.TextChoices):
    """The one status vocabulary over every PSA."""

    NEW = "new", _("New")
    OPEN = "open", _("In progress")
    WAITING = "waiting", _("Waiting")
    WAITING_CLIENT = "waiting_client", _("Waiting on client")
    WAITING_THIRD_PARTY = "waiting_third_party", _("Waiting on third party")
    ESCALATED = "escalated", _("Escalated")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


FINISHED = (Category.RESOLVED, Category.CLOSED)
WAITING = (Category.WAITING, Category.WAITING_CLIENT, Category.WAITING_THIRD_PARTY)


class SlaClock(models.TextChoices):
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    STOPPED = "stopped", _("stopped")


class SlaAction(models.TextChoices):
    """What entering a status does to the PSA's own clock."""

    HOLD = "hold", _("puts the SLA on hold")
    RELEASE = "release", _("ends a hold")


class Rank(models.IntegerChoices):
    CRITICAL = 1, _("Critical")
    HIGH = 2, _("High")
    MEDIUM = 3, _("Medium")
    LOW = 4, _("Low")


class TypeKind(models.TextChoices):
    INCIDENT = "incident", _("Incident")
    REQUEST = "request", _("Request")
    PROBLEM = "problem", _("Problem")
    CHANGE = "change", _("Change")
    OTHER = "other", _("Other")


class Precision(models.TextChoices):
    EXACT = "exact", _("exact")
    POLLED = "polled", _("seen between two pulls")


class Sync(models.TextChoices):
    """The words of `data-sync`; empty = nothing under way."""

    NONE = "", ""
    PENDING = "pending", _("Pending")
    SENT = "sent", _("Sent")
    CHECKING = "checking", _("Checking")
    REFUSED = "refused", _("Refused")
