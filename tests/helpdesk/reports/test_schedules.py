"""Reports by mail: when, about which days, to whom, once each; and what a client's contact may never get."""

from __future__ import annotations

import io
import smtplib
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client as Browser
from django.utils import timezone
from openpyxl import load_workbook

from helpdesk.accounts.models import AuditEntry, User
from helpdesk.accounts.permissions import can
from helpdesk.core.errors import Refused
from helpdesk.directory.models import Contact, PsaAccount
from helpdesk.reports import report_mails, schedules
from helpdesk.reports.models import FoldState, ReportSchedule, ReportSent
from helpdesk.reports.schedule_forms import MOST_CONTACTS
from helpdesk.reports.schedules import Wanted, days_before, next_time
from tests.factories import (
    make_action,
    make_client,
    make_clock,
    make_contact,
    make_organisation,
    make_status,
    make_team,
    make_ticket,
)
from tests.helpdesk.reports.test_views import count_all
from tests.people import EVERYBODY, make_cleo, make_mona, make_theo

pytestmark = [pytest.mark.django_db]

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("every", "zone", "after", "expected"),
    [
        ("week", "UTC", "2026-06-10T12:00", "2026-06-15T07:00"),
        ("week", "UTC", "2026-06-15T06:59", "2026-06-15T07:00"),
        ("week", "UTC", "2026-06-15T07:00", "2026-06-22T07:00"),
        ("week", "America/New_York", "2026-06-10T12:00", "2026-06-15T11:00"),
        ("week", "Pacific/Auckland", "2026-06-14T18:59", "2026-06-14T19:00"),
        ("week", "Europe/London", "2026-10-24T12:00", "2026-10-26T07:00"),
        ("month", "UTC", "2026-06-10T12:00", "2026-07-01T07:00"),
        ("month", "Europe/London", "2026-12-31T12:00", "2027-01-01T07:00"),
    ],
)
def test_the_next_time_is_an_hour_of_the_readers_zone(every: str, zone: str, after: str, expected: str) -> None:
    found = next_time(
        every=every, weekday=0, month_day=1, hour=7, zone=zone, after=datetime.fromisoformat(after + "+00:00")
    )
    assert found == datetime.fromisoformat(expected + "+00:00")


def test_the_days_are_the_whole_week_or_month_before() -> None:
    assert days_before("week", date(2026, 6, 15)) == (date(2026, 6, 8), date(2026, 6, 14))
    assert days_before("week", date(2026, 6, 14)) == (date(2026, 6, 1), date(2026, 6, 7))
    assert days_before("month", date(2026, 3, 1)) == (date(2026, 2, 1), date(2026, 2, 28))


@pytest.fixture
def firm() -> Any:
    """Everything up to the present is counted."""
    FoldState.objects.create(time_zone="Europe/London", cursors={"changed": None}, caught_up_at=NOW + timedelta(365))
    return make_organisation(name="Harbour IT", colour="#0b6b6b", time_zone="Europe/London")


def make_schedule(*, now: datetime = NOW, **values: Any) -> ReportSchedule:
    person = make_mona()
    given = {"about": "desk", "people": [person], "time_zone": "Europe/London", **values}
    return schedules.save_schedule(wanted=Wanted(**given), user=person, now=now)


def deliver(now: datetime) -> list[Any]:
    before = len(mail.outbox)
    report_mails.deliver_due(clock=lambda: now)
    return mail.outbox[before:]


def test_it_goes_out_once_a_week_with_the_firms_name_and_a_workbook(firm: Any) -> None:
    row = make_schedule()
    assert row.next_at == datetime(2026, 6, 15, 6, tzinfo=UTC)
    assert schedules.plan_due(now=row.next_at - timedelta(seconds=1), zone=ZONE) == 0
    at = row.next_at + timedelta(seconds=40)
    assert schedules.plan_due(now=at, zone=ZONE) == 1
    assert schedules.plan_due(now=at, zone=ZONE) == 0
    (sent,) = deliver(at)
    assert sent.to == ["mona@harbour.test"]
    assert sent.from_email.startswith("Harbour IT <")
    assert sent.subject == "Report: Harbour IT, 8 to 14 Jun 2026"
    assert "#0b6b6b" in sent.alternatives[0][0]
    assert "/reports/?period=custom&from=2026-06-08&to=2026-06-14" in sent.body
    (name, body, kind) = sent.attachments[0]
    assert name == "report-2026-06-08-2026-06-14.xlsx"
    assert kind.endswith("sheet")
    assert "Key figures" in load_workbook(io.BytesIO(body)).sheetnames
    job = ReportSent.objects.get()
    assert (job.state, job.sent_at) == ("sent", at)
    row.refresh_from_db()
    assert row.next_at == datetime(2026, 6, 22, 6, tzinfo=UTC)
    assert deliver(at + timedelta(days=1)) == []


def test_a_desk_that_slept_for_weeks_sends_the_last_one_only(firm: Any) -> None:
    row = make_schedule()
    late = NOW + timedelta(days=40)
    assert schedules.plan_due(now=late, zone=ZONE) == 1
    assert schedules.plan_due(now=late, zone=ZONE) == 0
    assert ReportSent.objects.count() == 1
    row.refresh_from_db()
    assert row.next_at is not None
    assert row.next_at > late


@pytest.mark.parametrize(
    ("every", "zone", "due", "days", "leaves"),
    [
        ("week", "Pacific/Auckland", "2026-06-14T19:00", ("2026-06-08", "2026-06-14"), "2026-06-14T23:02"),
        ("month", "Pacific/Auckland", "2026-06-30T19:00", ("2026-06-01", "2026-06-30"), "2026-06-30T23:02"),
        ("week", "America/Los_Angeles", "2026-06-15T14:00", ("2026-06-08", "2026-06-14"), "2026-06-15T14:00"),
        ("month", "Europe/London", "2026-07-01T06:00", ("2026-06-01", "2026-06-30"), "2026-07-01T06:00"),
    ],
)
def test_a_reader_ahead_of_the_desk_gets_the_days_before_once_they_are_over(
    firm: Any, every: str, zone: str, due: str, days: tuple[str, str], leaves: str
) -> None:
    """Monday in Auckland is Sunday in London, where the days are counted."""
    row = make_schedule(every=every, time_zone=zone)
    at, until = (datetime.fromisoformat(f"{text}+00:00") for text in (due, leaves))
    assert row.next_at == at
    schedules.plan_due(now=at, zone=ZONE)
    job = ReportSent.objects.get()
    assert (str(job.first), str(job.last)) == days
    assert deliver(until - timedelta(seconds=1)) == []
    assert len(deliver(until)) == 1


def test_nothing_leaves_before_its_days_are_counted(firm: Any) -> None:
    row = make_schedule(hour=0)
    over = datetime(2026, 6, 14, 23, tzinfo=UTC)
    for counted in (None, over - timedelta(hours=1), over + timedelta(seconds=50)):
        FoldState.objects.update(caught_up_at=counted)
        assert row.next_at == over
        schedules.plan_due(now=over, zone=ZONE)
        for minutes in range(1, 2 * schedules.MOST_CLAIMS):
            assert deliver(over + timedelta(minutes=minutes)) == []
    FoldState.objects.update(caught_up_at=over + timedelta(minutes=2))
    assert len(deliver(over + timedelta(hours=1))) == 1


def test_a_change_in_the_minute_it_is_due_keeps_this_one(firm: Any) -> None:
    row = make_schedule()
    at = row.next_at
    assert at is not None
    wanted = Wanted(about="desk", people=list(row.people.all()), hour=9, time_zone="Europe/London")
    schedules.save_schedule(wanted=wanted, user=row.created_by, now=at + timedelta(seconds=5), schedule=row)
    assert schedules.plan_due(now=at + timedelta(seconds=40), zone=ZONE) == 1
    row.refresh_from_db()
    assert row.next_at == at + timedelta(hours=2)


def test_a_zone_that_is_known_no_more_holds_up_no_other(firm: Any) -> None:
    odd, row = make_schedule(), make_schedule()
    ReportSchedule.objects.filter(pk=odd.pk).update(time_zone="Mars/Olympus")
    assert row.next_at is not None
    assert schedules.plan_due(now=row.next_at, zone=ZONE) == 1
    assert ReportSent.objects.get().schedule == row


def test_the_log_says_where_it_went(firm: Any) -> None:
    schedules.queue(schedule=make_schedule(), now=NOW, zone=ZONE, occasion="x")
    User.objects.update(email="mona.new@harbour.test")
    (sent,) = deliver(NOW)
    assert sent.to == ["mona.new@harbour.test"]
    assert ReportSent.objects.get().to == "mona.new@harbour.test"


def test_the_same_occasion_twice_is_one(firm: Any) -> None:
    row = make_schedule()
    for _ in range(3):
        schedules.queue(schedule=row, now=NOW, zone=ZONE, occasion="x")
    assert ReportSent.objects.count() == 1


def test_a_killed_worker_loses_nothing_and_a_late_one_changes_nothing(firm: Any) -> None:
    schedules.queue(schedule=make_schedule(), now=NOW, zone=ZONE, occasion="x")
    lost = schedules.claim(now=NOW)
    assert lost is not None
    assert schedules.claim(now=NOW) is None
    assert deliver(NOW + timedelta(seconds=10)) == []
    later = NOW + timedelta(seconds=schedules.LEASE_SECONDS + 1)
    (sent,) = deliver(later)
    assert sent.extra_headers["Message-ID"] == f"<report.{lost.marker}@localhost>"
    assert not schedules.postpone(job=lost, text="too late", now=later)
    assert ReportSent.objects.get().state == "sent"
    assert deliver(later + timedelta(days=1)) == []


def test_a_job_that_takes_its_worker_down_stops_at_some_time(firm: Any) -> None:
    schedules.queue(schedule=make_schedule(), now=NOW, zone=ZONE, occasion="x")
    at = NOW
    for _ in range(schedules.MOST_CLAIMS):
        assert schedules.claim(now=at) is not None
        at += timedelta(seconds=schedules.LEASE_SECONDS + 1)
    assert schedules.claim(now=at) is None
    assert ReportSent.objects.get().state == "failed"


class Broken(EmailBackend):
    error: Exception = smtplib.SMTPDataError(451, b"try again later")

    def send_messages(self, messages: Any) -> int:
        raise self.error


class Refusing(Broken):
    error = smtplib.SMTPDataError(550, b"no such <b>person</b>")


def test_what_the_server_does_not_take_is_tried_again_and_said(firm: Any, settings: Any) -> None:
    schedules.queue(schedule=make_schedule(), now=NOW, zone=ZONE, occasion="x")
    settings.EMAIL_BACKEND = "tests.helpdesk.reports.test_schedules.Broken"
    deliver(NOW)
    job = ReportSent.objects.get()
    assert (job.state, job.attempts, job.not_before_at) == ("waiting", 1, NOW + timedelta(seconds=60))
    assert "try again later" in job.error_text
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert len(deliver(NOW + timedelta(seconds=61))) == 1


def test_what_is_refused_for_good_waits_for_a_person(firm: Any, settings: Any, client: Browser) -> None:
    schedules.queue(schedule=make_schedule(), now=NOW, zone=ZONE, occasion="x")
    settings.EMAIL_BACKEND = "tests.helpdesk.reports.test_schedules.Refusing"
    deliver(NOW)
    job = ReportSent.objects.get()
    assert job.state == "failed"
    client.force_login(make_mona())
    page = client.get("/reports/schedules/").content.decode()
    assert "no such &lt;b&gt;person" in page
    client.post(f"/reports/schedules/sent/{job.pk}/retry/")
    assert AuditEntry.objects.get(verb="report.retry").detail["to"] == job.to
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert len(deliver(timezone.now())) == 1


# ---- who may get what -----------------------------------------------------------------------------------------------


@pytest.fixture
def review(firm: Any, account: PsaAccount) -> dict[str, Any]:
    """Two clients with something late in the last month; Cleo at the first."""
    now = timezone.now()
    ours, theirs = make_client("Northwind", psa_account=account), make_client("Kestrel", psa_account=account)
    closed = make_status("closed", psa_account=account)
    last = (now.replace(day=1) - timedelta(days=5)).replace(hour=12)
    for client, subject in ((ours, "Our printer"), (theirs, "Their secret")):
        ticket = make_ticket(
            subject, client=client, status=closed, opened_at=last - timedelta(hours=9), finished_at=last
        )
        make_clock(ticket, state="breached", due_at=last - timedelta(hours=1), finished_at=last)
        make_action(ticket, "internal thoughts", is_internal=True)
        make_ticket(f"{subject}, open", client=client, opened_at=last)
    count_all()
    cleo = make_contact(ours, first_name="Cleo", email="cleo@northwind.test", psa_account=account)
    return {"ours": ours, "theirs": theirs, "cleo": cleo, "now": now}


def test_a_contact_gets_the_review_of_their_own_client_only(review: dict[str, Any]) -> None:
    row = make_schedule(
        now=review["now"], about="client", client=review["ours"], every="month", people=[], contacts=[review["cleo"]]
    )
    schedules.queue(schedule=row, now=review["now"], zone=ZONE, occasion="x")
    (sent,) = deliver(review["now"])
    assert sent.to == ["cleo@northwind.test"]
    sheets = load_workbook(io.BytesIO(sent.attachments[0][1]))
    cells = " ".join(str(cell.value) for sheet in sheets for line in sheet.iter_rows() for cell in line)
    for text in (sent.body, sent.alternatives[0][0], cells):
        assert "Our printer" in text
        for never in ("Their secret", "Kestrel", "internal thoughts", "/reports/", "/tickets/"):
            assert never not in text, never


def test_a_linked_client_of_another_account_stays_out(review: dict[str, Any]) -> None:
    from helpdesk.directory.models import ClientGroup

    group = ClientGroup.objects.create(created_at=review["now"])
    type(review["ours"]).objects.update(group=group)
    row = make_schedule(
        now=review["now"], about="client", client=review["ours"], every="month", contacts=[review["cleo"]]
    )
    schedules.queue(schedule=row, now=review["now"], zone=ZONE, occasion="x")
    found = {sent.to[0]: sent for sent in deliver(review["now"])}
    assert "Their secret" not in found["cleo@northwind.test"].body
    assert "Their secret" in found["mona@harbour.test"].body


@pytest.mark.parametrize(
    "change",
    [{"is_active": False}, {"sees_company": False}, {"email": "a@x.test, b@y.test"}, {"erased_at": NOW}, "moved"],
)
def test_a_contact_who_may_not_have_it_is_refused_and_left_out(review: dict[str, Any], change: Any) -> None:
    cleo = review["cleo"]
    row = make_schedule(now=review["now"], about="client", client=review["ours"], people=[], contacts=[cleo])
    schedules.queue(schedule=row, now=review["now"], zone=ZONE, occasion="x")
    type(cleo).objects.filter(pk=cleo.pk).update(**({"client": review["theirs"]} if change == "moved" else change))
    assert deliver(review["now"]) == []
    assert ReportSent.objects.get().state == "cancelled"
    cleo.refresh_from_db()
    with pytest.raises(Refused):
        make_schedule(about="client", client=review["ours"], people=[], contacts=[cleo])


def test_a_contact_whose_sign_in_was_shut_gets_nothing(review: dict[str, Any], account: PsaAccount) -> None:
    cleo, person = review["cleo"], make_cleo(account)
    type(cleo).objects.filter(pk=cleo.pk).update(user=person)
    row = make_schedule(now=review["now"], about="client", client=review["ours"], people=[], contacts=[cleo])
    schedules.queue(schedule=row, now=review["now"], zone=ZONE, occasion="x")
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert deliver(review["now"]) == []


def test_a_contact_among_hundreds_can_be_chosen_and_stays_chosen(review: dict[str, Any], client: Browser) -> None:
    ours = review["ours"]
    Contact.objects.bulk_create(
        Contact(
            psa_account=ours.psa_account, client=ours, remote_id=f"c{n}", first_name=f"A{n:03}", email=f"{n}@n.test",
            sees_company=n % 2 == 0,
        )
        for n in range(2 * (MOST_CONTACTS + 1))
    )  # fmt: skip
    zoe = make_contact(ours, first_name="Zoe", email="zoe@northwind.test", psa_account=ours.psa_account)
    row = make_schedule(now=review["now"], about="client", client=ours, people=[], contacts=[zoe])
    client.force_login(make_mona())
    page = client.get(f"/reports/schedules/{row.pk}/").content.decode()
    assert "zoe@northwind.test" in page
    assert "1@n.test" not in page
    given = {"every": "month", "weekday": "0", "month_day": "1", "hour": "7", "time_zone": "Europe/London"}
    client.post(f"/reports/schedules/{row.pk}/", {**given, "contacts": [zoe.pk]})
    assert list(row.contacts.all()) == [zoe]


def test_two_presses_are_one_sending(review: dict[str, Any], client: Browser) -> None:
    row = make_schedule(now=review["now"])
    client.force_login(make_mona())
    for _ in range(2):
        client.post(f"/reports/schedules/{row.pk}/send/")
    assert len({job.key.split(":")[2][:12] for job in ReportSent.objects.all()}) == ReportSent.objects.count()


def test_only_people_who_may_see_reports_get_one(review: dict[str, Any], account: PsaAccount) -> None:
    with pytest.raises(Refused):
        make_schedule(people=[make_theo(account)])
    with pytest.raises(Refused):
        make_schedule(people=[])
    with pytest.raises(Refused):
        make_schedule(people=[make_mona()], contacts=[review["cleo"]])
    row = make_schedule(now=review["now"])
    schedules.queue(schedule=row, now=review["now"], zone=ZONE, occasion="x")
    User.objects.update(role="agent")
    assert deliver(review["now"]) == []
    assert ReportSent.objects.get().error_text


def test_a_team_has_its_own(review: dict[str, Any], account: PsaAccount) -> None:
    team = make_team("Field", psa_account=account)
    row = make_schedule(now=review["now"], about="team", team=team, every="month")
    schedules.queue(schedule=row, now=review["now"], zone=ZONE, occasion="x")
    (sent,) = deliver(review["now"])
    assert f"team={team.pk}" in sent.body
    assert "Our printer" not in sent.body


# ---- pages ----------------------------------------------------------------------------------------------------------


def test_a_manager_makes_changes_pauses_sends_and_deletes(review: dict[str, Any], client: Browser) -> None:
    client.force_login(make_mona())
    address = f"/reports/schedules/new/?about=client&client={review['ours'].pk}"
    page = client.get(address).content.decode()
    assert "cleo@northwind.test" in page
    given = {"every": "month", "weekday": "0", "month_day": "1", "hour": "7", "time_zone": "Europe/London"}
    assert client.post(address, given).status_code == 422
    assert client.post(address, {**given, "time_zone": "Mars", "contacts": [review["cleo"].pk]}).status_code == 422
    assert client.post(address, {**given, "contacts": [999]}).status_code == 422
    assert client.post(address, {**given, "contacts": [review["cleo"].pk]}).status_code == 302
    row = ReportSchedule.objects.get()
    assert "Northwind" in client.get("/reports/schedules/").content.decode()
    client.post(f"/reports/schedules/{row.pk}/", {**given, "hour": "9", "contacts": [review["cleo"].pk]})
    row.refresh_from_db()
    assert row.hour == 9
    for what, is_active in (("pause", False), ("resume", True)):
        assert client.post(f"/reports/schedules/{row.pk}/{what}/").status_code == 302
        row.refresh_from_db()
        assert (row.is_active, row.next_at is not None) == (is_active, is_active)
    client.post(f"/reports/schedules/{row.pk}/send/")
    assert len(deliver(timezone.now())) == 1
    assert 'data-sending="sent"' in client.get("/reports/schedules/").content.decode()
    client.post(f"/reports/schedules/{row.pk}/send/")
    client.post(f"/reports/schedules/{row.pk}/delete/")
    assert deliver(timezone.now()) == []
    assert AuditEntry.objects.filter(subject=f"schedule:{row.pk}").count() >= 6
    assert client.get(f"/reports/schedules/{row.pk}/").status_code == 404


@pytest.mark.parametrize("query", ["about=soup", "about=client", "about=client&client=999999", "about=team&team=x"])
def test_what_it_is_about_must_make_sense(client: Browser, query: str) -> None:
    client.force_login(make_mona())
    assert client.get(f"/reports/schedules/new/?{query}").status_code == 422


@pytest.mark.parametrize("path", ["", "new/", "new/?about=desk", "1/", "1/send/", "1/delete/", "sent/1/retry/"])
@pytest.mark.parametrize("name", list(EVERYBODY))
def test_only_those_who_may_export(client: Browser, account: PsaAccount, path: str, name: str) -> None:
    person: User = EVERYBODY[name](account)
    client.force_login(person)
    wanted = (200, 302, 404, 405) if can(person, "reports.export") else (403, 405)
    assert client.get(f"/reports/schedules/{path}").status_code in wanted
    assert client.post(f"/reports/schedules/{path}").status_code in (*wanted, 422)
    if not can(person, "reports.export"):
        assert client.get("/reports/schedules/").status_code == 403
