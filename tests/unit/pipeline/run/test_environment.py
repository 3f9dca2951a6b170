"""Process-wide settings: legacy Keras, and the private AutoGraph name that we rely on."""

import gc
import logging
import subprocess
import sys

import pytest
import tf_keras

from pipeline.run import environment


def test_keras_is_legacy_keras_everywhere() -> None:
    environment.prepare()
    import keras
    import tensorflow as tf

    assert keras is tf_keras
    assert tf.keras.Model is tf_keras.Model


def test_autograph_leaves_library_code_alone() -> None:
    environment.prepare()
    from tensorflow.python.autograph.impl import conversion

    assert conversion.is_allowlisted(tf_keras.layers.Dense.call)


def test_tensorflow_has_one_thread() -> None:
    environment.prepare()
    from tensorflow import config

    assert config.threading.get_intra_op_parallelism_threads() == 1
    assert config.threading.get_inter_op_parallelism_threads() == 1


def test_preparing_twice_adds_no_rules() -> None:
    from tensorflow.python.autograph.core import config

    environment.prepare()
    rules = config.CONVERSION_RULES
    environment.prepare()
    assert rules == config.CONVERSION_RULES


def test_keras_3_imported_before_is_an_error() -> None:
    code = "import keras; from pipeline.run.environment import prepare; prepare()"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode != 0
    assert "keras was imported before" in process.stderr


def test_importing_the_module_imports_no_tensorflow() -> None:
    code = "import sys, pipeline.run.environment; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_absl_warnings_stay_quiet_when_a_library_lowers_the_level(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("absl")
    logger.setLevel(logging.DEBUG)
    logger.warning("noise")
    logger.error("trouble")
    assert [record.message for record in caplog.records] == ["trouble"]


def test_modules_hidden_while_tensorflow_and_beam_load_are_there_afterwards() -> None:
    code = (
        "import sys; from pipeline.run.environment import prepare; prepare()\n"
        "assert not any(name.startswith('google.cloud.bigquery') for name in sys.modules)\n"
        "import oauth2client, apache_beam.io.gcp.bigquery as source\n"
        "assert source.ReadFromBigQuery"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_a_module_that_is_loaded_is_not_hidden() -> None:
    with environment._absent("logging"):
        assert sys.modules["logging"] is logging
    assert sys.modules["logging"] is logging


def test_no_garbage_is_looked_for_while_modules_load() -> None:
    frozen = gc.get_freeze_count()
    try:
        with environment.keeping():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    finally:
        if not frozen:
            gc.unfreeze()
