"""What is behind a model, and what only stood beside it."""

import pytest

from pipeline.metadata.graph import Graph, Item, Step


# As the Evaluator, FairnessGate, the Trainer and PushGate name them.
@pytest.mark.parametrize("key", ["baseline_model", "baseline_blessing", "base_model", "live"])
def test_a_model_that_another_was_compared_with_is_no_part_of_its_history(key: str) -> None:
    items = {number: Item(number, "X", str(number), False, {}) for number in range(1, 5)}
    steps = {
        1: Step(1, "Trainer", "COMPLETE", "a", {}, {}, {"model": (1,)}),
        2: Step(2, "Pusher.server", "COMPLETE", "a", {}, {"model": (1,)}, {"pushed_model": (2,)}),
        3: Step(3, "Trainer", "COMPLETE", "b", {}, {}, {"model": (3,)}),
        4: Step(4, "Gate", "COMPLETE", "b", {}, {"model": (3,), key: (2,)}, {"blessing": (4,)}),
    }
    graph = Graph(items, steps, {"a": {}, "b": {}}, {1: 1, 2: 2, 3: 3, 4: 4})
    assert [step.id for step in graph.upstream([4])] == [3, 4]
