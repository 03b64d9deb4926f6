"""A helpdesk in front of the PSA systems of a managed service provider."""

from helpdesk.celery import app as celery_app

__all__ = ["celery_app"]
