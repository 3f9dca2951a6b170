"""The sections of operation; `configs/base.yaml` explains each key."""

from typing import Annotated, Literal

from pydantic import Field

from core.sections.section import Count, Limit, Section, Share, Text

# Sections that change neither a run nor the decision to run.
OPERATION = ("serving", "monitor", "schedule", "notify", "metrics", "metadata")
NoticeEvent = Literal["failure", "block", "push", "rollback", "monitor"]
Seconds = Annotated[float, Field(gt=0, le=86400)]
Variable = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]


class PusherSection(Section):
    """What a model has to show before it is served."""

    sample_rows: Count
    max_difference: Annotated[float, Field(gt=0, le=1)]
    max_latency_ms: Annotated[float, Field(gt=0)]
    time_limit: Seconds
    min_rows: Count
    compare_on: Annotated[tuple[Literal["newest", "before"], ...], Field(min_length=1)]
    max_regression: dict[str, Limit]
    max_regression_by_slice: dict[str, Limit]
    max_uncertainty: Share
    when_too_few: Literal["keep", "push"]


class ScheduleSection(Section):
    """When `schedule` retrains, and what it does about missed slots and failed runs."""

    cron: Text
    timezone: Text
    catch_up: bool
    misfire_grace: Annotated[int, Field(ge=1)]
    max_failures: Count
    backoff: Annotated[int, Field(ge=1)]


class NotifySection(Section):
    """Who is told of failures, blocked models and pushed ones."""

    events: tuple[NoticeEvent, ...]
    command: Annotated[tuple[Text, ...], Field(min_length=1)] | None
    webhook_variable: Variable | None
    webhook_file: Text | None
    timeout: Seconds
    retries: Annotated[int, Field(ge=0, le=10)]


class MetricsSection(Section):
    """Where the figures of the last run go."""

    textfile: Text | None


class RetrainSection(Section):
    """When there is a reason to run again, and what forbids it."""

    request_log: Text | None
    request_rows: Count
    min_rows: Count
    max_age_days: Annotated[float, Field(gt=0)] | None
    min_labeled_rows: Count
    max_quality_drop: dict[str, Limit]
    max_label_shift: Share
    max_class_shift: Share


class LogSection(Section):
    """What the server writes down of the requests that it answered."""

    sample: Share
    file_bytes: Annotated[int, Field(ge=4096)]
    bytes: Annotated[int, Field(ge=4096)]
    leave_out: tuple[Text, ...]


class ServingSection(Section):
    """How `serve` answers."""

    workers: Annotated[int, Field(ge=1, le=256)]
    poll: Seconds
    max_rows: Count
    explain_rows: Count
    max_body_bytes: Count
    batch_rows: Count
    batch_wait_ms: Annotated[float, Field(ge=0, le=1000)]
    out_of_domain: Literal["answer", "refuse"]
    token_variable: Variable | None
    token_file: Text | None
    log: LogSection


class MonitorSection(Section):
    """Which requests `monitor` looks at, and what they may come to."""

    rows: Count
    hours: Annotated[float, Field(gt=0)] | None
    min_rows: Count
    min_slice_rows: Count
    max_missing: Share
    max_unknown: Share
    max_answer_distance: Share
    max_drop: dict[str, Share]
    max_gap: dict[str, dict[str, Share]]


class MetadataSection(Section):
    """Where ML Metadata keeps its records."""

    connection: Text | None
    password_variable: Variable | None
    password_file: Text | None
