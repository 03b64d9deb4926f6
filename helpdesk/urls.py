"""Addresses. `connectors.sync` is wired by name; nothing in helpdesk imports it."""

from __future__ import annotations

from django.urls import include, path

from helpdesk.desk import ops

urlpatterns = [
    path("healthz", ops.healthz, name="healthz"),
    path("readyz", ops.readyz, name="readyz"),
    path("metrics", ops.metrics, name="metrics"),
    path("", include("helpdesk.core.urls")),
    path("", include("helpdesk.desk.urls")),
    path("tickets/", include("helpdesk.desk.ticket_routes")),
    path("", include("helpdesk.actions.urls")),
    path("reports/", include("helpdesk.reports.urls")),
    path("", include("helpdesk.portal.urls")),
    path("", include("connectors.sync.urls")),
    path("accounts/", include("helpdesk.accounts.urls")),
    path("accounts/", include("allauth.urls")),
]
