"""`scrapy due`: takes what is due, once, and exits: the whole job of a ten-minute scheduler line."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler import config, console, due, rounds
from crawler.jobs import JobsError
from crawler.schedule import duration, slot_at
from crawler.storage.errors import StorageError

EXPIRES = timedelta(minutes=10)  # of what is sent to workers: the next start sends it again
LOOK_S = 5.0  # between two rounds, how often the queue is looked at


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options] [--only SPIDER TARGET …]"

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
        parser.add_argument("--engine", choices=("here", "celery"), default="here", help="celery: send crawls to "
                            "workers (TIDEMARK_BROKER; docs/scale.md); jobs are done here all the same")  # fmt: skip
        parser.add_argument("--batch", metavar="N", default=str(due.CHUNK), help="targets that a worker is sent "
                            f"together (default {due.CHUNK})")  # fmt: skip
        parser.add_argument("--only", metavar="SPIDER", help="of the watch list, these targets alone, and no job: what "
                            "a worker does with a batch")  # fmt: skip
        parser.add_argument("--asked", action="store_true", help="only what is asked for out of turn")
        parser.add_argument("--explain", action="store_true", help="show when every target is next and why, most "
                            "urgent first; do nothing")  # fmt: skip
        parser.add_argument("--list", action="store_true", help="show jobs and what became of them; do nothing")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        signal.signal(signal.SIGTERM, rounds.asked_to_end)
        try:
            self._rounds(args, opts)
        except KeyboardInterrupt:
            sys.stderr.write("ended; what was claimed and not taken is free again in five minutes\n")
            self.exitcode = console.INTERRUPTED

    def _rounds(self, args: list[str], opts: argparse.Namespace) -> None:
        what, every = _what(args, opts)
        while True:
            if opts.explain:
                self.exitcode = _explained()
                return
            self.exitcode = _round(what, only_list=opts.list, asked_only=opts.asked)
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


def _what(args: list[str], opts: argparse.Namespace) -> tuple[rounds.What, timedelta | None]:
    """What a round does, and how often."""
    try:
        every, budget = duration(opts.every) if opts.every else None, duration(opts.budget)
    except ValueError as error:
        raise UsageError(str(error), print_help=False) from None
    if not opts.batch.isdecimal() or int(opts.batch) == 0:
        raise UsageError(f"--batch {opts.batch[:20]!r}: expected a whole number from 1", print_help=False)
    if bool(args) != bool(opts.only):
        raise UsageError("--only takes a spider and targets: scrapy due --only getdaytrends br us", print_help=False)
    if opts.engine == "celery" and (opts.only or opts.asked):
        raise UsageError("--engine celery sends; --only and --asked are what a worker does", print_help=False)
    what = rounds.What(
        crawl=not opts.no_crawl, jobs=not opts.no_jobs and not opts.only, budget=budget,
        capture_only=opts.capture_only, only=tuple(f"{opts.only}:{each}" for each in args) if args else None,
        send=_sender(opts, every or EXPIRES) if opts.engine == "celery" else None, batch=int(opts.batch),
    )  # fmt: skip
    return what, every


def _sender(opts: argparse.Namespace, expires: timedelta) -> Callable[[rounds.Batches, int], None]:
    try:
        from crawler import workers
    except ImportError:
        raise UsageError("--engine celery needs the extra `celery`; try: pip install 'celery[redis]'",
                         print_help=False) from None  # fmt: skip
    try:
        # In a loop the queue is looked at every few seconds, and busy workers need not be told each time.
        soon = 12 * timedelta(seconds=LOOK_S) if opts.every else None
        return workers.sender(config.load(), expires, opts.capture_only, soon)
    except config.ConfigError as error:
        raise UsageError(str(error), print_help=False) from None


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


def _explained() -> int:
    try:
        lines = rounds.explained(config.load())
    except (StorageError, config.ConfigError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for line in lines:
        print(line)
    if len(lines) < 2:
        sys.stderr.write("nothing is watched; try: scrapy watch getdaytrends br --every 30m\n")
    return 0 if len(lines) > 1 else 1


def _told(report: due.Report) -> int:
    for line in report.alarms:
        sys.stderr.write(f"ALARM {line}\n")
    slots = ", ".join(f"{n} {what}" for what, n in sorted(report.counted.items()))
    jobs = ", ".join(f"{n} {what}" for what, n in sorted(report.jobs.items()))
    sys.stderr.write((slots or "nothing is due") + (f"; jobs: {jobs}" if jobs else "") + "\n")
    good = all(each.endswith((" taken", " told")) for each in report.jobs)
    return 0 if good and set(report.counted) <= {"taken", "done", "sent", "rested"} else 1


def _listed(rows: Mapping[str, str]) -> int:
    for name, line in rows.items():
        print(f"{name:12} {line}")
    return 0
