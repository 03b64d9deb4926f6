"""Hand due mails to the mail server, one by one, and write down what became of each.

A worker may be killed at any instant: a mail that was under way is tried again once its lease is over, with the same
Message-ID. Nothing here is inside a transaction while the server is spoken to.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from helpdesk.actions import mails
from helpdesk.actions.choices import Occasion
from helpdesk.actions.models import ClientMail
from helpdesk.portal.letters import NothingToSay, write_letter
from helpdesk.portal.staff_letters import write_staff_letter

log = structlog.get_logger("mail")

SLICE_SECONDS = 20


class NotTaken(Exception):
    """The mail server did not take it. `is_final` = the same mail would be refused again."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        super().__init__(text)
        self.is_final = is_final


def deliver_due(*, clock: Callable[[], datetime], seconds: float = SLICE_SECONDS) -> bool:
    """Send what is due. False when time was up before all was gone."""
    deadline = clock() + timedelta(seconds=seconds)
    server: BaseEmailBackend | None = None
    try:
        while mail := mails.claim(now=clock()):
            server = server or get_connection()
            if not _deliver(mail, server, clock):
                _close(server)  # what an error left of the connection is not used again
                server = None
            if clock() >= deadline:
                return False
    finally:
        _close(server)
    return True


def _deliver(mail: ClientMail, server: BaseEmailBackend, clock: Callable[[], datetime]) -> bool:
    """Whether the connection is still good."""
    try:
        write = write_staff_letter if mail.occasion == Occasion.ESCALATION else write_letter
        letter = write(mail, now=clock())
        _hand_over(letter.message(server), server)
    except NothingToSay as reason:
        mails.cancel(mail=mail, text=str(reason))
        return True
    except NotTaken as error:
        log.warning("mail not taken", mail=mail.pk, ticket=mail.ticket_id, error=str(error)[:200])
        mails.postpone(mail=mail, text=str(error), now=clock(), is_final=error.is_final)
        return False
    except Exception as error:  # the last line: a bug of ours may cost time, never a mail
        log.exception("mail failed", mail=mail.pk, ticket=mail.ticket_id)
        mails.postpone(mail=mail, text=f"{type(error).__name__} in the desk", now=clock())
        return False
    mails.complete(mail=mail, now=clock())
    log.info("mailed", mail=mail.pk, ticket=mail.ticket_id, occasion=mail.occasion)
    return True


def _hand_over(message, server: BaseEmailBackend) -> None:  # type: ignore[no-untyped-def]
    try:
        if not server.send_messages([message]):
            raise NotTaken("the mail server took nothing")
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        words = "; ".join(f"{who}: {code} {_words(text)}" for who, (code, text) in error.recipients.items())
        raise NotTaken(words, is_final=all(code >= 500 for code in codes)) from error
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError) as error:
        # Says nothing about this mail: somebody mends the server, and it goes.
        raise NotTaken(f"the mail server refuses us: {error.smtp_code} {_words(error.smtp_error)}") from error
    except smtplib.SMTPResponseException as error:
        text = f"{error.smtp_code} {_words(error.smtp_error)}"
        raise NotTaken(text, is_final=error.smtp_code >= 500) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotTaken(f"the mail server does not answer: {error}") from error
    except (UnicodeError, ValueError) as error:
        raise NotTaken(str(error), is_final=True) from error


def _words(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def _close(server: BaseEmailBackend | None) -> None:
    if server is not None:
        with suppress(smtplib.SMTPException, OSError):
            server.close()
