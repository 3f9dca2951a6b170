"""Makes Beam read the signature of each function once."""

import types
import weakref
from collections.abc import Callable
from typing import Any

Signature = tuple[list[str], list[Any]]


def remember_signatures() -> None:
    """Makes `apache_beam.transforms.core.get_function_args_defaults` remember its answers.

    Beam asks for the arguments of every method of every DoFn at each step from building a graph to
    running a bundle: some 50,000 times in Transform, about a few hundred functions, which is a
    tenth of its time. The answer depends on the function alone. The name is not public: there is no
    switch. Calling this again changes nothing.
    """
    from apache_beam.transforms import core  # loads Beam

    if not isinstance(core.get_function_args_defaults, _Remembering):
        core.get_function_args_defaults = _Remembering(core.get_function_args_defaults)


class _Remembering:
    """Asks about each function written in Python once, as it is and as a bound method."""

    def __init__(self, ask: Callable[[Any], Signature]) -> None:
        self._ask = ask
        self._known: dict[type, weakref.WeakKeyDictionary[types.FunctionType, Signature]] = {
            kind: weakref.WeakKeyDictionary() for kind in (types.FunctionType, types.MethodType)
        }

    def __call__(self, f: Any) -> Signature:
        """Names of the arguments of `f`, and the values of those with a default."""
        known = self._known.get(type(f))
        function = f.__func__ if isinstance(f, types.MethodType) else f
        if known is None or not isinstance(function, types.FunctionType):
            return self._ask(f)
        if function not in known:
            known[function] = self._ask(f)
        names, defaults = known[function]
        return list(names), list(defaults)
