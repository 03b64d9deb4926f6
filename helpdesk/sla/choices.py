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


class OnChange(models.TextChoices):
    """From when a changed promise counts."""

    START = "start", _("from the ticket's start")
    CHANGE = "change", _("from the change, less what was used")


class OnReopen(models.TextChoices):
    RESUMES = "resumes", _("resolution goes on, the closed time as a pause")
    RESTARTS = "restarts", _("resolution starts anew")


class ResponseBy(models.TextChoices):
    """What counts as the first response."""

    MESSAGE = "message", _("the first message of staff that the client sees")
    PSA = "psa", _("as the PSA says")


class ClockSource(models.TextChoices):
    """Where the promise of a clock comes from."""

    POLICY = "policy", _("policy")
    DEFAULT = "default", _("usual targets")
    PSA = "psa", _("the PSA's date")
    HAND = "hand", _("corrected by hand")
    NONE = "none", _("nothing promised")


DATED = (ClockSource.PSA, ClockSource.HAND)
"""Clocks that go by a date that is simply given."""


class Difference(models.TextChoices):
    """Why our deadline and the PSA's are not the same."""

    CALENDAR = "calendar", _("other opening hours")
    TARGET = "target", _("another target")
    PAUSE = "pause", _("other pauses")
    RESPONSE = "response", _("another first response")
    HAND = "hand", _("edited by hand")
    UNKNOWN = "unknown", _("reason unknown")


class Problem(models.TextChoices):
    """Why a clock cannot say when it is due."""

    NEVER_OPEN = "never_open", _("its calendar is never open")
    NO_TARGET = "no_target", _("its policy has no target for this priority")
    NO_ZONE = "no_zone", _("its calendar's time zone is unknown")
