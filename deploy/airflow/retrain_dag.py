"""Airflow 3: retrains every day at 03:00, when there is a reason to.

Exit code 0 is a success, 3 (blocked by a gate) skips the task, 2 (bad input) fails it without a
retry, any other is retried. A retry goes on from the last node that finished.
"""

import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, AirflowFailException

REPOSITORY = "/opt/tfx-two-targets"
ROOT = "/var/lib/tfx-two-targets/runs"
CONFIG = "census"
BAD_INPUT, BLOCKED = 2, 3


class RetrainOperator(BashOperator):
    """A BashOperator that does not retry what a retry cannot mend."""

    def execute(self, context: Any) -> Any:
        """Runs the command; see the module for its exit codes."""
        try:
            return super().execute(context)
        except AirflowException as error:
            if str(error).endswith(f"exit code {BAD_INPUT}."):
                raise AirflowFailException("bad input: the log names what to mend") from error
            raise


with DAG(
    dag_id="tfx_two_targets_retrain",
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "tfx"},
    tags=["tfx"],
    doc_md=__doc__,
):
    python = f"{REPOSITORY}/.venv/bin/python"
    RetrainOperator(
        task_id="retrain",
        # `exec`, so that Airflow's signal reaches the run and not a shell.
        bash_command=f"exec {shlex.quote(python)} -m pipeline retrain "
        f"--config={shlex.quote(CONFIG)} --root={shlex.quote(ROOT)}",
        cwd=REPOSITORY,
        append_env=True,
        skip_on_exit_code=BLOCKED,
        retries=2,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=6),
    )
