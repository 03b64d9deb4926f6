"""All addresses, with the reports' own where the project has not wired them yet."""

from __future__ import annotations

from django.urls import include, path

from helpdesk.urls import urlpatterns as known

urlpatterns = [path("reports/", include("helpdesk.reports.urls")), *known]
