"""Alive, ready, and figures for Prometheus."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def metrics(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=404)
