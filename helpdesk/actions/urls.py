from __future__ import annotations

from django.urls import path

from helpdesk.actions import views

app_name = "actions"
urlpatterns = [
    path("files/", views.upload, name="upload"),
    path("files/<int:pk>/", views.download, name="download"),
    path("files/<int:pk>/preview/", views.preview, name="preview"),
    path("files/<int:pk>/image/", views.thumb, name="image"),
    path("files/<int:pk>/fetch/", views.fetch, name="fetch"),
    path("files/<int:pk>/remove/", views.remove, name="remove"),
    path("tickets/<int:pk>/images/<slug:reference>/", views.inline_image, name="inline_image"),
]
