"""Clocks are told of from now on where tickets were here before they were: what passed until then is no news."""

from django.db import migrations
from django.utils import timezone


def begin(apps, schema_editor):
    PsaAccount, Ticket = apps.get_model("directory", "PsaAccount"), apps.get_model("tickets", "Ticket")
    Escalation = apps.get_model("actions", "Escalation")
    if Escalation.objects.exclude(trigger="person").exists():
        return
    for account in PsaAccount.objects.all():
        if Ticket.objects.filter(psa_account=account).exists():
            account.settings = {**account.settings, "alerts_from": timezone.now().isoformat()}
            account.save(update_fields=["settings"])


class Migration(migrations.Migration):
    dependencies = [
        ("actions", "0011_escalation_looks"), ("directory", "0006_client_groups"), ("tickets", "0014_earlier_cycles"),
    ]  # fmt: skip
    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
