"""Reads the published annotation files of the VRD set: relations between two things in an image.

Lu, Krishna, Bernstein and Fei-Fei, "Visual Relationship Detection with Language Priors", ECCV 2016.
In: a folder with the files of SHA256. Out: relations by their names, boxes in shares of the image.
Fails with InputError when a file is missing, is not the one expected, or does not fit the format.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from core.csv_text import shown
from core.errors import InputError

PUBLISHED = "http://cs.stanford.edu/people/ranjaykrishna/vrd/ (Lu et al., ECCV 2016)"
# Of the published files. A folder of other files in the same format says so by a list of its own.
SHA256 = {
    "annotations_train.json": "2e7404157ffc2022fb7230baf2ffd453d5a4dc5875cd5adbc688002a7d401d6c",
    "annotations_test.json": "f3dc50010f4d3149ccc79a568c89ad46a617c9cb2c7f773d7ac0aed163eaf9c9",
    "train_image_metadata.json": "f41ad05096683338f05482046e1a74f001053a3e3bbff83214ef6bb456da5578",
    "test_image_metadata.json": "5559948643a3b6b5e81ddcca798075999ccefc2cd8c96fcb8443dd9d17977686",
    "objects.json": "1c57d1730f9991ec8e11ee6dd42e05cb1497ced2126bb93feda91dd4fe627ef3",
    "predicates.json": "b16fc9f3ec075d0deb72cbaf251fdb39b9bc200624b8e51122f1c6e1b886287a",
}
OWN_SUMS = "SHA256SUMS"

Part = Literal["train", "test"]
Index = Annotated[int, Field(ge=0, strict=True)]
Length = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
Edge = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


class _Thing(BaseModel):
    category: Index
    bbox: tuple[Edge, Edge, Edge, Edge]
    """ymin, ymax, xmin, xmax, in pixels."""


class _Relation(BaseModel):
    predicate: Index
    subject: _Thing
    object: _Thing


class _Size(BaseModel):
    width: Length
    height: Length


_RELATIONS = TypeAdapter(dict[str, list[_Relation]])
_SIZES = TypeAdapter(dict[str, _Size])
_NAMES = TypeAdapter(list[Annotated[str, Field(min_length=1)]])


@dataclass(frozen=True)
class Box:
    """Where a thing is; x in widths of the image from its left, y in its heights from its top."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Relation:
    """What one thing does with another in an image; all by their names."""

    image: str
    subject: str
    predicate: str
    object: str
    subject_box: Box
    object_box: Box


def read(source: str | None, part: Part, predicates: Mapping[str, str]) -> list[Relation]:
    """The relations of a part that have one of some predicates, in the order of the file.

    Args:
        source: folder of the files; None: nobody has named one.
        part: which of the two published parts.
        predicates: those that are wanted, as keys.

    Raises:
        InputError: the folder or a file is missing, has another checksum, or does not fit the
            format; no relation has one of the predicates.
    """
    folder = _folder(source)
    names = {n: _parsed(folder, f"{n}.json", _NAMES) for n in ("objects", "predicates")}
    path = folder / f"annotations_{part}.json"
    sizes = {
        PurePosixPath(image).stem: size  # one image is a .jpg in one file and a .gif in the other
        for image, size in _parsed(folder, f"{part}_image_metadata.json", _SIZES).items()
    }
    found = []
    for image, relations in _parsed(folder, path.name, _RELATIONS).items():
        for number, relation in enumerate(relations):
            place = f"{path}: image {shown(image)}, relation {number}"
            predicate = _name(names["predicates"], relation.predicate, place, "predicate")
            if predicate not in predicates:
                continue
            if (size := sizes.get(PurePosixPath(image).stem)) is None:
                raise InputError(f"{place}: {part}_image_metadata.json has no size of the image")
            things = [
                (
                    _name(names["objects"], thing.category, place, f"category of the {role}"),
                    _box(thing.bbox, size, f"{place}: bbox of the {role}"),
                )
                for role, thing in (("subject", relation.subject), ("object", relation.object))
            ]
            (subject, subject_box), (other, other_box) = things
            found.append(Relation(image, subject, predicate, other, subject_box, other_box))
    if not found:
        raise InputError(f"{path}: no relation has one of the predicates {', '.join(predicates)}")
    return found


def _folder(source: str | None) -> Path:
    where = (
        f"The files are published at {PUBLISHED}, with the SHA-256 checksums\n"
        + "\n".join(f"  {digest}  {name}" for name, digest in SHA256.items())
        + "\nPut them into a folder and name it in data.source"
    )
    if source is None:
        raise InputError(f"data.source: not set. {where}")
    folder = Path(source)
    if not folder.is_dir():
        raise InputError(f"data.source: there is no folder {folder}. {where}")
    missing = [name for name in SHA256 if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder}: {', '.join(missing)} missing. {where}")
    return folder


def _parsed(folder: Path, name: str, format: TypeAdapter[Any]) -> Any:
    """A file of the folder, if it is the one expected."""
    path = folder / name
    content = path.read_bytes()
    found, expected = hashlib.sha256(content).hexdigest(), _expected(folder, name)
    if found != expected:
        raise InputError(
            f"{path}: SHA-256 is {found}, expected {expected}; get it anew from {PUBLISHED}, or, "
            f"if another set of the same format is meant, list its files in {OWN_SUMS} beside it: "
            f"sha256sum *.json > {OWN_SUMS}"
        )
    try:
        return format.validate_python(json.loads(content))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise InputError(f"{path}: {place or 'the whole'}: {problem['msg']}") from error
    except ValueError as error:
        raise InputError(f"{path}: no JSON: {error}") from error


def _expected(folder: Path, name: str) -> str:
    """The checksum that a file has to have: that of the folder's own list, if it has one."""
    own = folder / OWN_SUMS
    if not own.is_file():
        return SHA256[name]
    sums = dict(_sums(own))
    if name not in sums:
        raise InputError(f"{own}: {name} is not listed; write it anew: sha256sum *.json > {own}")
    return sums[name]


def _sums(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition(" ")
        yield name.lstrip(" *"), digest.lower()


def _name(names: list[str], index: int, place: str, what: str) -> str:
    if index >= len(names):
        raise InputError(f"{place}: {what} is {index}, but there are {len(names)} of them only")
    return names[index]


def _box(bbox: tuple[float, float, float, float], size: _Size, place: str) -> Box:
    top, bottom, left, right = bbox
    if top >= bottom or left >= right or bottom > size.height or right > size.width:
        raise InputError(
            f"{place}: {[f'{edge:g}' for edge in bbox]} is no box [ymin, ymax, xmin, xmax] of an "
            f"image {size.width:g} wide and {size.height:g} high"
        )
    return Box(left / size.width, top / size.height, right / size.width, bottom / size.height)
