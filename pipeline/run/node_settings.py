"""What each node is told: its own part of the configuration, and what follows from it."""

from components.beam.voting_pass import LabelerSettings
from components.data.feature_selector import FeatureSettings
from components.evaluation.explainer import ExplainerSettings
from components.evaluation.fairness_gate import GateSettings
from components.evaluation.selector import SelectorSettings
from components.evaluation.variant_evaluator import VariantSettings
from components.pushing.against_live import PushSettings
from components.pushing.kept_rows import KeptSettings
from components.training.distiller import DistillerSettings
from components.training.quantizer import QuantizerSettings
from components.training.reference import ReferenceSettings
from components.training.trainer import TrainerSettings
from components.training.tuner import TunerSettings
from core.config import Config
from core.contract import read_contract
from core.names import ROW_ID
from core.targets import TARGETS
from models.cards.told import CardSettings
from pipeline.ingestion.contract import slice_columns
from pipeline.settings import (
    hidden_columns,
    mitigation_of,
    needed_columns,
    preprocessing_for,
    settings_json,
)

KEPT_ROWS = "PushGate, kept rows"
"""Of the rows that PushGate keeps beside what is pushed; its other settings go by its id."""


def node_settings(config: Config) -> dict[str, str]:
    """The settings of each node that has any: JSON by the node's id.

    Nodes that each target has are told the same for both (`PushGate`), or go by their full ids
    (`FairnessGate.server`).
    """
    columns = config.columns.features
    groups = tuple(slice_columns(config))
    types = read_contract(config.schema_path)
    preprocessing = preprocessing_for(config)
    alike = mitigation_of(config)
    told = {
        "AnomalyGate": config.anomalies.model_dump_json(),
        "SnorkelLabeler": settings_json(
            LabelerSettings,
            config,
            features=columns,
            groups=groups,
            by_group=config.fairness.of_labels,
        ),
        "LabelGate": config.labeling.gates.model_dump_json(),
        "FeatureSelector": settings_json(
            FeatureSettings,
            config,
            preprocessing=preprocessing,
            columns=columns,
            label=config.columns.label,
            passed_through=(*groups, ROW_ID),
            hidden=hidden_columns(config),
            needed=needed_columns(config),
        ),
        "Transform": preprocessing.model_dump_json(),
        "Reference": settings_json(ReferenceSettings, config, preprocessing=preprocessing),
        "Tuner": settings_json(TunerSettings, config, preprocessing=preprocessing),
        "Trainer": settings_json(
            TrainerSettings,
            config,
            preprocessing=preprocessing,
            max_drop=config.evaluation.server.max_drop_from_teacher,
            **alike,
        ),
        "Distiller": settings_json(
            DistillerSettings,
            config,
            preprocessing=preprocessing,
            max_drop=config.evaluation.edge.max_drop_from_teacher,
            **alike,
        ),
        "Quantizer": settings_json(QuantizerSettings, config, preprocessing=preprocessing),
        "VariantEvaluator": settings_json(VariantSettings, config, preprocessing=preprocessing),
        "Explainer": settings_json(ExplainerSettings, config, types=types),
        "PushGate": settings_json(PushSettings, config, types=types),
        KEPT_ROWS: settings_json(KeptSettings, config, columns=columns, types=types),
        "ModelCard": settings_json(CardSettings, config),
    }
    for target in TARGETS.values():
        told[target.producer] = settings_json(
            SelectorSettings,
            config,
            preprocessing=preprocessing,
            limits=config.selection.limits_of(target.name),
            variant=config.variant_of(target.name),
        )
        told[f"FairnessGate.{target.name}"] = settings_json(
            GateSettings, config, bounds=config.evaluation.bounds_of(target.name)
        )
    return told
