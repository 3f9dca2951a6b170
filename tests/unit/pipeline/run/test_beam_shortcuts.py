"""Beam's answers stay what they were; the private names are where we expect them."""

import base64
import bz2
from typing import Any

import apache_beam as beam
import cloudpickle
import pytest
from apache_beam.internal import cloudpickle_pickler
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions, TypeOptions
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms import userstate

from pipeline.run.beam_shortcuts import _RememberingSpecs, shorten


class Counting(beam.DoFn):
    COUNT = userstate.CombiningValueStateSpec("count", sum)

    def process(self, element: Any, count: Any = beam.DoFn.StateParam(COUNT)) -> None:  # noqa: B008
        """Does nothing."""


class Plain(beam.DoFn):
    def process(self, element: Any) -> None:
        """Does nothing."""


def test_specs_are_beams_the_second_time_too() -> None:
    shorten()
    remembering = userstate.get_dofn_specs
    assert isinstance(remembering, _RememberingSpecs)
    for dofn in (Counting(), Plain(), beam.core.CallableWrapperDoFn(len)):
        assert remembering(dofn) == remembering._ask(dofn)
        assert remembering(dofn) == remembering._ask(dofn)
    assert userstate.is_stateful_dofn(Counting())


def test_each_class_is_looked_at_once_and_answers_are_copies() -> None:
    asked = []

    def ask(dofn: Any) -> tuple[set[Any], set[Any]]:
        asked.append(dofn)
        return {1}, set()

    remembering = _RememberingSpecs(ask)
    states, _ = remembering(Plain())
    states.add(2)
    assert remembering(Plain()) == ({1}, set())
    assert len(asked) == 1


def test_a_function_made_of_a_bound_method_is_always_looked_at() -> None:
    shorten()
    wrapped = beam.core.CallableWrapperDoFn(Counting().process)
    assert userstate.get_dofn_specs(beam.core.CallableWrapperDoFn(len)) == (set(), set())
    assert userstate.get_dofn_specs(wrapped) == userstate.get_dofn_specs._ask(wrapped)


def test_views_of_the_same_options_share_values() -> None:
    shorten()
    options = PipelineOptions(["--runner=First"])
    view = options.view_as(StandardOptions)
    assert view.runner == "First"
    view.runner = "Second"
    assert options.view_as(StandardOptions).runner == "Second"
    assert options.view_as(StandardOptions) is view
    assert options.view_as(TypeOptions).view_as(StandardOptions).runner == "Second"
    assert PipelineOptions(["--runner=Third"]).view_as(StandardOptions).runner == "Third"


def test_pickles_are_beams_and_are_packed_once() -> None:
    shorten()
    remembering: Any = cloudpickle_pickler.bz2
    packed = cloudpickle_pickler.dumps([1, "a"])
    assert bz2.decompress(base64.b64decode(packed)) == cloudpickle.dumps([1, "a"])
    before = remembering.compress.cache_info().hits
    assert cloudpickle_pickler.dumps([1, "a"]) == packed
    assert remembering.compress.cache_info().hits == before + 1
    assert [cloudpickle_pickler.loads(packed) for _ in range(2)] == [[1, "a"]] * 2


def test_side_inputs_are_read_without_a_cache() -> None:
    shorten()
    assert worker_handlers.STATE_CACHE_SIZE_MB == 0
    with beam.Pipeline(runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner") as line:
        side = line | "Side" >> beam.Create([3])
        sums = (
            line
            | "Main" >> beam.Create([1, 2])
            | beam.Map(
                lambda value, more, all_more: value + more + sum(all_more),
                beam.pvalue.AsSingleton(side),
                beam.pvalue.AsList(side),
            )
        )
        assert_that(sums, equal_to([7, 8]))


def test_shortening_twice_changes_nothing() -> None:
    shorten()
    before = userstate.get_dofn_specs, PipelineOptions.view_as, cloudpickle_pickler.bz2
    shorten()
    after = userstate.get_dofn_specs, PipelineOptions.view_as, cloudpickle_pickler.bz2
    assert after == before


def test_a_beam_without_these_names_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(userstate, "get_dofn_specs")
    monkeypatch.delattr(PipelineOptions, "view_as")
    monkeypatch.delattr(cloudpickle_pickler, "bz2")
    monkeypatch.delattr(worker_handlers, "STATE_CACHE_SIZE_MB")
    shorten()
    assert not hasattr(userstate, "get_dofn_specs")
    assert not hasattr(PipelineOptions, "view_as")
    assert not hasattr(cloudpickle_pickler, "bz2")
    assert not hasattr(worker_handlers, "STATE_CACHE_SIZE_MB")
