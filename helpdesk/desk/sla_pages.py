"""What the pages of the SLA settings share: looking before saving, and how far the tickets have followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from helpdesk.accounts.requests import SignedIn
from helpdesk.desk import sla_planning
from helpdesk.sla.models import PlannedChange
from helpdesk.tickets import clock_jobs


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Whether this press saves; if not, what the page shows of what saving would do."""

    may_save: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)


def look(request: SignedIn, content: Mapping[str, Any], *, now: datetime, is_old: bool = False) -> Looked:
    """Saving is for what was looked at: for exactly this content, or for what moves no ticket.

    `is_old`: somebody saved another version since the form was opened. It is looked at once more then, whatever it
    moves: saving puts this form in the place of what they said.
    """
    is_saving = request.POST.get("verb") == "save" and not is_old
    seen = request.POST.get("seen", "")
    digest = sla_planning.digest_of(content)
    moves_nothing = sla_planning.moves_nothing(content)
    if is_saving and (moves_nothing or seen == digest):
        return Looked(may_save=True)
    if moves_nothing:
        return Looked(context={"moves_nothing": True, "digest": digest, "is_old": is_old})
    job = sla_planning.plan(content=content, user=request.user, now=now)
    return Looked(context={"is_stale": is_saving and bool(seen), "is_old": is_old, **preview_context(job)})


def preview_context(job: PlannedChange) -> dict[str, Any]:
    return {"planned": job, "digest": job.digest, "examples": sla_planning.examples_of(job)}


def following(request: SignedIn) -> dict[str, Any]:
    """How far the open tickets have followed the last change."""
    return {"job": clock_jobs.progress()}
