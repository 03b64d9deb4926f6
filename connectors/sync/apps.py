from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "connectors.sync"
    label = "sync"
