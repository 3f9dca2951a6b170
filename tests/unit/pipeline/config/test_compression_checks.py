"""One line for each thing that is wrong with the keys of compression."""

import pytest

from core.errors import InputError
from pipeline.config.load import load


def said(*overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        load("census", list(overrides))
    return str(caught.value)


@pytest.mark.parametrize("section", ["trainer", "distiller"])
def test_a_structure_and_clusters_exclude_each_other(section: str) -> None:
    text = said(f"{section}.pruning.structure='2:4'", f"{section}.pruning.clusters=16")
    assert f"{section}.pruning.clusters: 16 clusters and {section}.pruning.structure=2:4" in text
    assert text.count("\n") == 0


def test_dense_layers_have_their_sparsity_from_one_key() -> None:
    text = said("trainer.pruning.structure=2:4", "trainer.pruning.by_layer={Dense: 0.5}")
    assert "trainer.pruning.by_layer.Dense: the sparsity of dense layers follows from" in text


def test_rounded_numbers_do_not_keep_to_clusters() -> None:
    text = said("distiller.quantization_aware=true", "distiller.pruning.clusters=16")
    assert "distiller.quantization_aware: training with rounded numbers" in text


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("distiller.sparsity=1.0", "distiller.sparsity: 1.0 is not allowed; give a number >= 0"),
        (
            "trainer.pruning.by_layer={logit: 1.0}",
            "trainer.pruning.by_layer.logit: 1.0 is not allowed; give a number >= 0 and < 1",
        ),
        ("trainer.pruning.structure=1:4", "trainer.pruning.structure: "),
        ("trainer.pruning.clusters=2", "trainer.pruning.clusters: 2 is not allowed"),
        ("trainer.pruning.by_layers={}", "the nearest is 'trainer.pruning.by_layer'"),
        ("quantizer.variant=student_int4", "quantizer.variant: "),
    ],
)
def test_values_out_of_range_are_refused(override: str, line: str) -> None:
    assert line in said(override)


def test_what_fits_together_is_taken() -> None:
    told = load(
        "census",
        [
            "trainer.pruning.structure=2:4",
            "trainer.pruning.by_layer={Embedding: 0.7}",
            "distiller.pruning.clusters=16",
            "quantizer.variant=student_int8_inputs",
        ],
    )
    assert told.trainer.pruning.structure == "2:4"
    assert told.trainer.pruning.by_layer == {"Embedding": 0.7}
    assert told.distiller.pruning.clusters == 16
