from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.base import ContentFile
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from helpdesk.accounts.models import AuditEntry, User
from helpdesk.actions.choices import FileState
from helpdesk.actions.models import Action, Attachment
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from helpdesk.portal.limits import ANSWERS_PER_LINK
from helpdesk.portal.models import StatusLink
from helpdesk.portal.services import create_link, revoke_link
from helpdesk.tickets.models import Ticket, TicketEvent
from tests.factories import (
    make_action,
    make_agent,
    make_client,
    make_clock,
    make_contact,
    make_organisation,
    make_site,
    make_status,
    make_ticket,
)
from tests.people import contact_of, make_cleo, make_dana, make_otto, make_theo

pytestmark = pytest.mark.django_db
CANARY = "canary7f3a"


@pytest.fixture
def cleo(account: PsaAccount) -> User:
    make_organisation(time_zone="Europe/London")
    return make_cleo(account)


@pytest.fixture
def ticket(cleo: User) -> Ticket:
    return make_ticket(contact=contact_of(cleo), agent=make_agent(), opened_at=timezone.now() - timedelta(hours=2))


def signed_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def link_to(ticket: Ticket, **values: Any) -> str:
    given = {"ticket": ticket, "contact": ticket.contact, "created_by": None, "now": timezone.now(), **values}
    _link, token = create_link(**given)
    return token


def attach(ticket: Ticket, **values: Any) -> Attachment:
    given = {
        "psa_account": ticket.psa_account, "ticket": ticket, "name": "photo.png", "content_type": "image/png",
        "is_public": True, "created_at": timezone.now(), "size": 5, **values,
    }  # fmt: skip
    item = Attachment(**given)
    if item.state == FileState.STORED:
        item.file.save("x", ContentFile(b"bytes"), save=False)
    item.save()
    return item


# Links ----------------------------------------------------------------------------------------------------------------
def test_a_links_token_is_stored_nowhere(ticket: Ticket) -> None:
    token = link_to(ticket)
    assert len(token) >= 43
    row = StatusLink.objects.get()
    assert token not in str(row.__dict__)
    assert token not in str(list(AuditEntry.objects.values()))


def test_status_page_answers_and_is_kept_private(client: Browser, ticket: Ticket) -> None:
    make_clock(ticket, due_at=timezone.now() + timedelta(hours=3))
    answer = client.get(reverse("portal:status", args=[link_to(ticket)]))
    assert answer.status_code == 200
    assert "Yes. Priya is working on it" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert not answer.cookies


def test_wrong_expired_revoked_and_moved_links_look_alike(client: Browser, ticket: Ticket) -> None:
    now = timezone.now()
    old = link_to(ticket, now=now - timedelta(days=91))
    link, revoked = create_link(ticket=ticket, contact=ticket.contact, created_by=None, now=now)
    revoke_link(link=link, user=None, now=now)
    moved = make_ticket(contact=ticket.contact)
    moved_token = link_to(moved)
    Ticket.objects.filter(pk=moved.pk).update(client=make_client("Kestrel", psa_account=ticket.psa_account))
    removed = make_ticket(contact=ticket.contact)
    removed_token = link_to(removed)
    Ticket.objects.filter(pk=removed.pk).update(removed_at=now)
    pages = [
        client.get(reverse("portal:status", args=[t])) for t in ("wrong", old, revoked, moved_token, removed_token)
    ]
    assert {p.status_code for p in pages} == {404}
    assert len({p.content for p in pages}) == 1
    assert all("no-store" in p["Cache-Control"] for p in pages)
    for token in ("wrong", old, revoked):
        assert client.post(reverse("portal:status_answer", args=[token]), {"body": "x"}).status_code == 404


def test_a_clients_link_lists_and_opens_nothing(client: Browser, ticket: Ticket, account: PsaAccount) -> None:
    make_ticket("Of somebody else", client=make_client("Kestrel Joinery", psa_account=account))
    _link, token = create_link(client=ticket.client, created_by=None, now=timezone.now())
    page = client.get(reverse("portal:status", args=[token])).content.decode()
    assert ticket.subject in page
    assert "Of somebody else" not in page
    assert "/portal/tickets/" not in page
    assert client.post(reverse("portal:status_answer", args=[token]), {"body": "x"}).status_code == 404


def test_answer_becomes_a_public_action_and_leaves_for_the_psa(ticket: Ticket) -> None:
    browser = Browser(enforce_csrf_checks=True)
    token, marker = link_to(ticket), str(uuid.uuid4())
    address = reverse("portal:status_answer", args=[token])
    for _twice in range(2):
        answer = browser.post(
            address, {"body": "It prints <b>nothing</b>.", "marker": marker}, headers={"Origin": "null"}
        )
        assert answer.status_code == 302
    action = Action.objects.get()
    assert (action.is_internal, action.is_from_client, action.author_contact) == (False, True, ticket.contact)
    assert OutboxItem.objects.filter(subject=action.subject_key).count() == 1
    page = browser.get(answer["Location"]).content.decode()
    assert "Your answer is here." in page
    assert "It prints &lt;b&gt;nothing&lt;/b&gt;." in page
    assert "<b>You</b>" in page


def test_empty_answer_keeps_the_page_with_the_reason(client: Browser, ticket: Ticket) -> None:
    answer = client.post(reverse("portal:status_answer", args=[link_to(ticket)]), {"body": "  "})
    assert answer.status_code == 422
    assert "Write a few words first." in answer.content.decode()


def test_too_many_answers_are_slowed_and_the_text_is_kept(client: Browser, ticket: Ticket) -> None:
    address = reverse("portal:status_answer", args=[link_to(ticket)])
    codes = [client.post(address, {"body": f"text {n}"}).status_code for n in range(ANSWERS_PER_LINK + 1)]
    assert codes == [302] * ANSWERS_PER_LINK + [429]
    answer = client.post(address, {"body": "my long story"})
    assert "my long story" in answer.content.decode()
    assert Action.objects.count() == ANSWERS_PER_LINK


def test_link_without_a_living_contact_only_reads(client: Browser, ticket: Ticket) -> None:
    for token in (link_to(ticket, contact=None), link_to(ticket)):
        if ticket.contact:
            ticket.contact.is_active = False
            ticket.contact.save()
        assert "<form" not in client.get(reverse("portal:status", args=[token])).content.decode()
        assert client.post(reverse("portal:status_answer", args=[token]), {"body": "x"}).status_code == 404


# Signed in ------------------------------------------------------------------------------------------------------------
def test_list_says_how_things_stand(cleo: User, ticket: Ticket) -> None:
    status = make_status("waiting_client", psa_account=ticket.psa_account)
    waiting = make_ticket("Front desk phone", contact=ticket.contact, agent=ticket.agent, status=status)
    make_action(waiting, "<p>Which extension is on the sticker?</p>", body_is_html=True)
    page = signed_in(cleo).get("/portal/").content.decode()
    assert "One thing needs you." in page
    assert "We need your answer: Which extension is on the sticker?" in page
    assert page.index("Front desk phone") < page.index(ticket.subject)


def test_mine_leaves_the_colleagues_out(cleo: User, ticket: Ticket) -> None:
    make_ticket("Of a colleague", contact=make_contact(ticket.client))
    browser = signed_in(cleo)
    assert "Of a colleague" in browser.get("/portal/").content.decode()
    assert "Of a colleague" not in browser.get("/portal/?whose=mine").content.decode()


def test_a_contact_who_may_not_see_the_company_sees_their_own(cleo: User, ticket: Ticket) -> None:
    other = make_ticket("Of a colleague", contact=make_contact(ticket.client))
    cleo.contacts.update(sees_company=False)
    browser = signed_in(cleo)
    page = browser.get("/portal/?whose=all").content.decode()
    assert "Of a colleague" not in page
    assert "Whose requests" not in page
    assert browser.get(f"/portal/tickets/{other.pk}/").status_code == 404


def test_odd_addresses_show_the_first_page(cleo: User, ticket: Ticket) -> None:
    browser = signed_in(cleo)
    for query in ("show=x", "page=0", "page=-1", "page=9999999", "page=²", "whose=nobody"):
        assert ticket.subject in browser.get(f"/portal/?{query}").content.decode()


def test_empty_list_is_designed(account: PsaAccount) -> None:
    page = signed_in(make_otto(account)).get("/portal/").content.decode()
    assert "You have not asked us for anything yet." in page
    assert "No requests yet" in page


def test_other_clients_ticket_file_and_answer_are_not_there(account: PsaAccount, ticket: Ticket) -> None:
    item = attach(ticket)
    for user in (make_otto(account), User.objects.create_user("nobody@x.test", "x", name="No Body")):
        browser = signed_in(user)
        assert browser.get(f"/portal/tickets/{ticket.pk}/").status_code == 404
        assert browser.get(f"/portal/files/{item.pk}/").status_code == 404
        assert browser.post(f"/portal/tickets/{ticket.pk}/answer/", {"body": "x"}).status_code == 404
        assert ticket.subject not in browser.get("/portal/").content.decode()
    assert not Action.objects.exists()


def test_staff_goes_home_and_may_not_answer(account: PsaAccount, ticket: Ticket) -> None:
    browser = signed_in(make_theo(account))
    for address in ("/portal/", f"/portal/tickets/{ticket.pk}/", f"/portal/files/{attach(ticket).pk}/"):
        assert browser.get(address).status_code == 302
        assert browser.get(address)["Location"] == "/"
    assert browser.post(f"/portal/tickets/{ticket.pk}/answer/", {"body": "x"}).status_code == 403


def test_strangers_are_asked_to_sign_in(client: Browser, ticket: Ticket) -> None:
    for address in ("/portal/", f"/portal/tickets/{ticket.pk}/", "/portal/files/1/"):
        assert "/accounts/login/" in client.get(address)["Location"]


def test_signed_in_client_answers(cleo: User, ticket: Ticket) -> None:
    browser = signed_in(cleo)
    answer = browser.post(
        f"/portal/tickets/{ticket.pk}/answer/", {"body": "Room 2 is free.", "marker": str(uuid.uuid4())}
    )
    assert answer.status_code == 302
    assert Action.objects.get().author_contact == contact_of(cleo)
    assert "Room 2 is free." in browser.get(answer["Location"]).content.decode()


def test_list_does_not_grow_in_queries(cleo: User, ticket: Ticket, django_assert_max_num_queries: Any) -> None:
    for n in range(10):
        make_clock(make_ticket(f"Request {n}", contact=ticket.contact, agent=ticket.agent))
    browser = signed_in(cleo)
    with django_assert_max_num_queries(10):
        assert browser.get("/portal/").status_code == 200


# Files ----------------------------------------------------------------------------------------------------------------
def test_file_is_handed_over_as_a_download_only(client: Browser, cleo: User, ticket: Ticket) -> None:
    item = attach(ticket, name="x.html", content_type="text/html")
    by_link = reverse("portal:status_file", args=[link_to(ticket), item.pk])
    for browser, address in ((client, by_link), (signed_in(cleo), f"/portal/files/{item.pk}/")):
        answer = browser.get(address)
        assert b"".join(answer.streaming_content) == b"bytes"
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("sandbox")
        assert browser.get(address, headers={"HX-Request": "true"}).status_code == 400


def test_internal_foreign_and_withdrawn_files_are_not_there(client: Browser, cleo: User, ticket: Ticket) -> None:
    token = link_to(ticket)
    hidden = [
        attach(ticket, is_public=False),
        attach(ticket, action=make_action(ticket, is_internal=True)),
        attach(ticket, removed_at=timezone.now()),
        attach(ticket, action=make_action(ticket, removed_at=timezone.now())),
        attach(make_ticket(client=ticket.client, contact=make_contact(ticket.client))),
    ]
    for item in hidden:
        assert client.get(reverse("portal:status_file", args=[token, item.pk])).status_code == 404
    for item in hidden[:4]:
        assert signed_in(cleo).get(f"/portal/files/{item.pk}/").status_code == 404


def test_a_file_in_the_psa_is_asked_for_and_said(client: Browser, ticket: Ticket) -> None:
    item = attach(ticket, state=FileState.REMOTE)
    answer = client.get(reverse("portal:status_file", args=[link_to(ticket), item.pk]))
    assert answer.status_code == 202
    assert "The file is being fetched." in answer.content.decode()
    item.refresh_from_db()
    assert item.state == FileState.FETCHING


# Nothing internal -----------------------------------------------------------------------------------------------------
def seed_canaries(ticket: Ticket) -> None:
    """The canary in every field that is not the client's."""
    internal = {
        "description": CANARY, "resolution": CANARY, "resolution_type": CANARY, "reported_by": CANARY, "cc": CANARY,
        "impact": CANARY, "urgency": CANARY, "category": CANARY, "subcategory": CANARY, "category_3": CANARY,
        "category_4": CANARY, "agent_role": CANARY, "source": CANARY, "escalation_reason": CANARY,
        "sla_response_state": CANARY[:20], "sla_resolution_state": CANARY[:20], "description_clean": CANARY,
        "raw": {"x": CANARY}, "confirmed": {"x": CANARY},
    }  # fmt: skip
    Ticket.objects.filter(pk=ticket.pk).update(**internal)
    account = ticket.psa_account
    account.title, account.kind, account.health_text, account.ticket_url = CANARY, CANARY, CANARY, CANARY
    account.save()
    for row in (ticket.status, ticket.priority):
        row.name, row.colour = CANARY, CANARY[:20]
        row.save()
    ticket.agent.name, ticket.agent.email = f"Priya {CANARY}", f"{CANARY}@harbour.test"
    ticket.agent.save()
    contact = ticket.contact
    contact.email, contact.phone = f"{CANARY}@northwind.test", CANARY
    contact.save()
    for values in (
        {"is_internal": True, "body": CANARY, "author_name": CANARY},
        {"kind": "system", "body": CANARY},
        {"removed_at": timezone.now(), "body": CANARY},
        {"body": "Seen by you.", "title": CANARY, "email_to": CANARY, "email_cc": CANARY, "author_agent": ticket.agent,
         "author_name": f"Priya {CANARY}", "raw": {"x": CANARY}},
        {"body": "From a machine.", "author_name": CANARY},
        {"body": "From you.", "is_from_client": True, "author_name": CANARY},
        {"body": f'<p>Hidden<!-- {CANARY} --><img src="https://x.test/{CANARY}.png"></p>', "body_is_html": True},
    ):  # fmt: skip
        make_action(ticket, **values)
    attach(ticket, is_public=False, name=CANARY)
    attach(ticket, name="seen.png", state_text=CANARY, inline_reference="")
    for field in ("status", "priority", "agent", "team"):
        TicketEvent.objects.create(
            ticket=ticket, field=field, old=str(ticket.status_id), new=str(ticket.status_id), old_label=CANARY,
            new_label=CANARY, actor=CANARY, at=timezone.now(), known_at=timezone.now(), origin="desk",
        )  # fmt: skip


@pytest.mark.parametrize("category", ["new", "open", "waiting_client", "waiting_third_party", "escalated", "resolved"])
def test_no_internal_word_reaches_a_client(client: Browser, cleo: User, account: PsaAccount, category: str) -> None:
    status = make_status(category, psa_account=account)
    ticket = make_ticket(contact=contact_of(cleo), agent=make_agent(psa_account=account), status=status)
    seed_canaries(ticket)
    _link, of_client = create_link(client=ticket.client, created_by=None, now=timezone.now())
    browser, token = signed_in(cleo), link_to(ticket)
    pages = [
        client.get(reverse("portal:status", args=[token])),
        client.get(reverse("portal:status", args=[of_client])),
        client.post(reverse("portal:status_answer", args=[token]), {"body": ""}),
        browser.get("/portal/"),
        browser.get("/portal/?show=done"),
        browser.get(f"/portal/tickets/{ticket.pk}/"),
    ]
    for page in pages:
        assert page.status_code in {200, 422}
        assert CANARY not in page.content.decode() + str(page.headers)
        assert "internal" not in page.content.decode().lower()
    assert "Seen by you." in pages[0].content.decode()
    assert "seen.png" in pages[0].content.decode()


def test_waiting_is_told_without_its_status_names(client: Browser, ticket: Ticket) -> None:
    now = timezone.now()
    waiting = make_status("waiting_client", psa_account=ticket.psa_account)
    for at, old, new in ((80, ticket.status, waiting), (20, waiting, ticket.status)):
        TicketEvent.objects.create(
            ticket=ticket, field="status", old=str(old.pk), new=str(new.pk), origin="desk", known_at=now,
            at=now - timedelta(minutes=at),
        )  # fmt: skip
    page = client.get(reverse("portal:status", args=[link_to(ticket)])).content.decode()
    assert "We waited for your answer, " in page


def test_nobody_waits_for_who_has_answered(client: Browser, account: PsaAccount, ticket: Ticket) -> None:
    waiting = make_status("waiting_client", psa_account=account)
    Ticket.objects.filter(pk=ticket.pk).update(status=waiting, status_category="waiting_client")
    token = link_to(ticket)
    assert "Waiting for your answer since" in client.get(reverse("portal:status", args=[token])).content.decode()
    client.post(reverse("portal:status_answer", args=[token]), {"body": "Here it is."})
    page = client.get(reverse("portal:status", args=[token])).content.decode()
    assert "Yes. Priya has your answer." in page
    assert "We waited for your answer, " in page
    assert "Waiting for your answer since" not in page


def test_times_are_told_in_the_sites_zone(client: Browser, ticket: Ticket) -> None:
    site = make_site(ticket.client, time_zone="America/New_York")
    Ticket.objects.filter(pk=ticket.pk).update(site=site)
    page = client.get(reverse("portal:status", args=[link_to(ticket)])).content.decode()
    assert ticket.opened_at.astimezone(ZoneInfo("America/New_York")).strftime("%H:%M") in page


# For staff ------------------------------------------------------------------------------------------------------------
def test_staff_makes_and_closes_a_link(account: PsaAccount, ticket: Ticket, client: Browser) -> None:
    dana = signed_in(make_dana(account))
    answer = dana.post(reverse("portal:link_create", args=[ticket.pk]), headers={"HX-Request": "true"})
    page = answer.content.decode()
    address = page.split('value="http')[1].split('"')[0]
    assert client.get("/" + address.split("/", 3)[3]).status_code == 200
    assert AuditEntry.objects.filter(verb="link.create", subject=f"ticket:{ticket.pk}").exists()
    link = StatusLink.objects.get()
    assert link.contact == ticket.contact
    dana.post(reverse("portal:link_revoke", args=[link.pk]))
    assert client.get("/" + address.split("/", 3)[3]).status_code == 404
    assert AuditEntry.objects.filter(verb="link.revoke").count() == 1


def test_clients_make_no_links(cleo: User, ticket: Ticket) -> None:
    browser = signed_in(cleo)
    assert browser.post(reverse("portal:link_create", args=[ticket.pk])).status_code == 403
    assert browser.post(reverse("portal:client_link_create", args=[ticket.client_id])).status_code == 403
    assert browser.post(reverse("portal:link_revoke", args=[1])).status_code == 403
    assert browser.get(reverse("portal:link_create", args=[ticket.pk])).status_code == 405
    assert not StatusLink.objects.exists()
