"""Addresses under /tickets/, the one module with the name "tickets": the list here, one ticket's page beside it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, path

from helpdesk.desk import bulk_views, escalate_views, row_views
from helpdesk.tickets import views

app_name = "tickets"
urlpatterns: list[URLPattern] = [
    path("", views.ticket_list, name="list"),
    path("filters/", views.filter_options, name="filter_options"),
    path("columns/", views.choose_columns, name="columns"),
    path("views/", views.save_view, name="save_view"),
    path("views/<int:pk>/delete/", views.delete_view, name="delete_view"),
    path("bulk/", bulk_views.apply, name="bulk"),
    path("bulk/choose/escalate/", escalate_views.choose_many, name="bulk_escalate"),
    path("bulk/choose/<slug:field>/", bulk_views.choose, name="bulk_choose"),
    path("<int:pk>/preview/", row_views.preview, name="preview"),
    path("<int:pk>/choose/escalate/", escalate_views.one, name="escalate"),
    path("<int:pk>/choose/<slug:field>/", row_views.choose, name="choose"),
    path("<int:pk>/set/<slug:field>/", row_views.change, name="row_change"),
    path("<int:pk>/undo/", row_views.undo, name="undo"),
]
if find_spec("helpdesk.desk.ticket_urls"):
    # The ticket page's own addresses: `new`, `detail` and what hangs below it.
    urlpatterns += import_module("helpdesk.desk.ticket_urls").urlpatterns
