from __future__ import annotations

from django.urls import path

from helpdesk.reports import page_views, schedule_views, views

app_name = "reports"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("tickets/", views.tickets, name="tickets"),
    path("csv/", views.csv_file, name="csv"),
    path("xlsx/", views.xlsx_file, name="xlsx"),
    path("compliance/", page_views.compliance, name="compliance"),
    path("times/", page_views.times, name="times"),
    path("breaches/", page_views.breaches, name="breaches"),
    path("latest/", page_views.latest, name="latest"),
    path("workload/", page_views.workload, name="workload"),
    path("backlog/", page_views.backlog, name="backlog"),
    path("clients/", page_views.clients, name="clients"),
    path("clients/<int:pk>/", page_views.review, name="review"),
    path("files/<slug:page>.<slug:kind>", page_views.page_file, name="file"),
    path("schedules/", schedule_views.schedules, name="schedules"),
    path("schedules/new/", schedule_views.add, name="schedule_add"),
    path("schedules/<int:pk>/", schedule_views.edit, name="schedule"),
    *(
        path(f"schedules/<int:pk>/{what}/", schedule_views.act, {"what": what}, name=f"schedule_{what}")
        for what in ("pause", "resume", "send", "delete")
    ),
    path("schedules/sent/<int:pk>/retry/", schedule_views.retry, name="schedule_retry"),
]
