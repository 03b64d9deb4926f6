"""Every operation of the table of figures: what a browser asks for, and what it may cost at most."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from urllib.parse import quote

from django.db.models import Count

from helpdesk.accounts.models import User
from helpdesk.core.paging import Cursor
from helpdesk.directory.models import Client, Team
from helpdesk.tickets.models import Status, Ticket
from tests.bench import stories
from tests.bench.browser import HTMX, Answer, Browser
from tests.bench.desk import DISPATCHER, MANAGER, PASSWORD
from tests.bench.servers import Server

PAGE = 50
Ask = Callable[["Scene", int], list[Answer]]


@dataclass(frozen=True)
class Operation:
    """`ask` does it once, in its so-manieth turn, and gives every answer it needed. None = no such limit."""

    name: str
    ask: Ask
    ratio: float
    queries: int | None = None
    size: int | None = None
    writes: bool = False


@dataclass
class Scene:
    """Who is signed in where, and which rows are asked for. Every save has a ticket of its own."""

    desk: Browser
    manager: Browser
    nobody: Browser
    long: int
    client: int
    team: int
    deep: dict[int, str]
    working: Sequence[int]
    statuses: dict[str, int]
    people: Sequence[int]
    poll: str
    tag: str
    lanes: str
    one_lane: str
    written: dict[str, int] = field(default_factory=dict)

    def next_ticket(self) -> int:
        """Another one for every save; from the start again after the last."""
        number = self.written["saves"] = self.written.get("saves", 0) + 1
        return self.working[number % len(self.working)]


def scene(server: Server) -> Scene:
    """Sign in and look up what is asked for; Django of this process must be on the servers' database."""
    desk, manager = server.browser(), server.browser()
    desk.sign_in(DISPATCHER, PASSWORD)
    manager.sign_in(MANAGER, PASSWORD)
    opened = desk.get("/tickets/").text
    manager.get("/reports/")
    body = re.search(r'<body[^>]*data-live="([^"]+)"[^>]*data-live-tag="([^"]*)"', opened)
    if body is None:
        raise RuntimeError("the list names no address to poll")
    board = desk.get("/board/").text
    # Attributes whose value needs no quotes have none.
    lanes = re.findall(r'data-lane="?([^"\s>]+)"?\s+data-digest="?([^"\s>]*)', board)
    if len(lanes) < 2:
        raise RuntimeError("the board shows no lanes to ask for")
    sections = re.split(r'data-lane="?', board)[1:]
    shown = {
        key: section.split("</section>")[0].count("data-ticket=")
        for (key, _digest), section in zip(lanes, sections, strict=False)
    }
    have = [f"{key}:{digest}:{shown[key]}" for key, digest in lanes]
    in_progress = Ticket.objects.open().filter(status__name="In Progress", agent__isnull=False)
    return Scene(
        desk=desk,
        manager=manager,
        nobody=server.browser(),
        long=Ticket.objects.open().annotate(said=Count("actions")).order_by("-said", "pk")[0].pk,
        client=Client.objects.annotate(n=Count("tickets")).order_by("-n", "pk")[0].pk,
        team=Team.objects.order_by("pk")[0].pk,
        deep={pages: _deep(pages) for pages in (200, 1900)},
        working=list(in_progress.order_by("pk").values_list("pk", flat=True)),
        statuses=dict(Status.objects.values_list("name", "pk")),
        people=list(User.objects.filter(agents__isnull=False).order_by("pk").values_list("pk", flat=True)),
        poll=unescape(body[1]),
        tag=unescape(body[2]),
        lanes=quote(",".join(have)),
        one_lane=quote(f"{lanes[1][0]}:x:25"),
    )


def _deep(pages: int) -> str:
    """The cursor of that page, as the page before it would have given it. A smaller desk's last page."""
    behind = Ticket.objects.present().order_by("next_due_at", "pk").values_list("next_due_at", "pk")
    place = min(pages * PAGE, max(0, behind.count() - PAGE - 1))
    value, pk = behind[place]
    assert isinstance(value, datetime)
    return Cursor(order="due", value=value, pk=pk).spell()


# ---- what is asked --------------------------------------------------------------------------------------------------


def _page(path: str) -> Ask:
    return lambda scene, _turn: [scene.desk.get(path.format(scene=scene))]


def _part(path: str) -> Ask:
    return lambda scene, _turn: [scene.desk.get(path.format(scene=scene), **HTMX)]


def _deep_page(pages: int) -> Ask:
    return lambda scene, _turn: [scene.desk.get(f"/tickets/?state=all&cursor={scene.deep[pages]}")]


def _note(scene: Scene, turn: int) -> list[Answer]:
    """The composer answers with the note in place."""
    fields = {
        "marker": str(uuid.uuid4()),
        "kind": "note",
        "text": f"Rebooted it and watched it for ten minutes, attempt {turn}.",
        "time": "",
    }
    return [scene.desk.post(f"/tickets/{scene.next_ticket()}/actions/", fields, **HTMX)]


def _on(scene: Scene, path: str) -> dict[str, str]:
    """What htmx tells of itself, and of the page on which somebody pressed."""
    return {**HTMX, "HX_Current_URL": scene.desk.address(path)}


def _shown(scene: Scene, saved: Answer, path: str) -> list[Answer]:
    """An answer without content sends the page for the part that shows the change."""
    return [saved, scene.desk.get(path, **HTMX)] if saved.status == 204 else [saved]


def _status(scene: Scene, turn: int) -> list[Answer]:
    pk = scene.next_ticket()
    value = str(scene.statuses["Pending"])
    saved = scene.desk.post(
        f"/tickets/{pk}/status/", {"value": value, "confirmed": "yes"}, **_on(scene, f"/tickets/{pk}/")
    )
    return _shown(scene, saved, f"/tickets/{pk}/part/head/")


def _assign_in_list(scene: Scene, turn: int) -> list[Answer]:
    pk, value = scene.next_ticket(), f"u{scene.people[turn % len(scene.people)]}"
    saved = scene.desk.post(
        f"/tickets/{pk}/set/agent/", {"value": value, "confirmed": "yes"}, **_on(scene, "/tickets/")
    )
    return _shown(scene, saved, "/tickets/?part=table")


def _assign_on_board(scene: Scene, turn: int) -> list[Answer]:
    pk, value = scene.next_ticket(), f"u{scene.people[turn % len(scene.people)]}"
    fields = {"ticket": str(pk), "lane": value, "value": value, "confirmed": "yes", "have": f"{value}:x:25"}
    saved = scene.desk.post("/board/move/", fields, **_on(scene, "/board/"))
    return _shown(scene, saved, f"/board/lanes/?have={value}:x:25")


def _poll(scene: Scene, turn: int) -> list[Answer]:
    return [scene.desk.get(scene.poll, If_None_Match=scene.tag)]


def _fresh_poll(scene: Scene) -> None:
    """Saves change the stamp: what is measured is a poll that finds nothing."""
    answer = scene.desk.get(scene.poll)
    scene.tag = answer.headers.get("etag", scene.tag)


def operations() -> list[Operation]:
    """In the order of the table. Deep pages, searches and reports read; the four saves write."""
    fragment = {"ratio": 0.6, "queries": 12}
    listing = {"ratio": 1.0, "queries": 6, "size": 40_000}
    return [
        Operation("list, first page", _page("/tickets/"), **listing),  # type: ignore[arg-type]
        Operation("list, filtered", _page("/tickets/?team={scene.team}&priority=2,3"), **listing),  # type: ignore[arg-type]
        Operation("list, one client", _page("/tickets/?client={scene.client}&state=all"), **listing),  # type: ignore[arg-type]
        Operation("list, last due first", _page("/tickets/?sort=-due"), **listing),  # type: ignore[arg-type]
        Operation("list, 200 pages deep", _deep_page(200), **listing),  # type: ignore[arg-type]
        Operation("list, 1,900 pages deep", _deep_page(1900), **listing),  # type: ignore[arg-type]
        Operation("ticket, 50 actions", _page("/tickets/{scene.long}/"), ratio=1.2, queries=10),
        Operation("board, 500 cards", _page("/board/"), ratio=3.0, queries=12, size=240_000),
        Operation("save a note", _note, writes=True, **fragment),  # type: ignore[arg-type]
        Operation("save a status, head shown", _status, writes=True, **fragment),  # type: ignore[arg-type]
        Operation("assign in the list, rows shown", _assign_in_list, writes=True, **fragment),  # type: ignore[arg-type]
        Operation("assign on the board, lane shown", _assign_on_board, writes=True, **fragment),  # type: ignore[arg-type]
        Operation("fragment: 50 rows", _part("/tickets/?part=table"), **fragment),  # type: ignore[arg-type]
        Operation("fragment: a lane of cards", _part("/board/lanes/?have={scene.one_lane}"), **fragment),  # type: ignore[arg-type]
        Operation("fragment: form of a field", _part("/tickets/{scene.long}/field/category/"), **fragment),  # type: ignore[arg-type]
        Operation("fragment: chooser of owners", _part("/tickets/{scene.long}/choose/agent/"), **fragment),  # type: ignore[arg-type]
        Operation("fragment: preview", _part("/tickets/{scene.long}/preview/"), **fragment),  # type: ignore[arg-type]
        Operation("unchanged poll", _poll, ratio=0.1, size=500),
        Operation("search, word in 0.1 %", _page(f"/tickets/?q={stories.RARE}"), ratio=1.0),
        Operation("search, word in 20 %", _page(f"/tickets/?q={stories.COMMON}"), ratio=1.0),
        Operation("report, one year", _report(""), ratio=1.0),
        Operation("report, compliance by client", _report("compliance/"), ratio=1.0),
        Operation("report, breaches", _report("breaches/"), ratio=1.0),
        Operation("report, workload and time", _report("workload/"), ratio=1.0),
        Operation("report, backlog and ageing", _report("backlog/"), ratio=1.0),
        Operation("report, clients", _report("clients/"), ratio=1.0),
        Operation("report, review of a client", _report("clients/{scene.client}/"), ratio=1.0),
        Operation("report, tickets of a past backlog", _report("tickets/", "&metric=backlog"), ratio=1.0),
        Operation("sign-in page", _sign_in, ratio=0.3),
    ]


def _report(path: str, more: str = "") -> Ask:
    """The manager's page over a year."""
    return lambda scene, _turn: [scene.manager.get(f"/reports/{path.format(scene=scene)}?period=year{more}")]


def _sign_in(scene: Scene, turn: int) -> list[Answer]:
    return [scene.nobody.get("/accounts/login/")]


def prepare(operation: Operation, scene: Scene) -> None:
    """What has to be so before an operation's turns."""
    if operation.ask is _poll:
        _fresh_poll(scene)


class Wrong(Exception):
    """An answer that no figure may be made of."""


def check(operation: Operation, answers: Sequence[Answer]) -> None:
    wanted = {304} if operation.ask is _poll else {200, 204}
    for answer in answers:
        if answer.status not in wanted:
            raise Wrong(f"{operation.name}: {answer.status}\n{answer.text[:600]}")
    if answers[-1].status == 204:
        raise Wrong(f"{operation.name}: nothing was shown")
