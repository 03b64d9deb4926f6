"""Who made a change and from where. Travels with every write; what came from a PSA is not sent back to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal["desk", "psa", "client", "system"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """`user_id` is the desk user; `name` is what people read ("Dana Whitlock", or the PSA's own name for them)."""

    place: Place
    name: str
    user_id: int | None = None
    contact_id: int | None = None

    @property
    def leaves(self) -> bool:
        """Whether the change must be sent to the PSA."""
        return self.place != "psa"

    @classmethod
    def desk(cls, user: object) -> Origin:
        """A signed-in member of staff."""
        return cls(place="desk", name=str(user), user_id=user.pk)  # type: ignore[attr-defined]

    @classmethod
    def client(cls, contact: object, user: object | None = None) -> Origin:
        """A client's contact, with or without sign-in."""
        return cls(
            place="client",
            name=str(contact),
            contact_id=contact.pk,  # type: ignore[attr-defined]
            user_id=getattr(user, "pk", None),
        )

    @classmethod
    def psa(cls, name: str) -> Origin:
        """Somebody in the PSA; `name` may be empty when it does not say who."""
        return cls(place="psa", name=name)

    @classmethod
    def system(cls, name: str = "") -> Origin:
        return cls(place="system", name=name)
