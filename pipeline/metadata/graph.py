"""Everything that ML Metadata knows of one pipeline, as a graph in memory: a few queries a run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline.metadata.executions import STAGED_DATA, Artifact, Execution, Properties
from pipeline.metadata.store import Metadata

# Inputs by which a node looks at another model: its own history is another model's.
REFERENCES = ("baseline_model", "baseline_blessing", "base_model", "live")


@dataclass(frozen=True)
class Graph:
    """Executions, and runs by id with what is known of each; both the oldest first."""

    executions: list[Execution]
    runs: dict[str, Properties]

    @cached_property
    def artifacts(self) -> list[Artifact]:
        """All that was read or made, by ascending id."""
        found = {artifact.id: artifact for e in self.executions for artifact in (*e.read, *e.made)}
        return [found[artifact_id] for artifact_id in sorted(found)]

    @cached_property
    def _makers(self) -> dict[int, Execution]:
        makers: dict[int, Execution] = {}
        for execution in self.executions:
            if execution.state == "COMPLETE":  # those that took it from the cache did not make it
                for artifact in execution.made:
                    makers.setdefault(artifact.id, execution)
        return makers

    def maker(self, artifact: Artifact) -> Execution | None:
        """The execution that made an artifact."""
        return self._makers.get(artifact.id)

    def inputs(self, execution: Execution) -> Iterator[Artifact]:
        """Inputs of an execution that belong to its model's history."""
        for key, artifacts in execution.inputs.items():
            if key not in REFERENCES:
                yield from artifacts

    def upstream(self, artifacts: Iterable[Artifact]) -> list[Execution]:
        """Executions behind artifacts, each once, after those that it takes from."""
        found: dict[int, Execution] = {}

        def visit(artifact: Artifact) -> None:
            maker = self.maker(artifact)
            if maker is not None and maker.id not in found:
                for taken in self.inputs(maker):
                    visit(taken)
                found[maker.id] = maker

        for artifact in artifacts:
            visit(artifact)
        return list(found.values())

    def of_run(self, run_id: str) -> list[Execution]:
        """Executions of a run, cached ones too."""
        return [execution for execution in self.executions if execution.run_id == run_id]


def read_graph(metadata: Metadata) -> Graph:
    """Reads a pipeline's graph."""
    executions = metadata.history()
    staged = {a.uri: a for e in executions for a in e.made if a.type_name == STAGED_DATA}
    for execution in executions:
        # CsvExampleGen names the staged folder in a parameter: that is its input.
        if data := staged.get(str(execution.properties.get("input_base"))):
            execution.inputs["staged_data"] = [data]
    return Graph(executions, metadata.runs())
