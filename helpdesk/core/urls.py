from __future__ import annotations

from django.urls import path

from helpdesk.core import views

app_name = "core"
urlpatterns = [
    path("i/<slug:digest>.svg", views.icon_sheet, name="icons"),
]
