from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from helpdesk.desk.demo import connect_words, give_policy, map_words, unconnected
from helpdesk.directory.models import PsaAccount


class Command(BaseCommand):
    help = "Connects the demo's PSA accounts to a sandbox, only with DEMO=1. Those that stand there already are left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sandbox", required=True, help="address of the sandbox, for example http://127.0.0.1:8100"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo accounts exist only while DEMO is on.")
        known = dict(PsaAccount.objects.values_list("name", "url"))
        for account in unconnected(options["sandbox"], known):
            call_command("connect", *connect_words(options["sandbox"], account), stdout=self.stdout)
            map_words(account)
            give_policy(account)
