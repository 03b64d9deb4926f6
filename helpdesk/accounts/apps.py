from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "helpdesk.accounts"

    def ready(self) -> None:
        from helpdesk.accounts import receivers  # noqa: F401
