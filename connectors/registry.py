"""One line per PSA. The desk learns of a PSA here and nowhere else."""

from __future__ import annotations

from importlib import import_module

from connectors.base.connector import Connector

CONNECTORS: dict[str, str] = {
    "atera": "connectors.atera.connector:AteraConnector",
    "autotask": "connectors.autotask.connector:AutotaskConnector",
    "halopsa": "connectors.halopsa.connector:HaloPSAConnector",
}


def connector_class(kind: str) -> type[Connector]:
    """The connector of a PSA kind. KeyError for a kind that is not registered."""
    module, _, name = CONNECTORS[kind].partition(":")
    found: type[Connector] = getattr(import_module(module), name)
    return found
