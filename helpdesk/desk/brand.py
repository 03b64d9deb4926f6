"""The MSP's own name and colour, and the small sheet that carries the colour to client pages.

Contrast is WCAG's: relative luminance, ratio from 1 to 21.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from django.core.cache import cache

from helpdesk.directory.models import Organisation

KEY = "frame:organisation"
_SECONDS = 60
ENOUGH = 4.5
"""What text needs against its ground."""
HEX = re.compile(r"^#[0-9a-f]{6}$")
_LIGHT_GROUND = "#f5f5f7"
_DARK_GROUND = "#232329"


@dataclass(frozen=True, kw_only=True)
class Firm:
    """The organisation's row as pages need it."""

    name: str = "Helpdesk"
    colour: str = "#5145cd"
    logo: str = ""
    logo_digest: str = ""
    time_zone: str = "UTC"
    language: str = "en-gb"
    phone: str = ""

    def __str__(self) -> str:
        return self.name


def firm(kept: Firm | None = None) -> Firm:
    """The cached row; defaults before there is one. `kept` is what the cache held, for those who looked already."""
    found = kept or cache.get(KEY)
    if found is None:
        row = Organisation.objects.order_by("pk").first()
        found = _firm_of(row) if row else Firm()
        cache.set(KEY, found, _SECONDS)
    return found


def forget_firm() -> None:
    """After a change of the row."""
    cache.delete(KEY)


def _firm_of(row: Organisation) -> Firm:
    logo = (row.logo.name or "") if row.logo else ""
    return Firm(
        name=row.name,
        colour=row.colour.lower() if HEX.match(row.colour.lower()) else Firm.colour,
        logo=logo,
        logo_digest=hashlib.sha256(logo.encode()).hexdigest()[:8] if logo else "",
        time_zone=row.time_zone,
        language=row.language,
        phone=row.phone,
    )


def brand_digest(colour: str) -> str:
    return hashlib.sha256(brand_sheet(colour).encode()).hexdigest()[:8]


def brand_sheet(colour: str) -> str:
    """The colour as the client pages use it: a ground for white text, and an ink that reads in light and dark."""
    dark = _toward(colour, "#ffffff", lambda c: contrast(c, "#ffffff") < ENOUGH + 0.15, last_before=True)
    ink = _toward(colour, "#000000", lambda c: contrast(c, _LIGHT_GROUND) >= ENOUGH)
    dark_ink = _toward(colour, "#ffffff", lambda c: contrast(c, _DARK_GROUND) >= 7)
    return (
        f":root {{\n  --brand: light-dark({colour}, {dark});\n  --brand-ink: light-dark({ink}, {dark_ink});\n"
        "  --on-brand: #ffffff;\n}\n"
    )


def contrast(first: str, second: str) -> float:
    """Ratio between two `#rrggbb`."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def nearest_readable(colour: str) -> str:
    """The colour itself, or the lightest darker shade on which white text can be read."""
    return _toward(colour, "#000000", lambda c: contrast(c, "#ffffff") >= ENOUGH)


def _toward(colour: str, end: str, fits, *, last_before: bool = False) -> str:  # type: ignore[no-untyped-def]
    """Mix in `end` until it fits (or, with `last_before`, the last mix before it does)."""
    before = colour
    for step in range(101):
        mixed = _mix(colour, end, step / 100)
        if fits(mixed):
            return before if last_before else mixed
        before = mixed
    return before


def _mix(first: str, second: str, share: float) -> str:
    pairs = zip(_channels(first), _channels(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    parts = [c / 255 for c in _channels(colour)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
