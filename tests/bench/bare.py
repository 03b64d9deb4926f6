"""B, the unit of every figure: 50 rows of one indexed query with `select_related`, a plain template with dates.

A Django project of its own in one module, over the desk's tables: Django's default middleware as far as it works
without a session, `|date` where a list shows an instant, and nothing of the product.
"""

from __future__ import annotations

import os

import environ
from django.conf import settings

TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tickets</title></head><body><h1>Tickets</h1>
<table><thead><tr><th>Number</th><th>Subject</th><th>Client</th><th>Contact</th><th>Status</th><th>Priority</th>
<th>Owner</th><th>Opened</th><th>Updated</th><th>Due</th></tr></thead><tbody>
{% for ticket in tickets %}<tr data-ticket="{{ ticket.pk }}">
<td><a href="/{{ ticket.pk }}/">{{ ticket.number }}</a></td>
<td>{{ ticket.subject }}</td><td>{{ ticket.client.name }}</td>
<td>{{ ticket.contact.first_name }} {{ ticket.contact.last_name }}</td><td>{{ ticket.status.name }}</td>
<td>{{ ticket.priority.name }}</td><td>{{ ticket.agent.name|default:"" }}</td>
<td>{{ ticket.opened_at|date:"j M Y, H:i" }}</td><td>{{ ticket.last_activity_at|date:"j M Y, H:i" }}</td>
<td>{{ ticket.next_due_at|date:"j M Y, H:i" }}</td></tr>
{% endfor %}</tbody></table></body></html>
"""

if not settings.configured:
    settings.configure(
        SECRET_KEY=os.environ["SECRET_KEY"],
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=[],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        DATABASES={"default": {**environ.Env.db_url_config(os.environ["DATABASE_URL"]), "CONN_MAX_AGE": 600}},
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {"list.html": TEMPLATE})]},
            }
        ],
        USE_TZ=True,
        TIME_ZONE="Europe/London",
    )
    import django

    django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - models need the settings above
from django.db import models  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import path  # noqa: E402

ROWS = 50


def _table(name: str) -> type:
    return type("Meta", (), {"managed": False, "db_table": name, "app_label": "bare"})


class Client(models.Model):
    name = models.CharField(max_length=255)
    Meta = _table("directory_client")


class Contact(models.Model):
    first_name = models.CharField(max_length=120)
    last_name = models.CharField(max_length=120)
    Meta = _table("directory_contact")


class Agent(models.Model):
    name = models.CharField(max_length=120)
    Meta = _table("directory_agent")


class Status(models.Model):
    name = models.CharField(max_length=120)
    Meta = _table("tickets_status")


class Priority(models.Model):
    name = models.CharField(max_length=120)
    Meta = _table("tickets_priority")


class Ticket(models.Model):
    number = models.CharField(max_length=40)
    subject = models.CharField(max_length=255)
    client = models.ForeignKey(Client, null=True, on_delete=models.DO_NOTHING)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.DO_NOTHING)
    agent = models.ForeignKey(Agent, null=True, on_delete=models.DO_NOTHING)
    status = models.ForeignKey(Status, on_delete=models.DO_NOTHING)
    priority = models.ForeignKey(Priority, on_delete=models.DO_NOTHING)
    is_open = models.BooleanField()
    opened_at = models.DateTimeField()
    last_activity_at = models.DateTimeField()
    next_due_at = models.DateTimeField()
    Meta = _table("tickets_ticket")


def page(request: HttpRequest) -> HttpResponse:
    found = Ticket.objects.filter(is_open=True).select_related("client", "contact", "agent", "status", "priority")
    return render(request, "list.html", {"tickets": found.order_by("next_due_at", "id")[:ROWS]})


urlpatterns = [path("", page)]
application = get_wsgi_application()
