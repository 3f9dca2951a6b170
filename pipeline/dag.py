"""The DAG, top to bottom in the order in which it runs."""

import json
from pathlib import Path

import tfx.components as stock
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import example_gen_pb2, pusher_pb2, trainer_pb2, transform_pb2
from tfx.types.channel import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing, PushedModel

from components.beam.voting_pass import LabelerSettings
from components.cards.model_card import ModelCard
from components.data.anomaly_gate import AnomalyGate
from components.data.csv_example_gen import CsvExampleGen
from components.data.feature_selector import FeatureSelector, FeatureSettings
from components.data.statistics_gen import StatisticsGen
from components.evaluation.evaluator import Evaluator
from components.evaluation.explainer import Explainer, ExplainerSettings
from components.evaluation.fairness_gate import FairnessGate, GateSettings
from components.evaluation.selector import Selector, SelectorSettings
from components.evaluation.variant_evaluator import VariantEvaluator, VariantSettings
from components.labels.answer_importer import AnswerImporter
from components.labels.label_gate import LabelGate
from components.labels.snorkel_labeler import SnorkelLabeler
from components.pushing.against_live import PushSettings
from components.pushing.kept_rows import KeptSettings
from components.pushing.push_gate import PushGate
from components.pushing.pusher import Pusher
from components.training.distiller import Distiller, DistillerSettings
from components.training.quantizer import Quantizer, QuantizerSettings
from components.training.reference import Reference, ReferenceSettings
from components.training.trainer import TrainerSettings
from components.training.tuner import Tuner, TunerSettings
from core.config import Config
from core.contract import read_contract
from core.names import ROW_ID, SPLITS
from core.targets import TARGETS
from models.cards.told import CardSettings
from pipeline.evaluation import eval_config
from pipeline.ingestion.contract import slice_columns, stage_contract
from pipeline.ingestion.staging import Staged
from pipeline.labels.answers import stage_answers
from pipeline.metadata.connection import connection_config, without_password
from pipeline.resolvers import LastBlessedOther, LiveOther, WarmStart, rolled_back_models
from pipeline.run.fingerprint import code_sha256
from pipeline.settings import (
    beam_args,
    hidden_columns,
    intended_use,
    labeling_modules,
    mitigation_of,
    needed_columns,
    preprocessing_for,
    settings_json,
)


def create_pipeline(config: Config, staged: Staged, folder: Path) -> Pipeline:
    """Wires one run.

    Args:
      config: The whole configuration.
      staged: The data window, as CSV files by split.
      folder: <root>/<name>; artifacts, metadata and pushed models lie under it.
    """
    groups = tuple(slice_columns(config))
    types = read_contract(config.schema_path)
    preprocessing = preprocessing_for(config)

    example_gen = CsvExampleGen(
        input_base=staged.path,
        input_config=example_gen_pb2.Input(
            splits=[example_gen_pb2.Input.Split(name=s, pattern=f"{s}/*.csv") for s in SPLITS]
        ),
        types=types,
        source_files=[(file.name, file.sha256) for file in staged.files],
        code_sha256=code_sha256("components.data.csv_example_gen"),
    )
    statistics_gen = StatisticsGen(
        examples=example_gen.outputs["examples"],
        code_sha256=code_sha256("components.data.statistics_gen"),
    )
    schema_gen = stock.SchemaGen(statistics=statistics_gen.outputs["statistics"])
    contract = ImportSchemaGen(schema_file=str(stage_contract(config, folder)))
    example_validator = stock.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=contract.outputs["schema"]
    )
    anomaly_gate = AnomalyGate(
        anomalies=example_validator.outputs["anomalies"],
        statistics=statistics_gen.outputs["statistics"],
        schema=contract.outputs["schema"],
        settings=config.anomalies.model_dump_json(),
        contract=config.contract,
        code_sha256=code_sha256("components.data.anomaly_gate"),
    )
    answer_importer = AnswerImporter(
        path=str(stage_answers(config, staged, folder)),
        code_sha256=code_sha256("components.labels.answer_importer"),
    )
    labeler = SnorkelLabeler(
        examples=example_gen.outputs["examples"],
        anomaly_report=anomaly_gate.outputs["anomaly_report"],
        answers=answer_importer.outputs["answers"],
        settings=settings_json(
            LabelerSettings,
            config,
            features=config.columns.features,
            groups=groups,
            by_group=config.fairness.of_labels,
        ),
        code_sha256=code_sha256("components.labels.snorkel_labeler", *labeling_modules(config)),
    )
    label_gate = LabelGate(
        label_report=labeler.outputs["label_report"],
        bounds=config.labeling.gates.model_dump_json(),
        code_sha256=code_sha256("components.labels.label_gate"),
    )
    feature_selector = FeatureSelector(
        statistics=statistics_gen.outputs["statistics"],
        schema=contract.outputs["schema"],
        labeled_examples=labeler.outputs["labeled_examples"],
        settings=settings_json(
            FeatureSettings,
            config,
            preprocessing=preprocessing,
            columns=config.columns.features,
            label=config.columns.label,
            passed_through=(*groups, ROW_ID),
            hidden=hidden_columns(config),
            needed=needed_columns(config),
        ),
        code_sha256=code_sha256("components.data.feature_selector"),
    )
    feature_selector.add_upstream_node(label_gate)  # nothing is trained on what was not gated
    transform = stock.Transform(
        examples=labeler.outputs["labeled_examples"],
        schema=feature_selector.outputs["selected_schema"],
        preprocessing_fn="models.network.preprocessing.preprocessing_fn",
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=SPLITS),
        custom_config={
            "settings": preprocessing.model_dump_json(),
            "code_sha256": code_sha256("models.network.preprocessing"),
        },
        disable_statistics=True,
        disable_analyzer_cache=True,  # no later run would be given it
    )
    reference = Reference(
        labeled_examples=labeler.outputs["labeled_examples"],
        schema=feature_selector.outputs["selected_schema"],
        settings=settings_json(ReferenceSettings, config, preprocessing=preprocessing),
        code_sha256=code_sha256("components.training.reference"),
    )
    trainer_config = {
        "settings": settings_json(
            TrainerSettings,
            config,
            preprocessing=preprocessing,
            max_drop=config.evaluation.server.max_drop_from_teacher,
            **mitigation_of(config),
        ),
        "code_sha256": code_sha256("components.training.trainer"),
    }
    warm_start = Resolver(
        strategy_class=WarmStart,
        examples=transform.outputs["transformed_examples"],
        model=Channel(type=Model),  # of whichever node; the blessing says which
        model_blessing=Channel(type=ModelBlessing, producer_component_id="PushGate.server"),
        config={
            "served": str(TARGETS["server"].served(folder, config.name)),
            "settings": json.dumps(trainer_config),
        },
    ).with_id("WarmStart")
    base_model = warm_start.outputs["model"] if config.trainer.warm_start else None
    tuner = Tuner(
        tuner_fn="components.training.tuner.tuner_fn",
        base_model=base_model,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        train_args=trainer_pb2.TrainArgs(),
        eval_args=trainer_pb2.EvalArgs(),
        custom_config={
            "settings": settings_json(TunerSettings, config, preprocessing=preprocessing),
            "code_sha256": code_sha256("components.training.tuner"),
        },
    )
    trainer = stock.Trainer(
        run_fn="components.training.trainer.run_fn",
        base_model=base_model,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        hyperparameters=tuner.outputs["best_hyperparameters"] if config.tuner.enabled else None,
        train_args=trainer_pb2.TrainArgs(),
        eval_args=trainer_pb2.EvalArgs(),
        custom_config=trainer_config,
    )
    distiller = Distiller(
        transformed_examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        model_run=trainer.outputs["model_run"],
        settings=settings_json(
            DistillerSettings,
            config,
            preprocessing=preprocessing,
            max_drop=config.evaluation.edge.max_drop_from_teacher,
            **mitigation_of(config),
        ),
        code_sha256=code_sha256("components.training.distiller"),
    )
    quantizer = Quantizer(
        student=distiller.outputs["model"],
        transformed_examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        settings=settings_json(QuantizerSettings, config, preprocessing=preprocessing),
        code_sha256=code_sha256("components.training.quantizer"),
    )
    selectors = {
        target.name: Selector(
            labeled_examples=labeler.outputs["labeled_examples"],
            transformed_examples=transform.outputs["transformed_examples"],
            transform_graph=transform.outputs["transform_graph"],
            model_run=trainer.outputs["model_run"],
            trained=trainer.outputs["model"] if target.inputs == "raw" else None,
            variants=quantizer.outputs["variants"] if target.inputs == "transformed" else None,
            target=target.name,
            settings=settings_json(
                SelectorSettings,
                config,
                preprocessing=preprocessing,
                limits=config.selection.limits_of(target.name),
                variant=config.variant_of(target.name),
            ),
            code_sha256=code_sha256("components.evaluation.selector", target.candidates),
        ).with_id(target.producer)
        for target in TARGETS.values()
    }
    variant_evaluator = VariantEvaluator(
        transformed_examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        model_run=trainer.outputs["model_run"],
        server_choice=selectors["server"].outputs["choice"],
        variants=quantizer.outputs["variants"],
        reference_answers=(
            reference.outputs["reference_answers"] if config.reference.enabled else None
        ),
        settings=settings_json(VariantSettings, config, preprocessing=preprocessing),
        code_sha256=code_sha256("components.evaluation.variant_evaluator"),
    )
    explainers = (
        [
            Explainer(
                examples=labeler.outputs["labeled_examples"],
                **{name: selector.outputs["model"] for name, selector in selectors.items()},
                settings=settings_json(ExplainerSettings, config, types=types),
                code_sha256=code_sha256(
                    "components.evaluation.explainer", *(t.loader for t in TARGETS.values())
                ),
            )
        ]
        if config.explain.enabled
        else []
    )
    nodes = [
        example_gen,
        statistics_gen,
        schema_gen,
        contract,
        example_validator,
        anomaly_gate,
        answer_importer,
        labeler,
        label_gate,
        feature_selector,
        transform,
        *([reference] if config.reference.enabled else []),
        *([warm_start] if config.trainer.warm_start else []),
        *([tuner] if config.tuner.enabled else []),
        trainer,
        distiller,
        quantizer,
        *selectors.values(),
        variant_evaluator,
        *explainers,
    ]

    for target in TARGETS.values():
        model, choice = (selectors[target.name].outputs[key] for key in ("model", "choice"))
        served = target.served(folder, config.name)
        baseline = Resolver(
            strategy_class=LastBlessedOther,
            candidate=model,
            model=Channel(type=Model),  # of whichever node; the blessing says which
            model_blessing=Channel(
                type=ModelBlessing, producer_component_id=f"PushGate.{target.name}"
            ),
            config={"served": str(served), "inputs": target.inputs},
        ).with_id(f"Baseline.{target.name}")
        evaluator = Evaluator(
            examples=(
                labeler.outputs["labeled_examples"]
                if target.inputs == "raw"
                else transform.outputs["transformed_examples"]
            ),
            model=model,
            baseline_model=baseline.outputs["model"],
            schema=feature_selector.outputs["selected_schema"] if target.inputs == "raw" else None,
            eval_config=eval_config(config.evaluation, config.columns.names, target.model_type),
            example_splits=["test"],
            module_path="components.beam.sliced_batches",
            code_sha256=code_sha256(
                "components.beam.sliced_batches", "components.beam.exact_metrics"
            ),
        ).with_id(f"Evaluator.{target.name}")
        fairness_gate = FairnessGate(
            evaluation=evaluator.outputs["evaluation"],
            blessing=evaluator.outputs["blessing"],
            baseline_blessing=baseline.outputs["model_blessing"],
            model=model,
            choice=choice,
            variant_report=variant_evaluator.outputs["variant_report"],
            target=target.name,
            settings=settings_json(
                GateSettings, config, bounds=config.evaluation.bounds_of(target.name)
            ),
            code_sha256=code_sha256("components.evaluation.fairness_gate"),
        ).with_id(f"FairnessGate.{target.name}")
        live = Resolver(
            strategy_class=LiveOther,
            candidate=model,
            pushed_model=Channel(type=PushedModel, producer_component_id=f"Pusher.{target.name}"),
            config={"served": str(served)},
        ).with_id(f"LiveModel.{target.name}")
        push_gate = PushGate(
            examples=labeler.outputs["labeled_examples"],
            transform_graph=transform.outputs["transform_graph"],
            model=model,
            model_run=trainer.outputs["model_run"],
            choice=choice,
            blessing=fairness_gate.outputs["final_blessing"],
            live=live.outputs["pushed_model"],
            target=target.name,
            settings=settings_json(PushSettings, config, types=types),
            kept_rows=settings_json(
                KeptSettings, config, columns=config.columns.features, types=types
            ),
            rolled_back=json.dumps(rolled_back_models(served)),
            code_sha256=code_sha256(
                "components.pushing.push_gate", target.process, target.exporter
            ),
        ).with_id(f"PushGate.{target.name}")
        model_card = ModelCard(
            examples=example_gen.outputs["examples"],
            statistics=statistics_gen.outputs["statistics"],
            schema=contract.outputs["schema"],
            answers=answer_importer.outputs["answers"],
            label_report=labeler.outputs["label_report"],
            label_gates=label_gate.outputs["gates"],
            feature_report=feature_selector.outputs["feature_report"],
            model_run=trainer.outputs["model_run"],
            model=model,
            choice=choice,
            variants=quantizer.outputs["variants"],
            variant_report=variant_evaluator.outputs["variant_report"],
            evaluation=evaluator.outputs["evaluation"],
            fairness_gates=fairness_gate.outputs["gates"],
            push_gates=push_gate.outputs["gates"],
            blessing=push_gate.outputs["final_blessing"],
            target=target.name,
            settings=settings_json(CardSettings, config),
            intended_use=intended_use(config),
            code_sha256=code_sha256("components.cards.model_card"),
        ).with_id(f"ModelCard.{target.name}")
        pusher = Pusher(
            model=model,
            model_blessing=push_gate.outputs["final_blessing"],
            cards=model_card.outputs["cards"],
            push_destination=pusher_pb2.PushDestination(
                filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(served))
            ),
        ).with_id(f"Pusher.{target.name}")
        evaluator.add_downstream_nodes(explainers)
        pusher.add_upstream_nodes(explainers)
        nodes += [baseline, evaluator, fairness_gate, live, push_gate, model_card, pusher]

    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(folder / "artifacts"),
        metadata_connection_config=without_password(connection_config(config, folder)),
        components=nodes,
        enable_cache=True,
        beam_pipeline_args=beam_args(config),
    )
