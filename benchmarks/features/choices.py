"""What `features.keep` keeps of a table, and what simple models gain by it, without the DAG."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from benchmarks.tables.table import LABEL, StudyTable
from models.features.choosing import Keep, choose_by_scores, sample_of
from models.reference.columns import RawFrame
from models.reference.models import Answer, Labelled, boosted_trees, logistic_regression

_PARTS = 0.6, 0.8  # where the training and the eval part end; the rest is looked at by nobody
_TREES = 300
_WORDS = 4  # of a text, on the average


@dataclass(frozen=True)
class Chosen:
    """What a rule made of a table.

    Attributes:
      rows: Of the training part.
      columns: How many there are.
      kept: How many of them are kept.
      cpu_seconds: To score and to choose.
      auc: Of each model on the eval part, by its name: with all columns and with those kept.
      note: What the rule came to.
    """

    rows: int
    columns: int
    kept: int
    cpu_seconds: float
    auc: dict[str, tuple[float, float]]
    note: str


def raw_frame(table: StudyTable) -> tuple[RawFrame, np.ndarray]:
    """The table's columns by kind, and its labels, float64 [rows, 1]."""
    frame = table.frame.reset_index(drop=True)
    label = (frame.pop(LABEL) == table.positive).to_numpy(np.float64)
    found, kinds = {}, dict[str, str]()
    for name, values in frame.items():
        texts = values.fillna("").astype(str).str.strip().replace("?", "")
        numbers = pd.to_numeric(texts.replace("", np.nan), errors="coerce")
        if (numbers.isna() == (texts == "")).all() and numbers.nunique() > 2:
            kinds[name], found[name] = "number", numbers.to_numpy(np.float64)
        else:
            long = texts.str.count(" ").mean() >= _WORDS
            kinds[name], found[name] = "text" if long else "category", texts.to_numpy(object)
    by_kind = [
        [n for n, k in kinds.items() if k == kind] for kind in ("number", "category", "text")
    ]
    return RawFrame(pd.DataFrame(found), *by_kind), label[:, np.newaxis]


def chosen(table: StudyTable, keep: Keep, seed: int) -> Chosen:
    """Splits a table, chooses by the training part and fits both references to it twice."""
    raw, labels = raw_frame(table)
    order = np.random.default_rng(1000 + seed).permutation(len(labels))
    ends = [int(share * len(order)) for share in _PARTS]
    train, evaluation = order[: ends[0]], order[ends[0] : ends[1]]
    columns = list(raw.frame)
    started = time.process_time()
    every = np.ones(len(train), bool)
    drawn = train[sample_of(every.astype(float), every, len(columns), seed)]
    rows, judged = _labelled(raw, labels, drawn, columns), every[: len(drawn)]
    choice = choose_by_scores(rows, columns, keep, judged, len(train), seed)
    seconds = time.process_time() - started
    auc = {}
    for name in ("logistic_regression", "boosted_trees"):
        found = []
        for shown in (columns, choice.kept):
            parts = [_labelled(raw, labels, rows, shown) for rows in (train, evaluation)]
            answer = _fitted(name, parts[0], parts[1], seed)(parts[1].table)
            found.append(float(roc_auc_score(labels[evaluation, 0], answer)))
        auc[name] = (found[0], found[1])
    return Chosen(len(train), len(columns), len(choice.kept), seconds, auc, choice.note)


def _fitted(name: str, train: Labelled, evaluation: Labelled, seed: int) -> Answer:
    if name == "boosted_trees":
        return boosted_trees(train, evaluation, 2, _TREES, seed)
    return logistic_regression(train, 2)


def _labelled(raw: RawFrame, labels: np.ndarray, rows: np.ndarray, columns: list[str]) -> Labelled:
    by_kind = [
        [name for name in kind if name in columns]
        for kind in (raw.numeric, raw.categorical, raw.text)
    ]
    frame = raw.frame[columns].iloc[rows].reset_index(drop=True)
    return Labelled(RawFrame(frame, *by_kind), labels[rows], np.ones(len(rows)))
