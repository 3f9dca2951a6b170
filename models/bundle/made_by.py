"""What a TFLite file says of the TensorFlow that converted it."""

from tensorflow.lite.python import conversion_metadata_schema_py_generated as conversion
from tensorflow.lite.python import schema_py_generated as tflite

_CONVERSION, _RUNTIME = b"CONVERSION_METADATA", b"min_runtime_version"


def versions_of(content: bytes) -> dict[str, str | int | None]:
    """Versions that a TFLite file was made by and needs.

    Returns:
      `tflite_schema`, version of the file's format; `tensorflow`, whose converter wrote it; and
      `min_runtime`, the oldest TensorFlow Lite that has its operations. None where the file does
      not say.

    Source: the TFLite flatbuffer schema, `Model.metadata`.
    """
    model = tflite.Model.GetRootAsModel(content, 0)
    metadata: dict[bytes, bytes] = {}
    for place in range(model.MetadataLength()):
        entry = model.Metadata(place)
        written = model.Buffers(entry.Buffer()).DataAsNumpy()
        text = bytes(written) if not isinstance(written, int) else b""  # 0: an empty buffer
        metadata[entry.Name()] = text if text.strip(b"\0") else metadata.get(entry.Name(), b"")
    runtime = metadata.get(_RUNTIME, b"").strip(b"\0").decode() or None
    converted = metadata.get(_CONVERSION)
    tensorflow = None
    if converted:
        environment = conversion.ConversionMetadata.GetRootAs(converted, 0).Environment()
        tensorflow = environment.TensorflowVersion().decode() if environment else None
    return {"tflite_schema": model.Version(), "tensorflow": tensorflow, "min_runtime": runtime}
