"""Liveness asks only whether the loop advances; readiness says in Chinese what is missing."""

import time
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from lidm import health as endpoints
from lidm.health import STALLED_SECONDS, Health
from tests.loops import in_a_loop


@pytest.mark.parametrize(("stalled", "status"), [(0.0, 200), (STALLED_SECONDS - 1, 200), (STALLED_SECONDS + 1, 503)])
@in_a_loop
async def test_a_loop_that_stands_still_is_not_alive(stalled: float, status: int) -> None:
    health = Health(ready=lambda: ["归档环节未就绪"], beat=time.monotonic() - stalled)
    assert (await endpoints.livez(health)).status == status


@in_a_loop
async def test_what_is_missing_makes_a_worker_unready_but_not_dead() -> None:
    health = Health(ready=lambda: ["归档环节未就绪：连不上"])
    answer = await endpoints.readyz(health)
    assert (answer.status, answer.text) == (503, "归档环节未就绪：连不上")
    assert (await endpoints.livez(health)).status == 200
    assert (await endpoints.readyz(Health(ready=list))).status == 200


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Bearer "])
@in_a_loop
async def test_the_store_answers_only_to_the_token(given: str) -> None:
    asked: list[str] = []

    def query(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return []

    health = Health(ready=list, query=query, token="right")  # noqa: S106
    request = make_mocked_request("POST", "/store/query", headers={"Authorization": given})
    assert (await endpoints.query(health, request)).status == 403
    assert not asked


@in_a_loop
async def test_metrics_are_prometheus_text() -> None:
    answer = await endpoints.metrics(make_mocked_request("GET", "/metrics"))
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.body
