"""Closed doors of allauth: what would let people name themselves somebody else."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET


@require_GET
def closed(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
    """An e-mail ties a person to agents and contacts of the PSAs: only an administrator says whose it is."""
    raise Http404
