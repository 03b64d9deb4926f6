from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "helpdesk.tickets"

    def ready(self) -> None:
        from helpdesk.tickets import receivers  # noqa: F401
