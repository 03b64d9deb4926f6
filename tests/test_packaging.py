"""The files around the code say the same as the code: settings, their documentation, dependencies and locks."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE_LINE = re.compile(r"^# ([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
# Settings of these are read outside settings.py, each by its own means.
OTHER_READERS = ("helpdesk/gunicorn.py", "docker-compose.yml")
LOCKS = {
    "requirements.lock": ("postgres",),
    "requirements-dev.lock": ("postgres", "dev", "browser"),
    "requirements-deploy.lock": ("postgres", "s3", "sentry"),
}


def documented() -> dict[str, str]:
    return dict(EXAMPLE_LINE.findall((ROOT / ".env.example").read_text()))


def settings_read() -> dict[str, str]:
    """Each name that settings.py reads and its default outside tests and demo, written as one would in .env."""
    tree = ast.parse((ROOT / "helpdesk/settings.py").read_text())
    found: dict[str, str] = {}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if re.fullmatch(r"env\.\w+", ast.unparse(call.func)) and call.args and isinstance(call.args[0], ast.Constant):
            defaults = [word.value for word in call.keywords if word.arg == "default"]
            if defaults:
                found[call.args[0].value] = as_written(defaults[0])
            else:
                found.setdefault(call.args[0].value, "")
    return found


def as_written(expression: ast.expr) -> str:
    plain = {"TESTING": False, "DEMO": False, "BASE_DIR": Path(), "VAR_ROOT": Path("var"), "REDIS_URL": "", "str": str}
    value = eval(compile(ast.Expression(expression), "settings.py", "eval"), {"__builtins__": {}}, plain)
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def test_every_setting_stands_in_the_example_with_its_default() -> None:
    example = documented()
    assert {name: example.get(name) for name in settings_read()} == settings_read()


def test_the_web_server_reads_its_settings_with_the_defaults_shown() -> None:
    text = (ROOT / "helpdesk/gunicorn.py").read_text()
    read = dict(re.findall(r"""environ\.get\(['"](\w+)['"], ['"](.*?)['"]\)""", text))
    assert read
    assert read.items() <= documented().items()


def test_the_example_names_nothing_that_nobody_reads() -> None:
    elsewhere = "".join((ROOT / name).read_text() for name in OTHER_READERS)
    known = settings_read()
    assert not [name for name in documented() if name not in known and not re.search(rf"\b{name}\b", elsewhere)]


def test_the_readme_lists_the_settings() -> None:
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| (?:`(.*?)` )?\|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert dict(rows) == documented()


def test_the_example_changes_nothing_when_copied() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_its_dependencies_with_hashes(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for group in LOCKS[lock]:
        wanted += project["optional-dependencies"][group]
    pins = pinned(lock)
    for requirement in map(Requirement, wanted):
        version = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} but {lock} has {version}"


def test_the_locks_agree_on_versions() -> None:
    base = pinned("requirements.lock")
    for lock in LOCKS:
        assert base.items() <= pinned(lock).items()


def pinned(lock: str) -> dict[str, str]:
    """Name to version. Fails when a package has no hash."""
    entries = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    pins = {}
    for entry in filter(None, map(str.strip, entries)):
        assert "--hash=sha256:" in entry, f"{lock}: no hash for {entry}"
        name, _, version = entry.split(" ")[0].partition("==")
        pins[canonicalize_name(name)] = version
    return pins


def test_no_file_names_a_package_index_or_a_folder_of_one_machine() -> None:
    # Assembled, so that this file does not name them either.
    forbidden = ["pypi" + ".org", "python" + "hosted.org", "--index" + "-url", "--find" + "-links", "/wo" + "rk/"]
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        path = ROOT / name
        if path.suffix in {".gz", ".png", ".ico", ".woff2", ".csv", ".json"} or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        assert not [word for word in forbidden if word in text], name
