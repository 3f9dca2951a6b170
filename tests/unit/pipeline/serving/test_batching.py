"""Requests that wait together are answered together, each with its own answers."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

from pipeline.serving.batching import Batcher
from pipeline.serving.errors import RequestError
from pipeline.serving.versions import ask_columns
from tests.support.servers.columns_model import ColumnsModel


def items(*ages: float) -> list[tuple[tuple[float, float], tuple[str, str]]]:
    return [((age, 0.0), ("Male", "")) for age in ages]


def run(model: ColumnsModel, *requests: list[Any], most: int = 4, wait: float = 0) -> list[Any]:
    """What each request gets, all sent at once."""

    async def together() -> list[Any]:
        batcher = Batcher(ask_columns(model), most, wait, lambda rows: None)
        sent: list[Coroutine[Any, Any, np.ndarray]] = [batcher.submit(r) for r in requests]
        return await asyncio.gather(*sent, return_exceptions=True)

    return asyncio.run(together())


def test_requests_share_batches_up_to_the_bound() -> None:
    model = ColumnsModel()
    found = run(model, items(1), items(2, 3), items(4, 5), items(6))
    assert [[round(float(a) * 100) for a in each] for each in found] == [[1], [2, 3], [4, 5], [6]]
    assert model.batches == [3, 3]


def test_a_large_request_is_answered_in_parts_and_in_order() -> None:
    model = ColumnsModel()
    [found] = run(model, items(*range(10)))
    assert [round(float(a) * 100) for a in found] == [*range(10)]
    assert model.batches == [4, 4, 2]


def test_a_request_that_fails_spoils_no_other() -> None:
    found = run(ColumnsModel(), items(1), items(66), items(2))
    assert [float(found[0][0]), float(found[2][0])] == pytest.approx([0.01, 0.02])
    assert isinstance(found[1], RequestError)
    assert (found[1].http, found[1].message) == (500, "the model failed: no answer for 66")


def test_requests_wait_for_others_when_they_are_told_to() -> None:
    async def apart(wait: float) -> list[int]:
        model = ColumnsModel()
        batcher = Batcher(ask_columns(model), 4, wait, lambda rows: None)
        first = asyncio.create_task(batcher.submit(items(1)))
        await asyncio.sleep(0.02)
        await asyncio.gather(first, batcher.submit(items(2)))
        return model.batches

    assert asyncio.run(apart(0.2)) == [2]
    assert asyncio.run(apart(0)) == [1, 1]


def test_who_left_is_not_answered() -> None:
    async def leave() -> list[float]:
        model = ColumnsModel()
        batcher = Batcher(ask_columns(model), 4, 0.01, lambda rows: None)
        left = asyncio.create_task(batcher.submit(items(1)))
        await asyncio.sleep(0)
        left.cancel()
        found: list[float] = (await batcher.submit(items(2))).tolist()
        return found

    assert asyncio.run(leave()) == pytest.approx([0.02])
