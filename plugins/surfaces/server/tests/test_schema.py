"""Requests made up from the server's own description of its routes: none makes it fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("schemathesis")

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from dovetail_server.table import all_routes
from dovetail_server.testing import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail_server.routing.route import Route

EXAMPLES = 12
"""Requests of each kind; the seed is fixed, so that they are the same every time."""


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The description of a server over a fresh database."""
    with Server(tmp_path_factory.mktemp("served")) as server:
        yield schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        assert "Traceback" not in server.errors()


# What is below /ajax-api is answered by the same functions.
ROUTES = [each for each in all_routes() if not each.path.startswith("/ajax-api")]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.verb} {route.path}")
def test_no_request_makes_it_fail(described: Any, route: Route) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(described[route.path.replace("*}", "}")][route.verb].as_strategy())
    def asked(case: Any) -> None:
        answer = case.call()
        assert answer.status_code in ALLOWED, (answer.status_code, answer.text)
        if answer.status_code >= 400:
            told = answer.json()
            assert told["error_code"]
            assert told["message"]
            assert "Traceback" not in answer.text

    asked()


ALLOWED = {200, 201, 204, 206, 400, 404, 405, 413, 416, 501}
