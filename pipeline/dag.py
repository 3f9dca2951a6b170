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

from components.data.anomaly_gate import AnomalyGate
from components.data.csv_example_gen import CsvExampleGen
from components.data.feature_selector import FeatureSelector
from components.data.statistics_gen import StatisticsGen
from components.evaluation.evaluator import Evaluator
from components.evaluation.fairness_gate import FairnessGate
from components.evaluation.variant_evaluator import VariantEvaluator
from components.labels.answer_importer import AnswerImporter
from components.labels.label_gate import LabelGate
from components.labels.snorkel_labeler import SnorkelLabeler
from components.pushing.push_checks import MODULES
from components.pushing.push_gate import PushGate
from components.pushing.pusher import Pusher
from components.training.distiller import Distiller
from components.training.quantizer import Quantizer
from core.config import Config
from core.contract import read_contract
from pipeline.evaluation import eval_config
from pipeline.ingestion.contract import slice_columns, stage_contract
from pipeline.ingestion.staging import SPLITS, Staged
from pipeline.labels.answers import stage_answers
from pipeline.metadata.connection import connection_config, without_password
from pipeline.resolvers import (
    LastBlessedOther,
    LastBlessedSameInputs,
    LiveOther,
    WarmStart,
    rolled_back_models,
)
from pipeline.run.fingerprint import code_sha256
from pipeline.settings import (
    beam_args,
    distiller_settings,
    labeling_modules,
    preprocessing_config,
    push_settings,
    quantizer_settings,
    trainer_settings,
    tuner_settings,
    variant_settings,
)
from pipeline.versions.served import served_folder


def create_pipeline(config: Config, staged: Staged, folder: Path) -> Pipeline:
    """Wires one run.

    Args:
      config: The whole configuration.
      staged: The data window, as CSV files by split.
      folder: <root>/<name>; artifacts, metadata and pushed models lie under it.
    """
    columns = config.columns
    features = [*columns.numeric, *columns.categorical, *columns.text]

    example_gen = CsvExampleGen(
        input_base=staged.path,
        input_config=example_gen_pb2.Input(
            splits=[example_gen_pb2.Input.Split(name=s, pattern=f"{s}/*.csv") for s in SPLITS]
        ),
        types=read_contract(config.schema_path),
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
        severity=config.anomalies.severity,
        accept=json.dumps(config.anomalies.accept),
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
        label_column=columns.label,
        positive=columns.positive,
        negative=columns.negative,
        mode=config.labeling.mode,
        functions=config.labeling.functions or "",
        columns=json.dumps(features),
        groups=json.dumps(slice_columns(config)),
        gold_rows=config.labeling.gold_rows,
        gold_weight=config.labeling.gold_weight,
        uncovered=config.labeling.uncovered,
        method=config.labeling.method,
        epochs=config.labeling.epochs,
        tuning=config.labeling.tuning.model_dump_json(),
        seed=config.seed,
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
        columns=json.dumps(features),
        passed_through=json.dumps(slice_columns(config)),
        select=int(config.features.select),
        min_presence=config.features.min_presence,
        max_share=config.features.max_share,
        code_sha256=code_sha256("components.data.feature_selector"),
    )
    feature_selector.add_upstream_node(label_gate)  # nothing is trained on what was not gated
    transform = stock.Transform(
        examples=labeler.outputs["labeled_examples"],
        schema=feature_selector.outputs["selected_schema"],
        preprocessing_fn="models.network.preprocessing.preprocessing_fn",
        splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=SPLITS),
        custom_config=preprocessing_config(config),
        disable_statistics=True,
        disable_analyzer_cache=True,  # no later run would be given it
    )
    warm_start = Resolver(
        strategy_class=WarmStart,
        examples=transform.outputs["transformed_examples"],
        model=Channel(type=Model, producer_component_id="Trainer"),
        model_blessing=Channel(type=ModelBlessing, producer_component_id="PushGate.server"),
        config={
            "served": str(served_folder(folder, config.name, "server")),
            "settings": json.dumps(trainer_settings(config)),
        },
    ).with_id("WarmStart")
    base_model = warm_start.outputs["model"] if config.trainer.warm_start else None
    tuner = stock.Tuner(
        tuner_fn="components.training.tuner.tuner_fn",
        base_model=base_model,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        train_args=trainer_pb2.TrainArgs(),
        eval_args=trainer_pb2.EvalArgs(),
        custom_config=tuner_settings(config),
    )
    trainer = stock.Trainer(
        run_fn="components.training.trainer.run_fn",
        base_model=base_model,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        hyperparameters=tuner.outputs["best_hyperparameters"] if config.tuner.enabled else None,
        train_args=trainer_pb2.TrainArgs(),
        eval_args=trainer_pb2.EvalArgs(),
        custom_config=trainer_settings(config),
    )
    distiller = Distiller(
        transformed_examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        model_run=trainer.outputs["model_run"],
        settings=json.dumps(distiller_settings(config)),
        code_sha256=code_sha256("components.training.distiller"),
    )
    quantizer = Quantizer(
        student=distiller.outputs["model"],
        transformed_examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        settings=json.dumps(quantizer_settings(config)),
        code_sha256=code_sha256("components.training.quantizer"),
    )
    variant_evaluator = VariantEvaluator(
        labeled_examples=labeler.outputs["labeled_examples"],
        transformed_examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        variants=quantizer.outputs["variants"],
        settings=json.dumps(variant_settings(config)),
        code_sha256=code_sha256("components.evaluation.variant_evaluator"),
    )

    baseline_server = Resolver(
        strategy_class=LastBlessedOther,
        candidate=trainer.outputs["model"],
        model=Channel(type=Model, producer_component_id="Trainer"),
        model_blessing=Channel(type=ModelBlessing, producer_component_id="PushGate.server"),
        config={"served": str(served_folder(folder, config.name, "server"))},
    ).with_id("Baseline.server")
    evaluator_server = Evaluator(
        examples=labeler.outputs["labeled_examples"],
        model=trainer.outputs["model"],
        baseline_model=baseline_server.outputs["model"],
        schema=feature_selector.outputs["selected_schema"],
        eval_config=eval_config(config.evaluation, config.evaluation.server, "tf_generic"),
        example_splits=["test"],
        module_path="components.beam.sliced_batches",
        code_sha256=code_sha256("components.beam.sliced_batches"),
    ).with_id("Evaluator.server")
    fairness_gate_server = FairnessGate(
        evaluation=evaluator_server.outputs["evaluation"],
        blessing=evaluator_server.outputs["blessing"],
        baseline_blessing=baseline_server.outputs["model_blessing"],
        model=trainer.outputs["model"],
        target="server",
        bounds=config.evaluation.server.model_dump_json(),
        min_slice_rows=config.evaluation.min_slice_rows,
        code_sha256=code_sha256("components.evaluation.fairness_gate"),
    ).with_id("FairnessGate.server")
    live_server = Resolver(
        strategy_class=LiveOther,
        candidate=trainer.outputs["model"],
        pushed_model=Channel(type=PushedModel, producer_component_id="Pusher.server"),
        config={"served": str(served_folder(folder, config.name, "server"))},
    ).with_id("LiveModel.server")
    push_gate_server = PushGate(
        examples=labeler.outputs["labeled_examples"],
        transform_graph=transform.outputs["transform_graph"],
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        blessing=fairness_gate_server.outputs["final_blessing"],
        live=live_server.outputs["pushed_model"],
        target="server",
        settings=json.dumps(push_settings(config)),
        rolled_back=json.dumps(rolled_back_models(served_folder(folder, config.name, "server"))),
        code_sha256=code_sha256("components.pushing.push_gate", MODULES["server"]),
    ).with_id("PushGate.server")
    pusher_server = Pusher(
        model=trainer.outputs["model"],
        model_blessing=push_gate_server.outputs["final_blessing"],
        push_destination=_destination(served_folder(folder, config.name, "server")),
    ).with_id("Pusher.server")

    baseline_edge = Resolver(
        strategy_class=LastBlessedSameInputs,
        candidate=quantizer.outputs["model"],
        model=Channel(type=Model, producer_component_id="Quantizer"),
        model_blessing=Channel(type=ModelBlessing, producer_component_id="PushGate.edge"),
        config={"served": str(served_folder(folder, config.name, "edge"))},
    ).with_id("Baseline.edge")
    evaluator_edge = Evaluator(
        examples=transform.outputs["transformed_examples"],
        model=quantizer.outputs["model"],
        baseline_model=baseline_edge.outputs["model"],
        eval_config=eval_config(config.evaluation, config.evaluation.edge, "tf_lite"),
        example_splits=["test"],
        module_path="components.beam.sliced_batches",
        code_sha256=code_sha256("components.beam.sliced_batches"),
    ).with_id("Evaluator.edge")
    fairness_gate_edge = FairnessGate(
        evaluation=evaluator_edge.outputs["evaluation"],
        blessing=evaluator_edge.outputs["blessing"],
        baseline_blessing=baseline_edge.outputs["model_blessing"],
        model=quantizer.outputs["model"],
        target="edge",
        bounds=config.evaluation.edge.model_dump_json(),
        min_slice_rows=config.evaluation.min_slice_rows,
        code_sha256=code_sha256("components.evaluation.fairness_gate"),
    ).with_id("FairnessGate.edge")
    live_edge = Resolver(
        strategy_class=LiveOther,
        candidate=quantizer.outputs["model"],
        pushed_model=Channel(type=PushedModel, producer_component_id="Pusher.edge"),
        config={"served": str(served_folder(folder, config.name, "edge"))},
    ).with_id("LiveModel.edge")
    push_gate_edge = PushGate(
        examples=labeler.outputs["labeled_examples"],
        transform_graph=transform.outputs["transform_graph"],
        model=quantizer.outputs["model"],
        blessing=fairness_gate_edge.outputs["final_blessing"],
        live=live_edge.outputs["pushed_model"],
        target="edge",
        settings=json.dumps(push_settings(config)),
        rolled_back=json.dumps(rolled_back_models(served_folder(folder, config.name, "edge"))),
        code_sha256=code_sha256("components.pushing.push_gate", MODULES["edge"]),
    ).with_id("PushGate.edge")
    pusher_edge = Pusher(
        model=quantizer.outputs["model"],
        model_blessing=push_gate_edge.outputs["final_blessing"],
        push_destination=_destination(served_folder(folder, config.name, "edge")),
    ).with_id("Pusher.edge")

    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(folder / "artifacts"),
        metadata_connection_config=without_password(connection_config(config, folder)),
        components=[
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
            *([warm_start] if config.trainer.warm_start else []),
            *([tuner] if config.tuner.enabled else []),
            trainer,
            distiller,
            quantizer,
            variant_evaluator,
            baseline_server,
            evaluator_server,
            fairness_gate_server,
            live_server,
            push_gate_server,
            pusher_server,
            baseline_edge,
            evaluator_edge,
            fairness_gate_edge,
            live_edge,
            push_gate_edge,
            pusher_edge,
        ],
        enable_cache=True,
        beam_pipeline_args=beam_args(config),
    )


def _destination(folder: Path) -> pusher_pb2.PushDestination:
    return pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(folder))
    )
