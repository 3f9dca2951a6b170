"""The contract of a data set: a schema in text form, curated by hand."""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from core.errors import InputError


def read_contract(path: Path) -> dict[str, str]:
    """Type (INT, FLOAT, BYTES) of each feature in a schema.pbtxt.

    Raises:
        InputError: the file is no schema, or compares numbers by a distance of categories.
    """
    schema = read_schema(path)
    for feature in schema.feature:
        _check_comparators(feature, path)
    return {f.name: schema_pb2.FeatureType.Name(f.type) for f in schema.feature}


def read_schema(path: Path) -> schema_pb2.Schema:
    """The schema in a schema.pbtxt.

    Raises:
        InputError: the file is no schema.
    """
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a schema in text form: {error}") from error


def _check_comparators(feature: schema_pb2.Feature, path: Path) -> None:
    """Refuses distances that TensorFlow Data Validation takes for 0 whatever the numbers are."""
    if feature.type == schema_pb2.BYTES:
        return
    for which in ("drift_comparator", "skew_comparator"):
        for distance in ("infinity_norm", "normalized_abs_difference"):
            if getattr(feature, which).HasField(distance):
                raise InputError(
                    f"{path}: feature '{feature.name}': {which} {{ {distance} }} measures "
                    "categories and is always 0 for numbers; use jensen_shannon_divergence"
                )
