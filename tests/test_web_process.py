"""What a web process holds before it answers: no more than its pages need, and nothing that two may not share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RARE = {"openpyxl", "holidays", "weasyprint", "boto3"}
"""Large, and asked for by a few people a day."""
LOOK = """
import gc, json, sys
import helpdesk.wsgi
from helpdesk import gunicorn
gunicorn.when_ready(None)
from django.db import connections
from django.urls import reverse
before = len(sys.modules)
reverse("healthz")
print(json.dumps({
    "packages": sorted({name.partition(".")[0] for name in sys.modules}),
    "open": [one.alias for one in connections.all(initialized_only=True) if one.connection is not None],
    "frozen": gc.get_freeze_count(),
    "late": len(sys.modules) - before,
}))
"""


def test_processes_share_the_code_but_no_connection_and_no_rare_library(tmp_path: Path) -> None:
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "helpdesk.settings", "VAR_ROOT": str(tmp_path), "DEMO": "0"}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, env=given, capture_output=True, text=True, check=True, timeout=300
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert not RARE & set(found["packages"])
    assert "helpdesk" in found["packages"]
    assert found["open"] == []
    assert found["frozen"] > 100_000
    assert found["late"] == 0, "every view was read before the processes part"
