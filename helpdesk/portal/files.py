"""Hand a client's file over: always as a download, never into the page, and never into somebody else's script."""

from __future__ import annotations

from django.http import FileResponse

from helpdesk.actions.models import Attachment

PLAIN_TYPES = frozenset(
    {
        "application/pdf",
        "application/zip",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/csv",
        "text/plain",
    }
)


def download(attachment: Attachment) -> FileResponse:
    """Raises FileNotFoundError when the bytes are not where they should be."""
    kind = attachment.content_type if attachment.content_type in PLAIN_TYPES else "application/octet-stream"
    response = FileResponse(attachment.file.open("rb"), as_attachment=True, filename=attachment.name, content_type=kind)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
