"""How far each table of weights of a network is to be pruned, and whether it is.

A table is the kernel of a dense layer or the rows of an embedding.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tf_keras

from core.errors import InputError
from core.names import STUDENT, TEACHER
from core.sections.training import PruningOptions

_PRUNED_LAYERS = (tf_keras.layers.Dense, tf_keras.layers.Embedding)
GROUP, ZEROS = 4, 2  # structure 2:4: of so many successive inputs so many weights are 0
_KEYS = {TEACHER: "trainer.pruning", STUDENT: "distiller.pruning"}


@dataclass(frozen=True)
class Goal:
    """What a table is pruned to.

    Attributes:
      sparsity: Share of its weights that are 0; with a structure it follows from that.
      structured: Whether two of each four successive inputs' weights are 0, for every output.
    """

    sparsity: float
    structured: bool = False

    def kept(self, shape: Sequence[int]) -> int:
        """How many weights of a table [inputs, outputs] are not 0."""
        if self.structured:
            inputs, outputs = shape
            whole, rest = divmod(inputs, GROUP)
            return outputs * (whole * (GROUP - ZEROS) + min(rest, GROUP - ZEROS))
        share = np.float32(1) - np.float32(self.sparsity)  # in the precision of TFMOT's schedules
        return max(1, round(np.float32(np.prod(shape)) * share))


def is_pruned(layer: tf_keras.layers.Layer) -> bool:
    """What was not trained, such as the shifts of groups, is no weight to prune."""
    return isinstance(layer, _PRUNED_LAYERS) and layer.trainable


def tables_of(model: tf_keras.Model) -> dict[str, np.ndarray]:
    """The tables of a network by the names of their layers, each [rows, columns]."""
    return {layer.name: layer.get_weights()[0] for layer in model.layers if is_pruned(layer)}


def measured_sparsity(model: tf_keras.Model) -> float:
    """Share of zeros in the Dense kernels and Embedding tables of a network, 0 to 1."""
    return share_of_zeros(tables_of(model).values())


def share_of_zeros(tables: Iterable[np.ndarray]) -> float:
    """Share of zeros in all tables together, 0 to 1; 0 where there are none."""
    tables = list(tables)
    total = sum(table.size for table in tables)
    return 1.0 - sum(np.count_nonzero(t) for t in tables) / total if total else 0.0


def goals_for(
    model: tf_keras.Model,
    sparsity: float,
    options: PruningOptions,
    share: float = 1.0,
) -> dict[str, Goal]:
    """What each table of a network is pruned to, by the name of its layer.

    Args:
      model: The network.
      sparsity: Of the layers for which the options say nothing.
      options: Sparsity by name or class of layers, and the structure of dense layers.
      share: Of the sparsities that is asked for, 0 to 1; a structure is kept as it is.

    Raises:
      InputError: The options name a layer that is not there, or one whose sparsity follows from
        the structure.
    """
    key = _KEYS.get(model.name, "pruning")
    layers = [layer for layer in model.layers if is_pruned(layer)]
    kinds = {type(layer).__name__ for layer in layers}
    known = {*kinds, *(layer.name for layer in layers)}
    for name in options.by_layer:
        if name not in known:
            names = ", ".join(layer.name for layer in layers)
            raise InputError(
                f"{key}.by_layer: {model.name} has no layer {name}; give one of {names}, or of the "
                f"kinds {', '.join(sorted(kinds))}"
            )
    goals = {}
    for layer in layers:
        kind = type(layer).__name__
        named = [name for name in (layer.name, kind) if name in options.by_layer]
        if options.structure and isinstance(layer, tf_keras.layers.Dense):
            if named:
                raise InputError(
                    f"{key}.by_layer: the sparsity of {named[0]} follows from {key}.structure; "
                    "leave out one of the two"
                )
            goals[layer.name] = Goal(ZEROS / GROUP, structured=True)
            continue
        asked = options.by_layer[named[0]] if named else sparsity
        goals[layer.name] = Goal(share * asked)
    return goals


def wanted_sparsity(model: tf_keras.Model, goals: Mapping[str, Goal]) -> float:
    """Share of zeros that the goals ask for, over all tables."""
    tables = tables_of(model)
    zeros = 0.0
    for name, goal in goals.items():
        table = tables[name]
        by_structure = table.size - goal.kept(table.shape)
        zeros += by_structure if goal.structured else goal.sparsity * table.size
    return zeros / max(1, sum(table.size for table in tables.values()))


def check_reached(
    tables: Mapping[str, np.ndarray], goals: Mapping[str, Goal], clusters: int | None, after: str
) -> None:
    """Compares what there is with what was asked for.

    Args:
      tables: By the names of their layers, kernels as [inputs, outputs].
      goals: What each was to be pruned to.
      clusters: Largest number of distinct weights of a table; None: any.
      after: What was done to reach it, in words.

    Raises:
      RuntimeError: A table has more weights that are not 0 or more distinct ones than asked for, or
        another structure.
    """
    for name, goal in goals.items():
        table = tables[name]
        found, most = np.count_nonzero(table), goal.kept(table.shape)
        if found > most:
            raise RuntimeError(
                f"{name}: {found} of {table.size} weights {after} are not 0, instead of {most}"
            )
        if goal.structured and not follows_structure(table):
            raise RuntimeError(f"{name}: {after} its weights do not follow structure 2:4")
        if clusters is not None and (distinct := len(np.unique(table))) > clusters:
            raise RuntimeError(f"{name}: {distinct} distinct weights {after} instead of {clusters}")


def follows_structure(table: np.ndarray) -> bool:
    """Whether two of each four successive rows are 0 in every column; a last, shorter group may
    have as many weights as a whole one.
    """
    padded = np.pad(table, ((0, -len(table) % GROUP), (0, 0)))
    groups = (padded != 0).reshape(-1, GROUP, table.shape[1])
    return bool((groups.sum(axis=1) <= GROUP - ZEROS).all())
