"""Everything that ML Metadata knows of one pipeline, as a graph in memory: a few queries a run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.metadata.data_record import STAGED_DATA, STAGING
from pipeline.metadata.store import NODE_CONTEXT, PIPELINE_CONTEXT, RUN_CONTEXT, Metadata

Properties = dict[str, str | int | float]
# Inputs by which a node looks at another model: its own history is another model's.
REFERENCES = ("baseline_model", "baseline_blessing", "base_model", "live")
EVENTS_AT_ONCE = 1000


@dataclass(frozen=True)
class Item:
    """An artifact; `deleted` when its files were removed."""

    id: int
    type_name: str
    uri: str
    deleted: bool
    properties: Properties


@dataclass(frozen=True)
class Step:
    """An execution: of one node, in one run; `inputs` and `outputs` are items by key."""

    id: int
    node: str
    state: str
    run_id: str
    properties: Properties
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    outputs: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """Items and steps by id; `runs` by run id, the oldest first, with what is known of each."""

    items: dict[int, Item]
    steps: dict[int, Step]
    runs: dict[str, Properties]
    makers: dict[int, int]

    def maker(self, item: int) -> Step | None:
        """The step that made an item; steps that took it from the cache did not."""
        made_by = self.makers.get(item)
        return None if made_by is None else self.steps[made_by]

    def inputs(self, step: Step) -> Iterator[tuple[str, Item]]:
        """Inputs of a step that belong to its model's history."""
        for key, items in step.inputs.items():
            if key not in REFERENCES:
                for item in items:
                    yield key, self.items[item]

    def upstream(self, items: Iterable[int]) -> list[Step]:
        """Steps behind items, each once, after those that it takes from."""
        found: dict[int, Step] = {}

        def visit(step: Step) -> None:
            for _, item in self.inputs(step):
                maker = self.maker(item.id)
                if maker is not None and maker.id not in found:
                    visit(maker)
            found[step.id] = step

        for item in items:
            maker = self.maker(item)
            if maker is not None and maker.id not in found:
                visit(maker)
        return list(found.values())

    def of_run(self, run_id: str) -> list[Step]:
        """Steps of a run, cached ones too."""
        return [step for step in self.steps.values() if step.run_id == run_id]


def read_graph(metadata: Metadata) -> Graph:
    """Reads a pipeline's graph."""
    store = metadata.store
    pipeline = store.get_context_by_type_and_name(PIPELINE_CONTEXT, metadata.pipeline)
    runs = {run_id: metadata.run_properties(run_id) for run_id in metadata.run_ids()}
    if pipeline is None:
        return Graph({}, {}, runs, {})
    run_of = _members(metadata, RUN_CONTEXT, list(runs))
    prefix = f"{metadata.pipeline}."
    nodes = [c.name for c in store.get_contexts_by_type(NODE_CONTEXT) if c.name.startswith(prefix)]
    node_of = _members(metadata, NODE_CONTEXT, nodes)
    steps = {}
    for execution in sorted(store.get_executions_by_context(pipeline.id), key=lambda e: e.id):
        node = node_of.get(execution.id, "").removeprefix(prefix)
        if not node and execution.type == STAGING:
            node = STAGING
        if node:
            steps[execution.id] = Step(
                execution.id,
                node,
                mlmd.Execution.State.Name(execution.last_known_state),
                run_of.get(execution.id, ""),
                _properties(execution),
            )
    steps, items = _with_events(metadata, steps)
    steps = _with_staged_data(steps, items)
    return Graph(items, steps, runs, _makers(steps))


def _members(metadata: Metadata, kind: str, names: list[str]) -> dict[int, str]:
    """Name of the context of a kind that an execution is in, by execution."""
    members = {}
    for name in names:
        context = metadata.store.get_context_by_type_and_name(kind, name)
        for execution in metadata.store.get_executions_by_context(context.id):
            members[execution.id] = name
    return members


def _with_events(
    metadata: Metadata, steps: dict[int, Step]
) -> tuple[dict[int, Step], dict[int, Item]]:
    links: dict[tuple[int, bool], dict[str, list[int]]] = {}
    ids = list(steps)
    for start in range(0, len(ids), EVENTS_AT_ONCE):
        events = metadata.store.get_events_by_execution_ids(ids[start : start + EVENTS_AT_ONCE])
        for event in events:
            is_output = event.type == mlmd.Event.OUTPUT
            if is_output or event.type == mlmd.Event.INPUT:
                by_key = links.setdefault((event.execution_id, is_output), {})
                by_key.setdefault(event.path.steps[0].key, []).append(event.artifact_id)
    wanted = sorted(
        {item for by_key in links.values() for held in by_key.values() for item in held}
    )
    items = {}
    for start in range(0, len(wanted), EVENTS_AT_ONCE):
        for artifact in metadata.store.get_artifacts_by_id(wanted[start : start + EVENTS_AT_ONCE]):
            deleted = artifact.state in (
                mlmd.Artifact.DELETED,
                mlmd.Artifact.MARKED_FOR_DELETION,
            )
            items[artifact.id] = Item(
                artifact.id, artifact.type, artifact.uri, deleted, _properties(artifact)
            )
    linked = {
        step.id: replace(
            step,
            inputs=_tuples(links.get((step.id, False), {})),
            outputs=_tuples(links.get((step.id, True), {})),
        )
        for step in steps.values()
    }
    return linked, items


def _tuples(by_key: dict[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(items) for key, items in by_key.items()}


def _with_staged_data(steps: dict[int, Step], items: dict[int, Item]) -> dict[int, Step]:
    """CsvExampleGen names the staged folder in a parameter: that is its input."""
    staged: dict[str, int] = {i.uri: i.id for i in items.values() if i.type_name == STAGED_DATA}
    return {
        step.id: replace(step, inputs={**step.inputs, "staged_data": (staged[base],)})
        if (base := str(step.properties.get("input_base"))) in staged
        else step
        for step in steps.values()
    }


def _makers(steps: dict[int, Step]) -> dict[int, int]:
    makers: dict[int, int] = {}
    for step in steps.values():
        if step.state == "COMPLETE" and not step.node.startswith("Baseline."):
            for items in step.outputs.values():
                for item in items:
                    makers.setdefault(item, step.id)
    return makers


def _properties(of: Any) -> Properties:
    """Properties of an artifact or an execution, its type's and its own."""
    found: Properties = {}
    for values in (of.properties, of.custom_properties):
        for key, value in values.items():
            kind = value.WhichOneof("value")
            if kind in ("int_value", "double_value", "string_value"):
                found[key] = getattr(value, kind)
    return found
