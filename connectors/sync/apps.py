from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "connectors.sync"
    label = "sync"

    def ready(self) -> None:
        from connectors.sync import receivers  # noqa: F401
