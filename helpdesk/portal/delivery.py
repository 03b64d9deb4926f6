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
from helpdesk.core.mailing import NotTaken, hand_over
from helpdesk.portal.letters import NothingToSay, write_letter
from helpdesk.portal.staff_letters import write_staff_letter

log = structlog.get_logger("mail")

SLICE_SECONDS = 20


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
        hand_over(letter.message(server), server)
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


def _close(server: BaseEmailBackend | None) -> None:
    if server is not None:
        with suppress(smtplib.SMTPException, OSError):
            server.close()
