"""The same model has the same digest, however TensorFlow wrote it."""

from pathlib import Path

import tensorflow as tf

from models.export.model_content import content_sha256


def save(folder: Path, weight: float, words: list[str], noise: int = 0) -> str:
    """Saves a model that looks words up; `noise` functions are traced before."""
    for number in range(noise):
        tf.function(lambda x, n=number: x + n).get_concrete_function(tf.constant(1.0))
    module = tf.Module()
    module.weight = tf.Variable(weight, name="weight")
    module.table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(words), tf.constant(range(len(words)), tf.int64)
        ),
        default_value=-1,
    )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def answer(word: tf.Tensor) -> tf.Tensor:
        return tf.cast(module.table.lookup(word), tf.float32) * module.weight

    tf.saved_model.save(module, str(folder), {"serving_default": answer})
    return content_sha256(folder)


def test_what_a_saved_model_is_told_by(tmp_path: Path) -> None:
    digest = save(tmp_path / "a", 1.0, ["red", "blue"])
    again = save(tmp_path / "b", 1.0, ["red", "blue"], noise=20)
    graphs = [(tmp_path / name / "saved_model.pb").read_bytes() for name in "ab"]
    assert graphs[0] != graphs[1]
    assert again == digest
    assert save(tmp_path / "c", 2.0, ["red", "blue"]) != digest
    assert save(tmp_path / "d", 1.0, ["blue", "red"]) != digest
    for name in ("version.json", "model_card.md", "data_card.html"):
        (tmp_path / "a" / name).write_text("{}")
    assert content_sha256(tmp_path / "a") == digest


def test_other_files_count_by_name_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "tflite").write_bytes(b"model")
    digest = content_sha256(tmp_path)
    (tmp_path / "tflite").write_bytes(b"other")
    assert content_sha256(tmp_path) != digest
    (tmp_path / "tflite").write_bytes(b"model")
    (tmp_path / "tflite").rename(tmp_path / "saved_model.pb")
    assert content_sha256(tmp_path) != digest
