"""What `crawl` and `replay` share: a quiet log, a store that answers before the first request, a verdict."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from typing import TYPE_CHECKING, Any

from crawler import repairs
from crawler.config import ConfigError, warnings
from crawler.context import Context
from crawler.storage.errors import StorageAway, StorageError
from crawler.verdict import VERDICT

if TYPE_CHECKING:
    from scrapy.crawler import Crawler, CrawlerProcessBase


def quieten(opts: argparse.Namespace) -> None:
    """Scrapy's own INFO is sixty lines a run; a person asked for the run's story. `-L DEBUG` shows all.

    Called once the process exists: making it sets the levels anew.
    """
    if not opts.loglevel:
        logging.getLogger("scrapy").setLevel(logging.WARNING)
        logging.getLogger("twisted").setLevel(logging.WARNING)
        logging.getLogger("scrapy-playwright").setLevel(logging.WARNING)


def ready(crawler: Crawler) -> Context | None:
    """The crawl's context with its store reachable; else None, after one plain line."""
    context = None
    try:
        context = Context.of(crawler)
        for each in warnings(context.config):
            sys.stderr.write(f"warning: {each}\n")
        repairs.committed()
        _ = context.store
    except (ConfigError, StorageError, repairs.RepairsError) as error:
        sys.stderr.write(f"{error}\n")
        may_wait = isinstance(error, StorageAway) and crawler.spidercls.name != "replay"
        return context if may_wait and context and context.config.when_away == "go_on" else None
    return context


def run(process: CrawlerProcessBase, crawler: Crawler, spargs: dict[str, Any]) -> int:
    """Run one crawler to its end; the exit status: 0 only for a good run."""
    # What is there by now stays; a crawl makes items by the thousand and few circles: an eighth of its time was spent
    # looking for them.
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    process.crawl(crawler, **spargs)
    process.start()
    if crawler.stats is not None and crawler.stats.get_value(VERDICT) is None:  # a second Ctrl-C
        sys.stderr.write("stopped at once: what was fetched is in the archive; bring the rest in: scrapy verify\n")
    if process.bootstrap_failed or crawler.stats is None:
        return 1
    return 0 if crawler.stats.get_value(VERDICT) == "good" else 1
