"""`scrapy dead`: what was tried as often as it may be, with its reason; and trying it again."""

from __future__ import annotations

import argparse
from typing import Any

from scrapy.exceptions import UsageError

from crawler.command import PlainCommand
from crawler.config import Config
from crawler.storage.connect import opened
from crawler.storage.jobs import Queue
from crawler.storage.slots import Slots


class Command(PlainCommand):
    def syntax(self) -> str:
        return "[--revive [ID …]]"

    def short_desc(self) -> str:
        return "Slots, jobs and messages that are not tried any more, and why; --revive: try them again"

    def long_desc(self) -> str:
        return (
            "A slot that is over is a gap for good and not listed: a number of yesterday is not to be had today. "
            "--revive also frees what failed and waits for its next try."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--revive", nargs="*", metavar="ID", help="try these again, as listed; without ID: all")

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        if args:
            raise UsageError("expected no argument; to try one again: scrapy dead --revive ID", print_help=False)
        with opened(settings) as database:
            lists = {"slot": Slots(database), "job": Slots(database, "jobs"), "message": Queue(database)}
            return _listed(lists) if opts.revive is None else _revived(lists, opts.revive)


def _listed(lists: dict[str, Any]) -> int:
    found = [(name, each) for name, of in lists.items() for each in of.dead()]
    for name, each in found:
        print(f"{name:8} {each.id:60} {each.reason:14} {each.at:%Y-%m-%d %H:%M} UTC")
    print(f"{len(found)} not tried any more" + ("; again: scrapy dead --revive [ID …]" if found else ""))
    return 1 if found else 0


def _revived(lists: dict[str, Any], ids: list[str]) -> int:
    n = sum(of.revive(ids or None) for of in lists.values())
    print(f"{n} may be tried again, at the next start of scrapy due")
    return 0 if n or not ids else 1
