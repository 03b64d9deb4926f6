"""What every mail of the desk shares: names that fit a header, our address, and handing it to the mail server."""

from __future__ import annotations

import smtplib
import unicodedata
from email.utils import formataddr, parseaddr
from typing import Any

from django.conf import settings


class NotTaken(Exception):
    """The mail server did not take it. `is_final` = the same mail would be refused again."""

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        super().__init__(text)
        self.is_final = is_final


def one_line(text: str) -> str:
    """Text of strangers as part of a header: no line breaks, no control or direction marks, not endless."""
    plain = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text[:1000])
    return " ".join("".join(c for c in plain if unicodedata.category(c) not in {"Cf", "Cs"}).split())[:200]


def sender(name: str) -> str:
    """Our address under the firm's name."""
    return formataddr((one_line(name), parseaddr(settings.DEFAULT_FROM_EMAIL)[1] or settings.DEFAULT_FROM_EMAIL))


def hand_over(message: Any, server: Any) -> None:
    """Give one mail to the mail server. Raises NotTaken."""
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
