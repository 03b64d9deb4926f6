"""What the PSA's own words suggest stands beside what counts here, so that a choice of ours can be taken back."""

from django.db import migrations, models
from django.db.models import F


def keep_what_counts(apps, schema_editor):
    """Whatever a pull has mapped was mapped as the words suggest; the rest comes with the next pull."""
    chosen = {"is_mapped": True, "is_edited": False}
    Status, Priority = apps.get_model("tickets", "Status"), apps.get_model("tickets", "Priority")
    Status.objects.filter(**chosen).update(suggested_category=F("category"), suggested_clock=F("sla_clock"))
    Priority.objects.filter(**chosen).update(suggested_rank=F("rank"))
    apps.get_model("tickets", "TicketType").objects.filter(is_mapped=True).update(suggested_kind=F("kind"))


class Migration(migrations.Migration):
    dependencies = [("tickets", "0007_configuration")]
    operations = [
        migrations.AddField("status", "suggested_category", models.CharField(blank=True, max_length=20)),
        migrations.AddField("status", "suggested_clock", models.CharField(blank=True, max_length=8)),
        migrations.AddField("priority", "suggested_rank", models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddField("tickettype", "is_edited", models.BooleanField(default=False)),
        migrations.AddField("tickettype", "suggested_kind", models.CharField(blank=True, max_length=10)),
        migrations.RunPython(keep_what_counts, migrations.RunPython.noop),
    ]
