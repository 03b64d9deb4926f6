"""What the floor serves itself: the sheet of icons."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from helpdesk.core import icons


@require_GET
def icon_sheet(request: HttpRequest, digest: str) -> HttpResponse:
    """The sheet under the address of its content, kept for a year; under an older one, so that old pages keep theirs,
    kept for a minute."""
    response = HttpResponse(icons.sheet(), content_type="image/svg+xml")
    is_current = digest == icons.digest()
    response["Cache-Control"] = "public, max-age=31536000, immutable" if is_current else "public, max-age=60"
    return response
