"""Figures about the desk itself, read from the database: what Prometheus collects, and what readiness asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Count, Min, Q
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from helpdesk.actions.choices import MailState
from helpdesk.actions.models import ClientMail
from helpdesk.directory.models import PsaAccount
from helpdesk.outbox.choices import OPEN, State
from helpdesk.outbox.models import OutboxItem
from helpdesk.tickets.models import Ticket

OPEN_TICKETS = "open_tickets"
"""The feed whose end makes the desk usable."""


def first_pull() -> list[dict[str, Any]]:
    """Per account: name, whether its open tickets are here, how many came and how many there are (None = unknown)."""
    cursors = apps.get_model("sync", "Cursor")._default_manager.filter(feed=OPEN_TICKETS)
    found = {c.psa_account_id: c for c in cursors}
    rows = []
    for account in PsaAccount.objects.only("name", "title", "backfill_done_at", "health_text"):
        cursor = found.get(account.pk)
        rows.append(
            {
                "account": account.name,
                "is_done": bool(account.backfill_done_at or (cursor and cursor.finished_at)),
                "done": cursor.done if cursor else 0,
                "total": cursor.total if cursor else None,
            }
        )
    return rows


def exposition(now: datetime) -> bytes:
    """Prometheus text. Figures come from the shared database, so every process gives the same answer."""
    registry = CollectorRegistry()
    registry.register(_Desk(now))
    return generate_latest(registry)


class _Desk(Collector):
    def __init__(self, now: datetime) -> None:
        self.now = now

    def describe(self) -> list[GaugeMetricFamily]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        yield from self._outbox()
        yield from self._mails()
        yield from self._tickets()
        yield from self._accounts()
        yield from self._hooks()

    def _outbox(self) -> Iterator[GaugeMetricFamily]:
        items = GaugeMetricFamily(
            "helpdesk_outbox_items", "Changes that have not reached the PSA", labels=["account", "state"]
        )
        age = GaugeMetricFamily(
            "helpdesk_outbox_oldest_seconds", "Age of the oldest change that is due and not refused", labels=["account"]
        )
        by_state = OutboxItem.objects.open().values("psa_account__name", "state").annotate(n=Count("pk")).order_by()
        counts = {(r["psa_account__name"], r["state"]): r["n"] for r in by_state}
        due = OutboxItem.objects.unfinished().filter(not_before_at__lte=self.now)
        oldest = dict(due.values_list("psa_account__name").annotate(first=Min("not_before_at")).order_by())
        for name in PsaAccount.objects.values_list("name", flat=True):
            for state in OPEN:
                items.add_metric([name, State(state).value], counts.get((name, state.value), 0))
            first = oldest.get(name)
            age.add_metric([name], max(0.0, (self.now - first).total_seconds()) if first else 0)
        yield items
        yield age

    def _mails(self) -> Iterator[GaugeMetricFamily]:
        found = ClientMail.objects.aggregate(
            waiting=Count("pk", Q(state__in=[MailState.WAITING, MailState.SENDING])),
            failed=Count("pk", Q(state=MailState.FAILED)),
        )
        states = GaugeMetricFamily("helpdesk_client_mails", "Mails to clients that have not left", labels=["state"])
        for state, count in found.items():
            states.add_metric([state], count)
        yield states
        first = ClientMail.objects.due(self.now).aggregate(first=Min("not_before_at"))["first"]
        text = "Age of the oldest mail that could leave now"
        yield GaugeMetricFamily("helpdesk_client_mail_oldest_seconds", text, value=max(0.0, self._age(first)))

    def _tickets(self) -> Iterator[GaugeMetricFamily]:
        found = (
            Ticket.objects.present()
            .open()
            .aggregate(
                open=Count("pk"),
                breached=Count("pk", Q(next_due_at__lt=self.now)),
                at_risk=Count("pk", Q(next_at_risk_at__lte=self.now, next_due_at__gte=self.now)),
                unassigned=Count("pk", Q(agent=None)),
            )
        )
        texts = {
            "open": "Open tickets",
            "breached": "Open tickets past a promise",
            "at_risk": "Open tickets close to a promise",
            "unassigned": "Open tickets that nobody has",
        }
        for key, text in texts.items():
            yield GaugeMetricFamily(f"helpdesk_tickets_{key}", text, value=found[key])

    def _accounts(self) -> Iterator[GaugeMetricFamily]:
        fresh = GaugeMetricFamily(
            "helpdesk_pull_age_seconds", "Since the last complete pull; -1 before the first", labels=["account"]
        )
        answer = GaugeMetricFamily(
            "helpdesk_psa_answer_age_seconds", "Since the PSA last answered; -1 before the first", labels=["account"]
        )
        breaker = GaugeMetricFamily("helpdesk_breaker_open", "1 while no call goes out", labels=["account"])
        paused = GaugeMetricFamily("helpdesk_account_paused", "1 while a person paused it", labels=["account"])
        failures = GaugeMetricFamily("helpdesk_psa_failures", "Failed calls in a row", labels=["account"])
        for row in PsaAccount.objects.only(
            "name", "last_pull_at", "last_answer_at", "breaker_until", "is_paused", "failures"
        ):
            fresh.add_metric([row.name], self._age(row.last_pull_at))
            answer.add_metric([row.name], self._age(row.last_answer_at))
            breaker.add_metric([row.name], int(bool(row.breaker_until and row.breaker_until > self.now)))
            paused.add_metric([row.name], int(row.is_paused))
            failures.add_metric([row.name], row.failures)
        yield from (fresh, answer, breaker, paused, failures)

    def _hooks(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        calls = CounterMetricFamily("helpdesk_hook_calls", "Calls of PSAs that were turned away", labels=["what"])
        for row in apps.get_model("sync", "HookCount")._default_manager.order_by("what"):
            calls.add_metric([row.what], row.number)
        heard = CounterMetricFamily("helpdesk_hook_heard", "Genuine calls of the PSA", labels=["account"])
        age = GaugeMetricFamily(
            "helpdesk_hook_age_seconds", "Since the PSA last called; -1 before the first", labels=["account"]
        )
        for hook in apps.get_model("sync", "Hook")._default_manager.select_related("psa_account"):
            heard.add_metric([hook.psa_account.name], hook.heard)
            age.add_metric([hook.psa_account.name], self._age(hook.heard_at))
        yield from (calls, heard, age)

    def _age(self, at: datetime | None) -> float:
        return max(0.0, (self.now - at).total_seconds()) if at else -1
