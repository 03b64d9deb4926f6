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

    def get(self, key: str) -> Token | None:
        row = RemoteToken.objects.filter(pk=self._account_id, key=key).first()
        if row is None:
            return None
        try:
            return Token(decrypt(row.token), row.expires_at.timestamp())
        except SecretLost:
            return None

    def put(self, key: str, token: Token) -> None:
        RemoteToken.objects.update_or_create(
            pk=self._account_id,
            defaults={
                "key": key,
                "token": encrypt(token.value),
                "expires_at": datetime.fromtimestamp(token.renew_at, UTC),
            },
        )
