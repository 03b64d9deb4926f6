"""PSA imitations over real HTTP, to try the desk with and to develop connectors against.

`IMITATIONS` names them: mount prefix and the module that has a function `imitation(world)`. Every folder of a PSA that
has a sandbox is one.
"""

from pathlib import Path

IMITATIONS: dict[str, str] = {
    folder.name: f"connectors.{folder.name}.sandbox"
    for folder in sorted(Path(__file__).resolve().parent.parent.iterdir())
    if (folder / "sandbox").is_dir() or ((folder / "sandbox.py").is_file() and folder.name != "sandbox")
}
DEFAULT = tuple(IMITATIONS)
"""The PSAs that a sandbox holds when nobody says which: all of them, each with its share of the tickets."""
