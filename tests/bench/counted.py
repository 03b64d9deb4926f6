"""The product's settings with one middleware in front that says how many statements an answer took. Never timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from helpdesk.settings import *  # noqa: F403 - settings of Django are read by name
from helpdesk.settings import MIDDLEWARE as _MIDDLEWARE

HEADER = "X-Bench-Queries"
MIDDLEWARE = ["tests.bench.counted.CountQueries", *_MIDDLEWARE]


class CountQueries:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        count = 0

        def counting(execute: Callable[..., Any], *given: Any) -> Any:
            nonlocal count
            count += 1
            return execute(*given)

        with connection.execute_wrapper(counting):
            response = self.get_response(request)
        response[HEADER] = str(count)
        return response
