"""Bearer tokens that processes can share: one fetch serves all, a refused one is replaced once."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Token:
    """`renew_at`: from then on a new one is asked for, some time before this one expires; seconds since the epoch."""

    value: str = field(repr=False)
    renew_at: float

    @classmethod
    def lasting(cls, value: str, seconds: float, *, now: float) -> Token:
        """A token that expires after `seconds`: renewed 90 s before that, or at three quarters of a short life."""
        return cls(value, now + seconds - min(90.0, seconds / 4))


class TokenStore(Protocol):
    """Keeps tokens between calls and, where the store is shared, between processes. It must keep them secret."""

    def get(self, key: str) -> Token | None:
        """The token under this key; None when there is none."""

    def put(self, key: str, token: Token) -> None:
        """Keep this token, in place of an older one."""


class MemoryTokens:
    """Tokens of one connector."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def get(self, key: str) -> Token | None:
        return self._tokens.get(key)

    def put(self, key: str, token: Token) -> None:
        self._tokens[key] = token


class TokenAuth:
    """Hands out a valid token; `fetch` asks the PSA for a new one and raises only connector errors."""

    def __init__(
        self,
        key: str,
        fetch: Callable[[], Token],
        *,
        store: TokenStore | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._fetch = fetch
        self._store = store or MemoryTokens()
        self._now = now
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Use a store of this instance's own from now on: a test of credentials must not live on a known token."""
        self._store = MemoryTokens()

    def token(self) -> str:
        """A token that is valid for a while yet."""
        known = self._store.get(self._key)
        return known.value if known and self._is_fresh(known) else self.replace(known.value if known else "")

    def replace(self, refused: str) -> str:
        """A token other than the refused one: another thread's or process's if there is one, else a new one."""
        with self._lock:
            known = self._store.get(self._key)
            if known and known.value != refused and self._is_fresh(known):
                return known.value
            token = self._fetch()
            self._store.put(self._key, token)
            return token.value

    def _is_fresh(self, token: Token) -> bool:
        return self._now() < token.renew_at


def token_key(kind: str, name: str, *parts: str) -> str:
    """A key that changes with the credentials, so that an old token never outlives them."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    return f"{kind}:{name}:{digest}"
