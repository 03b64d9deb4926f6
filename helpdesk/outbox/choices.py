from django.db import models
from django.utils.translation import gettext_lazy as _


class Verb(models.TextChoices):
    CREATE_TICKET = "create_ticket", _("create the ticket")
    UPDATE_TICKET = "update_ticket", _("change the ticket")
    CREATE_ACTION = "create_action", _("add the action")
    UPLOAD_FILE = "upload_file", _("upload the file")
    CREATE_CONFIG = "create_config", _("create the setting")
    UPDATE_CONFIG = "update_config", _("change the setting")
    DELETE_CONFIG = "delete_config", _("delete the setting")


class State(models.TextChoices):
    WAITING = "waiting", _("Pending")
    SENDING = "sending", _("Pending")
    CHECKING = "checking", _("Checking")
    REFUSED = "refused", _("Refused")
    DONE = "done", _("Sent")
    DISCARDED = "discarded", _("Discarded")


UNFINISHED = (State.WAITING, State.SENDING, State.CHECKING)
OPEN = (*UNFINISHED, State.REFUSED)

SYNC = {
    State.WAITING: "pending",
    State.SENDING: "pending",
    State.CHECKING: "checking",
    State.REFUSED: "refused",
    State.DONE: "sent",
    State.DISCARDED: "",
}
"""An item's state in the words of `data-sync`."""


class Reason(models.TextChoices):
    """Why a person is needed."""

    VALIDATION = "validation", _("the PSA refused it")
    CONFLICT = "conflict", _("somebody changed it there")
    AUTH = "auth", _("the PSA does not let us")
    GONE = "gone", _("it is no longer there")
