"""deploy/serving/: what the real TensorFlow Serving is started with, by its own messages.

`tensorflow-serving-api` publishes the message of models.config. Those of the other two are not in
it: their fields are made here as monitoring_config.proto and session_bundle_config.proto have them.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import Message
from ruamel.yaml import YAML
from tensorflow_serving.config import model_server_config_pb2

from core.files import REPOSITORY
from core.targets import TARGETS
from pipeline.config.load import load

SERVING = REPOSITORY / "deploy" / "serving"
_WRAPPED = {
    "max_batch_size": 1,
    "batch_timeout_micros": 2,
    "max_enqueued_batches": 3,
    "num_batch_threads": 4,
}


def unpublished(name: str) -> Message:
    """A message `MonitoringConfig` or `BatchingParameters`."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="unpublished.proto",
        package="unpublished",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    prometheus = file.message_type.add(name="PrometheusConfig")
    prometheus.field.add(name="enable", number=1, type=field.TYPE_BOOL, label=1)
    prometheus.field.add(name="path", number=2, type=field.TYPE_STRING, label=1)
    monitoring = file.message_type.add(name="MonitoringConfig")
    monitoring.field.add(
        name="prometheus_config", number=1, type=field.TYPE_MESSAGE, label=1,
        type_name=".unpublished.PrometheusConfig",
    )  # fmt: skip
    batching = file.message_type.add(name="BatchingParameters")
    for wrapped, number in _WRAPPED.items():
        batching.field.add(
            name=wrapped, number=number, type=field.TYPE_MESSAGE, label=1,
            type_name=".google.protobuf.Int64Value",
        )  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    known = descriptor_pool.Default()
    known.FindFileByName("google/protobuf/wrappers.proto").CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"unpublished.{name}")
    made: Message = message_factory.GetMessageClass(found)()
    return made


def test_the_model_is_what_the_pipeline_pushes() -> None:
    text = (SERVING / "models.config").read_text()
    configs = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    [model] = configs.model_config_list.config
    compose = YAML(typ="safe").load(SERVING / "compose.yaml")
    root = Path("/var/lib/tfx-two-targets/runs")
    [mounted] = [
        volume.split(":") for volume in compose["services"]["serving"]["volumes"]
        if volume.startswith(str(root))
    ]  # fmt: skip
    served = TARGETS["server"].served(root / "census", load("census").name)
    inside = Path(mounted[1]) / served.relative_to(mounted[0])
    assert (model.name, Path(model.base_path)) == ("census", inside)
    assert model.model_version_policy.latest.num_versions == 2
    with pytest.raises(text_format.ParseError):
        text_format.Parse(text.replace("base_path", "path"), type(configs)())


def test_figures_and_batches() -> None:
    monitoring = unpublished("MonitoringConfig")
    text_format.Parse((SERVING / "monitoring.config").read_text(), monitoring)
    assert "enable: true" in str(monitoring)
    text = (SERVING / "batching.config").read_text()
    batching = text_format.Parse(text, unpublished("BatchingParameters"))
    sizes = {name: getattr(batching, name).value for name in _WRAPPED}
    assert sizes["max_batch_size"] == load("census").serving.batch_rows
    assert all(sizes.values())
    with pytest.raises(text_format.ParseError):
        text_format.Parse("max_batch_size: 256", unpublished("BatchingParameters"))


def test_the_compose_file_is_valid_and_mounts_what_is_there() -> None:
    path = SERVING / "compose.yaml"
    tool = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run(
        [str(tool), "--builtin-schema", "vendor.compose-spec", str(path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    service = YAML(typ="safe").load(path)["services"]["serving"]
    files = {
        inside: SERVING / outside
        for outside, inside, _ in (volume.split(":") for volume in service["volumes"])
        if outside.startswith("./")
    }
    assert all(file.is_file() for file in files.values())
    named = {flag.partition("=")[2] for flag in service["command"] if "/etc/" in flag}
    assert named == {*files}
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
