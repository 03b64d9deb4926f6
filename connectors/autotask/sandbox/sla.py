"""The tenant's SLA: due dates by priority, round the clock; waiting that stops it; the results row of a ticket."""

from __future__ import annotations

import sqlite3

from connectors.autotask.sandbox.fields import Row
from connectors.autotask.sandbox.profiles import COMPLETE, HOUR_MS, Profile
from connectors.autotask.sandbox.tenant import change, put

SLA_NAME = "Standard SLA"


def due_dates(profile: Profile, priority: int, start: int) -> tuple[int, int]:
    """(first response due, resolution due) without any waiting."""
    response, resolution = profile.targets.get(priority) or profile.targets[profile.priority(3)]
    return start + round(response * HOUR_MS), start + round(resolution * HOUR_MS)


def start(profile: Profile, row: Row) -> None:
    """Due dates of a new ticket; its own `dueDateTime` stays when it was given."""
    response, resolution = due_dates(profile, row["priority"], row["createDate"])
    row["firstResponseDueDateTime"], row["resolvedDueDateTime"] = response, resolution
    row["resolutionPlanDueDateTime"] = resolution
    if row.get("dueDateTime") is None:
        row["dueDateTime"] = resolution


def retarget(profile: Profile, row: Row, priority: int) -> None:
    """Another priority: due dates move by the difference; a due date of one's own stays."""
    old, new = due_dates(profile, row["priority"], 0), due_dates(profile, priority, 0)
    own = row["dueDateTime"] != row["resolvedDueDateTime"]
    names = ("firstResponseDueDateTime", "resolvedDueDateTime", "resolutionPlanDueDateTime")
    for name, by in zip(names, (new[0] - old[0], new[1] - old[1], new[1] - old[1]), strict=True):
        if row[name] is not None:
            row[name] += by
    if not own:
        row["dueDateTime"] = row["resolvedDueDateTime"]
    row["priority"] = priority


def enter(profile: Profile, row: Row, status: int, now: int, by: int | None) -> None:
    """Move a ticket into a status: waiting starts or ends, completion and first response are noted."""
    row["status"] = status
    if status in profile.paused:
        if row["heldSince"] is None:
            row["heldSince"] = now
            left = (row["resolvedDueDateTime"] or now) - now
            row["serviceLevelAgreementPausedNextEventHours"] = round(left / HOUR_MS, 4)
    else:
        release(row, now)
    if status == COMPLETE:
        if row["completedDate"] is None:
            row["completedDate"] = row["resolvedDateTime"] = now
            row["completedByResourceID"] = by
            respond(row, now, by)
            row["serviceLevelAgreementHasBeenMet"] = int(_met(row["resolvedDateTime"], row["resolvedDueDateTime"]))
    elif row["completedDate"] is not None:
        shift(row, now - row["completedDate"])
        row.update(completedDate=None, resolvedDateTime=None, completedByResourceID=None)
        row["serviceLevelAgreementHasBeenMet"] = None
    if status == profile.in_progress:
        respond(row, now, by)


def release(row: Row, now: int) -> None:
    """End a wait: what is still due moves by the time waited."""
    if row["heldSince"] is None:
        return
    held = max(0, now - row["heldSince"])
    row["heldSince"], row["serviceLevelAgreementPausedNextEventHours"] = None, None
    row["heldMs"] = (row["heldMs"] or 0) + held
    shift(row, held)


def shift(row: Row, by: int) -> None:
    own = row["dueDateTime"] != row["resolvedDueDateTime"]
    for name in ("resolvedDueDateTime", "resolutionPlanDueDateTime"):
        if row[name] is not None:
            row[name] += by
    if row["firstResponseDueDateTime"] is not None and row["firstResponseDateTime"] is None:
        row["firstResponseDueDateTime"] += by
    if not own:
        row["dueDateTime"] = row["resolvedDueDateTime"]


def respond(row: Row, now: int, by: int | None) -> None:
    """The first response, when there was none."""
    if row["firstResponseDateTime"] is None and by is not None:
        row["firstResponseDateTime"] = now
        row["firstResponseInitiatingResourceID"] = by
        row["firstResponseAssignedResourceID"] = row["assignedResourceID"]


def _met(done: int | None, due: int | None) -> bool:
    return done is not None and (due is None or done <= due)


def result(row: Row) -> Row:
    """The row of ServiceLevelAgreementResults of a ticket; hours are net of waiting."""
    began, answered, done = row["createDate"], row["firstResponseDateTime"], row["resolvedDateTime"]
    net = None if done is None else max(0, done - began - (row["heldMs"] or 0))
    return {
        "serviceLevelAgreementName": SLA_NAME, "ticketID": row["id"],
        "firstResponseElapsedHours": None if answered is None else round((answered - began) / HOUR_MS, 4),
        "isFirstResponseMet": None if answered is None else int(_met(answered, row["firstResponseDueDateTime"])),
        "firstResponseResourceID": row["firstResponseAssignedResourceID"],
        "firstResponseInitiatingResourceID": row["firstResponseInitiatingResourceID"],
        "resolutionElapsedHours": None if net is None else round(net / HOUR_MS, 4),
        "isResolutionMet": None if done is None else int(_met(done, row["resolvedDueDateTime"])),
        "resolutionResourceID": row["completedByResourceID"],
    }  # fmt: skip


def save_result(conn: sqlite3.Connection, row: Row) -> None:
    """Write the results row of a ticket that has an SLA."""
    if row["serviceLevelAgreementID"] is None:
        return
    old = conn.execute("SELECT id FROM at_sla_results WHERE ticketID = ?", (row["id"],)).fetchone()
    if old is None:
        put(conn, "at_sla_results", result(row))
    else:
        change(conn, "at_sla_results", old["id"], result(row))
