"""What every template may ask for. Everything is late: a page pays for what it shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from helpdesk.desk.frame import Frame


def frame(request: HttpRequest) -> dict[str, Any]:
    """`frame` (see desk.frame), `organisation` and `now`; a view's own `now` comes first."""
    now = timezone.now()
    shown = Frame(request, now)
    return {"frame": shown, "organisation": SimpleLazyObject(lambda: shown.organisation), "now": now}
