"""Files: up one by one, down only to whom they belong, and never as something that acts."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from helpdesk.actions.models import Action, Attachment, Draft
from helpdesk.directory.models import PsaAccount
from helpdesk.tickets.models import Ticket
from tests.factories import NOW, make_action, make_contact, make_organisation, make_ticket
from tests.people import contact_of, make_cleo, make_dana, make_otto, make_theo

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def files(settings, tmp_path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    make_organisation()


@pytest.fixture
def ticket(account: PsaAccount) -> Ticket:
    return make_ticket(psa_account=account, contact=make_contact(psa_account=account))


@pytest.fixture
def theo(client: Browser, account: PsaAccount) -> Browser:
    client.force_login(make_theo(account))
    return client


def stored(
    ticket: Ticket, name: str = "log.txt", data: bytes = b"hello <b>", kind: str = "text/plain", **values
) -> Attachment:
    given = {
        "name": name,
        "content_type": kind,
        "size": len(data),
        "created_at": NOW,
        "psa_account": ticket.psa_account,
    }
    file = Attachment(ticket=ticket, **{**given, **values})
    if file.state == "stored":
        file.file.save(name, ContentFile(data), save=False)
    file.save()
    return file


def test_upload_gives_the_files_line(theo: Browser, ticket: Ticket) -> None:
    answer = theo.post("/files/", {"ticket": ticket.pk, "file": SimpleUploadedFile("a.png", PNG)}, headers=HTMX)
    assert answer.status_code == 200
    file = Attachment.objects.get()
    assert f'value="{file.pk}"' in answer.content.decode()
    assert (file.ticket, file.content_type) == (None, "image/png")
    assert Draft.objects.get().attachments.get() == file


@pytest.mark.parametrize(("name", "data"), [("run.exe", b"MZ"), ("empty.txt", b"")])
def test_what_is_not_taken_says_why(theo: Browser, ticket: Ticket, name: str, data: bytes) -> None:
    answer = theo.post("/files/", {"ticket": ticket.pk, "file": SimpleUploadedFile(name, data)}, headers=HTMX)
    assert answer.status_code == 422
    assert name in answer.content.decode()
    assert not Attachment.objects.exists()


def test_too_big_is_told_with_the_limit(theo: Browser, ticket: Ticket) -> None:
    ticket.psa_account.capabilities = {"attachment_bytes": 3}
    ticket.psa_account.save()
    answer = theo.post("/files/", {"ticket": ticket.pk, "file": SimpleUploadedFile("a.txt", b"1234")}, headers=HTMX)
    assert answer.status_code == 422
    assert "3 B" in answer.content.decode()


def test_only_ones_own_upload_can_be_taken_back(theo: Browser, ticket: Ticket) -> None:
    theo.post("/files/", {"ticket": ticket.pk, "file": SimpleUploadedFile("a.txt", b"1")}, headers=HTMX)
    file = Attachment.objects.get()
    other = Browser()
    other.force_login(make_dana(ticket.psa_account))
    assert other.post(f"/files/{file.pk}/remove/").status_code == 404
    assert theo.post(f"/files/{file.pk}/remove/", headers=HTMX).status_code == 200
    assert not Attachment.objects.exists()


def test_a_sent_file_cannot_be_taken_back(theo: Browser, ticket: Ticket) -> None:
    assert theo.post(f"/files/{stored(ticket).pk}/remove/").status_code == 404


def test_download_is_an_attachment_that_can_do_nothing(theo: Browser, ticket: Ticket) -> None:
    file = stored(ticket, name="Zoë “1”.html", data=b"<script>", kind="text/html")
    answer = theo.get(f"/files/{file.pk}/")
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "filename*=utf-8''Zo%C3%AB" in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"] == "private, no-store"
    assert b"".join(answer.streaming_content) == b"<script>"


def test_never_to_a_swap(theo: Browser, ticket: Ticket) -> None:
    assert theo.get(f"/files/{stored(ticket).pk}/", headers=HTMX).status_code == 400


def test_a_client_and_a_stranger_get_nothing(ticket: Ticket) -> None:
    file = stored(ticket)
    for person in (make_cleo(ticket.psa_account), make_otto(ticket.psa_account)):
        browser = Browser()
        browser.force_login(person)
        for address in (f"/files/{file.pk}/", f"/files/{file.pk}/preview/", f"/files/{file.pk}/image/"):
            assert browser.get(address).status_code in (403, 404)
    assert Browser().get(f"/files/{file.pk}/").status_code == 302


def test_a_file_of_a_removed_ticket_is_gone(theo: Browser, ticket: Ticket) -> None:
    file = stored(ticket)
    Ticket.objects.filter(pk=ticket.pk).update(removed_at=NOW)
    assert theo.get(f"/files/{file.pk}/").status_code == 404


def test_text_is_shown_escaped(theo: Browser, ticket: Ticket) -> None:
    page = theo.get(f"/files/{stored(ticket).pk}/preview/").content.decode()
    assert "hello &lt;b&gt;" in page


def test_a_picture_is_served_as_what_it_is_and_nothing_else_is(theo: Browser, ticket: Ticket) -> None:
    picture = stored(ticket, name="a.png", data=PNG, kind="image/png")
    answer = theo.get(f"/files/{picture.pk}/image/")
    assert (answer["Content-Type"], answer["Content-Security-Policy"]) == ("image/png", "sandbox; default-src 'none'")
    assert theo.get(f"/files/{stored(ticket).pk}/image/").status_code == 404
    drawing = stored(ticket, name="a.svg", data=b"<svg/>", kind="image/svg+xml")
    assert theo.get(f"/files/{drawing.pk}/image/").status_code == 404


def test_a_file_in_the_psa_is_fetched_by_a_press(theo: Browser, ticket: Ticket) -> None:
    file = stored(ticket, state="remote", remote_id="7")
    assert "Fetch it" in theo.get(f"/files/{file.pk}/preview/").content.decode()
    file.refresh_from_db()
    assert file.state == "remote"
    answer = theo.post(f"/files/{file.pk}/fetch/")
    assert answer.url == f"/files/{file.pk}/preview/"
    file.refresh_from_db()
    assert file.state == "fetching"
    assert theo.get(f"/files/{file.pk}/").status_code == 302


def test_an_inline_image_is_fetched_when_it_is_looked_at(theo: Browser, ticket: Ticket) -> None:
    file = stored(ticket, state="remote", inline_reference="abcdef12")
    answer = theo.get(f"/tickets/{ticket.pk}/images/abcdef12/")
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    file.refresh_from_db()
    assert file.state == "fetching"
    assert theo.get(f"/tickets/{ticket.pk}/images/unknown1/").status_code == 404


def test_a_client_sees_an_inline_image_of_a_public_text_only(ticket: Ticket) -> None:
    cleo = make_cleo(client=ticket.client)
    Ticket.objects.filter(pk=ticket.pk).update(contact=contact_of(cleo))
    hidden = stored(ticket, data=PNG, kind="image/png", inline_reference="abcdef12")
    browser = Browser()
    browser.force_login(cleo)
    assert browser.get(f"/tickets/{ticket.pk}/images/abcdef12/").status_code == 404
    Attachment.objects.filter(pk=hidden.pk).update(is_public=True)
    shown = make_action(ticket, '<p><img src="https://psa.test/api/attachment/image/abcdef12"></p>')
    assert browser.get(f"/tickets/{ticket.pk}/images/abcdef12/").status_code == 200
    Action.objects.filter(pk=shown.pk).update(is_internal=True)
    assert browser.get(f"/tickets/{ticket.pk}/images/abcdef12/").status_code == 404
    Action.objects.filter(pk=shown.pk).update(is_internal=False)
    otto = Browser()
    otto.force_login(make_otto(ticket.psa_account))
    assert otto.get(f"/tickets/{ticket.pk}/images/abcdef12/").status_code == 404
