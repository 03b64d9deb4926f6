from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "helpdesk.core"

    def ready(self) -> None:
        from helpdesk.core import broker, instants

        broker.install()
        instants.install()
