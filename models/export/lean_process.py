"""Starts a module in a process that serves and ends soon: `python -m ... MODULE [ARGUMENT ...]`.

A server has the model alone: Keras, which TensorFlow would load where it is installed, is hidden,
so that a model which needs it fails here. So are clients of Google's services, which TensorFlow can
do without. Nor is garbage looked for: the process lives for seconds.
"""

import gc
import runpy
import sys

_HIDDEN = ("keras", "tf_keras", "googleapiclient")


def hide_unneeded() -> None:
    """Makes imports of Keras and of Google's clients fail, so that TensorFlow does without them."""
    for package in _HIDDEN:
        sys.modules[package] = None  # type: ignore[assignment]


def main() -> None:
    """Runs the module that is named first as if it had been started by itself."""
    gc.disable()
    hide_unneeded()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
