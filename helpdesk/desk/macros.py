"""Macros as they are kept: made, changed, switched off. Nothing is deleted; what is off is offered to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.services import record_audit
from helpdesk.actions.models import Macro
from helpdesk.core.errors import Refused


@transaction.atomic
def save_macro(
    *, macro: Macro | None, values: Mapping[str, Any], by: User, now: datetime, request_id: str = ""
) -> Macro:
    """Make one, or change this one. Raises Refused when the name is taken."""
    verb = "macro.change" if macro else "macro.add"
    kept = macro or Macro()
    changed = {n: v for n, v in values.items() if getattr(kept, n) != v}
    for name, value in changed.items():
        setattr(kept, name, value)
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError as error:
        raise Refused({"name": _("There is a macro of this name.")}) from error
    if changed:
        _record(kept, verb, by, now, request_id, changed)
    return kept


@transaction.atomic
def switch_macro(*, macro: Macro, is_active: bool, by: User, now: datetime, request_id: str = "") -> None:
    if macro.is_active == is_active:
        return
    macro.is_active = is_active
    macro.save(update_fields=["is_active"])
    _record(macro, "macro.on" if is_active else "macro.off", by, now, request_id, {})


def _record(macro: Macro, verb: str, by: User, now: datetime, request_id: str, changed: Mapping[str, Any]) -> None:
    detail = {"name": macro.name, **{n: str(v)[:200] for n, v in changed.items() if v is not None}}
    record_audit(user=by, verb=verb, subject=f"macro:{macro.pk}", detail=detail, now=now, request_id=request_id)
