"""Tidemark as a DAG of Airflow 3: crawl -> analyse -> export -> report, the commands a person would type.

Put this file into Airflow's dags folder and set TIDEMARK_HOME (the folder of Tidemark, with its .venv) for its workers.
Airflow needs nothing of Tidemark in its own environment, and Tidemark nothing of Airflow. Each task may be killed and
tried again: slots are claimed in the database, and what is written twice is the same.

TIDEMARK_EXPORT    what follows `python -m analysis export --to` (default: sqlite .data/tidemark.sqlite)
TIDEMARK_REPORT    the report's file (default: .data/tidemark-report.html)
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

HOME = Path(__file__).resolve().parents[2]
# Words of a setting are words of the command, so it stands without quotes; it is the owner's, as a crontab is.
COMMANDS = {
    "crawl": ".venv/bin/scrapy due --no-jobs --budget 20m",
    "analyse": ".venv/bin/python -m analysis trends",
    "export": ".venv/bin/python -m analysis export --to ${TIDEMARK_EXPORT:-sqlite .data/tidemark.sqlite}",
    "report": '.venv/bin/python -m analysis report -o "${TIDEMARK_REPORT:-.data/tidemark-report.html}"',
}

with DAG(
    "tidemark",
    description="What is due is crawled, then analysed, exported and reported",
    schedule=timedelta(minutes=30),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),  # noqa: UP017 - read by Airflow's Python, which may be 3.10
    catchup=False,  # a slot that is over is a gap; nobody can crawl yesterday
    max_active_runs=1,
    default_args={"retries": 2, "execution_timeout": timedelta(hours=1)},
    tags=["tidemark"],
) as dag:
    before = None
    for name, command in COMMANDS.items():
        # exec: a task that is killed takes its command with it.
        task = BashOperator(
            task_id=name, bash_command=f'cd "${{TIDEMARK_HOME:-{HOME}}}" && exec {command}', append_env=True
        )
        if before is not None:
            before >> task
        before = task
