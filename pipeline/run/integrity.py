"""Finds damaged files of examples before a node reads them.

TensorFlow can read a truncated gzip file up to where it breaks off and say nothing (of 20,000
records in a file cut in half it read 9,979): a node would work on part of the rows. So the whole
stream is checked, checksum and record lengths.
"""

import gzip
import zlib
from pathlib import Path

from core.errors import InputError

_LENGTH, _CRC = 8, 4  # bytes


class DamagedExamplesError(InputError):
    """A file of an Examples artifact is damaged or gone."""


def check_examples(uri: Path) -> None:
    """Checks every file under an Examples artifact's folder.

    Raises:
        DamagedExamplesError: names the file and what is wrong with it.
    """
    splits = sorted(uri.glob("Split-*")) or [uri]
    for split in splits:
        files = sorted(path for path in split.rglob("*") if path.is_file())
        if not files:
            raise DamagedExamplesError(f"{split}: its files of examples are gone")
        for file in files:
            if problem := find_damage(file):
                raise DamagedExamplesError(f"{file}: damaged: {problem}")


def find_damage(path: Path) -> str | None:
    """What is wrong with a TFRecord file, gzipped when its name ends in .gz; None when it is whole.

    Format of a record: length (uint64, little endian), its CRC (4 bytes), data, its CRC (4 bytes).
    Source: tensorflow/core/lib/io/record_writer.h.
    """
    content = path.read_bytes()
    if path.suffix == ".gz":
        if not content:
            return "the file is empty"
        try:
            content = gzip.decompress(content)
        except EOFError:
            return "the file is truncated"
        except (gzip.BadGzipFile, zlib.error) as error:
            return str(error)
    place = 0
    while place < len(content):
        length = int.from_bytes(content[place : place + _LENGTH], "little")
        place += _LENGTH + _CRC + length + _CRC
    return None if place == len(content) else "the last record is truncated"
