"""`scrapy doctor`: what is wrong with this installation, and the command that mends it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scrapy.commands import ScrapyCommand
from scrapy.spiderloader import SpiderLoader
from scrapy.utils.project import get_project_settings

from crawler import config, health, live, pages
from crawler.context import now
from crawler.targets import TargetForm, parse


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def short_desc(self) -> str:
        return "Check Python, packages, settings, database, disk, archive, browser and clock"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--live", action="store_true", help="also ask every source once: robots.txt, outcome, date"
        )  # fmt: skip

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        for check in health.examine(now):
            print(check.line(), flush=True)
            if check.state == "fail":
                self.exitcode = 1
        if opts.live:
            self._ask_sources()

    def _ask_sources(self) -> None:
        """A source that does not answer is news, not an error of this installation."""
        pages.load_all()
        settings = config.load()
        for finding in live.examine(list(_sources()), "Tidemark", now, live.fetcher(settings.user_agent)):
            print(finding.line(), flush=True)


def _sources() -> Iterator[live.Source]:
    """Every spider's first example; none where only the user knows a target."""
    loader = SpiderLoader.from_settings(get_project_settings())
    for name in sorted(loader.list()):
        cls: Any = loader.load(name)
        if not getattr(cls, "url", None) or not isinstance(getattr(cls, "target", None), TargetForm):
            continue
        value = next(parse(cls.target.example, cls.target))
        has_key = any("credentials" in vars(each) for each in cls.__mro__ if each.__module__ != "spiders.base")
        url = cls.url if has_key else cls(targets=value).address(value)
        needs = getattr(cls, "needs_key", "") or ("a key of yours" if has_key else "")
        if (urlsplit(url).hostname or "").endswith(".example"):
            needs = "a target of yours"
        yield live.Source(name, url, cls.page, needs)
