from django.db import models
from django.utils.translation import gettext_lazy as _


class ClockKind(models.TextChoices):
    RESPONSE = "response", _("Response")
    RESOLUTION = "resolution", _("Resolution")


class ClockState(models.TextChoices):
    """The words of `data-state`."""

    NOT_STARTED = "not_started", _("Not started")
    RUNNING = "running", _("On track")
    AT_RISK = "at_risk", _("At risk")
    PAUSED = "paused", _("Paused")
    MET = "met", _("Met")
    BREACHED = "breached", _("Breached")
