"""Tokens that are shared, renewed in time, and replaced once."""

from __future__ import annotations

import threading

from connectors.base.auth import MemoryTokens, Token, TokenAuth, token_key


class Issuer:
    def __init__(self, seconds: float = 3600, now: float = 0.0) -> None:
        self.count = 0
        self.seconds = seconds
        self.now = now

    def __call__(self) -> Token:
        self.count += 1
        return Token.lasting(f"token-{self.count}", self.seconds, now=self.now)


def test_one_token_serves_until_shortly_before_it_expires() -> None:
    issuer = Issuer()
    auth = TokenAuth("k", issuer, now=lambda: issuer.now)
    assert auth.token() == auth.token() == "token-1"
    issuer.now = 3600 - 91
    assert auth.token() == "token-1"
    issuer.now = 3600 - 89
    assert auth.token() == "token-2"


def test_a_short_lived_token_is_used_as_well() -> None:
    issuer = Issuer(seconds=40)
    auth = TokenAuth("k", issuer, now=lambda: issuer.now)
    auth.token()
    issuer.now = 29
    assert auth.token() == "token-1"


def test_two_processes_share_and_replace_one_token() -> None:
    store, issuer = MemoryTokens(), Issuer()
    one, two = (TokenAuth("k", issuer, store=store, now=lambda: issuer.now) for _ in range(2))
    assert one.token() == two.token() == "token-1"
    assert one.replace("token-1") == "token-2"
    assert two.replace("token-1") == "token-2", "the other process has fetched a new one already"
    assert issuer.count == 2


def test_many_threads_fetch_one_token() -> None:
    issuer = Issuer()
    auth = TokenAuth("k", issuer, now=lambda: issuer.now)
    threads = [threading.Thread(target=auth.token) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert issuer.count == 1


def test_the_key_changes_with_the_credentials_and_hides_them() -> None:
    assert token_key("halopsa", "main", "id", "secret") != token_key("halopsa", "main", "id", "other")
    assert "secret" not in token_key("halopsa", "main", "id", "secret")


def test_a_token_does_not_show_in_a_log() -> None:
    assert "abc" not in repr(Token("abc", 0.0))
