"""`scrapy due`: takes what is due, once, and exits: the whole job of a ten-minute scheduler line."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler import config, due
from crawler.config import ROOT
from crawler.schedule import duration, slot_at
from crawler.storage import schema
from crawler.storage.connect import connect
from crawler.storage.errors import StorageError
from crawler.storage.slots import Slots

LONGEST_S = 1500  # a crawl that runs longer than most slots hangs


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Take what is due on the watch list, once"

    def long_desc(self) -> str:
        return (
            "For a scheduler that fires every ten minutes and may skip. Slots are wall-clock; each is taken once, by "
            "one process; a missed or failed one is recorded as a gap with its reason. Exit status 1 where a slot was "
            "not taken."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--every", metavar="TIME", help="do not exit: again every 10m, at whole multiples")
        parser.add_argument("--budget", metavar="TIME", default="8m", help="start nothing new after this (default 8m)")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            every, budget = duration(opts.every) if opts.every else None, duration(opts.budget)
        except ValueError as error:
            raise UsageError(str(error), print_help=False) from None
        while True:
            self.exitcode = self._round(budget)
            if every is None:
                return
            now = _now()
            time.sleep((slot_at(now, every) + every - now).total_seconds())

    def _round(self, budget: Any) -> int:
        settings = config.load()
        owner = f"{os.uname().nodename}-{os.getpid()}"
        try:
            with connect(settings) as client:
                schema.ensure(client[settings.mongodb_database])
                slots = Slots(client[settings.mongodb_database])
                slots.prepare()
                if not slots.watches():
                    sys.stderr.write("the watch list is empty; try: scrapy watch getdaytrends br --every 30m\n")
                    return 1
                report = due.take(slots, crawl, _now, owner, budget, catch_up)
        except StorageError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        for line in report.alarms:
            sys.stderr.write(f"ALARM {line}\n")
        sys.stderr.write(", ".join(f"{n} {what}" for what, n in sorted(report.counted.items())) or "nothing is due")
        sys.stderr.write("\n")
        return 0 if set(report.counted) <= {"taken"} else 1


def crawl(spider: str, targets: Sequence[str]) -> None:
    """In a process of its own, so that one that hangs or dies takes nothing with it. What it did is in the ledger."""
    together = [",".join(targets)] if not any("," in each for each in targets) else list(targets)
    for each in together:
        command = [sys.executable, "-m", "scrapy", "crawl", spider, "-a", f"targets={each}"]
        with contextlib.suppress(subprocess.TimeoutExpired):  # it is killed; the slot says no_answer
            subprocess.run(command, cwd=ROOT, check=False, timeout=LONGEST_S)


def catch_up() -> None:
    """What a killed crawl had archived, stored now by replay."""
    command = [sys.executable, "-m", "scrapy", "verify"]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(command, cwd=ROOT, check=False, timeout=LONGEST_S, stdout=subprocess.DEVNULL)


def _now() -> datetime:
    return datetime.now(UTC)
