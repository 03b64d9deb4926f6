"""Addresses below `/settings/sla/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from helpdesk.desk import sla_calendar_views, sla_policy_views, sla_use_views, sla_views

urlpatterns: list[URLPattern] = [
    path("", sla_views.policies, name="sla"),
    path("shown/", sla_views.shown, name="sla_shown"),
    path("previews/<int:pk>/", sla_views.preview, name="sla_preview"),
    path("progress/", sla_views.progress, name="sla_progress"),
    path("policies/add/", sla_policy_views.policy_add, name="sla_policy_add"),
    path("policies/<int:pk>/", sla_policy_views.policy, name="sla_policy"),
    path("policies/<int:pk>/take/", sla_policy_views.policy_take, name="sla_policy_take"),
    path("policies/<int:pk>/archive/", sla_policy_views.policy_archive, name="sla_policy_archive"),
    path("policies/<int:pk>/restore/", sla_policy_views.policy_restore, name="sla_policy_restore"),
    path("calendars/", sla_views.calendars, name="sla_calendars"),
    path("calendars/add/", sla_calendar_views.calendar_add, name="sla_calendar_add"),
    path("calendars/<int:pk>/", sla_calendar_views.calendar, name="sla_calendar"),
    path("calendars/<int:pk>/take/", sla_calendar_views.calendar_take, name="sla_calendar_take"),
    path("calendars/<int:pk>/archive/", sla_calendar_views.calendar_archive, name="sla_calendar_archive"),
    path("calendars/<int:pk>/restore/", sla_calendar_views.calendar_restore, name="sla_calendar_restore"),
    path("uses/", sla_use_views.uses, name="sla_uses"),
    path("uses/<slug:who>/<int:key>/", sla_use_views.use, name="sla_use"),
]
