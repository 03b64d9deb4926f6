"""What stands around every page: what it shows to whom, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from helpdesk.accounts.models import AuditEntry, User
from helpdesk.desk.brand import ENOUGH, brand_digest, brand_sheet, contrast, nearest_readable
from helpdesk.desk.counts import current_of, view_links
from helpdesk.desk.frame import split_address
from helpdesk.desk.home import home_of
from helpdesk.desk.palette import find
from helpdesk.directory.models import Agent, Organisation, PsaAccount
from helpdesk.tickets.choices import Category
from helpdesk.tickets.search import refresh_search_text
from tests.factories import (
    make_account,
    make_agent,
    make_client,
    make_organisation,
    make_status,
    make_ticket,
    make_view,
)
from tests.people import make_ada, make_cleo, make_dana, make_mona, make_theo

pytestmark = pytest.mark.django_db
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000"
    "000049454e44ae426082"
)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# Home ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "paths"),
    [
        ("dispatcher", {"/board/", "/settings/personal/"}),
        ("agent", {"/tickets/?view=mine"}),
        ("manager", {"/reports/", "/board/", "/settings/personal/"}),
        ("admin", {"/settings/"}),
        ("client", {"/portal/", "/settings/personal/"}),
    ],
)
def test_everybody_has_a_first_page(role: str, paths: set[str]) -> None:
    assert home_of(role) in paths


def test_home_sends_on() -> None:
    assert signed_in(make_ada()).get("/")["Location"] == "/settings/"
    assert signed_in(make_theo()).get("/")["Location"] == "/tickets/?view=mine"
    assert "/accounts/login/" in Client().get("/")["Location"]


# The page itself -----------------------------------------------------------------------------------------------------
def test_a_page_costs_few_queries_whatever_there_is(account: PsaAccount, django_assert_max_num_queries) -> None:
    client = signed_in(make_dana(account))
    client.get("/settings/personal/")
    for size in (1, 30):
        for n in range(size):
            make_ticket(f"ticket {n}")
            make_view(f"view {size} {n}")
        cache.delete("frame:health")
        with django_assert_max_num_queries(4):
            page = client.get("/settings/personal/")
    assert page.status_code == 200


def test_the_frame_holds_what_the_person_may_open() -> None:
    page = signed_in(make_theo()).get("/settings/personal/").content.decode()
    assert 'id="rail"' in page
    assert "/settings/people/" not in page
    assert "/reports/" not in page
    page = signed_in(make_ada()).get("/settings/personal/").content.decode()
    assert "/settings/people/" in page


def test_a_client_gets_no_frame() -> None:
    page = signed_in(make_cleo()).get("/settings/personal/").content.decode()
    assert 'id="rail"' not in page
    assert "data-live=" not in page
    assert 'class="client-page' in page


def test_theme_is_the_persons() -> None:
    client = signed_in(make_dana())
    assert "data-theme" not in client.get("/settings/personal/").content.decode().split("<head>")[0]
    assert client.post("/theme/", {"theme": "dark"}).status_code == 204
    assert '<html lang="en-gb" data-theme="dark"' in client.get("/settings/personal/").content.decode()
    assert client.post("/theme/", {"theme": "pink"}).status_code == 422


def test_no_inline_script_or_style_and_a_strict_policy() -> None:
    response = signed_in(make_dana()).get("/settings/personal/")
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    page = response.content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert all("src=" in part.split(">")[0] for part in page.split("<script")[1:])
    assert page.count("x-csrftoken") == 1


def test_health_says_what_is_the_matter() -> None:
    now = timezone.now()
    make_account("one", title="One", last_pull_at=now - timedelta(seconds=8))
    make_account("two", title="Two", health="down", down_since=now - timedelta(minutes=5), last_pull_at=now)
    make_account("three", title="Three", is_paused=True, paused_reason="key is being changed")
    page = signed_in(make_dana()).get("/rail/health/").content.decode()
    assert 'data-health="ok"' in page
    assert "One: last pull 8 s ago, nothing waiting" in page
    assert "Two: not answering since" in page
    assert ">5 min</time>" in page
    assert "Three: key is being changed" in page


# The rail's fragment -------------------------------------------------------------------------------------------------
def test_counts_are_those_of_the_lists(account: PsaAccount) -> None:
    theo = make_theo(account)
    agent = theo.agents.get()
    make_ticket("mine", agent=agent)
    make_ticket("nobody's")
    make_ticket("late", agent=make_agent(), next_due_at=timezone.now() - timedelta(hours=1))
    make_ticket("closed", status=make_status(Category.CLOSED))
    make_view("Printers", query="q=nobody")
    page = signed_in(theo).get("/rail/", {"at": "/tickets/?view=mine"}).content.decode()
    seen = " ".join(page.split())
    for name, count in [("Tickets", 3), ("Needs an owner", 1), ("My tickets", 1)]:
        assert f'<span>{name}</span><span class="count' in seen
        assert f">{count}</span>" in seen.split(f"<span>{name}</span>")[1][:60]
    assert "Printers" in seen
    assert 'href="/tickets/?view=mine" aria-current="page"' in seen


def test_the_fragment_costs_no_more_with_more_tickets(account: PsaAccount, django_assert_max_num_queries) -> None:
    client = signed_in(make_dana(account))
    for _round in range(2):
        for n in range(15):
            make_ticket(f"t{n}")
        cache.clear()
        with django_assert_max_num_queries(12):
            assert client.get("/rail/").status_code == 200


@pytest.mark.parametrize(
    ("at", "current"),
    [
        ("/tickets/?view=mine", {"My tickets": "page"}),
        ("/tickets/?due=week", {"Due this week": "page"}),
        ("/tickets/?view=mine&sort=-due", {}),
        ("/board/", {}),
    ],
)
def test_where_one_is(at: str, current: dict[str, str]) -> None:
    links = current_of(view_links(), *split_address(at))
    assert {link.name: link.current for link in links if link.current} == current


# Palette -------------------------------------------------------------------------------------------------------------
def _find(text: str, user: User) -> Any:
    return find(text, user=user, pages=view_links())


def test_a_number_in_several_accounts_gives_them_all() -> None:
    dana = make_dana()
    for name in ("halo", "other"):
        make_ticket(f"in {name}", number="48207", psa_account=make_account(name))
    assert len(_find("48207", dana).numbered) == 2
    assert len(_find("#48207", dana).numbered) == 2
    assert not _find("#4820", dana).numbered


def test_words_find_tickets_clients_and_pages(account: PsaAccount) -> None:
    dana = make_dana(account)
    ticket = make_ticket("Glass door badge reader dead", client=make_client("Quayside Hotels"))
    refresh_search_text(ticket)
    assert list(_find("badge", dana).tickets) == [ticket]
    assert [c.name for c in _find("quay", dana).clients] == ["Quayside Hotels"]
    assert [c.name for c in _find("hotels", dana).clients] == ["Quayside Hotels"]
    assert [p.name for p in _find("my tick", dana).commands] == ["My tickets"]
    assert not _find(">badge", dana).tickets
    assert _find("zzz", dana).is_empty


def test_the_palettes_fragment(account: PsaAccount) -> None:
    client = signed_in(make_dana(account))
    for text in ("", "b", "mine", "#", ">", '"', "x" * 5000, "a OR b", "<script>"):
        response = client.get("/palette/", {"q": text})
        assert response.status_code == 200
        assert "<script>" not in response.content.decode()


# Settings ------------------------------------------------------------------------------------------------------------
ORGANISATION = {"name": "Harbour IT", "colour": "#0b5f6b", "time_zone": "Europe/London", "phone": "0117"}


def test_the_organisation_is_changed_by_an_administrator_only() -> None:
    make_organisation()
    for user, status in ((make_ada(), 302), (make_mona(), 403), (make_theo(), 403)):
        assert signed_in(user).post("/settings/organisation/", ORGANISATION).status_code == status
    assert signed_in(make_mona()).get("/settings/organisation/").status_code == 200
    assert signed_in(make_theo()).get("/settings/organisation/").status_code == 403
    assert Organisation.objects.get().colour == "#0b5f6b"
    assert AuditEntry.objects.get().verb == "organisation.change"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("colour", "#ffee00"),
        ("colour", "red"),
        ("colour", "#0b5f6b;}"),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", ""),
        ("name", ""),
    ],
)
def test_what_cannot_be_is_said_at_its_field(field: str, value: str) -> None:
    response = signed_in(make_ada()).post("/settings/organisation/", {**ORGANISATION, field: value})
    assert response.status_code == 422
    page = response.content.decode()
    assert f'id="id_{field}-wrong"' in page
    assert not Organisation.objects.exists()


def test_a_logo_is_a_picture(settings, tmp_path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    client = signed_in(make_ada())
    fake = SimpleUploadedFile("logo.png", b"<svg onload=alert(1)>", content_type="image/png")
    assert client.post("/settings/organisation/", {**ORGANISATION, "logo": fake}).status_code == 422
    large = SimpleUploadedFile("logo.png", PNG + b"0" * 600_000, content_type="image/png")
    assert client.post("/settings/organisation/", {**ORGANISATION, "logo": large}).status_code == 422
    real = SimpleUploadedFile("../../x.html", PNG, content_type="text/html")
    assert client.post("/settings/organisation/", {**ORGANISATION, "logo": real}).status_code == 302
    row = Organisation.objects.get()
    assert row.logo.name.endswith(".png")
    cache.clear()
    page = Client().get("/accounts/login/").content.decode()
    address = page.split('class="firm-logo" src="')[1].split('"')[0]
    response = Client().get(address)
    assert response.content == PNG
    assert response["Content-Type"] == "image/png"


def test_the_brand_sheet_is_public_and_reads_well() -> None:
    make_organisation(colour="#0b5f6b")
    response = Client().get(f"/brand/{brand_digest('#0b5f6b')}.css")
    assert response["Content-Type"] == "text/css"
    assert "immutable" in response["Cache-Control"]
    assert "#0b5f6b" in response.content.decode()


@pytest.mark.parametrize("colour", ["#000000", "#0b5f6b", "#5145cd", "#c00000", "#7a5a00", "#ffffff", "#ffee00"])
def test_every_colour_ends_readable(colour: str) -> None:
    near = nearest_readable(colour)
    assert contrast(near, "#ffffff") >= ENOUGH
    assert nearest_readable(near) == near
    sheet = brand_sheet(near)
    light, dark = sheet.split("--brand: light-dark(")[1].split(")")[0].split(", ")
    ink, dark_ink = sheet.split("--brand-ink: light-dark(")[1].split(")")[0].split(", ")
    assert min(contrast(light, "#ffffff"), contrast(dark, "#ffffff")) >= ENOUGH
    assert contrast(ink, "#f5f5f7") >= ENOUGH
    assert contrast(dark_ink, "#232329") >= ENOUGH


def test_contrast_is_wcags() -> None:
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_personal_settings() -> None:
    theo = make_theo()
    client = signed_in(theo)
    good = {
        "name": "Theo Marsh",
        "time_zone": "Europe/Berlin",
        "theme": "dark",
        "density": "dense",
        "hold_seconds": "10",
    }
    assert client.post("/settings/personal/", {**good, "time_zone": "Mars/Base"}).status_code == 422
    assert client.post("/settings/personal/", {**good, "hold_seconds": "999"}).status_code == 422
    assert client.post("/settings/personal/", good).status_code == 302
    theo.refresh_from_db()
    assert (theo.time_zone, theo.hold_seconds, theo.preferences) == (
        "Europe/Berlin", 10, {"theme": "dark", "density": "dense"},
    )  # fmt: skip


# People --------------------------------------------------------------------------------------------------------------
def test_adding_a_person_ties_them_by_e_mail(account: PsaAccount) -> None:
    agent = make_agent("Sofia Reyes", email="Sofia@Harbour.test")
    response = signed_in(make_ada()).post(
        "/settings/people/add/", {"name": "Sofia Reyes", "email": "sofia@harbour.test", "role": "agent"}
    )
    person = User.objects.get(email="sofia@harbour.test")
    assert response["Location"] == f"/settings/people/{person.pk}/"
    agent.refresh_from_db()
    assert agent.user == person


def test_tie_and_untie_by_hand(account: PsaAccount) -> None:
    theo, client = make_theo(), signed_in(make_ada())
    first, second = make_agent("Theo in the PSA"), make_agent("Another Theo")
    address = f"/settings/people/{theo.pk}/tie/"
    assert client.post(address, {"agent": first.pk}).status_code == 302
    assert client.post(address, {"agent": second.pk}).status_code == 422, "one agent an account"
    assert client.post(address, {"agent": "x"}).status_code == 422
    assert client.post(address, {"off": first.pk}).status_code == 302
    assert not theo.agents.exists()
    taken = make_agent("Dana's", user=make_dana())
    assert client.post(address, {"agent": taken.pk}).status_code == 422


def test_staff_that_becomes_a_client_loses_its_agents(account: PsaAccount) -> None:
    theo = make_theo(account)
    data = {"name": theo.name, "role": "client", "time_zone": ""}
    assert signed_in(make_ada()).post(f"/settings/people/{theo.pk}/", data).status_code == 302
    assert not Agent.objects.filter(user=theo).exists()


def test_managers_look_and_do_not_touch(account: PsaAccount) -> None:
    theo, client = make_theo(account), signed_in(make_mona())
    assert client.get("/settings/people/").status_code == 200
    page = client.get(f"/settings/people/{theo.pk}/").content.decode()
    assert "disabled" in page
    for address, data in [
        (f"/settings/people/{theo.pk}/", {"name": "x", "role": "admin"}),
        (f"/settings/people/{theo.pk}/access/", {}),
        (f"/settings/people/{theo.pk}/tie/", {"agent": 1}),
        ("/settings/people/add/", {}),
        ("/settings/people/join/", {}),
    ]:
        assert client.post(address, data).status_code == 403
    theo.refresh_from_db()
    assert (theo.role, theo.is_active) == ("agent", True)


def test_the_list_of_people_costs_the_same_for_more(account: PsaAccount, django_assert_max_num_queries) -> None:
    client = signed_in(make_ada())
    client.get("/settings/people/")
    for n in range(12):
        user = User.objects.create_user(f"u{n}@harbour.test", None, name=f"U {n}", role="agent")
        make_agent(f"U {n}", user=user)
    with django_assert_max_num_queries(9):
        assert client.get("/settings/people/").content.decode().count("<tr>") >= 13


def test_ending_access_from_the_page() -> None:
    theo, ada = make_theo(), make_ada()
    client = signed_in(ada)
    assert client.post(f"/settings/people/{theo.pk}/access/").status_code == 302
    theo.refresh_from_db()
    assert not theo.is_active
    assert client.post(f"/settings/people/{ada.pk}/access/").status_code == 422
    assert client.post(f"/settings/people/{theo.pk}/access/", {"open": "1"}).status_code == 302
    assert User.objects.get(pk=theo.pk).is_active


# Pages that are not there --------------------------------------------------------------------------------------------
def test_404_is_ours(settings) -> None:
    settings.DEBUG = False
    response = signed_in(make_theo()).get("/no/such/page/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
    assert response["X-Request-Id"] in response.content.decode()


def test_403_is_ours() -> None:
    response = signed_in(make_theo()).get("/settings/people/")
    assert response.status_code == 403
    assert "your role does not open it" in response.content.decode()


def test_500_needs_nothing_but_the_request() -> None:
    assert "This page could not be made" in render_to_string("500.html")


def test_a_psa_that_does_not_answer_has_a_banner_on_every_page() -> None:
    account = make_account(title="HaloPSA", health="down", down_since=timezone.now(), backfill_done_at=timezone.now())
    page = signed_in(make_dana())
    assert "has not answered since" in page.get("/tickets/").content.decode()
    part = page.get("/rail/health/?part=down").content.decode()
    assert "has not answered since" in part
    assert 'data-live-of="health"' in part
    PsaAccount.objects.filter(pk=account.pk).update(health="ok")
    cache.delete("frame:health")
    assert "has not answered since" not in page.get("/rail/health/?part=down").content.decode()


def test_a_silent_psa_is_slow_and_a_pause_is_said_at_once() -> None:
    long_ago = timezone.now() - timedelta(minutes=10)
    account = make_account(last_pull_at=long_ago, last_answer_at=long_ago, backfill_done_at=long_ago)
    page = signed_in(make_dana())
    assert 'data-health="slow"' in page.get("/rail/health/").content.decode()
    PsaAccount.objects.filter(pk=account.pk).update(last_pull_at=timezone.now(), is_paused=True)
    cache.set("live:health", "changed", timeout=None)
    text = page.get("/rail/health/").content.decode()
    assert "<span>paused</span>" in text
    assert 'data-health="ok"' not in text
