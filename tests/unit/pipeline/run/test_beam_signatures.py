"""Beam's answers about functions stay what they were; the private name is where we expect it."""

import functools
from typing import Any
from unittest.mock import Mock

import apache_beam as beam
import pytest
from apache_beam.transforms import core, userstate

from pipeline.run.beam_signatures import _Remembering, remember_signatures


class Stateful(beam.DoFn):
    COUNT = userstate.CombiningValueStateSpec("count", sum)

    def process(self, element: Any, count: Any = beam.DoFn.StateParam(COUNT)) -> None:  # noqa: B008
        """Does nothing."""

    @classmethod
    def made(cls, size: int = 3) -> None:
        """Does nothing."""


def plain(element: int, by: int = 2, *rest: int, key: str = "") -> int:
    return element * by


FUNCTIONS = [
    plain,
    lambda x, y=1: x,
    Stateful.process,
    Stateful().process,
    Stateful.made,
    functools.partial(plain, 1),
    str.upper,
    len,
    Stateful,
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=repr)
def test_answers_are_beams(function: Any) -> None:
    remember_signatures()
    remembering = core.get_function_args_defaults
    assert isinstance(remembering, _Remembering)
    assert remembering(function) == remembering._ask(function)
    assert remembering(function) == remembering._ask(function), "the second time, too"


def test_each_function_is_asked_about_once() -> None:
    ask = Mock(return_value=(["element"], []))
    remembering = _Remembering(ask)
    names, _ = remembering(Stateful().process)
    names.append("spoilt")
    assert remembering(Stateful().process) == (["element"], [])
    assert ask.call_count == 1
    remembering(Stateful.process)
    assert ask.call_count == 2, "unbound, it has one argument more"


def test_remembering_twice_changes_nothing() -> None:
    remember_signatures()
    before = core.get_function_args_defaults
    remember_signatures()
    assert core.get_function_args_defaults is before


def test_beam_asks_through_this_name_and_still_finds_state() -> None:
    remember_signatures()
    states, timers = userstate.get_dofn_specs(Stateful())
    assert states == {Stateful.COUNT}
    assert not timers
    asked = core.get_function_args_defaults._known
    assert any(Stateful.process in known for known in asked.values())
