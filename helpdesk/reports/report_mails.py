"""A scheduled report as a mail: put together when it leaves, of what its reader may see then, and handed over.

A client's contact gets the review of their own client and nothing else: no link into the desk, no other client, not
even one that is linked with theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from helpdesk.core.formatting import safe_colour
from helpdesk.core.mailing import NotTaken, hand_over, one_line, sender
from helpdesk.directory.models import Organisation
from helpdesk.reports import files, pdf, schedules
from helpdesk.reports.asking import Asked, read
from helpdesk.reports.models import ReportSent
from helpdesk.reports.printed import printed_page
from helpdesk.reports.schedule_models import About, ReportSchedule
from helpdesk.reports.sheets import words
from helpdesk.reports.told import Told, change_words, tell
from helpdesk.tickets.access import desk_tickets
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.querysets import TicketQuerySet

log = structlog.get_logger("report mail")

SLICE_SECONDS = 30
TABLE_LINES = 12
"""Of a table within the mail; the workbook has all of them."""


class NotToBeSent(Exception):
    """Its reader may not have it any more, or there is nothing left to tell of."""


def deliver_due(*, clock: Callable[[], datetime], seconds: float = SLICE_SECONDS) -> bool:
    """Send what is due. False when time was up before all was gone."""
    deadline = clock() + timedelta(seconds=seconds)
    while job := schedules.claim(now=clock()):
        _deliver(job, clock)
        if clock() >= deadline:
            return False
    return True


def _deliver(job: ReportSent, clock: Callable[[], datetime]) -> None:
    server: BaseEmailBackend = get_connection()
    try:
        message = write(job, now=clock(), server=server)
        hand_over(message, server)
    except NotToBeSent as reason:
        schedules.cancel(job=job, text=str(reason))
    except NotTaken as error:
        log.warning("report not taken", job=job.pk, error=str(error)[:200])
        schedules.postpone(job=job, text=str(error), now=clock(), is_final=error.is_final)
    except Exception as error:  # the last line: a bug of ours may cost time, never a report
        log.exception("report failed", job=job.pk)
        schedules.postpone(job=job, text=f"{type(error).__name__} in the desk", now=clock())
    else:
        schedules.complete(job=job, to=message.to[0], now=clock())
        log.info("report mailed", job=job.pk)


# ---- what it says ---------------------------------------------------------------------------------------------------


def write(job: ReportSent, *, now: datetime, server: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
    """The mail as it is sent. Raises NotToBeSent."""
    schedule = job.schedule
    if schedule is None:
        raise NotToBeSent("its schedule was deleted")
    to, seen = _reader(job, schedule)
    firm = Organisation.objects.first() or Organisation()
    with translation.override(_language(job, firm)):
        asked = _asked(job, schedule, now)
        told = tell(asked, seen, now, client=schedule.client)
        title = one_line(told.title if schedule.about != About.DESK else firm.name)
        subject = _("Report: %(what)s, %(days)s") % {"what": title, "days": asked.period.words}
        link = "" if job.contact else _link(asked)
        letter = _Letter(told=told, firm=firm, days=asked.period.words, link=link, title=title)
        return _message(job, letter, one_line(subject), to, server)


def _reader(job: ReportSent, schedule: ReportSchedule) -> tuple[str, TicketQuerySet]:
    """The address, and what its owner may see; asked anew before each sending."""
    if job.contact is not None:
        if schedule.about != About.CLIENT or not schedules.may_have(job.contact, schedule.client):
            raise NotToBeSent("this contact may not have it any more")
        return job.contact.email.strip(), Ticket.objects.present().of_clients([schedule.client_id or 0])
    if job.user is None or not schedules.may_read(job.user):
        raise NotToBeSent("this person may not see reports any more")
    return job.user.email, desk_tickets(job.user)


def _asked(job: ReportSent, schedule: ReportSchedule, now: datetime) -> Asked:
    days = {"period": "custom", "from": job.first.isoformat(), "to": job.last.isoformat()}
    if schedule.about == About.TEAM:
        return read({**days, "team": str(schedule.team_id)}, now)
    if schedule.about == About.DESK or schedule.client_id is None:
        return read(days, now)
    asked = read(days, now, where="review", client=schedule.client)
    if job.contact is not None:
        asked.filters.keys["client"] = [schedule.client_id]
        asked.filters.labels["client"] = [str(schedule.client)]
    return asked


def _language(job: ReportSent, firm: Organisation) -> str:
    reader = job.user or (job.contact.user if job.contact else None)
    known = {code for code, _name in settings.LANGUAGES}
    wanted = [reader.language if reader else "", firm.language, settings.LANGUAGE_CODE]
    return next((code for code in wanted if code in known), settings.LANGUAGE_CODE)


def _link(asked: Asked) -> str:
    return settings.BASE_URL + asked.address.page()


@dataclass(frozen=True, kw_only=True)
class _Letter:
    """`link` is empty for who has no desk."""

    told: Told
    firm: Organisation
    title: str
    days: str
    link: str

    @property
    def colour(self) -> str:
        return safe_colour(self.firm.colour) or "#5145cd"

    @property
    def figures(self) -> list[tuple[str, str, str]]:
        """(label, value, what is said beside it)."""
        said = [(f, ", ".join(part for part in (change_words(f), str(f.note)) if part)) for f in self.told.figures]
        return [(str(f.label), f.value, more) for f, more in said]

    @property
    def tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """(title, heads, lines) of the first tables, with the columns that a phone has room for."""
        found = []
        for sheet in self.told.sheets[1:3]:
            shown = [i for i, column in enumerate(sheet.columns) if not column.is_spare]
            heads = [str(sheet.first), *(str(sheet.columns[i].label) for i in shown)]
            lines = [
                [line.name, *(words(sheet.columns[i].kind, line.cells[i].value) for i in shown)]
                for line in sheet.lines[:TABLE_LINES]
            ]
            found.append((str(sheet.title), heads, lines))
        return found

    def text(self) -> str:
        parts = [self.firm.name, self.title, self.days, ""]
        parts += [f"{label}: {value}{f' ({more})' if more else ''}" for label, value, more in self.figures]
        if self.told.late:
            parts += ["", _("What was late, and why")]
            parts += [
                f"- {one.ticket.label} {one_line(one.ticket.subject)}: {one.reason.text}" for one in self.told.late
            ]
        parts += ["", _("All tables are in the workbook.")]
        parts += [_("On the desk:"), self.link] if self.link else []
        return "\n".join(parts) + "\n"

    def html(self) -> str:
        return render_to_string("reports/mail.html", {
            "letter": self, "look": _look(self.colour), "language": translation.get_language()
        })  # fmt: skip


def _look(colour: str) -> dict[str, SafeString]:
    """Attributes of the mail's parts: mail programs read no style sheet."""
    cell = "padding:6px 8px;border-bottom:1px solid #e7e7ec;text-align:left;vertical-align:top;font-size:13px"
    styles = {
        "page": "margin:0;padding:16px;background-color:#f5f5f7",
        "sheet": "max-width:680px;background-color:#ffffff",
        "bar": "height:4px;line-height:4px;font-size:0",
        "text": "padding:8px 24px 24px;font:15px/1.5 system-ui,'Segoe UI',Helvetica,Arial,sans-serif;color:#1c1c21;"
        "text-align:left;overflow-wrap:anywhere",
        "firm": f"font-weight:600;color:{colour}",
        "title": "font-size:20px;line-height:1.25;margin:0",
        "head": "font-size:15px;margin:24px 0 6px",
        "table": "border-collapse:collapse;width:100%",
        "cell": cell,
        "th": cell + ";color:#5c5c66;font-weight:500",
        "value": cell + ";font-weight:600;white-space:nowrap",
        "foot": "font-size:13px;color:#5c5c66",
        "link": f"color:{colour}",
    }
    return {name: format_html('style="{}"', style) for name, style in styles.items()}


def _message(
    job: ReportSent, letter: _Letter, subject: str, to: str, server: BaseEmailBackend | None
) -> EmailMultiAlternatives:
    domain = urlsplit(settings.BASE_URL).hostname or "localhost"
    message = EmailMultiAlternatives(
        subject=subject,
        body=letter.text(),
        from_email=sender(letter.firm.name),
        to=[to],
        headers={
            "Message-ID": f"<report.{job.marker}@{domain}>", "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
        connection=server,
    )  # fmt: skip
    message.attach_alternative(letter.html(), "text/html")
    name = f"report-{job.first}-{job.last}"
    message.attach(f"{name}.xlsx", files.xlsx_bytes(letter.told.about, letter.told.every_sheet), files.XLSX)
    if pdf.is_there():
        message.attach(f"{name}.pdf", printed_page(letter.told), pdf.PDF)
    return message
