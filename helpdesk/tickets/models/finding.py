"""How people find tickets again: their views, and the words that search reads."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from helpdesk.tickets.models.ticket import Ticket


class SavedView(models.Model):
    """A named set of filters, personal or shared."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="views"
    )
    """Null = shared with everybody."""
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    icon = models.CharField(max_length=30, default="star")
    sequence = models.PositiveSmallIntegerField(default=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["sequence", "name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_once")]

    def __str__(self) -> str:
        return self.name


class SearchText(models.Model):
    """Everything of a ticket that search reads; the database's own index hangs on this table."""

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="search_text")
    text = models.TextField()

    def __str__(self) -> str:
        return f"text of {self.ticket_id}"
