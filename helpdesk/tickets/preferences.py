"""What a person arranges for themselves: columns, density, saved views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from helpdesk.accounts.models import User
from helpdesk.tickets.models import SavedView


@transaction.atomic
def set_preferences(*, user: User, values: Mapping[str, Any]) -> None:
    """Merge into the person's preferences; None takes a key out."""
    held = User.objects.select_for_update().get(pk=user.pk)
    merged = {**held.preferences, **values}
    held.preferences = {key: value for key, value in merged.items() if value is not None}
    held.save(update_fields=["preferences"])


@transaction.atomic
def save_ticket_view(*, owner: User | None, name: str, query: str) -> SavedView:
    """`owner` None = shared with everybody."""
    return SavedView.objects.create(owner=owner, name=name, query=query[:1000])


@transaction.atomic
def delete_saved_view(*, view: SavedView) -> None:
    view.delete()
