from django.db import models
from django.utils.translation import gettext_lazy as _


class Health(models.TextChoices):
    """What the dot in the frame says."""

    OK = "ok", _("Working")
    SLOW = "slow", _("Slow")
    DOWN = "down", _("Not answering")


class Mailer(models.TextChoices):
    """Who writes the mail to the client."""

    PSA = "psa", _("the PSA")
    DESK = "desk", _("this desk")
    OFF = "off", _("nobody")


class Colour(models.TextChoices):
    """Colours of accounts. None of them is one of a state; each is readable on every ground, light and dark."""

    TEAL = "teal", _("Teal")
    PINK = "pink", _("Pink")
    OLIVE = "olive", _("Olive")
    BROWN = "brown", _("Brown")
    CYAN = "cyan", _("Cyan")
    PLUM = "plum", _("Plum")
    MOSS = "moss", _("Moss")
    SLATE = "slate", _("Slate")
