from django.apps import AppConfig


class ActionsConfig(AppConfig):
    name = "helpdesk.actions"

    def ready(self) -> None:
        from helpdesk.actions import receivers  # noqa: F401
