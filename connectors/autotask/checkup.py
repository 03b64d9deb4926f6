"""The connection test: zone, credentials and rights, in that order, each failure with its own words."""

from __future__ import annotations

from connectors.autotask.client import AutotaskClient, where
from connectors.base.errors import AuthFailed, Forbidden, NotFound, Unavailable, WrongAddress

_ENTITIES = ("Tickets", "Companies")


def check(client: AutotaskClient, address: str) -> str:
    """A line for people. WrongAddress or Unavailable, AuthFailed, Forbidden say which of the three is wrong."""
    try:
        return _check(client)
    except WrongAddress as error:
        raise WrongAddress(f"Address: {error.text} ({address})", status=error.status) from error
    except Unavailable as error:
        text = f"Address: Autotask does not answer at {address}: {error.text}"
        raise Unavailable(text, status=error.status) from error
    except AuthFailed as error:
        raise AuthFailed(f"Credentials: {error.text or 'not accepted'}", status=error.status) from error


def _check(client: AutotaskClient) -> str:
    client.zones.forget()
    client.zones.current()
    total = 0
    for entity in reversed(_ENTITIES):
        try:
            total = client.count(entity, [where("id", "gte", 0)]) or 0
        except Forbidden as error:
            raise Forbidden(f"Scope: the API user may not read {entity}", status=error.status) from error
        except NotFound as error:
            raise WrongAddress("Autotask's API is not there", status=error.status) from error
        except Unavailable as error:
            if error.status and error.status < 400:
                raise WrongAddress(error.text, status=error.status) from error
            raise
    return f"Autotask answers, {total} tickets to see"
