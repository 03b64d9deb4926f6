"""What is done to people: made, changed, shut out; and the record of who did what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.choices import Role
from helpdesk.accounts.models import AuditEntry, User
from helpdesk.core import live
from helpdesk.core.errors import Refused


def record_audit(
    *,
    user: User | None = None,
    actor: str = "",
    verb: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
    now: datetime,
    request_id: str = "",
) -> AuditEntry:
    """One line of who did what. `subject` is a kind and a key: `ticket:12`, `person:4`."""
    return AuditEntry.objects.create(
        at=now,
        user=user,
        actor=actor or (str(user) if user else ""),
        verb=verb,
        subject=subject,
        detail=dict(detail or {}),
        request_id=request_id,
    )


@transaction.atomic
def create_person(
    *, email: str, name: str, role: str, time_zone: str = "", by: User, now: datetime, request_id: str = ""
) -> User:
    """Somebody who may sign in, by mailed code or single sign-on: no password is set."""
    email = email.strip().lower()
    if User.objects.filter(email=email).exists():
        raise Refused({"email": _("Somebody with this e-mail is here already.")})
    person = User.objects.create_user(email, None, name=name.strip(), role=role, time_zone=time_zone, date_joined=now)
    record_audit(
        user=by, verb="person.create", subject=f"person:{person.pk}", detail={"email": email, "role": role}, now=now,
        request_id=request_id,
    )  # fmt: skip
    return person


@transaction.atomic
def change_person(
    *,
    person: User,
    by: User,
    now: datetime,
    name: str | None = None,
    role: str | None = None,
    time_zone: str | None = None,
    request_id: str = "",
) -> User:
    """Change who somebody is here. None leaves a field. Another role ends open sessions and live pages."""
    person = User.objects.select_for_update().get(pk=person.pk)
    wanted = {"name": name, "role": role, "time_zone": time_zone}
    changed = {field: value for field, value in wanted.items() if value is not None and getattr(person, field) != value}
    if not changed:
        return person
    if "role" in changed and person.role == Role.ADMIN:
        _keep_an_admin(person, "role")
    before = {field: getattr(person, field) for field in changed}
    for field, value in changed.items():
        setattr(person, field, value)
    person.save(update_fields=[*changed])
    record_audit(
        user=by, verb="person.change", subject=f"person:{person.pk}", detail={"before": before, "after": changed},
        now=now, request_id=request_id,
    )  # fmt: skip
    if "role" in changed:
        _shut_out(person, now)
    return person


@transaction.atomic
def deactivate_person(*, person: User, by: User, now: datetime, request_id: str = "") -> User:
    """End somebody's access now: sign-in, open sessions, live pages. What they did stays under their name."""
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.is_active:
        return person
    if person.pk == by.pk:
        raise Refused({"is_active": _("You cannot end your own access: ask another administrator.")})
    if person.role == Role.ADMIN:
        _keep_an_admin(person, "is_active")
    person.is_active = False
    person.save(update_fields=["is_active"])
    record_audit(user=by, verb="person.deactivate", subject=f"person:{person.pk}", now=now, request_id=request_id)
    _shut_out(person, now)
    return person


@transaction.atomic
def activate_person(*, person: User, by: User, now: datetime, request_id: str = "") -> User:
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.is_active:
        return person
    person.is_active = True
    person.save(update_fields=["is_active"])
    record_audit(user=by, verb="person.activate", subject=f"person:{person.pk}", now=now, request_id=request_id)
    return person


@transaction.atomic
def save_preferences(*, user: User, values: Mapping[str, Any]) -> User:
    """Merge into what this person arranged; an empty value goes back to the default."""
    user = User.objects.select_for_update().get(pk=user.pk)
    merged = {**user.preferences, **values}
    user.preferences = {key: value for key, value in merged.items() if value not in ("", None)}
    user.save(update_fields=["preferences"])
    return user


def _keep_an_admin(person: User, field: str) -> None:
    others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=person.pk)
    if not others.exists():
        raise Refused({field: _("This is the only administrator: name another one first.")})


def _shut_out(person: User, now: datetime) -> None:
    def out() -> None:
        live.revoke(person.pk)
        end_sessions(user_id=person.pk, now=now)

    transaction.on_commit(out)


def end_sessions(*, user_id: int, now: datetime) -> int:
    """Sign somebody out everywhere; how many sessions that were. Reads every open session: for rare moments."""
    ended = 0
    for session in Session.objects.filter(expire_date__gt=now).iterator():
        if str(session.get_decoded().get(SESSION_KEY)) == str(user_id):
            SessionStore(session.session_key).delete()
            ended += 1
    return ended


PREFERENCES = ("theme", "density")
"""What of the personal form lives in `User.preferences`; the rest has columns."""


@transaction.atomic
def change_personal(*, user: User, values: Mapping[str, Any]) -> User:
    """What somebody says about themselves; names that are missing stay as they are."""
    user = User.objects.select_for_update().get(pk=user.pk)
    columns = [name for name in ("name", "time_zone", "language", "hold_seconds") if name in values]
    for name in columns:
        setattr(user, name, values[name])
    kept = {**user.preferences, **{name: values[name] for name in PREFERENCES if name in values}}
    user.preferences = {key: value for key, value in kept.items() if value not in ("", None)}
    user.save(update_fields=[*columns, "preferences"])
    return user
