"""`scrapy watch`: the watch list that `scrapy due` works through."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from scrapy.exceptions import UsageError

from crawler.command import PlainCommand
from crawler.config import Config
from crawler.schedule import Watch, duration, slot_at
from crawler.storage.connect import opened
from crawler.storage.slots import Slots


class Command(PlainCommand):
    requires_crawler_process = True

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

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        if len(args) not in (0, 2):
            raise UsageError("name a spider and one target, or nothing", print_help=False)
        with opened(settings) as database:
            slots = Slots(database)
            slots.prepare()
            return self._obey(slots, args, opts)

    def _obey(self, slots: Slots, args: list[str], opts: argparse.Namespace) -> int:
        if not args:
            self._show(slots)
            return 0
        spider, value = args
        if opts.remove:
            return 0 if slots.unwatch(spider, value) else 1
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
        return 0

    def _show(self, slots: Slots) -> None:
        watches = slots.watches()
        if not watches:
            sys.stderr.write("nothing is watched; try: scrapy watch getdaytrends br --every 30m\n")
        for watch in watches:
            told = ", ".join(f"{n} {what}" for what, n in slots.counts(watch).items())
            print(f"{watch.spider:24} {watch.value:30} every {watch.every}   {told or 'nothing taken yet'}")
