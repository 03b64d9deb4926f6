"""Every text that strangers can fill, filled with markup, on every page for everybody: it shows, and does nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import models
from django.test import Client as Browser
from django.utils import timezone

from connectors.sync.models import SyncLogEntry
from helpdesk.accounts.services import record_audit
from helpdesk.actions.models import Attachment, Draft, Macro
from helpdesk.core.origin import Origin
from helpdesk.outbox import services as outbox
from helpdesk.outbox.choices import Reason, Verb
from helpdesk.portal.services import create_link
from helpdesk.tickets.services import change_ticket
from tests import factories
from tests.helpdesk.desk.test_access import addresses
from tests.people import contact_of, make_ada, make_cleo, make_dana

pytestmark = pytest.mark.django_db

EVIL = "\"'><evil onload=alert(1) style=x id=toast data-live-src=//e.test>{{7}}"
HTML = (
    "<p id=toast name=x class=y style='position:fixed' onclick=a() hx-get=/x data-live-src=/x>ok</p>"
    "<script>evil()</script>"
    "<img src=https://e.test/p.gif><img src='//e.test/p'><img src=x onerror=evil()>"
    "<form action=/x><input name=q></form>"
    "<a href='javascript:evil()'>a</a><a href=/tickets/1/undo/>b</a><a href='\\\\e.test'>c</a><base href=//e.test>"
    "<meta http-equiv=refresh content='0;//e.test'><link rel=stylesheet href=//e.test><iframe srcdoc=x></iframe>"
    "<svg><script>evil()</script></svg><math><mi xlink:href=x></math><style>*{display:none}</style>"
    "<img alt='<evil' src=//e.test/q><video poster=//e.test/v></video><table background=//e.test/t></table>"
    "<textarea><plaintext><noscript><p title='</noscript><evil>'><!-- <evil -->"
)
FORBIDDEN = (
    "<evil",
    "<script>evil",
    '="//e.test',
    '="https://e.test',
    '="javascript:',
    "evil()</script",
    '="/tickets/1/undo/"',
)
"""What no page may hold; the words themselves may stand there, escaped."""
_KEPT = {"remote_id", "fingerprint", "email", "password", "lane", "subject_key", "sha256", "file", "logo", "query"}


def _poison(row: Any) -> None:
    """Every free text column, as far as it is long."""
    for column in row._meta.concrete_fields:
        is_text = isinstance(column, models.CharField | models.TextField) and not isinstance(column, models.SlugField)
        if not is_text or column.choices or column.unique or column.name in _KEPT or "state" in column.name:
            continue
        if column.name in {"colour", "time_zone", "language", "kind", "url", "ticket_url", "content_type"}:
            continue
        if column.name in {"body_clean", "description_clean", "status_category", "health", "mark", "inline_reference"}:
            continue
        setattr(row, column.name, EVIL[: column.max_length or 500])
    row.save()


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> tuple[int, str]:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    account = factories.make_account()
    cleo, dana = make_cleo(account), make_dana(account)
    contact, agent, team = contact_of(cleo), dana.agents.get(), factories.make_team(psa_account=account)
    ticket = factories.make_ticket(psa_account=account, contact=contact, agent=agent, team=team)
    other = factories.make_ticket(psa_account=account, contact=contact, agent=agent)
    rows = [factories.make_organisation(), account, contact, contact.client, agent, team, ticket, other, cleo, dana,
            ticket.status, ticket.priority, Macro.objects.create(name="m"), factories.make_view()]  # fmt: skip
    for public in (True, False):
        rows.append(factories.make_action(ticket, HTML, body_is_html=True, is_internal=not public))
    file = Attachment(ticket=ticket, psa_account=account, name="x", created_at=factories.NOW, is_public=True, size=9)
    file.file.save("x", ContentFile(HTML.encode()), save=False)
    rows.append(file)
    change_ticket(ticket=ticket, changes={"subject": EVIL}, origin=Origin.desk(dana), now=timezone.now())
    ticket.refresh_from_db()
    for row in rows:
        _poison(row)
    type(rows[-2]).objects.filter(ticket=ticket).update(body=HTML, cleaner_version=0)
    type(ticket).objects.filter(pk=ticket.pk).update(description=HTML, description_is_html=True, cleaner_version=0)
    Draft.objects.create(user=dana, ticket=ticket, fields={"text": EVIL, "to": EVIL}, saved_at=factories.NOW)
    item = outbox.enqueue(
        psa_account_id=account.pk, lane=ticket.lane, verb=Verb.UPDATE_TICKET, subject=f"ticket:{ticket.pk}",
        fields={"subject": EVIL}, base={"subject": EVIL}, origin=Origin.system(EVIL[:100]), now=factories.NOW,
    )  # fmt: skip
    outbox.claim(now=factories.NOW, lease_seconds=60)
    item.refresh_from_db()
    outbox.refuse(item=item, reason=Reason.CONFLICT, text=EVIL, now=factories.NOW)
    SyncLogEntry.objects.create(psa_account=account, at=factories.NOW, what="pull", text=EVIL)
    record_audit(actor=EVIL[:100], verb="x", subject="x", detail={"x": EVIL}, now=factories.NOW)
    _link, token = create_link(ticket=ticket, contact=contact, created_by=dana, now=timezone.now())
    return ticket.pk, token


def _wrong(text: str) -> list[str]:
    return [piece for piece in FORBIDDEN if piece in text.replace("&#x27;", "'")]


def test_no_page_lets_a_strangers_text_act(world: tuple[int, str]) -> None:
    pk, token = world
    found: dict[str, list[str]] = {}
    pages = [a.path for a in addresses(pk)] + [f"/status/{token}/", f"/palette/?q={EVIL[:20]}", f"/tickets/?q={EVIL}"]
    pages += [f"/tickets/{pk}/part/{name}/" for name in ("head", "timeline", "side")]
    pages += [f"/tickets/{pk}/field/{name}/" for name in ("subject", "description", "contact", "category")]
    pages += [f"/board/?group={group}" for group in ("agent", "team", "status", "priority", "client")]
    seen = 0
    for person in (make_ada(), make_dana(), make_cleo()):
        browser = Browser()
        browser.force_login(person)
        for path in pages:
            for headers in ({}, {"HX-Request": "true", "HX-Current-URL": f"http://testserver/{EVIL}"}):
                answer = browser.get(path, headers=headers)
                if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
                    continue
                text = answer.content.decode()
                seen += "&lt;evil" in text
                if bad := _wrong(text):
                    found[f"{person.role} {path}"] = bad
    assert not found
    assert seen > 40, "the texts no longer reach the pages"
