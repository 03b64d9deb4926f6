from __future__ import annotations

from django.urls import path

from helpdesk.reports import views

app_name = "reports"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("tickets/", views.tickets, name="tickets"),
    path("csv/", views.csv_file, name="csv"),
]
