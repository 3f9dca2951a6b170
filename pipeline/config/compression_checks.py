"""Says what is wrong with `trainer.pruning`, `distiller.pruning` and what goes with them.

Names of layers are looked up by Trainer and Distiller, which have the network.
"""

from collections.abc import Iterator

from core.config import Config
from pipeline.config.overlay import KeyPath

Problem = tuple[KeyPath, str]


def check_compression(config: Config) -> Iterator[Problem]:
    """Ways of compressing that exclude each other."""
    sections = {"trainer": config.trainer.pruning, "distiller": config.distiller.pruning}
    for name, options in sections.items():
        if options.structure is not None and options.clusters is not None:
            yield (
                (name, "pruning", "clusters"),
                f"{options.clusters} clusters and {name}.pruning.structure={options.structure} "
                "cannot be had together; set one of them to null",
            )
        if options.structure is not None and "Dense" in options.by_layer:
            yield (
                (name, "pruning", "by_layer", "Dense"),
                f"the sparsity of dense layers follows from {name}.pruning.structure; leave out "
                "one of the two",
            )
    if config.distiller.quantization_aware and config.distiller.pruning.clusters is not None:
        yield (
            ("distiller", "quantization_aware"),
            "training with rounded numbers moves each weight by itself, out of the clusters of "
            "distiller.pruning.clusters; set it to false, or clusters to null",
        )
