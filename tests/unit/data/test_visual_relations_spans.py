"""The loader of the visual relations: on a small set, and on the published one where it lies."""

import csv
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.contract import read_contract
from core.errors import InputError
from core.files import REPOSITORY
from data.visual_relations import annotations, spans
from data.visual_relations.annotations import Box
from pipeline.config import load as config
from tests.support.data_sets import visual_relations as made

PUBLISHED = REPOSITORY.parent / "shared" / "vrd"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.write(tmp_path_factory.mktemp("vrd") / "source", 110, 55)


@pytest.fixture
def copied(source: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(source, tmp_path / "source"))


def read(folder: Path, part: str) -> list[dict[str, str]]:
    with (folder / part / "data.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_relations_of_the_task_alone_are_laid_out(source: Path, tmp_path: Path) -> None:
    spans.lay_out(str(tmp_path / "spans"), str(source))
    rows = read(tmp_path / "spans", "span-1")
    assert Counter(row["relation"] for row in rows) == {"ride": 27, "carry": 30, "other": 43}
    assert len(read(tmp_path / "spans", "test")) == 50
    first = rows[0]
    assert (first["subject"], first["object"], first["relation"]) == ("person", "bike", "ride")
    assert (first["subject_supercategory"], first["object_supercategory"]) == ("person", "vehicle")
    assert {row["subject_kind"] for row in rows} == {"person", "other"}


def test_columns_are_those_of_the_contract(source: Path, tmp_path: Path) -> None:
    spans.lay_out(str(tmp_path / "spans"), str(source))
    settings = config.load("visual_relations")
    added = {"row_id", *settings.columns.groups}
    assert {*read(tmp_path / "spans", "test")[0]} == {*read_contract(settings.schema_path)} - added


def test_geometry_of_two_boxes() -> None:
    found = spans.geometry(Box(0.25, 0.0, 0.75, 0.5), Box(0.5, 0.25, 1.0, 1.0))
    shared = 0.25 * 0.25
    assert found == pytest.approx(
        {
            "subject_x": 0.5,
            "subject_y": 0.25,
            "subject_width": 0.5,
            "subject_height": 0.5,
            "subject_area": 0.25,
            "object_x": 0.75,
            "object_y": 0.625,
            "object_width": 0.5,
            "object_height": 0.75,
            "overlap": shared / (0.25 + 0.375 - shared),
            "subject_inside": shared / 0.25,
            "object_inside": shared / 0.375,
            "offset_x": 0.5,
            "offset_y": 0.75,
            "offset_bottom": 1.0,
            "area_ratio": 1.5,
        }
    )
    apart = spans.geometry(Box(0.0, 0.0, 0.2, 0.2), Box(0.5, 0.0, 0.6, 0.2))
    assert (apart["overlap"], apart["offset_y"]) == pytest.approx((0.0, 0.0))


def test_boxes_are_ymin_ymax_xmin_xmax(copied: Path) -> None:
    thing = {"category": 0, "bbox": [60, 300, 200, 240]}  # 40 wide, 240 high
    relation = {"predicate": 1, "subject": thing, "object": thing}
    made.write_json(copied, "annotations_train.json", {"train-0.jpg": [relation]})
    [found] = annotations.read(str(copied), "train", {"ride": "ride"})
    assert found.subject_box == Box(200 / 800, 60 / 600, 240 / 800, 300 / 600)


def test_an_image_is_the_same_in_another_format(copied: Path) -> None:
    sizes = json.loads((copied / "train_image_metadata.json").read_text())
    sizes = {name.replace(".jpg", ".gif"): size for name, size in sizes.items()}
    made.write_json(copied, "train_image_metadata.json", sizes)
    assert annotations.read(str(copied), "train", {"ride": "ride"})


def test_a_category_without_a_supercategory_is_other(copied: Path, tmp_path: Path) -> None:
    made.write_json(copied, "objects.json", ["robot", *made.OBJECTS[1:]])
    spans.lay_out(str(tmp_path / "spans"), str(copied))
    row = read(tmp_path / "spans", "span-1")[0]
    assert (row["subject"], row["subject_supercategory"]) == ("robot", "other")


def test_every_published_category_has_a_supercategory_of_the_contract() -> None:
    contract = config.load("visual_relations").schema_path.read_text()
    for category, supercategory in spans.supercategories().items():
        assert f'value: "{category}"' in contract
        assert f'value: "{supercategory}"' in contract
    assert len(spans.supercategories()) == 100


def test_laying_out_again_changes_nothing(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "spans"
    spans.lay_out(str(folder), str(source))
    before = (folder / "test" / "data.csv").stat().st_mtime_ns
    spans.lay_out(str(folder), str(source))
    assert (folder / "test" / "data.csv").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("named", "message"),
    [(None, "data.source: not set"), ("nowhere", r"data.source: there is no folder .*nowhere")],
)
def test_without_the_files_it_says_where_they_are(
    named: str | None, message: str, tmp_path: Path
) -> None:
    path = None if named is None else str(tmp_path / named)
    with pytest.raises(InputError, match=message) as raised:
        spans.lay_out(str(tmp_path / "spans"), path)
    assert annotations.PUBLISHED in str(raised.value)
    for name, digest in annotations.SHA256.items():
        assert f"{digest}  {name}" in str(raised.value)
    assert not (tmp_path / "spans").exists()


def test_a_file_that_is_missing_is_named(copied: Path, tmp_path: Path) -> None:
    (copied / "objects.json").unlink()
    with pytest.raises(InputError, match=r"source: objects\.json missing\. The files are"):
        spans.lay_out(str(tmp_path / "spans"), str(copied))


def test_another_file_is_refused(copied: Path, tmp_path: Path) -> None:
    (copied / "objects.json").write_text("[]")
    found = hashlib.sha256(b"[]").hexdigest()
    with pytest.raises(InputError, match=rf"objects\.json: SHA-256 is {found}, expected"):
        spans.lay_out(str(tmp_path / "spans"), str(copied))
    (copied / annotations.OWN_SUMS).unlink()  # now those that are published are expected
    expected = f"expected {annotations.SHA256['objects.json']}; .* list its files in SHA256SUMS"
    with pytest.raises(InputError, match=expected):
        spans.lay_out(str(tmp_path / "spans"), str(copied))


def test_a_file_that_the_list_lacks_is_named(copied: Path, tmp_path: Path) -> None:
    (copied / annotations.OWN_SUMS).write_text("")
    with pytest.raises(InputError, match=r"SHA256SUMS: objects\.json is not listed"):
        spans.lay_out(str(tmp_path / "spans"), str(copied))


def _thing(**other: Any) -> dict[str, Any]:
    return {"category": 0, "bbox": [10, 20, 10, 20], **other}


def _one(subject: Any = None, **other: Any) -> Callable[[Any], Any]:
    relation = {"predicate": 1, "subject": subject or _thing(), "object": _thing(), **other}
    return lambda _: {"train-0.jpg": [relation]}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("annotations_train.json", lambda _: [], r"the whole: .*dict"),
        ("annotations_train.json", lambda _: {}, "no relation has one of the predicates ride"),
        ("annotations_train.json", _one(predicate=7), "predicate is 7, but there are 7"),
        ("annotations_train.json", _one(predicate=True), r"train-0\.jpg\.0\.predicate: .*integer"),
        (
            "annotations_train.json",
            _one(_thing(bbox=["1", 2, 3, 4])),
            r"subject\.bbox\.0: .*number",
        ),
        ("annotations_train.json", _one(predicate=-1), r"train-0\.jpg\.0\.predicate: .*greater"),
        ("annotations_train.json", _one(_thing(category=9)), "category of the subject is 9"),
        ("annotations_train.json", _one(object=3), r"train-0\.jpg\.0\.object: "),
        ("annotations_train.json", _one(_thing(bbox=[1, 2, 3])), r"subject\.bbox\.3: .*required"),
        ("annotations_train.json", _one(_thing(bbox=[20, 10, 10, 20])), "is no box"),
        ("annotations_train.json", _one(_thing(bbox=[10, 10, 10, 20])), "is no box"),
        ("annotations_train.json", _one(_thing(bbox=[10, 601, 10, 20])), "800 wide and 600 high"),
        ("annotations_train.json", _one(_thing(bbox=[10, 20, 10, 801])), "800 wide and 600 high"),
        ("train_image_metadata.json", lambda _: {}, "train_image_metadata.json has no size"),
        (
            "train_image_metadata.json",
            lambda sizes: {name: {"width": 0, "height": 1} for name in sizes},
            r"train-0\.jpg\.width: .*greater than 0",
        ),
        ("objects.json", lambda _: {"person": 0}, r"objects\.json: the whole: .*list"),
        ("predicates.json", lambda names: [*names[:-1], ""], r"predicates\.json: 6: "),
    ],
)
def test_what_does_not_fit_the_format_is_named(
    copied: Path, tmp_path: Path, name: str, change: Callable[[Any], Any], message: str
) -> None:
    made.write_json(copied, name, change(json.loads((copied / name).read_text())))
    with pytest.raises(InputError, match=message) as raised:
        spans.lay_out(str(tmp_path / "spans"), str(copied))
    assert f"{copied}/" in str(raised.value)
    assert not (tmp_path / "spans").exists()


def test_what_is_no_json_is_named(copied: Path, tmp_path: Path) -> None:
    made.write_json(copied, "objects.json", None)
    for content in (b'["person"', b"\xff\xfe"):
        (copied / "objects.json").write_bytes(content)
        (copied / annotations.OWN_SUMS).write_text(
            f"{hashlib.sha256(content).hexdigest()} *objects.json\n"
        )
        with pytest.raises(InputError, match=r"objects\.json: no JSON: "):
            spans.lay_out(str(tmp_path / "spans"), str(copied))


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published files do not lie here")
def test_published_files(tmp_path: Path) -> None:
    spans.lay_out(str(tmp_path / "spans"), str(PUBLISHED))
    train, test = (read(tmp_path / "spans", part) for part in ("span-1", "test"))
    assert Counter(row["relation"] for row in train) == {"ride": 159, "carry": 156, "other": 536}
    assert Counter(row["relation"] for row in test) == {"ride": 34, "carry": 36, "other": 124}
    assert not {row["image"] for row in train} & {row["image"] for row in test}
    predicates = Counter(
        relation.predicate for relation in annotations.read(str(PUBLISHED), "train", spans.CLASS_OF)
    )
    assert {name: predicates[name] for name in ("sit on", "look", "lying on")} == {
        "sit on": 205,
        "look": 120,
        "lying on": 13,
    }
    contract = config.load("visual_relations").schema_path.read_text()
    assert all(f'value: "{row["object"]}"' in contract for row in train + test)
