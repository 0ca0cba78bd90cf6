"""`scrapy ask`: crawl this at once, out of turn; the next look of `scrapy due --every` takes it within seconds."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from scrapy.exceptions import UsageError

from crawler import asking
from crawler.command import PlainCommand
from crawler.config import Config
from crawler.storage.connect import opened
from crawler.storage.jobs import Queue
from crawler.targets import TargetError


class Command(PlainCommand):
    requires_crawler_process = True

    def syntax(self) -> str:
        return "URL | SPIDER TARGET | -"

    def short_desc(self) -> str:
        return "Ask for a crawl at once, out of turn"

    def long_desc(self) -> str:
        return (
            "With -, JSON messages come from standard input, one a line, as from any message queue: "
            '{"url": "https://www.tiktok.com/@nasa"} or {"spider": "getdaytrends", "target": "br"}. '
            "`scrapy due --every 10m` takes them within seconds, `scrapy due` at its next start."
        )

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        if args == ["-"]:
            messages: Iterable[str] = sys.stdin
        elif len(args) == 1:
            messages = [json.dumps({"url": args[0]})]
        elif len(args) == 2:
            messages = [json.dumps({"spider": args[0], "target": args[1]})]
        else:
            raise UsageError("name an address, or a spider and one target, or -", print_help=False)
        with opened(settings) as database:
            queue = Queue(database)
            queue.prepare()
            return self._ask(queue, messages)

    def _ask(self, queue: Queue, messages: Iterable[str]) -> int:
        assert self.crawler_process is not None
        loader = self.crawler_process.spider_loader
        sources = asking.sources_of(map(loader.load, loader.list()))
        status = 0
        for message in filter(None, map(str.strip, messages)):
            try:
                spider, value = asking.wanted(message, sources)
            except TargetError as error:
                sys.stderr.write(f"{error}\n")
                status = 2
                continue
            fresh = queue.ask(spider, value, datetime.now(UTC))
            print(f"{spider} {value}: {'asked for' if fresh else 'is waiting already'}")
        return status
