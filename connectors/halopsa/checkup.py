"""The connection test: address, credentials and scope, in that order, each failure with its own words."""

from __future__ import annotations

from connectors.base.errors import AuthFailed, Forbidden, NotFound, Unavailable, WrongAddress
from connectors.halopsa.client import HaloClient

_SCOPES = (
    ("/Status", "statuses", "read:tickets"),
    ("/Client", "clients", "read:customers"),
    ("/Tickets", "tickets", "read:tickets"),
)


def check(client: HaloClient, address: str) -> str:
    """A line for people. WrongAddress or Unavailable, AuthFailed, Forbidden say which of the three is wrong."""
    try:
        return _check(client)
    except WrongAddress as error:
        raise WrongAddress(f"Address: {error.text} ({address})", status=error.status) from error
    except Unavailable as error:
        text = f"Address: HaloPSA does not answer at {address}: {error.text}"
        raise Unavailable(text, status=error.status) from error
    except AuthFailed as error:
        raise AuthFailed(f"Credentials: {error.text or 'not accepted'}", status=error.status) from error


def _check(client: HaloClient) -> str:
    client.auth.forget()
    client.auth.token()
    total = 0
    for path, key, scope in _SCOPES:
        try:
            total = client.page(path, key, {"page_size": "1"}, 1).total or 0
        except Forbidden as error:
            raise Forbidden(f"Scope: {scope} is missing", status=error.status) from error
        except NotFound as error:
            raise WrongAddress("HaloPSA's API is not there", status=error.status) from error
        except Unavailable as error:
            if error.status and error.status < 400:
                raise WrongAddress(error.text, status=error.status) from error
            raise
    return f"HaloPSA answers, {total} tickets to see"
