"""Alive, ready, and figures for Prometheus."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from kombu.exceptions import OperationalError

from helpdesk.desk.demo import ACCOUNTS
from helpdesk.desk.gauges import exposition, first_pull

BROKER_PATIENCE_SECONDS = 2
LOOPBACK = frozenset({"127.0.0.1", "::1"})
PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
_migrated: set[str] = set()
"""Databases that this process has seen fully migrated: that does not change under a running process."""


@require_GET
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok", content_type="text/plain")


@require_GET
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 once the desk can serve, else 503; the body names what is missing."""
    missing: list[str] = []
    pull: list[dict[str, Any]] = []
    try:
        if not _is_migrated():
            missing.append("migrations")
        elif settings.DEMO:
            pull = first_pull()
            missing += [f"open tickets of {row['account']}" for row in pull if not row["is_done"]]
            here = {row["account"] for row in pull}
            missing += [f"PSA account {one.name}" for one in ACCOUNTS if one.name not in here]
    except DatabaseError:
        missing.append("database")
    if not _is_broker_there():
        missing.append("broker")
    body = {"ready": not missing, "missing": missing} | ({"pull": pull} if settings.DEMO else {})
    response = JsonResponse(body, status=503 if missing else 200)
    response["Cache-Control"] = "no-store"
    return response


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for who brings METRICS_TOKEN, or calls from this very machine without a proxy between."""
    if not _may_read_metrics(request):
        return HttpResponse(status=404)
    return HttpResponse(exposition(timezone.now()), content_type="text/plain; version=0.0.4; charset=utf-8")


def _is_migrated() -> bool:
    if connection.alias in _migrated:
        connection.ensure_connection()
        return True
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    _migrated.add(connection.alias)
    return True


def _is_broker_there() -> bool:
    folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("data_folder_out")
    if folder:
        return _is_writable(Path(str(folder)))
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_PATIENCE_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_PATIENCE_SECONDS)
    except (OperationalError, OSError):
        return False
    return True


def _is_writable(folder: Path) -> bool:
    """Whether messages can be laid there; the folder itself is made by whoever comes first."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK)


def _may_read_metrics(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    is_passed_on = any(name in request.headers for name in PROXY_HEADERS)
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not is_passed_on
