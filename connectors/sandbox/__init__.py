"""PSA imitations over real HTTP, to try the desk with and to develop connectors against.

`IMITATIONS` names them: mount prefix and the module that has a function `imitation(world)`.
"""

IMITATIONS: dict[str, str] = {"halopsa": "connectors.halopsa.sandbox"}
