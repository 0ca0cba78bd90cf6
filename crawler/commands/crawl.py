"""`scrapy crawl SPIDER`: as Scrapy's own, but the exit status is the run's verdict."""

from __future__ import annotations

import argparse
import sys

from scrapy.commands import BaseRunSpiderCommand
from scrapy.exceptions import UsageError

from crawler import guard, running
from crawler.targets import TargetError


class Command(BaseRunSpiderCommand):
    requires_project = True

    def syntax(self) -> str:
        return "[options] SPIDER -a targets=TARGET[,TARGET…]"

    def short_desc(self) -> str:
        return "Crawl with one spider; exit status 0 only when the run was good"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        running.quieten(opts)
        if len(args) != 1:
            raise UsageError("name one spider; `scrapy list` shows them")
        assert self.crawler_process is not None
        try:
            crawler = self._create_crawler(args[0])
            crawler.spidercls(**opts.spargs)  # wrong targets are said before anything starts
            if getattr(crawler.spidercls, "answers", None):  # it may need a browser, and browsers hang
                guard.watched(crawler.settings.getfloat("HARD_LIMIT_MINUTES") * 60)
        except KeyError:
            raise UsageError(f"no spider {args[0]!r}; `scrapy list` shows them", print_help=False) from None
        except TargetError as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = 2
            return
        self.exitcode = 1 if running.ready(crawler) is None else running.run(self.crawler_process, crawler, opts.spargs)
