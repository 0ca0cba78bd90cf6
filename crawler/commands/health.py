"""`scrapy health`: is everything watched as it should be? For any monitor: exit status 0 good, 1 warning, 2 failure."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from scrapy.exceptions import UsageError

from crawler import condition
from crawler.command import PlainCommand
from crawler.config import Config
from crawler.health import Check
from crawler.schedule import duration
from crawler.storage import condition as kept
from crawler.storage import retention
from crawler.storage.connect import opened
from crawler.storage.errors import StorageError


class Command(PlainCommand):
    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Is everything watched as it should be? Exit status 0 good, 1 warning, 2 failure"

    def long_desc(self) -> str:
        return (
            "Targets and their freshness, outcomes and yield of every spider, fill rates, jobs, notices, room in the "
            "database; each finding with what to do. Is the installation fit? That is: scrapy doctor."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--since", metavar="TIME", help="look back so far (default 1d; --digest: 7d)")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="for programs")
        how.add_argument("--digest", action="store_true", help="in Markdown, for mail or chat; exit status 0")

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        try:
            back = duration(opts.since or ("7d" if opts.digest else "1d"))
        except ValueError as error:
            raise UsageError(str(error), print_help=False) from None
        now = datetime.now(UTC)
        try:
            with opened(settings) as database:
                found = kept.read(database, now - back, now)
                room = retention.room(database, settings.plan_bytes, now)
        except StorageError as error:
            what, _, mend = str(error).partition(". ")
            _show([Check("database", "fail", what, mend)], as_json=opts.json, at=now)
            return condition.FAIL
        waiting = len(list((settings.spool_dir / settings.mongodb_database).glob("*.jsonl")))
        checks = condition.judge(found, room, waiting)
        if opts.digest:
            print(condition.digest(found, room, checks))
            return 0
        _show(checks, as_json=opts.json, at=now)
        return condition.status(checks)


def _show(checks: list[Check], *, as_json: bool, at: datetime) -> None:
    if as_json:
        rows = [{"name": each.name, "state": each.state, "found": each.found, "mend": each.mend} for each in checks]
        json.dump({"at": at.isoformat(), "status": condition.status(checks), "checks": rows}, sys.stdout)
        print()
        return
    for each in sorted(checks, key=lambda check: ("fail", "warn", "ok").index(check.state)):
        print(each.line())
