"""Stands before allauth's own addresses, and closes those that are not offered here."""

from __future__ import annotations

from django.urls import path, re_path

from helpdesk.accounts import views

app_name = "accounts"
urlpatterns = [
    path("email/", views.closed, name="email"),
    path("confirm-email/", views.closed, name="confirm_email_sent"),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", views.closed, name="confirm_email"),
    path("signup/", views.closed, name="signup"),
    path("3rdparty/signup/", views.closed, name="signup_elsewhere"),
    path("social/signup/", views.closed, name="signup_elsewhere_old"),
]
