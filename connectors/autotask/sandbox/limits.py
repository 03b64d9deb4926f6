"""The vendor's limits: three calls at once per endpoint, and an hourly allowance that slows down before it stops."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.autotask.sandbox.fields import Row
from connectors.autotask.sandbox.tenant import Tenant
from connectors.autotask.sandbox.wire import errors

HOURLY, HOUR_SECONDS = 10_000, 3_600.0
THREADS = "The Autotask API thread threshold of {} threads has been exceeded."
REQUESTS = "The Autotask API request threshold of {} requests per {:g} minutes has been exceeded."


class Limits:
    """One code calls, so endpoints are counted by their name alone. The allowance is the sandbox's own window."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        if tenant.limit.requests is None:
            tenant.limit.set(HOURLY, HOUR_SECONDS)

    @contextmanager
    def slot(self, endpoint: str) -> Iterator[None]:
        """One of the endpoint's threads. 429 when all are taken."""
        most = self._tenant.settings.threads
        with self._lock:
            if self._running[endpoint] >= most:
                raise errors(THREADS.format(most), status=429)
            self._running[endpoint] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[endpoint] -= 1

    def count(self) -> None:
        """Count this call; slow it down above half of the allowance, 429 above all of it."""
        window, now = self._tenant.limit, self._tenant.now()
        if (wait := window.wait_for(now)) is not None:
            refusal = errors(REQUESTS.format(window.requests, window.seconds / 60), status=429)
            if window.retry_after:
                refusal.response.headers["Retry-After"] = str(int(wait) + 1)
            raise refusal
        if window.requests:
            share = window.used(now) / window.requests
            settings = self._tenant.settings
            time.sleep(settings.full_latency if share >= 0.75 else settings.half_latency if share >= 0.5 else 0)

    def told(self) -> Row:
        """ThresholdInformation."""
        window = self._tenant.limit
        return {
            "externalRequestThreshold": window.requests or HOURLY,
            "requestThresholdTimeframe": max(1, round(window.seconds / 60)),
            "currentTimeframeRequestCount": window.used(self._tenant.now()),
        }
