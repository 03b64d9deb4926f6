from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    NOTE = "note", _("Note")
    REPLY = "reply", _("Reply")
    CALL = "call", _("Call")
    VISIT = "visit", _("Visit")
    SYSTEM = "system", _("System")


class FileState(models.TextChoices):
    """Where an attachment's bytes are."""

    STORED = "stored", _("Here")
    REMOTE = "remote", _("In the PSA")
    FETCHING = "fetching", _("Being fetched")
    FAILED = "failed", _("Could not be fetched")


class Occasion(models.TextChoices):
    """Why the client is mailed; the keys of an account's `client_mail`."""

    ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement")
    REPLY = "reply", _("Reply")
    STATUS = "status", _("Solved or closed")
    ESCALATION = "escalation", _("Escalation, to our own people")


class MailState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Not sent")


class Assigns(models.TextChoices):
    """Whom a macro gives the ticket to."""

    STAYS = "", _("Stays as it is")
    ME = "me", _("Who runs the macro")
    PERSON = "person", _("A person")


class Trigger(models.TextChoices):
    """What escalated a ticket."""

    PERSON = "person", _("Escalated by a person")
    BREACH = "breach", _("SLA breached")
    THRESHOLD = "threshold", _("Much of the target is used")
    STALE = "stale", _("Client has not answered")
    UNASSIGNED = "unassigned", _("Critical without an owner")


class Way(models.TextChoices):
    """How a person wants to hear of an escalation."""

    DESK = "desk", _("In the desk")
    MAIL = "mail", _("By mail")
    BOTH = "both", _("In the desk and by mail")
    NONE = "none", _("Not at all")
