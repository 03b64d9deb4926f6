"""The settings' calendars: made, looked at before saving, kept in versions; what makes no sense is refused there."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import AuditEntry
from helpdesk.directory.models import PsaAccount
from helpdesk.sla.models import Calendar, CalendarVersion, Holiday, OpenInterval, Policy, Target
from helpdesk.sla.versions import save_calendar_version
from tests.factories import NOW, make_account, make_calendar, make_organisation, make_policy
from tests.people import EVERYBODY, make_ada, make_mona

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ADD = "/settings/sla/calendars/add/"
WEEK = {f"d{day}-0-opens": "09:00" for day in range(5)} | {f"d{day}-0-closes": "17:30" for day in range(5)}

EDGES = (("opens", "10"), ("closes", "20"))


@pytest.fixture
def halo(db: None) -> PsaAccount:
    make_organisation(time_zone="Europe/London")
    return make_account(title="HaloPSA")


@pytest.fixture
def ada(client: Browser, halo: PsaAccount) -> Browser:
    client.force_login(make_ada(halo))
    return client


def make_own(name: str = "Office", **values: object) -> Calendar:
    """Monday to Friday, nine to half past five, in London; its first version written."""
    row = Calendar.objects.create(**{"name": name, "time_zone": "Europe/London", **values})
    OpenInterval.objects.bulk_create(OpenInterval(calendar=row, weekday=d, opens=540, closes=1050) for d in range(5))
    save_calendar_version(row, now=NOW)
    return row


def form(**values: object) -> dict[str, object]:
    return {"name": "Office", "time_zone": "Europe/London", "verb": "save", **WEEK, **values}


def spans(row: Calendar) -> list[tuple[int, int, int]]:
    return list(row.intervals.values_list("weekday", "opens", "closes"))


def test_a_calendar_is_made_with_lunch_a_night_and_days_off(ada: Browser) -> None:
    assert "No calendar yet" in ada.get("/settings/sla/calendars/").content.decode()
    data = form(
        **{
            "d0-0-closes": "12:00", "d0-1-opens": "13:00", "d0-1-closes": "17:30",
            "d4-1-opens": "22:00", "d4-1-closes": "06:00", "d4-1-next": "yes",
            "h-0-name": "Works outing", "h-0-first": "2027-06-11",
            "h-1-name": "Christmas Eve", "h-1-first": "2026-12-24", "h-1-opens": "09:00", "h-1-closes": "12:00",
            "h-2-name": "Closed weeks", "h-2-first": "2027-08-02", "h-2-last": "2027-08-13",
            "country": "GB", "region": "ENG",
        }
    )  # fmt: skip
    answer = ada.post(ADD, data)
    row = Calendar.objects.get()
    assert answer.url == f"/settings/sla/calendars/{row.pk}/"
    assert spans(row)[:2] == [(0, 540, 720), (0, 780, 1050)]
    assert (4, 1320, 1800) in spans(row)
    half = row.holidays.get(name="Christmas Eve")
    assert (half.opens, half.closes, half.source) == (540, 720, "hand")
    assert (row.holidays.get(name="Closed weeks").ends_on.isoformat(), row.version) == ("2027-08-13", 1)
    assert row.holidays.filter(source="feed", name="Christmas Day").exists()
    entry = AuditEntry.objects.get(verb="calendar.add")
    assert (entry.subject, entry.detail["name"]) == (f"calendar:{row.pk}", "Office")
    page = ada.get("/settings/sla/calendars/").content.decode()
    for words in ("Mon 09:00–12:00, 13:00–17:30", "22:00–06:00 next day", "Europe/London", "Christmas Eve, open 09:00"):
        assert words in page
    again = ada.get(f"/settings/sla/calendars/{row.pk}/").content.decode()
    assert 'name="d4-1-next" value="yes" checked' in again
    assert 'value="2027-08-13"' in again


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "kept already"}, "There is a calendar of this name already."),
        ({"time_zone": "Mars/Olympus"}, "There is no time zone “Mars/Olympus”"),
        ({"time_zone": "localtime"}, "There is no time zone “localtime”"),
        ({"name": "\u200b\u202e"}, "Give it a name that can be read."),
        (
            {f"d5-{n}-{edge}": f"{n % 24:02d}:{minute}" for n in range(25) for edge, minute in EDGES},
            "A weekday has at most 24 intervals.",
        ),
        ({f"h-{n}-name": "X" for n in range(121)}, "At most 120 days off can be sent at once."),
        ({"h-0-name": "End", "h-0-first": "9999-12-31"}, "Choose its date."),
        ({"d0-0-opens": "17:30", "d0-0-closes": "09:00"}, "It closes before it opens. Tick “next day”"),
        ({"d0-0-closes": "09:00"}, "It closes when it opens."),
        ({"d0-0-closes": ""}, "Say from when to when"),
        ({"d0-0-opens": "nine"}, "Say from when to when"),
        ({"d0-0-opens": "9:75"}, "Say from when to when"),
        ({"d0-1-opens": "17:00", "d0-1-closes": "18:00"}, "It overlaps the hours before it."),
        ({"d0-1-opens": "09:00", "d0-1-closes": "17:30"}, "It overlaps the hours before it."),
        (
            {"d0-1-opens": "22:00", "d0-1-closes": "09:30", "d0-1-next": "y"},
            "It overlaps the hours of Monday, which run past midnight.",
        ),
        (
            {"d6-0-opens": "22:00", "d6-0-closes": "10:00", "d6-0-next": "y"},
            "It overlaps the hours of Sunday, which run past midnight.",
        ),
        (dict.fromkeys(WEEK, ""), "It would never be open: add hours"),
        (
            {"h-0-name": "For ever", "h-0-first": "2020-01-01", "h-0-last": "2099-12-31"},
            "It would never be open in the next 366 days",
        ),
        ({"h-0-first": "2026-12-24"}, "Name it"),
        ({"h-0-name": "X"}, "Choose its date."),
        ({"h-0-name": "X", "h-0-first": "31.12.2026"}, "Choose its date."),
        ({"h-0-name": "X", "h-0-first": "2026-12-24", "h-0-last": "2026-12-23"}, "It ends before it begins."),
        ({"h-0-name": "X", "h-0-first": "2026-12-24", "h-0-opens": "09:00"}, "or leave both empty"),
        (
            {"h-0-name": "X", "h-0-first": "2026-12-24", "h-0-opens": "12:00", "h-0-closes": "09:00"},
            "It closes before it opens.",
        ),
        ({"country": "XX"}, "Choose one from the list."),
        ({"country": "GB", "region": "BY"}, "Choose one from the list."),
        ({"country": "BV"}, "The feed has no holidays"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_its_place(ada: Browser, change: dict, text: str) -> None:
    make_own("Kept already")
    answer = ada.post(ADD, form(**change))
    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert Calendar.objects.count() == 1


def test_touching_hours_and_midnight_are_fine(ada: Browser) -> None:
    ada.post(ADD, form(**{"d0-1-opens": "17:30", "d0-1-closes": "00:00", "d0-1-next": "y", "d1-0-opens": "00:00"}))
    row = Calendar.objects.get()
    assert spans(row)[:3] == [(0, 540, 1050), (0, 1050, 1440), (1, 0, 1050)]
    assert 'value="00:00"' in ada.get(f"/settings/sla/calendars/{row.pk}/").content.decode()


def test_around_the_clock_needs_no_hours(ada: Browser) -> None:
    ada.post(ADD, {"name": "Always", "is_always_open": "on", "verb": "save"})
    row = Calendar.objects.get()
    assert row.is_always_open
    assert "Around the clock" in ada.get("/settings/sla/calendars/").content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_lines_are_added_copied_and_dropped_by_buttons_that_need_no_script(ada: Browser, headers: dict) -> None:
    data = {"name": "", "d0-0-opens": "08:00", "d0-0-closes": "12:00"}

    def press(verb: str, **more: str) -> str:
        answer = ada.post(ADD, {**data, **more, "verb": verb}, headers=headers)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert ("<html" in text) is not bool(headers)
        assert "This field is required" not in text, "nothing is judged before the person is done"
        return text

    assert 'name="d0-1-opens" value="" autofocus' in press("add-0")
    copied = press("copy-0")
    assert all(f'name="d{day}-0-opens" value="08:00"' in copied for day in range(5))
    assert 'name="d5-0-opens"' not in copied
    assert 'name="d1-0-opens" value="08:00"' in press("copy-0", **{"d1-0-opens": "10:00", "d1-0-closes": "11:00"})
    assert 'name="d0-0-opens"' not in press("drop-0-0")
    assert 'name="h-0-first"' in press("addday")
    assert 'name="h-0-first"' not in press("dropday-0", **{"h-0-name": "X", "h-0-first": "2026-12-24"})
    assert "Scotland" in press("look", country="GB")
    assert Calendar.objects.count() == 0


@pytest.mark.parametrize("verb", ["add-9", "drop-0-999", "copy-", "dropday-7", "add--1", "copy-99999999999"])
def test_odd_buttons_do_no_harm(ada: Browser, verb: str) -> None:
    assert ada.post(ADD, form(verb=verb)).status_code in (200, 422)


def test_a_change_is_looked_at_before_it_is_saved(ada: Browser) -> None:
    row = make_own()
    Policy.objects.create(name="Gold", calendar=row)
    here, data = f"/settings/sla/calendars/{row.pk}/", form(**{"d0-0-closes": "16:00"})
    answer = ada.post(here, data)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "tickets get another deadline" in text
    assert spans(row)[0] == (0, 540, 1050), "not saved yet"
    seen = answer.context["digest"]
    other = ada.post(here, {**data, "d1-0-closes": "16:00", "seen": seen})
    assert "It has changed since you looked." in other.content.decode()
    assert spans(row)[0] == (0, 540, 1050)
    assert ada.post(here, {**data, "seen": seen}).url == here
    assert spans(row)[0] == (0, 540, 960)
    assert list(row.versions.values_list("number", flat=True)) == [1, 2]
    entry = AuditEntry.objects.get(verb="calendar.change")
    assert entry.detail["changes"] == [
        "Hours Mon–Fri 09:00–17:30 → Mon 09:00–16:00; Tue–Fri 09:00–17:30"
    ]  # fmt: skip
    page = ada.get(here).content.decode()
    assert "Hours Mon–Fri 09:00–17:30 → Mon 09:00–16:00; Tue–Fri 09:00–17:30" in page
    assert "Ada Renner" in page
    assert "from the start" in page


def test_what_somebody_else_saved_meanwhile_is_looked_at_again(ada: Browser) -> None:
    row = make_own()
    Policy.objects.create(name="Gold", calendar=row)
    here, data = f"/settings/sla/calendars/{row.pk}/", form(**{"d0-0-closes": "16:00"})
    seen = ada.post(here, form(**{"d0-0-closes": "16:00", "verb": "preview"})).context["digest"]
    row.intervals.filter(weekday=4).delete()
    save_calendar_version(row, now=NOW)
    answer = ada.post(here, {**data, "seen": seen})
    assert "It has changed since you looked." in answer.content.decode()
    assert spans(row)[-1][0] == 3, "what they saved stands"
    assert ada.post(here, {**data, "seen": answer.context["digest"]}).url == here


def test_what_it_said_before_is_kept_though_nobody_had_written_it_down(ada: Browser) -> None:
    row = make_own()
    CalendarVersion.objects.all().delete()
    Calendar.objects.update(version=0)
    ada.post(f"/settings/sla/calendars/{row.pk}/", form(**{"d0-0-closes": "16:00"}))
    first, second = row.versions.order_by("number")
    assert (first.content["weekly"][0], second.content["weekly"][0]) == ([0, 540, 1050], [0, 540, 960])


def test_another_name_is_no_new_version(ada: Browser) -> None:
    row = make_own()
    Policy.objects.create(name="Gold", calendar=row)
    ada.post(f"/settings/sla/calendars/{row.pk}/", form(name="Bureau"))
    row.refresh_from_db()
    assert (row.name, row.version) == ("Bureau", 1)


def test_a_fed_day_can_be_ignored_and_stays_so(ada: Browser) -> None:
    ada.post(ADD, form(country="GB", region="ENG"))
    row = Calendar.objects.get()
    day = row.holidays.get(name="Boxing Day", starts_on__year=2026).starts_on.isoformat()
    data = form(country="GB", region="ENG", fed=[day], ignored=[day])
    ada.post(f"/settings/sla/calendars/{row.pk}/", data)
    assert row.holidays.get(starts_on=day).is_ignored
    assert row.holidays.filter(source="feed", is_ignored=True).count() == 1
    ada.post(f"/settings/sla/calendars/{row.pk}/", form(country="GB", region="ENG"))
    assert row.holidays.get(starts_on=day).is_ignored, "a form without the list says nothing of it"
    ada.post(f"/settings/sla/calendars/{row.pk}/", form(country="GB", region="ENG", fed=[day]))
    assert not row.holidays.get(starts_on=day).is_ignored
    ada.post(f"/settings/sla/calendars/{row.pk}/", form())
    assert not row.holidays.exists(), "without a country nothing is fed"


def test_days_off_that_are_over_leave_the_form_and_stay(ada: Browser) -> None:
    row = make_own()
    for number in range(150):
        Holiday.objects.create(
            calendar=row, name=f"Past {number}", starts_on=f"20{10 + number % 10}-05-01",
            ends_on=f"20{10 + number % 10}-05-01",
        )  # fmt: skip
    Holiday.objects.create(calendar=row, name="Coming", starts_on="2098-01-01", ends_on="2098-01-01")
    page = ada.get(f"/settings/sla/calendars/{row.pk}/").content.decode()
    assert "150 more days off" in page
    assert "Past 1" not in page
    assert page.count('value="Coming"') == 1
    data = form(**{"h-0-name": "Coming", "h-0-first": "2098-01-01", "h-1-name": "Past 0", "h-1-first": "2010-05-01"})
    ada.post(f"/settings/sla/calendars/{row.pk}/", data)
    assert row.holidays.filter(name__startswith="Past").count() == 150, "none lost, none twice"
    assert row.holidays.filter(name="Coming").count() == 1


def test_what_is_wrong_is_flagged_in_the_list(ada: Browser, halo: PsaAccount) -> None:
    make_calendar("Broken", psa_account=halo, time_zone="Mars/Olympus")
    Calendar.objects.create(name="Closed")
    make_own("Fed", feed_problem="The feed failed: no idea")
    page = ada.get("/settings/sla/calendars/").content.decode()
    for words in ("Mars/Olympus” is unknown here", "Never open in the next 366 days", "Holiday feed: The feed failed"):
        assert words in page


def test_a_psas_calendar_is_read_only_and_taken_over_in_one_press(ada: Browser, halo: PsaAccount) -> None:
    theirs = make_calendar("Workday", psa_account=halo, time_zone="Europe/Paris")
    OpenInterval.objects.create(calendar=theirs, weekday=2, opens=480, closes=720)
    Holiday.objects.create(
        calendar=theirs, name="Bastille <b>Day</b>", starts_on="2027-07-14", ends_on="2027-07-14", source="psa"
    )
    page = ada.get(f"/settings/sla/calendars/{theirs.pk}/").content.decode()
    assert "HaloPSA keeps this calendar" in page
    assert "Bastille &lt;b&gt;Day" in page
    assert 'name="d0-0-opens"' not in page
    assert ada.post(f"/settings/sla/calendars/{theirs.pk}/", form()).status_code == 403
    ada.post(f"/settings/sla/calendars/{theirs.pk}/take/")
    ours = Calendar.objects.get(psa_account=None)
    assert (ours.name, ours.time_zone, spans(ours), ours.version) == ("Workday", "Europe/Paris", [(2, 480, 720)], 1)
    assert ours.holidays.get().name == "Bastille <b>Day</b>"
    assert AuditEntry.objects.get(verb="calendar.take_over").detail["from"] == theirs.pk
    ada.post(f"/settings/sla/calendars/{theirs.pk}/take/")
    assert Calendar.objects.filter(psa_account=None, name="Workday 2").exists()


def test_a_calendar_in_use_is_not_archived(ada: Browser) -> None:
    row = make_own()
    policy = Policy.objects.create(name="Gold")
    target = Target.objects.create(policy=policy, priority="1", rank=1, calendar=row)
    page = ada.post(f"/settings/sla/calendars/{row.pk}/archive/", follow=True).content.decode()
    assert "Policies count by it: Gold" in page
    target.delete()
    ada.post(f"/settings/sla/calendars/{row.pk}/archive/")
    row.refresh_from_db()
    assert row.archived_at
    listed = ada.get("/settings/sla/calendars/")
    assert (listed.context["lines"], listed.context["archived"]) == ([], [row])
    ada.post(f"/settings/sla/calendars/{row.pk}/restore/", {"verb": "save"})
    listed = ada.get("/settings/sla/calendars/")
    assert ([line.row for line in listed.context["lines"]], listed.context["archived"]) == ([row], [])


def test_a_manager_reads_and_changes_nothing(client: Browser, halo: PsaAccount) -> None:
    row = make_own()
    client.force_login(make_mona(halo))
    assert "Office" in client.get("/settings/sla/calendars/").content.decode()
    page = client.get(f"/settings/sla/calendars/{row.pk}/").content.decode()
    assert "Only an administrator changes this." in page
    assert 'name="d0-0-opens"' not in page
    for path in (f"{row.pk}/", "add/", f"{row.pk}/take/", f"{row.pk}/archive/"):
        assert client.post(f"/settings/sla/calendars/{path}", form()).status_code == 403
    assert spans(row)[0] == (0, 540, 1050)


@pytest.mark.parametrize("who", ["dana", "theo", "cleo", "otto"])
def test_nobody_else_sees_them(client: Browser, halo: PsaAccount, who: str) -> None:
    row = make_own()
    client.force_login(EVERYBODY[who](halo))
    for path in ("", f"{row.pk}/", "add/"):
        assert client.get(f"/settings/sla/calendars/{path}").status_code in (403, 404)


def test_ten_more_calendars_cost_no_more_queries(ada: Browser, halo: PsaAccount) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert ada.get("/settings/sla/calendars/").status_code == 200
        return len(found)

    make_own("0")
    make_calendar("theirs", psa_account=halo)
    queries()
    before = queries()
    for number in range(1, 11):
        row = make_own(str(number), time_zone="")
        make_policy(f"P{number}", psa_account=halo, calendar=row)
        make_calendar(f"theirs {number}", psa_account=halo)
        Holiday.objects.create(calendar=row, name="X", starts_on="2027-01-01", ends_on="2027-01-01")
    assert queries() <= before
