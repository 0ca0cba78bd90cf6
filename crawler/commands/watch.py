"""`scrapy watch`: the watch list that `scrapy due` works through."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler import config
from crawler.schedule import Watch, duration, slot_at
from crawler.storage.connect import connect
from crawler.storage.errors import StorageError
from crawler.storage.slots import Slots


class Command(ScrapyCommand):
    requires_project = True
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[SPIDER VALUE]"

    def short_desc(self) -> str:
        return "Put a target on the watch list, take it off, or show the list"

    def long_desc(self) -> str:
        return "scrapy watch x_trends br --every 30m.  Without arguments, the list and what became of its last slots."

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--every", default="30m", metavar="TIME", help="length of a slot: 30m, 6h, 1d (default 30m)"
        )
        parser.add_argument("--remove", action="store_true", help="take it off the list; what was stored stays")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) not in (0, 2):
            raise UsageError("name a spider and one target, or nothing", print_help=False)
        settings = config.load()
        try:
            with connect(settings) as client:
                slots = Slots(client[settings.mongodb_database])
                slots.prepare()
                self._obey(slots, args, opts)
        except StorageError as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = 1

    def _obey(self, slots: Slots, args: list[str], opts: argparse.Namespace) -> None:
        if not args:
            self._show(slots)
            return
        spider, value = args
        if opts.remove:
            self.exitcode = 0 if slots.unwatch(spider, value) else 1
            return
        assert self.crawler_process is not None
        if spider not in (known := self.crawler_process.spider_loader.list()):
            raise UsageError(f"no spider {spider!r}; there are {', '.join(known)}", print_help=False)
        form = getattr(self.crawler_process.spider_loader.load(spider), "target", None)
        try:
            every = duration(opts.every)
            value = form.canonical(value) if form else value
        except ValueError as error:
            raise UsageError(str(error), print_help=False) from None
        slots.watch(Watch(spider, value, every, slot_at(datetime.now(UTC), every)))

    def _show(self, slots: Slots) -> None:
        watches = slots.watches()
        if not watches:
            sys.stderr.write("nothing is watched; try: scrapy watch getdaytrends br --every 30m\n")
        for watch in watches:
            told = ", ".join(f"{n} {what}" for what, n in slots.counts(watch).items())
            print(f"{watch.spider:24} {watch.value:30} every {watch.every}   {told or 'nothing taken yet'}")
