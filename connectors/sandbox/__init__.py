"""PSA imitations over real HTTP, to try the desk with and to develop connectors against.

`IMITATIONS` names them: mount prefix and the module that has a function `imitation(world)`.
"""

IMITATIONS: dict[str, str] = {
    "halopsa": "connectors.halopsa.sandbox",
    "autotask": "connectors.autotask.sandbox",
    "atera": "connectors.atera.sandbox",
}
DEFAULT = ("halopsa",)
"""The PSAs that a sandbox holds when nobody says which."""
