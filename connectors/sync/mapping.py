"""What a PSA's words mean here: every value with its tickets, and what a form wants it to mean."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from connectors.sync import remaps
from connectors.sync.models import Remap
from connectors.sync.remaps import MEANT, Meant, meaning, words
from helpdesk.core.formatting import safe_colour
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.choices import FINISHED, Category, Rank, SlaClock, TypeKind
from helpdesk.tickets.models import Priority, Status, Ticket
from helpdesk.tickets.unmapped import COLUMNS, unmapped_of

Wanted = Mapping[int, tuple[str | int, ...]]
"""Key of a value -> what it is to mean: (category, clock), (rank,) or (kind,)."""


@dataclass(frozen=True, kw_only=True)
class Select:
    """One choice on a value's line. `label` is its accessible name; `value` what is chosen, or was typed."""

    name: str
    label: str
    value: str
    choices: Sequence[tuple[str, str]]
    place: str
    """Class of its cell."""
    is_wrong: bool = False


@dataclass(kw_only=True)
class Line:
    """One value of the PSA. `suggestion` is what its own words say, in ours; empty: they say nothing."""

    row: Meant
    total: int = 0
    open: int = 0
    query: str = ""
    """Filter of the ticket list that shows its tickets; empty when none can."""
    suggestion: str = ""
    suggested: tuple[str | int, ...] | None = None
    selects: Sequence[Select] = ()
    error: str = ""

    @property
    def words(self) -> str:
        return words(self.row)

    @property
    def meaning(self) -> str:
        """What it counts as, without saying who chose it."""
        return words(meant(self.row, meaning(self.row)))

    @property
    def colour(self) -> str:
        return safe_colour(getattr(self.row, "colour", ""))

    @property
    def category(self) -> str:
        return self.row.category if isinstance(self.row, Status) else ""

    @property
    def rank(self) -> int:
        return self.row.rank if isinstance(self.row, Priority) else 0

    @property
    def is_retired(self) -> bool:
        """The PSA does not offer it any more; tickets still have it."""
        return not self.row.is_active and not self.row.is_placeholder

    @property
    def may_reset(self) -> bool:
        """It was chosen here, and the PSA's words suggest something."""
        return self.row.is_edited and self.suggested is not None


@dataclass(kw_only=True)
class Section:
    """One kind of values of an account."""

    kind: str
    title: str
    column: str
    """What the choice is called."""
    lines: list[Line] = field(default_factory=list)

    @property
    def offered(self) -> list[Line]:
        """Unmapped first, as they need somebody."""
        return sorted((line for line in self.lines if not line.is_retired), key=lambda line: line.row.is_mapped)

    @property
    def retired(self) -> list[Line]:
        return [line for line in self.lines if line.is_retired]

    @property
    def unmapped(self) -> int:
        return sum(not line.row.is_mapped for line in self.lines)

    @property
    def has_clock(self) -> bool:
        return self.kind == "statuses"


def titles() -> dict[str, tuple[str, str]]:
    """Kind -> (what the section is called, what its choice is called)."""
    return {
        "statuses": (_("Statuses"), _("Status here")),
        "priorities": (_("Priorities"), _("Urgency here")),
        "ticket_types": (_("Ticket types"), _("Kind here")),
    }


def overview() -> list[PsaAccount]:
    """Every account with the number of its values that nobody has mapped, by kind and in all."""
    rows = PsaAccount.objects.order_by("title", "pk").select_related("remap")
    counts = {f"unmapped_{kind}": unmapped_of("pk", model) for kind, model in MEANT.items()}
    return list(rows.annotate(unmapped=unmapped_of(), **counts))


def sections_of(account: PsaAccount) -> list[Section]:
    """All that means something in this account. One pass over its tickets, and a query for each kind."""
    columns = list(COLUMNS.values())
    counts: dict[str, dict[int, list[int]]] = {column: {} for column in columns}
    rows = Ticket.objects.present().filter(psa_account=account).order_by()
    for *keys, is_open, number in rows.values_list(*columns, "is_open").annotate(n=Count("pk")):
        for column, key in zip(columns, keys, strict=True):
            pair = counts[column].setdefault(key or 0, [0, 0])
            pair[0] += number
            pair[1] += number if is_open else 0
    return [_section(account, kind, counts[COLUMNS[model]]) for kind, model in MEANT.items()]


def _section(account: PsaAccount, kind: str, counts: Mapping[int, Sequence[int]]) -> Section:
    title, column = titles()[kind]
    section = Section(kind=kind, title=title, column=column)
    for row in remaps.rows_of(MEANT[kind], account.pk).values():
        total, open_count = counts.get(row.pk, (0, 0))
        if not row.is_active and not total:
            continue
        suggested = suggestion(row)
        line = Line(row=row, total=total, open=open_count, query=_query(row), suggested=suggested)
        line.suggestion = words(meant(row, suggested)) if suggested else ""
        line.selects = selects(row, current(row))
        section.lines.append(line)
    return section


def _query(row: Meant) -> str:
    if isinstance(row, Priority):
        return f"priority=p{row.pk}"
    return f"status={row.pk}" if isinstance(row, Status) else f"type={row.pk}"


def suggestion(row: Meant) -> tuple[str | int, ...] | None:
    """What the PSA's own words say; None when they say nothing."""
    if isinstance(row, Status):
        return (row.suggested_category, row.suggested_clock) if row.suggested_category else None
    if isinstance(row, Priority):
        return (row.suggested_rank,) if row.suggested_rank else None
    return (row.suggested_kind,) if row.suggested_kind else None


def current(row: Meant) -> tuple[str, ...]:
    """What stands in the row's selects: nothing yet where nobody has chosen."""
    found = tuple(str(part) for part in meaning(row))
    return found if row.is_mapped else ("", *found[1:])


def selects(row: Meant, values: Sequence[str], wrong: int | None = None) -> list[Select]:
    """The choices of a row with these values in them; `wrong` is the place of the one that makes no sense."""
    label = {"name": row.name}
    first: dict[str, Any]
    if isinstance(row, Status):
        first = {"name": f"category_{row.pk}", "label": _("Our status for %(name)s") % label, "choices": Category}
    elif isinstance(row, Priority):
        first = {"name": f"rank_{row.pk}", "label": _("Our urgency for %(name)s") % label, "choices": Rank}
    else:
        first = {"name": f"kind_{row.pk}", "label": _("Our kind for %(name)s") % label, "choices": TypeKind}
    first["choices"] = [(str(value), str(word)) for value, word in first["choices"].choices]
    if not row.is_mapped:
        first["choices"] = [("", _("Choose")), *first["choices"]]
    found = [Select(**first, value=values[0], place="map-to", is_wrong=wrong == 0)]
    if isinstance(row, Status):
        clocks = [(str(value), str(word).capitalize()) for value, word in SlaClock.choices]
        name, said = f"clock_{row.pk}", _("Clock while %(name)s") % label
        found.append(
            Select(name=name, label=said, value=values[1], choices=clocks, place="map-clock", is_wrong=wrong == 1)
        )
    return found


def read(section: Section, data: Mapping[str, str], reset: str = "") -> dict[int, tuple[str | int, ...]]:
    """What a form wants every value of the section to mean. What makes no sense is said on its line, and left out.

    A value that the form does not know (it came since) is left as it is; so is one for which nothing is chosen yet.
    `reset` is the key of a value that goes back to what the PSA's words say.
    """
    wanted: dict[int, tuple[str | int, ...]] = {}
    for line in section.lines:
        names = [select.name for select in line.selects]
        if str(line.row.pk) == reset and line.suggested:
            values: tuple[str | int, ...] = line.suggested
        elif names[0] in data:
            values = tuple(data.get(name, "") for name in names)
        else:
            continue
        typed = tuple(str(value) for value in values)
        wrong, line.error = _judge(line.row, typed)
        line.selects = selects(line.row, typed, wrong)
        if typed[0] and wrong is None:
            wanted[line.row.pk] = (int(typed[0]),) if isinstance(line.row, Priority) else typed
    return wanted


def _judge(row: Meant, typed: tuple[str, ...]) -> tuple[int | None, str]:
    """The place of the value that makes no sense, and why. What is so already, or as the PSA has it, is let be."""
    for place, select in enumerate(selects(row, typed)):
        if typed[place] not in dict(select.choices):
            return place, _("Choose one from the list.")
    known = (current(row), tuple(str(part) for part in suggestion(row) or ()))
    if not isinstance(row, Status) or not typed[0] or typed in known:
        return None, ""
    is_over, stops = typed[0] in FINISHED, typed[1] == SlaClock.STOPPED
    if is_over and not stops:
        return 1, _("The clock stops where the work is over.")
    if stops and not is_over:
        return 1, _("The clock stops only where the work is over: let it run or pause.")
    return None, ""


def meant(row: Meant, values: Sequence[str | int]) -> Meant:
    """A copy of the row that means this. What equals the suggestion follows the PSA from now on, all else is ours;
    what is so already stays whose it is."""
    is_same = row.is_mapped and tuple(values) == meaning(row)
    new = copy.copy(row)
    if isinstance(new, Status):
        new.category, new.sla_clock = str(values[0]), str(values[1])
    elif isinstance(new, Priority):
        new.rank = int(values[0])
    else:
        new.kind = str(values[0])
    new.is_mapped = True
    new.is_edited = tuple(values) != suggestion(row) and (row.is_edited or not is_same)
    return new


def remap_of(account: PsaAccount) -> Remap | None:
    """What its tickets are doing about the last change."""
    return Remap.objects.filter(pk=account.pk).first()
