"""From what happened to a ticket to its runs. Pure: moments in any order, told twice or late, give the same runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from helpdesk.sla.ledger import USUAL_RISK, Pause, Risk, Run, Terms

Standing = Literal["running", "paused", "stopped"]
Reopen = Literal["resumes", "restarts"]


class Moment(NamedTuple):
    """Something that happened, named by a `key` that is the same each time it is told. Only what is set counts.

    `standing`: what the clocks do in the status it brought. `waits_for_client`: that status pauses for the client, so
    a message of the client ends the pause. `hold`: the clock was held (True) or released (False) by hand.
    `is_response`: a message of staff that the client sees. `order` settles what came first within one instant.
    """

    at: datetime
    key: str
    order: int = 0
    standing: Standing | None = None
    waits_for_client: bool = False
    hold: bool | None = None
    is_client_message: bool = False
    is_response: bool = False
    cause: str = ""
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a policy, or the account, chooses."""

    client_resumes: bool = True
    reopen: Reopen = "resumes"
    risk: Risk = USUAL_RISK


USUAL = Choices()


@dataclass(frozen=True, kw_only=True)
class Runs:
    """`resolution` is the cycle that counts now; `earlier` are those before, where a reopened ticket starts anew.

    `first_closed_at`: when it was closed first; reported beside the last.
    """

    response: Run
    resolution: Run
    earlier: tuple[Run, ...] = ()
    first_closed_at: datetime | None = None
    reopened: int = 0


@dataclass
class _Fold:
    started_at: datetime
    choices: Choices
    standing: Standing = "running"
    waits_for_client: bool = False
    is_held: bool = False
    is_resumed: bool = False
    paused: Pause | None = None
    closed: Moment | None = None
    pauses: list[Pause] = field(default_factory=list)
    cycles: list[tuple[datetime, datetime]] = field(default_factory=list)
    responded_at: datetime | None = None
    first_closed_at: datetime | None = None
    reopened: int = 0

    def take(self, moment: Moment) -> None:
        if moment.standing is not None:
            self._enter(moment, moment.standing)
        if moment.hold is not None:
            self.is_held = moment.hold
            self.is_resumed = self.is_resumed or (not moment.hold and self.standing == "paused")
        if moment.is_client_message and self.waits_for_client and self.choices.client_resumes:
            self.is_resumed = True
        if moment.is_response and self.responded_at is None:
            self.responded_at = moment.at
        self._settle(moment)

    def _enter(self, moment: Moment, standing: Standing) -> None:
        if standing == "stopped" and self.closed is None:
            self.closed = moment
            self.first_closed_at = self.first_closed_at or moment.at
        elif standing != "stopped" and self.closed is not None:
            self._reopen(moment, self.closed)
        self.standing, self.waits_for_client, self.is_resumed = standing, moment.waits_for_client, False

    def _reopen(self, moment: Moment, closed: Moment) -> None:
        self.closed = None
        self.reopened += 1
        if self.choices.reopen == "restarts":
            self.cycles.append((self.started_at, closed.at))
            self.started_at = moment.at
        else:
            self.pauses.append(Pause(from_at=closed.at, to_at=moment.at, cause=closed.cause, by=closed.by))

    def _settle(self, moment: Moment) -> None:
        """Begin or end the pause that the state now asks for."""
        stands = self.closed is None and (self.is_held or (self.standing == "paused" and not self.is_resumed))
        if stands and self.paused is None:
            self.paused = Pause(from_at=moment.at, cause=moment.cause, by=moment.by)
        elif not stands and self.paused is not None:
            begun = self.paused
            self.pauses.append(Pause(from_at=begun.from_at, to_at=moment.at, cause=begun.cause, by=begun.by))
            self.paused = None


def runs(
    moments: Iterable[Moment],
    *,
    started_at: datetime,
    response: tuple[Terms, ...],
    resolution: tuple[Terms, ...],
    choices: Choices = USUAL,
) -> Runs:
    """Both runs of a ticket. Moments before the start count as at the start, so that a skewed clock burns nothing."""
    told = {m.key: m for m in moments}
    fold = _Fold(started_at=started_at, choices=choices)
    for moment in sorted(told.values(), key=lambda m: (m.at, m.order, m.key)):
        fold.take(moment)
    pauses = tuple(fold.pauses) + ((fold.paused,) if fold.paused else ())
    closed_at = fold.closed.at if fold.closed else None
    answered = min((at for at in (fold.responded_at, fold.first_closed_at) if at), default=None)
    return Runs(
        response=Run(
            started_at=started_at, terms=response, pauses=_before(pauses, answered), finished_at=answered,
            risk=choices.risk,
        ),
        resolution=Run(
            started_at=fold.started_at, terms=resolution, pauses=pauses, finished_at=closed_at, risk=choices.risk
        ),
        earlier=tuple(
            Run(started_at=begun, terms=resolution, pauses=pauses, finished_at=ended, risk=choices.risk)
            for begun, ended in fold.cycles
        ),
        first_closed_at=fold.first_closed_at,
        reopened=fold.reopened,
    )  # fmt: skip


def _before(pauses: tuple[Pause, ...], end: datetime | None) -> tuple[Pause, ...]:
    """Those that began before the end: later ones move a kept promise no more."""
    return pauses if end is None else tuple(p for p in pauses if p.from_at < end)
