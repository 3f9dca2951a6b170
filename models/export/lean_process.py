"""Starts a module in a process that serves and ends soon: `python -m ... MODULE [ARGUMENT ...]`.

A server has the model alone: Keras, which TensorFlow would load where it is installed, is hidden,
so that a model which needs it fails here. Nor is garbage looked for: the process lives for seconds.
"""

import gc
import runpy
import sys

_HIDDEN = ("keras", "tf_keras")


def hide_keras() -> None:
    """Makes imports of Keras fail, so that TensorFlow does without it."""
    for package in _HIDDEN:
        sys.modules[package] = None  # type: ignore[assignment]


def main() -> None:
    """Runs the module that is named first as if it had been started by itself."""
    gc.disable()
    hide_keras()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
