"""Who may import whom. The picture stands in the README; this checks it from the code's own imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.registry import CONNECTORS
from connectors.sandbox import IMITATIONS

ROOT = Path(__file__).resolve().parent.parent
APPS = ["core", "accounts", "directory", "outbox", "sla", "tickets", "actions"]
"""From the floor up: an app imports only what stands before it."""
ROOFS = ["desk", "reports", "portal"]
PSAS = sorted(
    p.name
    for p in (ROOT / "connectors").iterdir()
    if p.is_dir() and p.name not in {"base", "sandbox", "sync", "__pycache__"}
)
METHODS = {"require_GET", "require_POST", "require_safe", "require_http_methods"}
CLOCKLESS = {"services", "mirror", "clocks", "clock", "rules", "querysets", "writing", "conflicts", "messages",
             "upkeep", "status_changes"}  # fmt: skip
"""Modules of services and pure code."""
SIBLINGS = {("sla", "outbox"), ("outbox", "sla")}


def modules(*folders: str) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def imports(path: Path) -> set[str]:
    """Full names of what a module imports, relative imports refused."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def app_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_apps_import_only_downwards() -> None:
    wrong = []
    for name, path in modules("helpdesk"):
        here = app_of(name)
        for target in imports(path):
            there = app_of(target) if target.startswith("helpdesk.") else ""
            if here == there or not there:
                continue
            if here in APPS and (there in ROOFS or APPS.index(there) > APPS.index(here) or (here, there) in SIBLINGS):
                wrong.append(f"{name} imports {target}")
            if here in ROOFS and there in ROOFS:
                wrong.append(f"{name} imports {target}: roofs do not know each other")
    assert not wrong, "\n".join(wrong)


def test_nothing_in_the_desk_imports_connectors() -> None:
    wrong = [
        f"{name} imports {t}" for name, path in modules("helpdesk") for t in imports(path) if t.startswith("connectors")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", ["base", "sandbox", *PSAS])
def test_connectors_are_plain_python(folder: str) -> None:
    wrong = [
        f"{name} imports {t}"
        for name, path in modules(f"connectors/{folder}")
        for t in imports(path)
        if t.split(".")[0] in {"django", "helpdesk", "celery"} or t.startswith("connectors.sync")
    ]
    assert not wrong, "\n".join(wrong)


def test_base_knows_no_psa() -> None:
    wrong = [
        f"{name} imports {t}"
        for name, path in modules("connectors/base")
        for t in imports(path)
        if t.startswith("connectors.") and not t.startswith("connectors.base")
    ]
    assert not wrong, "\n".join(wrong)


def test_the_bridge_knows_no_psa() -> None:
    wrong = [
        f"{name} imports {t}"
        for name, path in modules("connectors/sync")
        for t in imports(path)
        if t.split(".")[0] == "connectors" and t.split(".")[1] in {*PSAS, "sandbox"}
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("psa", PSAS)
def test_psas_know_base_and_themselves_only(psa: str) -> None:
    wrong = []
    for name, path in modules(f"connectors/{psa}"):
        in_sandbox = name.split(".")[2:3] == ["sandbox"]
        for t in imports(path):
            if not t.startswith("connectors."):
                continue
            if in_sandbox:
                # The imitation follows the vendor's manual, not our reading of it.
                fits = t.startswith((f"connectors.{psa}.sandbox", "connectors.sandbox"))
            else:
                fits = t.startswith((f"connectors.{psa}", "connectors.base")) and ".sandbox" not in t
            if not fits:
                wrong.append(f"{name} imports {t}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("psa", PSAS)
def test_mapping_is_pure(psa: str) -> None:
    wrong = [
        f"{name} imports {t}"
        for name, path in modules(f"connectors/{psa}")
        if ".mapping" in name
        for t in imports(path)
        if t.split(".")[0] in {"httpx", "socket", "time", "os"} or f"connectors.{psa}.client" in t
    ]
    assert not wrong, "\n".join(wrong)


def test_no_psa_is_spelt_outside_its_folder() -> None:
    """The desk cannot spell a PSA, not even in a comment, a page or a style. The registry and the demo may."""
    assert len(PSAS) >= 3
    names = re.compile("|".join([*PSAS, r"\bhalo\b"]), re.IGNORECASE)
    demo = {"helpdesk/desk/demo.py", "helpdesk/desk/demo_parts.py"}
    folders = ("helpdesk", "connectors/base", "connectors/sync", "connectors/sandbox", "templates", "static")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
    read = [path for path in files if path.suffix in {".py", ".html", ".txt", ".css", ".js", ".svg", ".md"}]
    assert {path.suffix for path in read} >= {".py", ".html", ".css", ".js"}
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in read
        if str(path.relative_to(ROOT)) not in demo
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if names.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_psa_is_named_once_to_the_desk() -> None:
    """One line in the registry; the sandbox finds its imitation by its folder."""
    for psa in PSAS:
        assert (ROOT / "connectors/registry.py").read_text().count(f'"{psa}":') == 1
        assert IMITATIONS[psa] == f"connectors.{psa}.sandbox"
    assert set(IMITATIONS) == set(CONNECTORS) == set(PSAS)


def test_services_and_pure_code_do_not_read_the_clock() -> None:
    """Time comes in as `now`; views, tasks, commands and receivers of the outside read it, once."""
    wrong = [
        name
        for name, path in modules("helpdesk")
        if path.stem in CLOCKLESS and ("timezone.now" in path.read_text() or "datetime.now" in path.read_text())
    ]
    assert not wrong, "\n".join(wrong)


def test_views_do_not_spell_queries() -> None:
    wrong = [
        f"{name}: {line.strip()}"
        for name, path in modules("helpdesk", "connectors/sync")
        if path.name.endswith("views.py") or path.parent.name == "views"
        for line in path.read_text().splitlines()
        if ".filter(" in line or ".exclude(" in line
    ]
    assert not wrong, "\n".join(wrong)


def test_writes_happen_on_post_and_pages_say_their_method() -> None:
    """Every function that an address leads to carries require_GET, require_POST or the like."""
    wrong = []
    wiring = "\n".join(
        path.read_text()
        for _name, path in modules("helpdesk", "connectors/sync")
        if path.stem.endswith(("urls", "routes"))
    )
    for name, path in modules("helpdesk", "connectors/sync"):
        if not path.name.endswith("views.py"):
            continue
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            if not re.search(rf"\.{node.name}\b", wiring):
                continue
            first = node.args.args[0].arg if node.args.args else ""
            marks = {ast.unparse(d).split("(")[0].split(".")[-1] for d in node.decorator_list}
            if first == "request" and not marks & METHODS:
                wrong.append(f"{name}.{node.name}")
    assert not wrong, "\n".join(wrong)
