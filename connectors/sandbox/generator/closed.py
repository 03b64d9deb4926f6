"""The history of a closed ticket, along the shape of a real incident.

States, waiting, hand-overs, reopenings and the days until closing are the incident's. The time during which the clock
runs is stretched or pressed, so that as many targets are kept as a demo wants; waits are pressed only where the ticket
is too young for them.
"""

from __future__ import annotations

from connectors.sandbox.generator import texts
from connectors.sandbox.generator.pen import Pen
from connectors.sandbox.generator.plan import DAY, FIX, HOUR, MINUTE
from connectors.sandbox.generator.shapes import Shape, Step

KEPT_SHARE = 0.87
RUNNING = ("New", "In Progress")
LONGEST_WAIT = 8 * DAY
MOST_HAND_OVERS = 4
NOTE_CHANCE = 0.22


def write(pen: Pen, shape: Shape, workers: dict[str, list[int]]) -> None:
    """From the first answer to the closing, at the latest now."""
    dice, created = pen.dice, pen.ticket["created_at"]
    latest = pen.now - 2 * HOUR
    is_kept = dice.random() < KEPT_SHARE
    share = pen.between(0.15, 0.92) if is_kept else pen.between(1.05, 2.8)
    length = min(FIX[pen.ticket["priority"]] * share, 0.9 * (latest - created))
    lengths = _lengths(shape.steps, length, max(0.0, latest - created - length))
    agents = _agents(pen, shape, workers)
    pen.ticket["agent_id"] = agents.pop(0)
    end = created + lengths[0]
    if len(lengths) == 1 and is_kept:
        end = min(end, pen.answer_at(shape.response_rank))  # answered by its solution, as a quarter of the log is
    else:
        pen.pick_up(end - MINUTE if is_kept else latest, shape.response_rank)
    for place, step in enumerate(shape.steps):
        if place:
            _enter(pen, step, shape.steps[place - 1])
        end = max(end if not place else pen.at + lengths[place], pen.at + MINUTE)
        if step.status in RUNNING:
            _work(pen, end, agents)
        pen.to(end)
    _hand_over_rest(pen, agents)
    pen.resolve()
    _close(pen, shape)


def _lengths(steps: tuple[Step, ...], running: float, waiting: float) -> list[float]:
    """Milliseconds of each step: `running` shared out as the incident had it, waits at most `waiting` together."""
    ran = sum(step.length for step in steps if step.status in RUNNING)
    waits = [min(step.length, LONGEST_WAIT) for step in steps if step.status not in RUNNING]
    press = min(1.0, 0.9 * waiting / max(1, sum(waits)))
    return [
        running * step.length / ran if step.status in RUNNING else min(step.length, LONGEST_WAIT) * press
        for step in steps
    ]


def _agents(pen: Pen, shape: Shape, workers: dict[str, list[int]]) -> list[int]:
    """Who has the ticket one after the other, its last agent last: two people, to and fro, when it is handed on."""
    last = pen.ticket["agent_id"]
    count = min(shape.hand_overs, MOST_HAND_OVERS)
    others = [number for team in workers.values() for number in team if number != last]
    other = pen.dice.choice(others) if others else last
    return [last if (count - place) % 2 == 0 else other for place in range(count + 1)]


def _work(pen: Pen, until: float, agents: list[int]) -> None:
    if agents and pen.at + 5 * MINUTE < until:
        pen.to(pen.between(pen.at, (pen.at + until) / 2))
        _hand_over(pen, agents)
    pen.work(until - MINUTE, NOTE_CHANCE)


def _hand_over(pen: Pen, agents: list[int]) -> None:
    pen.add("note", texts.hand_over(pen.dice, pen.kind), private=True)
    pen.ticket["agent_id"] = agents.pop(0)


def _hand_over_rest(pen: Pen, agents: list[int]) -> None:
    """What found no room before; the last of them resolves it."""
    if agents:
        _hand_over(pen, [agents[-1]])
        pen.to(pen.at + MINUTE)


def _enter(pen: Pen, step: Step, before: Step) -> None:
    """The action that leads from one status of the incident to the next."""
    dice = pen.dice
    match step.status:
        case "Waiting on Client":
            pen.add("email_out", texts.question(dice), status=step.status)
        case "Waiting on Third Party":
            pen.add("note", texts.vendor_note(dice), private=True, status=step.status, minutes=10)
        case "Pending" | "On Hold":
            text = texts.common_cause(dice) if step.status == "Pending" else texts.private_note(dice, pen.kind)
            pen.add("note", text, private=True, status=step.status)
        case "Resolved":
            pen.resolve()
        case _ if before.status == "Resolved":
            pen.add("email_in", texts.back_again(dice), status="In Progress", client=True)
        case _ if before.status == "Waiting on Client":
            pen.add("email_in", texts.client_reply(dice), status="In Progress", client=True)
        case _ if before.status not in RUNNING:
            pen.add("note", texts.vendor_back(dice), private=True, status="In Progress")


def _close(pen: Pen, shape: Shape) -> None:
    """After as many days as the incident had; sooner, with the client's word, where those are not over yet."""
    if pen.at + shape.close_delay < pen.now - MINUTE:
        pen.to(pen.at + shape.close_delay)
        pen.close(texts.closed_after(pen.dice, round(shape.close_delay / DAY)))
    else:
        pen.to(pen.between(pen.at, pen.now - MINUTE))
        pen.close("Client confirmed, closed.")
