"""The Celery app and the only schedule. A task is a doorbell: the job itself is a row in the database."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

app = Celery("helpdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "push what is due, and what a lost message left behind": {"task": "sync.push_due", "schedule": 2.0},
    "pull every account that is due": {"task": "sync.pull_due", "schedule": 1.0},
    "fold changed days into report rows": {"task": "reports.aggregate", "schedule": 30.0},
    "mail the reports that are due": {"task": "reports.send_due", "schedule": 60.0},
    "tick the clocks that pass an edge": {"task": "tickets.tick_clocks", "schedule": 5.0},
    "let open tickets follow a changed promise": {"task": "tickets.follow_promises", "schedule": 10.0},
    "mail what is due, and what a lost message left behind": {"task": "portal.mail_due", "schedule": 5.0},
    "tell of clocks that pass a threshold or a level": {"task": "actions.raise_alerts", "schedule": 30.0},
    "tell of what nobody owns or answers": {"task": "actions.look_at_standing", "schedule": 30.0},
    "count what planned promises would move": {"task": "desk.count_planned", "schedule": 5.0},
    "feed public holidays that are due": {"task": "desk.feed_holidays", "schedule": 3600.0},
    "clean texts with an old cleaner": {"task": "actions.clean_texts", "schedule": 60.0},
    "drop drafts and files nobody sent": {"task": "actions.sweep_drafts", "schedule": 3600.0},
}


@worker_init.connect
def _make_folders(**_: object) -> None:
    for name in ("data_folder_in", "control_folder"):
        folder = (app.conf.broker_transport_options or {}).get(name)
        if folder:
            os.makedirs(folder, exist_ok=True)
