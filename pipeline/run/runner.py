"""Runs a pipeline node by node in this process, stops at the first failure, says what happens.

TFX's LocalDagRunner does the same without telling which node runs, which came from the cache, and
which one failed.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata as tfx_metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import (
    beam_executor_operator,
    launcher,
    python_executor_operator,
    runtime_parameter_utils,
    tfx_runner,
)
from tfx.proto.orchestration import executable_spec_pb2, execution_result_pb2, pipeline_pb2

from pipeline.metadata.connection import SQLITE
from pipeline.metadata.patience import is_locked_out, locked_by
from pipeline.metadata.store import Metadata
from pipeline.run.events import (
    DamageFound,
    Event,
    Listener,
    NodeError,
    NodeFinished,
    NodeStarted,
    NodeState,
)
from pipeline.run.integrity import checked_cache, note_digests

_STATES: dict[str, NodeState] = {"COMPLETE": "RAN", "CACHED": "CACHED"}


class _NotingOperator:
    """Notes the digests of the files that an executor made."""

    folder: Path

    def run_executor(self, *given: Any, **named: Any) -> execution_result_pb2.ExecutorOutput:
        output = super().run_executor(*given, **named)  # type: ignore[misc]
        note_digests(output, self.folder)
        return output


def _operators(folder: Path) -> dict[type, type]:
    """TFX's operators by what they run, for runs in a folder."""
    stock = {
        executable_spec_pb2.PythonClassExecutableSpec: (
            python_executor_operator.PythonExecutorOperator
        ),
        executable_spec_pb2.BeamExecutableSpec: beam_executor_operator.BeamExecutorOperator,
    }
    return {
        spec: type(f"Noting{operator.__name__}", (_NotingOperator, operator), {"folder": folder})
        for spec, operator in stock.items()
    }


class NodeRunner(tfx_runner.IrBasedRunner):
    """Runs pipelines under a given run id and reports each node to `listener`."""

    def __init__(
        self, run_id: str, folder: Path, connection: mlmd.ConnectionConfig, listener: Listener
    ) -> None:
        """Prepares a run.

        Args:
            run_id: the id of the run.
            folder: <root>/<name>.
            connection: how to reach the store; what the pipeline says of it holds no password.
            listener: is told of each node.
        """
        self._run_id = run_id
        self._folder = folder
        self._connection = connection
        self._listener = listener

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: Any = None, **kwargs: Any
    ) -> None:
        """Runs a compiled pipeline.

        Raises:
            NodeError: a node failed; those after it are reported as SKIPPED.
            KeyboardInterrupt: passed on, after the same reports.
        """
        del run_options, kwargs
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: self._run_id}
        )
        nodes = [node.pipeline_node for node in pipeline.nodes]
        with checked_cache(self._folder, self._tell_damage, self._forget):
            self._run(pipeline, nodes)

    def _run(
        self, pipeline: pipeline_pb2.Pipeline, nodes: Sequence[pipeline_pb2.PipelineNode]
    ) -> None:
        for place, node in enumerate(nodes):
            node_id = node.node_info.id
            started = time.monotonic()
            self._tell(NodeStarted(node_id, place + 1, len(nodes)))
            try:
                state, execution_id = self._launch(pipeline, node)
            except BaseException as error:
                self._tell(NodeFinished(node_id, "FAILED", time.monotonic() - started, None))
                for left in nodes[place + 1 :]:
                    self._tell(NodeFinished(left.node_info.id, "SKIPPED", 0.0, None))
                if isinstance(error, Exception):
                    raise NodeError(node_id) from self._explained(error)
                raise
            self._tell(NodeFinished(node_id, state, time.monotonic() - started, execution_id))

    def _tell(self, event: Event) -> None:
        self._listener(event)

    def _tell_damage(self, text: str) -> None:
        self._tell(DamageFound(text))

    def _forget(self, artifact_ids: Sequence[int]) -> None:
        Metadata(self._folder, writable=True).forget_artifacts(artifact_ids)

    def _launch(
        self, pipeline: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode
    ) -> tuple[NodeState, int | None]:
        """Runs one node; its state and the id of its execution in ML Metadata."""
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        node_id = node.node_info.id
        info = launcher.Launcher(
            pipeline_node=node,
            mlmd_connection=tfx_metadata.Metadata(self._connection),
            pipeline_info=pipeline.pipeline_info,
            pipeline_runtime_spec=pipeline.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
            custom_executor_operators=_operators(self._folder),
        ).launch()
        if info is None or info.execution_id is None:
            return "SKIPPED", None
        state = Metadata(self._folder).state(info.execution_id)
        if state not in _STATES:
            raise RuntimeError(f"its inputs could not be resolved (execution {info.execution_id})")
        return _STATES[state], info.execution_id

    def _explained(self, error: Exception) -> Exception:
        """Names who holds the store, where that is why a node failed."""
        file = self._folder / SQLITE
        return locked_by(file) if file.exists() and is_locked_out(error) else error
