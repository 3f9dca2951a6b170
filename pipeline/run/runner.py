"""Runs a pipeline node by node in this process, stops at the first failure, says what happens.

TFX's LocalDagRunner does the same without telling which node runs, which came from the cache, and
which one failed.
"""

import time
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx import types
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata as tfx_metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import (
    beam_executor_operator,
    data_types,
    launcher,
    python_executor_operator,
    runtime_parameter_utils,
    tfx_runner,
)
from tfx.proto.orchestration import executable_spec_pb2, execution_result_pb2, pipeline_pb2
from tfx.types.standard_artifacts import Examples

from core.errors import InputError
from pipeline.metadata.connection import SQLITE
from pipeline.metadata.patience import is_locked_out, locked_by
from pipeline.metadata.store import Metadata
from pipeline.run.events import Event, Listener, NodeError, NodeFinished, NodeStarted, NodeState
from pipeline.run.failures import WillBeMadeAnewError
from pipeline.run.integrity import DamagedExamplesError, check_examples

_STATES: dict[str, NodeState] = {"COMPLETE": "RAN", "CACHED": "CACHED"}


class DamagedInputError(InputError):
    """A node was about to read damaged examples: the artifact with id `artifact_id`."""

    def __init__(self, message: str, artifact_id: int) -> None:
        super().__init__(message)
        self.artifact_id = artifact_id


def _check_inputs(info: data_types.ExecutionInfo) -> None:
    for artifacts in info.input_dict.values():
        for artifact in artifacts:
            if artifact.type_name == Examples.TYPE_NAME:
                _check(artifact)


def _check(artifact: types.Artifact) -> None:
    try:
        check_examples(Path(artifact.uri))
    except DamagedExamplesError as error:
        raise DamagedInputError(str(error), artifact.id) from error


class _PythonOperator(python_executor_operator.PythonExecutorOperator):
    """Runs a Python executor once its input examples have been found whole."""

    def run_executor(
        self, execution_info: data_types.ExecutionInfo
    ) -> execution_result_pb2.ExecutorOutput:
        _check_inputs(execution_info)
        return super().run_executor(execution_info)


class _BeamOperator(beam_executor_operator.BeamExecutorOperator):
    """Runs a Beam executor once its input examples have been found whole."""

    def run_executor(
        self, execution_info: data_types.ExecutionInfo, make_beam_pipeline_fn: Any = None
    ) -> execution_result_pb2.ExecutorOutput:
        _check_inputs(execution_info)
        return super().run_executor(execution_info, make_beam_pipeline_fn)


_OPERATORS = {
    executable_spec_pb2.PythonClassExecutableSpec: _PythonOperator,
    executable_spec_pb2.BeamExecutableSpec: _BeamOperator,
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
                    raise NodeError(node_id) from self._recoverable(error)
                raise
            self._tell(NodeFinished(node_id, state, time.monotonic() - started, execution_id))

    def _tell(self, event: Event) -> None:
        self._listener(event)

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
            custom_executor_operators=_OPERATORS,
        ).launch()
        if info is None or info.execution_id is None:
            return "SKIPPED", None
        state = Metadata(self._folder).state(info.execution_id)
        if state not in _STATES:
            raise RuntimeError(f"its inputs could not be resolved (execution {info.execution_id})")
        return _STATES[state], info.execution_id

    def _recoverable(self, error: Exception) -> Exception:
        """Damaged inputs are made anew by the next run; a locked store's holder is named."""
        file = self._folder / SQLITE
        if file.exists() and is_locked_out(error):
            return locked_by(file)
        if not isinstance(error, DamagedInputError):
            return error
        store = Metadata(self._folder, writable=True)
        maker = store.producer(error.artifact_id)
        store.forget_artifacts([error.artifact_id])
        return WillBeMadeAnewError(f"{error}. The next run makes it anew, from {maker} on")
