"""CsvExampleGen: CSV files to tf.Examples, with the types that the contract gives the columns.

In: CSV files with a header, found by the patterns of `input_config` under `input_base`; the type of
each column; name and SHA-256 of the raw files behind them. Out: `examples`, one gzipped TFRecord
file for each CSV file, rows in their order; an empty cell is an absent feature; the raw files are
noted on it. Fails with InputError when a file is damaged, has a column without
a type, or a cell that is not of its column's type.

TFX's component of this name guesses the types of each split from its rows and makes every row a
proto in Python, which costs ten times more. Reading and encoding are C++ here (pyarrow, tfx-bsl).
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.csv
from google.protobuf import json_format, wrappers_pb2
from tfx.components.example_gen import utils
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.components.util import examples_utils
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.types.artifact import Artifact

from components.beam import record_batches
from core.errors import InputError
from core.names import SOURCE_FILES

# Floats are read as everybody else reads them, with 64 bits, and then rounded: read with 32 bits at
# once, a few decimals come out one bit beside what labelling functions and clients have.
_TYPES = {"INT": pa.int64(), "FLOAT": pa.float64(), "BYTES": pa.binary()}
_BLOCK_BYTES = 2**20
_ROW_TOO_LARGE = "increase block size"  # pyarrow's advice where a row is larger than a block


def read_csv(path: str, types: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a CSV file in order.

    Args:
      path: UTF-8, with a header; cells with commas, quotes or line ends are quoted.
      types: INT, FLOAT or BYTES by column.

    Returns:
      Batches in which each column is a list of one value, null where the cell is empty; INT is
      int64, FLOAT float32, BYTES binary.

    Raises:
      InputError: The file is empty or ragged, a column has no type, or a cell is not of its type.
    """
    done, block_bytes = 0, _BLOCK_BYTES
    while True:
        first = 0
        try:
            for batch in _batches(path, types, block_bytes):
                if first + batch.num_rows > done:
                    fresh = batch.slice(max(0, done - first))
                    lists = [_as_lists(column) for column in fresh.columns]
                    yield pa.RecordBatch.from_arrays(lists, names=batch.schema.names)
                first += batch.num_rows
                done = max(done, first)
            return
        except pa.ArrowInvalid as error:
            if _ROW_TOO_LARGE not in str(error) or block_bytes > os.path.getsize(path):
                raise InputError(
                    f"{path}: {error}; correct the cell, or the type in the contract"
                ) from error
            block_bytes *= 8


def _batches(path: str, types: Mapping[str, str], block_bytes: int) -> Iterator[pa.RecordBatch]:
    """Rows in blocks of the file; one that is larger than a block is pyarrow's error."""
    reader = pa.csv.open_csv(
        path,
        read_options=pa.csv.ReadOptions(use_threads=False, block_size=block_bytes),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types={column: _TYPES[kind] for column, kind in types.items()},
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    if untyped := [column for column in reader.schema.names if column not in types]:
        raise InputError(f"{path}: the contract has no column '{untyped[0]}'; describe it there")
    yield from reader


def _as_lists(column: pa.Array) -> pa.LargeListArray:
    """Each value as a list of one, floats of 32 bits, each null as a null."""
    if pa.types.is_float64(column.type):
        column = column.cast(pa.float32(), safe=False)
    filled = column.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(filled)])
    nulls = np.append(~filled, False)
    return pa.LargeListArray.from_arrays(
        pa.array(offsets, pa.int64(), mask=nulls), column.drop_null()
    )


class Executor(BaseBeamExecutor):
    """Converts each file of each split, as one Beam element a file."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the module's docstring; called by TFX."""
        self._log_startup(input_dict, output_dict, exec_properties)
        config = json_format.Parse(
            exec_properties[standard_component_specs.INPUT_CONFIG_KEY], example_gen_pb2.Input()
        )
        custom = json_format.Parse(
            exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY],
            example_gen_pb2.CustomConfig(),
        )
        settings = wrappers_pb2.StringValue()
        custom.custom_config.Unpack(settings)
        told = json.loads(settings.value)

        def convert(source: str, target: str) -> None:
            record_batches.write(target, read_csv(source, told["types"]))

        examples = artifact_utils.get_single_instance(output_dict["examples"])
        examples.split_names = artifact_utils.encode_split_names(
            utils.generate_output_split_names(config, example_gen_pb2.Output())
        )
        jobs = []
        for split in config.splits:
            pattern = os.path.join(
                exec_properties[standard_component_specs.INPUT_BASE_KEY], split.pattern
            )
            sources = sorted(fileio.glob(pattern))
            if not sources:
                raise InputError(f"{pattern}: no such file; put the data there")
            folder = artifact_utils.get_split_uri([examples], split.name)
            fileio.makedirs(folder)
            for number, source in enumerate(sources):
                name = f"data_tfrecord-{number:05d}-of-{len(sources):05d}.gz"
                jobs.append((source, os.path.join(folder, name)))
        with self._make_beam_pipeline() as pipeline:
            _ = pipeline | beam.Create(jobs) | beam.MapTuple(convert)
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(examples, "tfrecords_gzip")
        examples.set_string_custom_property(SOURCE_FILES, json.dumps(told["source_files"]))


class CsvExampleGen(FileBasedExampleGen):
    """TFX component over `Executor`; caching goes by the files, as for every file-based one."""

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)

    def __init__(
        self,
        input_base: str,
        input_config: example_gen_pb2.Input,
        types: Mapping[str, str],
        source_files: Sequence[tuple[str, str]],
        code_sha256: str,
    ) -> None:
        """Wires the node.

        Args:
          input_base: Folder of the files.
          input_config: One pattern for each split.
          types: INT, FLOAT or BYTES by column.
          source_files: Name (`span-1/data.csv`) and SHA-256 of each raw file behind the files.
          code_sha256: Only tells runs of different code apart.
        """
        told = {"code_sha256": code_sha256, "source_files": source_files, "types": dict(types)}
        settings = json.dumps(told, sort_keys=True)
        custom = example_gen_pb2.CustomConfig()
        custom.custom_config.Pack(wrappers_pb2.StringValue(value=settings))
        super().__init__(input_base=input_base, input_config=input_config, custom_config=custom)
