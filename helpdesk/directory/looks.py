"""How accounts are told apart at a glance: a colour of their own beside the PSA's mark, and where several are of one
kind a letter or two, for nobody should have to tell colours."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.core.errors import Refused
from helpdesk.directory.choices import Colour
from helpdesk.directory.models import PsaAccount


def give_look(account: PsaAccount, title: str) -> None:
    """A new account's title, colour and letters, unsaved. One of its kind that has no letters yet gets some, too."""
    others = list(PsaAccount.objects.exclude(pk=account.pk))
    account.colour = next_colour([one.colour for one in others])
    kin = [one for one in others if one.kind == account.kind]
    account.title = title if title.lower() not in {one.title.lower() for one in others} else f"{title} {account.name}"
    account.title = account.title[:60]
    if not kin:
        return
    for one in kin:
        if not one.code:
            one.code = letters(one.name, [k.code for k in kin])
            one.save(update_fields=["code"])
    account.code = letters(account.name, [one.code for one in kin])


def next_colour(taken: Collection[str]) -> str:
    """The one that fewest accounts have."""
    return min(Colour.values, key=lambda one: list(taken).count(one))


def letters(name: str, taken: Collection[str]) -> str:
    """One or two letters of the short name that the others do not have: "S" for "main-south"."""
    words = [word for word in name.upper().replace("_", "-").split("-") if word]
    last = words[-1] if words else "A"
    pairs = [last[0], *(last[0] + other for other in last[1:]), *(f"{last[0]}{n}" for n in range(1, 10))]
    return next((one for one in pairs if one not in taken), last[0])


@transaction.atomic
def change_look(*, account: PsaAccount, title: str, colour: str, code: str) -> dict[str, str]:
    """Store how an account is shown. Gives what has changed. Raises Refused by field."""
    row = PsaAccount.objects.select_for_update().get(pk=account.pk)
    others = PsaAccount.objects.exclude(pk=row.pk)
    errors = {}
    if others.filter(title__iexact=title).exists():
        errors["title"] = _("Another account is called that.")
    if code and others.filter(kind=row.kind, code__iexact=code).exists():
        errors["code"] = _("Another account of this PSA has these letters.")
    if errors:
        raise Refused(errors)
    wanted = {"title": title, "colour": colour, "code": code.upper()}
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.save(update_fields=[*changed])
    return changed
