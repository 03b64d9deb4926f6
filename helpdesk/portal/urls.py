from __future__ import annotations

from django.urls import path

from helpdesk.portal import link_views, views

app_name = "portal"
urlpatterns = [
    path("status/<str:token>/", views.status, name="status"),
    path("status/<str:token>/answer/", views.status_answer, name="status_answer"),
    path("status/<str:token>/files/<int:pk>/", views.status_file, name="status_file"),
    path("portal/", views.index, name="index"),
    path("portal/tickets/<int:pk>/", views.detail, name="ticket"),
    path("portal/tickets/<int:pk>/answer/", views.answer, name="answer"),
    path("portal/files/<int:pk>/", views.file, name="file"),
    path("portal/links/tickets/<int:pk>/", link_views.link_create, name="link_create"),
    path("portal/links/clients/<int:pk>/", link_views.client_link_create, name="client_link_create"),
    path("portal/links/<int:pk>/revoke/", link_views.link_revoke, name="link_revoke"),
]
