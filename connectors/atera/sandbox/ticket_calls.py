"""Everything under `/tickets`."""

from __future__ import annotations

from connectors.atera.sandbox import attachments, comments, seeds, stored, ticket_rows, tickets, workhours
from connectors.atera.sandbox.call import Call, nothing, refuse_method
from connectors.atera.sandbox.ticket_rows import Show, TicketLists
from connectors.atera.sandbox.wire import Problem, bad, body_of, item_id, parsed
from connectors.sandbox.messages import Response, empty, json_response

LISTS = ("nocomments", "lastmodified", "statusmodified")
BULK = ("billableduration", "billableworkhourssiteduration")


def answer(call: Call) -> Response:
    match (call.method, call.words):
        case ("GET", []):
            return _list(call, "")
        case ("POST", []):
            return _create(call)
        case ("GET", [name]) if name in LISTS:
            return _list(call, name)
        case ("POST", [name]) if name in BULK:
            return _bulk(call, name)
        case (_, [number]):
            return _one(call, item_id(number, "ticket"))
        case (_, [number, part, *more]):
            return _part(call, item_id(number, "ticket"), part, more)
    return refuse_method()


def _list(call: Call, name: str) -> Response:
    lists = TicketLists(call.tenant, call.profile)
    page, stale = call.params.page(), call.request.stale_before_ms
    if name == "lastmodified":
        return call.pages(*lists.modified(call.params, page, stale), page)
    if name == "statusmodified":
        return call.pages(*lists.finished(call.params, page, stale), page)
    return call.pages(*lists.all(call.params, page, stale, comments=not name), page)


def _create(call: Call) -> Response:
    body = body_of(call.request)
    with call.tenant.store.write() as conn:
        row = tickets.create(call.tenant, conn, body, customer_too=call.profile.is_brief)
    return json_response(call.profile.created(row["id"], row["title"]), 201)


def _one(call: Call, number: int) -> Response:
    tenant = call.tenant
    if call.method == "GET":
        with tenant.store.read() as conn:
            show = Show(relations=call.params.flag("includeRelations"))
            return json_response(ticket_rows.one(conn, number, call.profile, show))
    if call.method in ("POST", "PUT"):
        body = body_of(call.request)
        with tenant.store.write() as conn:
            row = stored.load(conn, number)
            tickets.change(tenant, conn, row, body, is_strict=tenant.setting("strict_transitions"))
        return call.result(number)
    if call.method == "DELETE":
        with tenant.store.write() as conn:
            tickets.delete(tenant, conn, number)
        return empty(204)
    return refuse_method()


def _part(call: Call, number: int, part: str, more: list[str]) -> Response:
    if part == "relations":
        return _relations(call, number, more)
    if more:
        raise nothing()
    if part == "comments":
        return _comments(call, number)
    if part == "workhours" and call.method == "POST":
        body = body_of(call.request)
        with call.tenant.store.write() as conn:
            made = workhours.add(call.tenant, conn, stored.load(conn, number), body)
        return call.result(made, 201)
    if call.method != "GET":
        return refuse_method()
    return _read_part(call, number, part)


def _read_part(call: Call, number: int, part: str) -> Response:
    page = call.params.page()
    with call.tenant.store.read() as conn:
        stored.load(conn, number)
        if part == "workhoursrecords" or (part == "workhours" and call.profile.is_brief):
            items, total = workhours.of_ticket(conn, number, page)
            if call.profile.is_brief:
                items = [workhours.brief_record(item) for item in items]
            return call.pages(items, total, page)
        if part == "workhours":
            return json_response(workhours.summary(conn, number))
        if part in ("billableduration", "nonbillableduration"):
            found = workhours.durations(conn, number, billable=part == "billableduration")
            return json_response(call.profile.durations(found))
        if part == "attachments":
            return json_response(attachments.urls(conn, number, call.request.base_url))
    raise nothing()


def _comments(call: Call, number: int) -> Response:
    if call.method == "GET":
        page = call.params.page()
        with call.tenant.store.read() as conn:
            stored.load(conn, number)
            stale = call.request.stale_before_ms
            items, total = comments.listed(conn, number, page, call.request.base_url, stale)
        return call.pages([call.profile.comment(item) for item in items], total, page)
    if call.method != "POST":
        return refuse_method()
    body = body_of(call.request)
    with call.tenant.store.write() as conn:
        row = stored.load(conn, number)
        made = comments.add(call.tenant, conn, row, body, is_brief=call.profile.is_brief)
    return call.result(made, 201)


def _bulk(call: Call, name: str) -> Response:
    ids = workhours.bulk_ids(parsed(call.request))
    with call.tenant.store.read() as conn:
        if name == "billableworkhourssiteduration":
            return json_response(workhours.site_durations(conn, ids))
        found = []
        for number in ids:
            if conn.execute("SELECT 1 FROM atera_tickets WHERE id = ? AND deleted = 0", (number,)).fetchone():
                found.append(call.profile.durations(workhours.durations(conn, number, billable=True)))
    return json_response(found)


def _relations(call: Call, number: int, more: list[str]) -> Response:
    tenant = call.tenant
    if call.method == "POST" and not more:
        body = body_of(call.request)
        kind = body.choice("RelationType", seeds.RELATIONS, bad("Invalid relation type"))
        related = body.integer("RelatedTicketId")
        with tenant.store.write() as conn:
            row = stored.load(conn, number)
            if kind is None or related is None or related == number:
                raise bad("Invalid relation")
            other = stored.load(conn, related)
            opposite = seeds.RELATIONS[1 - seeds.RELATIONS.index(kind)]
            insert = "INSERT OR REPLACE INTO atera_relations VALUES (?,?,?)"
            conn.executemany(insert, [(number, related, kind), (related, number, opposite)])
            for item in (row, other):
                stored.save(tenant, conn, item, by_api=True)
        return call.result(number, 201)
    if call.method == "DELETE" and len(more) == 1:
        kind = next((name for name in seeds.RELATIONS if name.lower() == more[0]), None)
        if kind is None:
            raise bad("Invalid relation type")
        with tenant.store.write() as conn:
            stored.load(conn, number)
            found = conn.execute("SELECT related_id FROM atera_relations WHERE ticket_id = ? AND type = ?",
                                 (number, kind)).fetchone()  # fmt: skip
            if found is None:
                raise bad("There is no such relation")
            conn.execute("DELETE FROM atera_relations WHERE ticket_id IN (?, ?) AND related_id IN (?, ?)",
                         (number, found["related_id"], number, found["related_id"]))  # fmt: skip
        return empty(204)
    raise Problem(405)
