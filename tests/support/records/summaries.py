"""The values of a run's summary, as JSON gives them."""

from typing import Any

RUN_ID = "20260102T030405Z"
MODEL = {
    "metrics": {"auc": 0.905, "accuracy": 0.852, "f1": 0.66, "examples": 16281},
    "slices": {"sex=Female": {"auc": 0.9, "tpr": 0.52, "examples": 5421}},
    "gaps": {"sex": {"tpr": 0.09, "fpr": 0.07, "selection_rate": 0.17}},
    "bytes": 120000,
    "gzip_bytes": 61000,
    "latency_us": {"batch_1": 35.0, "batch_256": 900.0},
    "sparsity": 0.5,
}
NODE = {"state": "RAN", "seconds": 13.4, "cpu_seconds": 9.8, "execution_id": 12}
VALUES: dict[str, Any] = {
    "format": 1,
    "run_id": RUN_ID,
    "config": "census",
    "config_sha256": "c",
    "code_sha256": "d",
    "seed": 1,
    "state": "COMPLETE",
    "seconds": 181.2,
    "cpu_seconds": 176.0,
    "peak_rss_mb": 1430,
    "data": {"spans": [1, 2, 3], "rows": {"train": 26029, "eval": 6532, "test": 16281}},
    "labels": {
        "mode": "weak",
        "gold_rows": 200,
        "coverage": 0.93,
        "conflict": 0.21,
        "accuracy_on_gold": 0.84,
        "functions": {
            "lf_gain": {"coverage": 0.08, "accuracy_on_gold": 0.95, "weight": 0.97, "overlap": 0.1}
        },
    },
    "features": None,
    "tuner": None,
    "nodes": {"Trainer": NODE},
    "models": {"teacher_pruned": MODEL},
    "targets": {"server": "teacher_pruned", "edge": "student_int8"},
    "gates": [
        {
            "target": "server",
            "metric": "auc",
            "slice": "overall",
            "value": 0.905,
            "bound": ">= 0.85",
            "passed": True,
            "key": "evaluation.server.min.auc",
            "sign": ">=",
            "limit": 0.85,
        }
    ],
    "pushed": {
        "server": {"version": 1767323045, "path": "serving/census/1767323045"},
        "edge": {"version": None, "why": "gap sex tpr 0.13 > 0.10"},
    },
    "failure": None,
}
