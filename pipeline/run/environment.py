"""Process-wide settings of TensorFlow, Keras, Beam and their loggers.

Call `prepare()` once, before anything imports TensorFlow, TFX or keras_tuner. Besides scratch.py it
is the only place of a run that writes environment variables. It imports TensorFlow, so commands
that only read metadata do not call it.
"""

import contextlib
import gc
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator

from pipeline.run.beam_shortcuts import shorten
from pipeline.run.beam_signatures import remember_signatures

# tf.function need not translate the Python source of these packages: they hold graph code already.
# AutoGraph exempts `keras` by itself, but not `tf_keras`, and otherwise parses all of it.
GRAPH_PACKAGES = (
    "tf_keras",
    "tensorflow_model_optimization",
    "tensorflow_transform",
    "tfx_bsl",
    "tensorflow_metadata",
)
# Clients of Google's services, which TensorFlow and Beam do without where they are not installed.
# Both are there for whoever imports them by name.
_CLOUD_CREDENTIALS = "oauth2client"
_CLOUD_SOURCES = "apache_beam.io.gcp.bigquery"
# Objects made before the youngest are looked through, and how often that leads to older ones.
# Building graphs makes millions that stay: Python's 700 looks through all of them again and again.
_COLLECT_AFTER = (50_000, 10, 10)
_NOISY_LOGGERS = ("absl", "tensorflow", "apache_beam")


def collect_rarely() -> None:
    """Has garbage looked for less often; calling it again changes nothing."""
    gc.set_threshold(*_COLLECT_AFTER)


def prepare() -> None:
    """Selects legacy Keras and one TensorFlow thread, speeds AutoGraph and Beam up, quietens logs,
    has garbage looked for less often.

    Calling it again changes nothing.

    Raises:
      RuntimeError: Keras 3 was imported before, so that models of two kinds would be mixed; or
        TensorFlow has already run something with other threads.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in _NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    collect_rarely()
    with _absent(_CLOUD_CREDENTIALS):
        import tensorflow as tf  # loads TensorFlow
        import tf_keras  # loads TensorFlow
    with _absent(_CLOUD_SOURCES):
        importlib.import_module("apache_beam")

    if sys.modules.setdefault("keras", tf_keras) is not tf_keras:
        raise RuntimeError("keras was imported before environment.prepare() was called")
    exempt_from_autograph(GRAPH_PACKAGES)
    remember_signatures()
    shorten()
    # The networks are small: handing work to a thread pool costs more CPU than the work itself.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # Libraries set absl's level again when they are imported or run.
    logging.getLogger("absl").addFilter(_is_error)
    # A rate is 0 / 0 in slices without positives: TFMA computes it, and it is handled as missing.
    warnings.filterwarnings("ignore", "invalid value encountered in .*divide", RuntimeWarning)
    # TensorFlow 2.21 says so of each interpreter; those of TFMA are of this kind, too.
    warnings.filterwarnings(
        "ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated", UserWarning
    )


@contextlib.contextmanager
def keeping() -> Iterator[None]:
    """For imports: looks for no garbage inside, nor later among what is there at the end.

    Modules stay, so looking through their million objects finds nothing.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _absent(module: str) -> Iterator[None]:
    """Makes imports of a module fail inside, as if it were not installed, unless it is loaded."""
    hidden = sys.modules.setdefault(module, None) is None  # type: ignore[arg-type]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[module]


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def exempt_from_autograph(packages: tuple[str, ...]) -> None:
    """Tells AutoGraph to call functions of `packages` as they are.

    Uses `tensorflow.python.autograph.core.config.CONVERSION_RULES`, which is private: there is no
    public switch for a whole package. Without it the first `fit` costs several times more.
    """
    from tensorflow.python.autograph.core import config  # loads TensorFlow

    known = {str(rule) for rule in config.CONVERSION_RULES}
    rules = [config.DoNotConvert(package) for package in packages]
    added = tuple(rule for rule in rules if str(rule) not in known)
    config.CONVERSION_RULES = added + tuple(config.CONVERSION_RULES)
