from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from helpdesk.desk.run_demo import run
from helpdesk.desk.supervisor import say_to


class Command(BaseCommand):
    help = "Runs the demo: desk, worker, beat and sandbox, until Ctrl-C. This is what `make run` calls."
    # The settings may still be without a key here: the first run makes it.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        code = run(
            root=settings.BASE_DIR,
            var=settings.VAR_ROOT,
            environ=os.environ,
            say=say_to(sys.stdout),
            now=timezone.now(),
        )
        sys.exit(code)
