"""What is behind a model, and what only stood beside it."""

import pytest

from pipeline.metadata.executions import Artifact, Execution
from pipeline.metadata.graph import Graph


# As the Evaluator, FairnessGate, the Trainer and PushGate name them.
@pytest.mark.parametrize("key", ["baseline_model", "baseline_blessing", "base_model", "live"])
def test_a_model_that_another_was_compared_with_is_no_part_of_its_history(key: str) -> None:
    one, two, three, four = ([Artifact(n, "X", str(n), {})] for n in range(1, 5))
    gate = {"model": three, key: two}
    executions = [
        Execution(1, "Trainer", "COMPLETE", 1.0, {"model": one}, run_id="a"),
        Execution(2, "Pusher.server", "COMPLETE", 1.0, {"pushed_model": two}, {"model": one}, "a"),
        Execution(3, "Trainer", "COMPLETE", 1.0, {"model": three}, run_id="b"),
        Execution(4, "Gate", "COMPLETE", 1.0, {"blessing": four}, gate, "b"),
    ]
    graph = Graph(executions, {"a": {}, "b": {}})
    assert [step.id for step in graph.upstream(four)] == [3, 4]
