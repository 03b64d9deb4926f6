"""Encryption of credentials at rest: Fernet, the first key encrypts, every key decrypts."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class SecretLost(Exception):
    """The key that encrypted this is gone: the credential must be entered again."""


def _box() -> MultiFernet:
    if not settings.SECRETS_KEYS:
        raise ImproperlyConfigured("SECRETS_KEYS is empty: credentials of PSA accounts cannot be kept")
    return MultiFernet([Fernet(key) for key in settings.SECRETS_KEYS])


def encrypt(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    try:
        return _box().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise SecretLost("encrypted with a key that is no longer configured") from error
