"""Past one machine: jobs carried by Celery and a real Redis. The long form: python -m tests.campaign workers."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from crawler import config
from crawler.config import ConfigError
from tests.campaign import workers as campaign
from tests.shell import Shell

pytest.importorskip("celery", reason="the extra `celery` is not installed")

from crawler import workers


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server here")
def test_of_two_workers_one_is_killed_and_every_target_is_taken_once_at_the_pace_of_one(shell: Shell) -> None:
    report = campaign.run(shell, 2, kill=True, posts=10, batch=5, seed=3, delay_s=0.5)
    assert report.wrong == []
    assert report.killed == 1
    assert report.targets == 15


def test_a_batch_takes_only_what_is_on_the_watch_list(shell: Shell, database: Database[dict[str, Any]]) -> None:
    done = shell("due", "--no-jobs", "--only", "getdaytrends", "--", "br", "--every")
    assert (done.returncode, done.stderr) == (0, "nothing is due\n")
    assert database["slots"].count_documents({}) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--engine", "celery"), "TIDEMARK_BROKER: not set"),
        (("--engine", "celery", "--asked"), "--only and --asked are what a worker does"),
        (("--only", "getdaytrends"), "--only takes a spider and targets"),
        (("br",), "--only takes a spider and targets"),
        (("--batch", "0"), "--batch '0': expected a whole number from 1"),
    ],
)
def test_due_says_what_it_cannot_do(arguments: tuple[str, ...], says: str, shell: Shell) -> None:
    done = shell("due", *arguments)
    assert says in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert done.returncode != 0


def test_a_broker_that_is_away_is_named_without_its_password() -> None:
    settings = config.load({"TIDEMARK_BROKER": "redis://:geheim@127.0.0.1:1/0"})
    assert "geheim" not in repr(settings)
    with pytest.raises(ConfigError, match=r"redis://127\.0\.0\.1 takes no jobs") as caught:
        workers.sender(settings, timedelta(minutes=1), False)([("getdaytrends", ["br"])], 0)
    assert "geheim" not in str(caught.value)


def test_a_job_is_acknowledged_late_and_a_worker_holds_one() -> None:
    conf = workers.made(config.load({"TIDEMARK_BROKER": "redis://127.0.0.1/0"})).conf
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)
    assert conf.broker_transport_options["visibility_timeout"] > conf.task_time_limit
    assert conf.accept_content == ["json"]
