from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client as Browser
from django.utils import timezone

from helpdesk.desk.demo import ACCOUNTS
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.models import OutboxItem
from tests.factories import make_account, make_ticket

pytestmark = pytest.mark.django_db


def cursor(account: PsaAccount, **values: Any) -> Any:
    return apps.get_model("sync", "Cursor")._default_manager.create(
        psa_account=account, **{"feed": "open_tickets", **values}
    )


def test_alive_without_sign_in(client: Browser) -> None:
    assert client.get("/healthz").status_code == 200


def test_ready_when_migrated_and_the_broker_is_there(client: Browser) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "missing": []}


def test_the_demo_waits_for_its_first_pull(client: Browser, settings: Any) -> None:
    settings.DEMO = True
    names = [one.name for one in ACCOUNTS]
    assert client.get("/readyz").json()["missing"] == [f"PSA account {name}" for name in names]
    account = make_account(backfill_done_at=None)
    for name in set(names) - {account.name}:
        make_account(name, backfill_done_at=timezone.now())
    row = cursor(account, done=300, total=640)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert (answer.json()["ready"], answer.json()["missing"]) == (False, ["open tickets of halo"])
    assert {"account": "halo", "is_done": False, "done": 300, "total": 640} in answer.json()["pull"]
    row.finished_at = timezone.now()
    row.save()
    assert client.get("/readyz").status_code == 200


def test_a_dead_broker_is_named(client: Browser, settings: Any, tmp_path: Any) -> None:
    (tmp_path / "queue").write_text("a file where the folder should be")
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": str(tmp_path / "queue" / "messages")}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["broker"])


def test_metrics_are_for_this_machine_or_the_token(client: Browser, settings: Any) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"X-Forwarded-For": "9.9.9.9"}).status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="9.9.9.9").status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="9.9.9.9", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "open-sesame"
    assert client.get("/metrics", REMOTE_ADDR="9.9.9.9", headers={"Authorization": "Bearer no"}).status_code == 404
    given = {"Authorization": "Bearer open-sesame", "X-Forwarded-For": "9.9.9.9"}
    assert client.get("/metrics", REMOTE_ADDR="9.9.9.9", headers=given).status_code == 200


def test_metrics_tell_how_the_desk_is(client: Browser) -> None:
    now = timezone.now()
    account = make_account(last_pull_at=now - timedelta(seconds=40), breaker_until=now + timedelta(minutes=1))
    ticket = make_ticket(psa_account=account, next_due_at=now - timedelta(hours=1))
    OutboxItem.objects.create(
        psa_account=account, lane=ticket.lane, sequence=1, verb="update_ticket", subject=ticket.lane,
        not_before_at=now - timedelta(seconds=90), created_at=now,
    )  # fmt: skip
    lines = dict(line.rsplit(" ", 1) for line in client.get("/metrics").content.decode().splitlines() if line[0] != "#")
    assert float(lines['helpdesk_outbox_items{account="halo",state="waiting"}']) == 1
    assert float(lines['helpdesk_outbox_items{account="halo",state="refused"}']) == 0
    assert 89 < float(lines['helpdesk_outbox_oldest_seconds{account="halo"}']) < 120
    assert float(lines["helpdesk_tickets_open"]) == 1
    assert float(lines["helpdesk_tickets_breached"]) == 1
    assert 39 < float(lines['helpdesk_pull_age_seconds{account="halo"}']) < 70
    assert float(lines['helpdesk_breaker_open{account="halo"}']) == 1


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics"])
def test_reading_only(client: Browser, address: str) -> None:
    assert client.post(address).status_code == 405
