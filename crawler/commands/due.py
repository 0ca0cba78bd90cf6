"""`scrapy due`: takes what is due, once, and exits: the whole job of a ten-minute scheduler line."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler import config, due, rounds
from crawler.jobs import JobsError
from crawler.schedule import duration, slot_at
from crawler.storage.errors import StorageError

LOOK_S = 5.0  # between two rounds, how often the queue is looked at


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Take what is due on the watch list, once, and the jobs that follow"

    def long_desc(self) -> str:
        return (
            "For a scheduler that fires every ten minutes and may skip. Slots are wall-clock; each is taken once, by "
            "one process; a missed or failed one is recorded as a gap with its reason. Then alerts, trends, retention "
            "and what else crawler/jobs.toml names. Exit status 1 where a slot or a job was not done."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--every", metavar="TIME", help="do not exit: again every 10m, at whole multiples, and at "
                            "once for what is asked for (scrapy ask, POST /targets)")  # fmt: skip
        parser.add_argument("--budget", metavar="TIME", default="8m", help="start nothing new after this (default 8m)")
        parser.add_argument("--no-crawl", action="store_true", help="jobs only; another process crawls")
        parser.add_argument("--no-jobs", action="store_true", help="crawl only; another process does the jobs")
        parser.add_argument("--capture-only", action="store_true", help="archive and store no item; another process "
                            "does: scrapy replay --follow")  # fmt: skip
        parser.add_argument("--list", action="store_true", help="show jobs and what became of them; do nothing")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            every, budget = duration(opts.every) if opts.every else None, duration(opts.budget)
        except ValueError as error:
            raise UsageError(str(error), print_help=False) from None
        what = rounds.What(
            crawl=not opts.no_crawl, jobs=not opts.no_jobs, budget=budget, capture_only=opts.capture_only
        )
        while True:
            self.exitcode = _round(what, only_list=opts.list)
            if every is None or opts.list:
                return
            self._sleep(every, what)

    def _sleep(self, every: timedelta, what: rounds.What) -> None:
        began = rounds.now()
        wake = slot_at(began, every) + every
        while (left_s := (wake - rounds.now()).total_seconds()) > 0:
            time.sleep(min(LOOK_S, left_s))
            if what.crawl and rounds.somebody_asks():
                _round(what, asked_only=True)


def _round(what: rounds.What, *, only_list: bool = False, asked_only: bool = False) -> int:
    owner = f"{os.uname().nodename}-{os.getpid()}"
    settings = config.load()
    try:
        if only_list:
            return _listed(rounds.jobs_listed(settings))
        report = rounds.one(settings, what, owner, asked_only=asked_only)
    except (StorageError, JobsError, config.ConfigError) as error:
        sys.stderr.write(f"{error}\n")
        if isinstance(error, StorageError):
            rounds.tell_without_database(settings, str(error), rounds.now())
        return 1
    return _told(report)


def _told(report: due.Report) -> int:
    for line in report.alarms:
        sys.stderr.write(f"ALARM {line}\n")
    slots = ", ".join(f"{n} {what}" for what, n in sorted(report.counted.items()))
    jobs = ", ".join(f"{n} {what}" for what, n in sorted(report.jobs.items()))
    sys.stderr.write((slots or "nothing is due") + (f"; jobs: {jobs}" if jobs else "") + "\n")
    good = all(each.endswith((" taken", " told")) for each in report.jobs)
    return 0 if good and set(report.counted) <= {"taken", "done"} else 1


def _listed(rows: Mapping[str, str]) -> int:
    for name, line in rows.items():
        print(f"{name:12} {line}")
    return 0
