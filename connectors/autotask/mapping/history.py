"""Changes of status out of a ticket's history: free text, with labels or values of the picklist. Pure.

Source: recorded behaviour for the columns; the wording differs between versions, so what cannot be read is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from connectors.autotask.mapping.picklists import Fields
from connectors.autotask.mapping.values import Row, identifier, instant, words
from connectors.base.records import StatusChangeRecord

_STATUS = re.compile(r"\W*(?:ticket )?status\b\W*(?:was )?(?:changed )?(?:from )?", re.IGNORECASE)
_TO = re.compile(r"\s+(?:to|->|\u2192)\s+", re.IGNORECASE)
_ROUND = " \t.,:;\"'[]()\u201c\u201d"


def status_changes(rows: Iterable[Row], *, fields: Fields) -> tuple[StatusChangeRecord, ...]:
    """Oldest first."""
    known = fields["status"].choices if "status" in fields else {}
    by_label = {choice.label.strip().casefold(): value for value, choice in known.items()}

    def value_of(text: str) -> str | None:
        plain = text.strip(_ROUND)
        return plain if plain in known else by_label.get(plain.casefold())

    found = []
    for row in rows:
        at, number = instant(row.get("date")), identifier(row.get("id"))
        pair = next(_pairs(words(row.get("detail")) or "", value_of), None)
        if at is not None and number is not None and pair is not None:
            agent = identifier(row.get("resourceID"))
            found.append(StatusChangeRecord(remote_id=number, old=pair[0], new=pair[1], at=at, agent=agent, raw=row))
    return tuple(sorted(found, key=lambda change: (change.at, int(change.remote_id))))


def _pairs(detail: str, value_of: Callable[[str], str | None]) -> Iterator[tuple[str, str]]:
    """(old, new), wherever the text may be cut: a label may hold the word that stands between the two."""
    start = _STATUS.match(detail)
    if start is None:
        return
    text = detail[start.end() :]
    for cut in _TO.finditer(text):
        old, new = value_of(text[: cut.start()]), value_of(text[cut.end() :])
        if old and new:
            yield old, new
