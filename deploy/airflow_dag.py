"""heed as an Airflow DAG: the night's run, then the alerts that are due, whatever the run said.

The second task fails when the first did, or when the snapshot is stale, and the DAG run with it.
Put this file into the dags folder of Airflow 3 with its standard provider. HEED names where heed is installed, and
HEED_ALERT_URLS, where the workers have it, whom alerts go to.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

RUN = 'cd "${HEED:-/srv/heed}" && umask 077 && .venv/bin/heed -C logs run --wait 1h'
ALERT = 'cd "${HEED:-/srv/heed}" && umask 077 && .venv/bin/heed -C logs health --alert'

with DAG(
    dag_id="heed",
    description="Did every opt-out get heeded?",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 0},
) as dag:
    # Exit 75: another run holds the home. What fails with 11 or 78 fails again: it wants a person, not a retry.
    run = BashOperator(task_id="run", bash_command=RUN, skip_on_exit_code=75, execution_timeout=timedelta(hours=6))
    alert = BashOperator(task_id="alert", bash_command=ALERT, trigger_rule="all_done")
    run >> alert
