from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "helpdesk.core"

    def ready(self) -> None:
        from helpdesk.core import broker

        broker.install()
