"""Access tokens that every process of the desk shares, encrypted in a row."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.base.auth import Token
from connectors.sync.models import RemoteToken
from helpdesk.core.secrets import SecretLost, decrypt, encrypt


class RowTokens:
    """The token store of one account."""

    def __init__(self, account_id: int) -> None:
        self._account_id = account_id
        self._kept: dict[str, Token] = {}

    def get(self, key: str) -> Token | None:
        """Read once and kept for the life of the connector, which is a slice of work."""
        found = self._kept.get(key) or self._read(key)
        if found is not None:
            self._kept[key] = found
        return found

    def _read(self, key: str) -> Token | None:
        row = RemoteToken.objects.filter(pk=self._account_id, key=key).first()
        if row is None:
            return None
        try:
            return Token(decrypt(row.token), row.expires_at.timestamp())
        except SecretLost:
            return None

    def put(self, key: str, token: Token) -> None:
        self._kept[key] = token
        RemoteToken.objects.update_or_create(
            pk=self._account_id,
            defaults={
                "key": key,
                "token": encrypt(token.value),
                "expires_at": datetime.fromtimestamp(token.renew_at, UTC),
            },
        )
