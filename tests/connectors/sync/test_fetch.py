"""Files: up in constant memory, down into our own storage."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from connectors.sync import fetch
from helpdesk.actions import files
from helpdesk.actions import services as actions
from helpdesk.actions.models import Attachment
from helpdesk.actions.services import NewAction
from helpdesk.outbox.choices import State
from helpdesk.outbox.models import OutboxItem
from tests.connectors.sync.helpers import Desk, desk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "files")}
        },
    }  # fmt: skip


def attach(found: Desk, data: bytes, name: str = "report.bin") -> Attachment:
    upload = ContentFile(data, name=name)
    return files.store_file(
        upload=upload, name=name, account=found.account, user=found.user, draft=None, now=found.clock()
    )


def test_a_file_goes_up_behind_its_note_and_comes_back_whole() -> None:
    data = os.urandom(300_000)
    with desk(tickets=6) as found:
        ticket = found.ticket()
        file = attach(found, data)
        new = NewAction(
            text="See the report", is_internal=False, kind="reply", files=[file], public_files=frozenset({file.pk})
        )  # type: ignore[arg-type]
        actions.add_action(ticket=ticket, new=new, origin=found.origin, now=found.clock(), user=found.user)
        assert found.settle() == [State.DONE, State.DONE]
        (stored,) = [a for a in found.remote(ticket)["attachments"] if a.get("filename") == "report.bin"]
        assert stored["sha256"] == hashlib.sha256(data).hexdigest()
        found.pull()
        assert ticket.attachments.filter(name="report.bin", removed_at=None).count() == 1
        file.refresh_from_db()
        Attachment.objects.filter(pk=file.pk).update(state="remote", file="", sha256="")
        file.refresh_from_db()
        files.request_file(attachment=file, now=found.clock())
        assert fetch.waiting_files() == [file.pk]
        assert fetch.fetch_file(attachment_id=file.pk, clock=found.clock)
        file.refresh_from_db()
        assert (file.state, file.sha256) == ("stored", hashlib.sha256(data).hexdigest())


def test_an_upload_whose_answer_is_lost_is_found_again() -> None:
    with desk(tickets=6) as found:
        ticket = found.ticket()
        file = attach(found, b"once" * 1000, "once.bin")
        actions.attach_file(
            file=file, ticket=ticket, action=None, is_public=False, origin=found.origin, now=found.clock()
        )
        found.fault("reset_after", path="/Attachment")
        assert found.settle() == [State.DONE]
        assert sum(a.get("filename") == "once.bin" for a in found.remote(ticket)["attachments"]) == 1


def test_a_file_that_is_too_large_or_gone_says_so() -> None:
    with desk(tickets=6) as found:
        ticket = found.ticket()
        file = attach(found, b"x" * 5000)
        actions.attach_file(
            file=file, ticket=ticket, action=None, is_public=False, origin=found.origin, now=found.clock()
        )
        found.settle()
        found.account.settings["attachment_bytes"] = 100
        found.account.save()
        Attachment.objects.filter(pk=file.pk).update(state="fetching", file="")
        assert not fetch.fetch_file(attachment_id=file.pk, clock=found.clock)
        file.refresh_from_db()
        assert file.state == "failed"
        assert file.state_text
        Attachment.objects.filter(pk=file.pk).update(state="fetching", remote_id="999999")
        assert not fetch.fetch_file(attachment_id=file.pk, clock=found.clock)


SCRIPT = """
import os, resource, sys, django
django.setup()
from django.utils import timezone
from connectors.sync import push
from django.db import connection
list(connection.cursor().execute("select 1"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
push.drain(clock=timezone.now)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.django_db(transaction=True)
def test_two_hundred_megabytes_go_up_in_constant_memory(tmp_path: Path) -> None:
    from django.conf import settings as given
    from django.db import connections

    root = Path(__file__).resolve().parents[3]
    database = tmp_path / "desk.sqlite3"
    env = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{database}",
        "SECRET_KEY": "x" * 50,
        "SECRETS_KEYS": ",".join(given.SECRETS_KEYS),
        "VAR_ROOT": str(tmp_path),
        "FILES_ROOT": str(tmp_path / "files"),
        "PSA_ALLOW_PRIVATE_ADDRESSES": "1",
        "MAX_FILE_BYTES": str(300 * 1024 * 1024),
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "REDIS_URL": "",
        "PYTHONPATH": str(root),
    }
    connections["default"].ensure_connection()
    with desk(tickets=3) as found:
        found.account.settings["attachment_bytes"] = 300 * 1024 * 1024
        found.account.save()
        ticket = found.ticket()
        file = attach(found, b"tiny", "big.bin")
        actions.attach_file(
            file=file, ticket=ticket, action=None, is_public=False, origin=found.origin, now=found.clock()
        )
        big = tmp_path / "files" / str(file.file.name)
        with big.open("wb") as out:
            out.truncate(200 * 1024 * 1024)
        Attachment.objects.filter(pk=file.pk).update(size=200 * 1024 * 1024)
        _copy_database(database)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=env, cwd=root, capture_output=True, text=True, timeout=170, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert int(done.stdout.strip().splitlines()[-1]) < 50
        assert any(a.get("filename") == "big.bin" for a in found.remote(ticket)["attachments"])
        assert OutboxItem.objects.count() == 1


def _copy_database(target: Path) -> None:
    """The test's database as a file that another process can open (SQLite only)."""
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("copies a SQLite database")
    import sqlite3

    with sqlite3.connect(target) as copy:
        connection.connection.backup(copy)
