from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from helpdesk.core.errors import Refused
from helpdesk.desk.demo import create_demo_people
from helpdesk.directory.models import PsaAccount


class Command(BaseCommand):
    help = "Creates the demo's people, only with DEMO=1. The last line is JSON: people, and PSA accounts with address."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            users = create_demo_people(now=timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        accounts = dict(PsaAccount.objects.values_list("name", "url"))
        self.stdout.write(json.dumps({"people": [u.email for u in users], "accounts": accounts}))
