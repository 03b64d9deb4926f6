"""Tickets whose messages are here already get their first answer from them, and clocks worked out by promises."""

from typing import Any

from django.db import migrations
from django.db.models import Min, OuterRef, Q, Subquery
from django.utils import timezone


def forwards(apps: Any, _schema_editor: Any) -> None:
    tickets, actions = apps.get_model("tickets", "Ticket"), apps.get_model("actions", "Action")
    if not tickets.objects.exists():
        return
    person = Q(author_agent__isnull=False) | Q(author_user__isnull=False)
    answers = actions.objects.filter(
        person, ticket=OuterRef("pk"), is_internal=False, is_from_client=False, removed_at=None
    ).exclude(kind="system")
    first = answers.order_by().values("ticket").annotate(at=Min("occurred_at")).values("at")
    tickets.objects.filter(actions_pulled_at__isnull=False).update(answered_at=Subquery(first))
    apps.get_model("tickets", "ClockJob").objects.update_or_create(
        pk=1, defaults={"requested_at": timezone.now(), "total": tickets.objects.filter(is_open=True).count()}
    )


class Migration(migrations.Migration):
    dependencies = [("tickets", "0012_clock_jobs"), ("actions", "0009_escalation_rules")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
