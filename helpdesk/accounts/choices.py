from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    DISPATCHER = "dispatcher", _("Dispatcher")
    AGENT = "agent", _("Technician")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Administrator")
    CLIENT = "client", _("Client")


STAFF = frozenset({Role.DISPATCHER, Role.AGENT, Role.MANAGER, Role.ADMIN})
