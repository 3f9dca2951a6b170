"""Spares Beam work that it repeats at each step of a graph, whatever the number of rows.

Each shortcut replaces a name that is not public, because there is no switch, and leaves Beam as it
is where that name is missing. What Beam answers and what it sends to workers stays the same.
"""

import bz2
import functools
import types
import weakref
from collections.abc import Callable
from typing import Any

_PICKLES = 512  # that are remembered

Specs = tuple[set[Any], set[Any]]


def shorten() -> None:
    """Applies all of them; calling it again changes nothing."""
    from apache_beam.internal import cloudpickle_pickler  # loads Beam
    from apache_beam.options.pipeline_options import PipelineOptions  # loads Beam
    from apache_beam.runners.portability.fn_api_runner import worker_handlers  # loads Beam
    from apache_beam.transforms import userstate  # loads Beam

    look = getattr(userstate, "get_dofn_specs", None)
    if look is not None and not isinstance(look, _RememberingSpecs):
        userstate.get_dofn_specs = _RememberingSpecs(look)
    view_as = getattr(PipelineOptions, "view_as", None)
    if view_as is not None and not getattr(view_as, "remembers", False):
        PipelineOptions.view_as = _remembering_views(view_as)
    if getattr(cloudpickle_pickler, "bz2", None) is bz2:
        cloudpickle_pickler.bz2 = _remembering_bz2()
    if hasattr(worker_handlers, "STATE_CACHE_SIZE_MB"):
        # To know when its cache of side inputs is full, Beam measures what is in it, for which it
        # walks through all modules. Each bundle keeps what it has read; few share side inputs.
        worker_handlers.STATE_CACHE_SIZE_MB = 0


class _RememberingSpecs:
    """Looks once at the methods of each class of DoFns for the state and the timers they ask for.

    Beam looks at all of them some ten times for each step.
    """

    def __init__(self, ask: Callable[[Any], Specs]) -> None:
        self._ask = ask
        self._known: weakref.WeakKeyDictionary[type, Specs] = weakref.WeakKeyDictionary()

    def __call__(self, dofn: Any) -> Specs:
        """State and timer specs of a DoFn."""
        own = getattr(dofn, "__dict__", {}).values()
        if any(isinstance(value, types.MethodType) for value in own):
            return self._ask(dofn)  # a DoFn made of a bound method: not of its class alone
        kind = type(dofn)
        if kind not in self._known:
            self._known[kind] = self._ask(dofn)
        states, timers = self._known[kind]
        return set(states), set(timers)


def _remembering_views(view_as: Callable[[Any, type], Any]) -> Callable[[Any, type], Any]:
    """`PipelineOptions.view_as` that makes one view of each kind for the same options.

    Beam asks for a view at each step and builds a parser of the command line for it. All views of
    the same options share their values, so a view that was made before is as good as a new one.
    """
    known: weakref.WeakKeyDictionary[Any, dict[type, Any]] = weakref.WeakKeyDictionary()

    def remembering(self: Any, cls: type) -> Any:
        views = known.setdefault(self, {})
        if cls not in views:
            views[cls] = view_as(self, cls)
        return views[cls]

    remembering.remembers = True  # type: ignore[attr-defined]
    return remembering


def _remembering_bz2() -> types.SimpleNamespace:
    """`bz2` for pickles: a step's function is packed some three times and unpacked four times."""
    return types.SimpleNamespace(
        compress=functools.lru_cache(_PICKLES)(bz2.compress),
        decompress=functools.lru_cache(_PICKLES)(bz2.decompress),
    )
