"""What a mail to a client says: read from the rows when it leaves, in the reader's language and time zone.

A mail carries the client's own public facts only. What it may quote, and whether its link may answer, depends on who
gets it: the desk's people may write to anybody, and a stranger in Cc learns nothing but the words meant for them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from helpdesk.actions.addresses import is_address, only_address, read_addresses
from helpdesk.actions.choices import Occasion
from helpdesk.actions.cleaning import cleaned
from helpdesk.actions.models import Action, Attachment, ClientMail
from helpdesk.actions.text import html_to_text
from helpdesk.core.formatting import file_size, moment
from helpdesk.core.mailing import one_line, sender
from helpdesk.directory.models import Contact, Organisation
from helpdesk.portal import access, services
from helpdesk.portal.files import PLAIN_TYPES
from helpdesk.portal.story import row_facts, without_pictures
from helpdesk.portal.words import Reader, first_name, times
from helpdesk.tickets.choices import FINISHED
from helpdesk.tickets.models import Ticket

MOST_BYTES = 10 * 1024 * 1024
"""Of all files of one mail: with base64 it stays below the 20 MB that most mail servers take."""
QUOTE_CHARACTERS = 600
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class NothingToSay(Exception):
    """The mail is not to be sent: what it told of is no longer so, or nobody may read it."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One mail, ready. `body` is cleaned HTML, everything else plain text; `link_words` say where `link` leads."""

    mail: ClientMail
    to: Sequence[str]
    cc: Sequence[str]
    subject: str
    sender: str
    firm: Organisation
    number: str
    about: str
    language: str
    greeting: str = ""
    lines: Sequence[str] = ()
    body: SafeString | str = ""
    after: Sequence[str] = ()
    signature: str = ""
    quote_head: str = ""
    quote: str = ""
    files: Sequence[Attachment] = ()
    not_here: Sequence[str] = ()
    link: str = ""
    link_words: str = ""
    is_automatic: bool = True
    answers_to: str | None = None
    """None = an address that the PSA reads, so that an answer lands on the ticket."""
    is_to_staff: bool = False
    """To our own people: in a thread of its own, away from the client's."""

    @property
    def colour(self) -> str:
        return self.firm.colour if _COLOUR.fullmatch(self.firm.colour) else "#5145cd"

    def message(self, server: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
        """The mail as it is sent; the same whenever it is put together again."""
        domain = urlsplit(settings.BASE_URL).hostname or "localhost"
        root = f"<{'staff' if self.is_to_staff else 'ticket'}.{self.mail.ticket.marker}@{domain}>"
        headers = {"Message-ID": f"<mail.{self.mail.marker}@{domain}>", "In-Reply-To": root, "References": root}
        if self.is_automatic:
            # Out-of-office replies and other desks' acknowledgements must not answer this.
            headers |= {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
        answers_to = self.answers_to
        if answers_to is None:
            answers_to = str(self.mail.ticket.psa_account.client_mail.get("reply_to") or "")
        message = EmailMultiAlternatives(
            subject=self.subject,
            body=self.text(),
            from_email=self.sender,
            to=list(self.to),
            cc=list(self.cc),
            reply_to=[answers_to] if is_address(answers_to) else None,
            headers=headers,
            connection=server,
        )
        message.attach_alternative(self.html(), "text/html")
        for file in self.files:
            kind = file.content_type if file.content_type in PLAIN_TYPES else "application/octet-stream"
            with file.file.open("rb") as stored:
                message.attach(one_line(file.name) or "file", stored.read(), kind)
        return message

    def text(self) -> str:
        quoted = "\n".join(f"> {line}".rstrip() for line in self.quote.splitlines())
        parts = [
            self.greeting,
            *self.lines,
            _words(self.body) if self.body else self.about,
            *self.after,
            "\n".join(filter(None, [self.signature, self.firm.name, self.firm.phone])),
            "\n".join(self.not_here),
            f"{self.link_words}\n{self.link}" if self.link else "",
            f"{self.quote_head}\n{quoted}" if quoted else "",
        ]
        return "\n\n".join(part for part in parts if part.strip()) + "\n"

    def html(self) -> str:
        with translation.override(self.language):
            return render_to_string("portal/mail.html", {"letter": self, "look": _look(self.colour)})


def _look(colour: str) -> dict[str, SafeString]:
    """Attributes of the mail's parts: mail programs read no style sheet."""
    styles = {
        "page": "margin:0;padding:16px;background-color:#f5f5f7",
        "sheet": "max-width:600px;background-color:#ffffff",
        "bar": "height:4px;line-height:4px;font-size:0",
        "text": "padding:8px 24px 24px;font:15px/1.5 system-ui,'Segoe UI',Helvetica,Arial,sans-serif;color:#1c1c21;"
        "text-align:left;overflow-wrap:anywhere",
        "firm": f"font-weight:600;color:{colour}",
        "foot": "font-size:13px;color:#5c5c66",
        "link": f"color:{colour}",
        "quote": "margin:0;padding-left:12px;border-left:2px solid #d8d8de;font-size:13px;color:#5c5c66",
    }
    return {name: format_html('style="{}"', style) for name, style in styles.items()}


def write_letter(mail: ClientMail, *, now: datetime) -> Letter:
    """Put a mail together from what its reader may see now. Raises NothingToSay."""
    try:
        ticket = access.mailed_ticket(mail.ticket_id)
        action = access.mailed_reply(ticket, mail.action_id) if mail.occasion == Occasion.REPLY else None
    except Http404:
        raise NothingToSay("it is no longer there, or no longer public") from None
    if mail.occasion == Occasion.STATUS and not ticket.is_finished:
        raise NothingToSay("it was opened again")
    to, cc = _recipients(mail, ticket)
    known = access.people_at(ticket, [*to, *cc])
    reader = known[0] if known else None
    firm = access.organisation()
    with translation.override(language_of(reader, firm)):
        base = Letter(
            mail=mail, to=to, cc=cc, subject="", sender="", firm=firm, number=ticket.label, about=ticket.subject,
            language=translation.get_language() or settings.LANGUAGE_CODE,
        )  # fmt: skip
        zone = access.reader_for(
            now=now, firm=firm, user=reader.user if reader else None, contact=reader, site=ticket.site,
            client=ticket.client,
        )  # fmt: skip
        base = _with_link(base, ticket, [*to, *cc], known, now)
        if action is not None:
            return _reply(base, ticket, action, zone, is_inside=len({c.email.lower() for c in known}) == len(to + cc))
        return _notice(base, ticket, reader, zone)


def _recipients(mail: ClientMail, ticket: Ticket) -> tuple[list[str], list[str]]:
    """Who gets it. A notice goes to who is the ticket's contact now; a mail to ourselves would go round for ever."""
    own = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower()
    if mail.occasion == Occasion.REPLY:
        to, cc = read_addresses(mail.to), read_addresses(mail.cc)
    else:
        contact = ticket.contact
        is_here = contact is not None and contact.is_active and contact.erased_at is None
        address = only_address(contact.email) if contact and is_here else ""
        to, cc = [address] if address else [], []
        if to and ", ".join(to) != mail.to:
            ClientMail.objects.filter(pk=mail.pk).update(to=", ".join(to))
    to, cc = ([a for a in people if a.lower() != own] for people in (to, cc))
    if not to and not cc:
        raise NothingToSay("there is nobody to mail")
    return to, cc


def language_of(reader: Contact | None, firm: Organisation) -> str:
    """The reader's language, else the firm's."""
    known = {code for code, _name in settings.LANGUAGES}
    wanted = [reader.user.language if reader and reader.user else "", firm.language, settings.LANGUAGE_CODE]
    return next((code for code in wanted if code in known), settings.LANGUAGE_CODE)


def _with_link(letter: Letter, ticket: Ticket, everybody: list[str], known: list[Contact], now: datetime) -> Letter:
    """The status link speaks for one person, so only a mail to that person alone carries it; others sign in.

    A stranger to the client gets none: the page would not open for them.
    """
    if not known:
        return letter
    if len(everybody) == 1 and known:
        token = services.mail_link(ticket=ticket, contact=known[0], now=now)
        if token:
            address = reverse("portal:status", args=[token])
            words = _("See where it stands, and answer, without signing in:")
            return replace(letter, link=settings.BASE_URL + address, link_words=words)
    address = reverse("portal:ticket", args=[ticket.pk])
    return replace(letter, link=settings.BASE_URL + address, link_words=_("Signed in, you see where it stands:"))


def _notice(letter: Letter, ticket: Ticket, reader: Contact | None, zone: Reader) -> Letter:
    """Received, or solved."""
    name = one_line(reader.first_name) if reader else ""
    what = {"number": ticket.label, "subject": one_line(ticket.subject)}
    if letter.mail.occasion == Occasion.ACKNOWLEDGEMENT:
        subject = _("[%(number)s] We have it: %(subject)s")
        lines = [
            _("We have received your request. Its number is %(number)s.") % what,
            _words(times(row_facts(ticket), zone)),
        ]
    else:
        is_closed = ticket.status_category == FINISHED[1]
        subject = _("[%(number)s] Closed: %(subject)s") if is_closed else _("[%(number)s] Solved: %(subject)s")
        done = _("Your request %(number)s is closed.") if is_closed else _("Your request %(number)s is solved.")
        lines = [done % what, _("If something is still wrong, tell us on its page.")]
    return replace(
        letter,
        subject=one_line(subject % what),
        sender=sender(letter.firm.name),
        greeting=_("Hello %(name)s,") % {"name": name} if name else _("Hello,"),
        lines=[line for line in lines if line],
    )


def _reply(letter: Letter, ticket: Ticket, action: Action, zone: Reader, *, is_inside: bool) -> Letter:
    """Our words; below them the client's own last ones, while nobody else reads along."""
    cleaned([action])
    author = action.author_user or (action.author_agent.user if action.author_agent else None) or action.author_agent
    name = one_line(first_name(str(author or action.author_name)))
    files, not_here = _files(ticket, action)
    if not action.body_clean.strip() and not files and not not_here:
        raise NothingToSay("there are no words in it")
    after = []
    if ticket.is_finished and action.new_status and action.new_status.category in FINISHED:
        after.append(_("Your request %(number)s is solved.") % {"number": ticket.label})
    quote_head, quote = _quote(ticket, action, zone) if is_inside else ("", "")
    return replace(
        letter,
        subject=one_line(f"Re: [{ticket.label}] {ticket.subject}"),
        sender=sender(f"{name}, {letter.firm.name}" if name else letter.firm.name),
        after=after,
        body=mark_safe(without_pictures(action.body_clean)),
        signature=name,
        quote_head=quote_head,
        quote=quote,
        files=files,
        not_here=not_here,
        is_automatic=False,
    )


def _quote(ticket: Ticket, action: Action, zone: Reader) -> tuple[str, str]:
    said = access.last_words(ticket, action.occurred_at)
    if said is None:
        return "", ""
    cleaned([said])
    words = Truncator(_words(said.body_clean)).chars(QUOTE_CHARACTERS)
    when = moment(said.occurred_at, zone.now, zone.zone)
    who = one_line(str(said.author_contact or said.author_name)) or _("You")
    return _("%(who)s wrote, %(when)s:") % {"who": who, "when": when}, words


def _files(ticket: Ticket, action: Action) -> tuple[list[Attachment], list[str]]:
    """Public files of this very reply that are stored here and fit; the others by name."""
    fitting, not_here, left = [], [], MOST_BYTES
    for file in access.public_files(ticket).filter(action=action):
        size = file.size or 0
        if file.file and size <= left and file.file.storage.exists(str(file.file.name)):
            fitting.append(file)
            left -= size
        else:
            what = {"name": one_line(file.name), "size": file_size(size)}
            not_here.append(_("Not attached: %(name)s (%(size)s)") % what)
    return fitting, not_here


def _words(html: str) -> str:
    """Cleaned HTML as plain text; paragraphs stay apart."""
    return re.sub(r"\n{3,}", "\n\n", html_to_text(html.replace("</p>", "</p>\n")))
