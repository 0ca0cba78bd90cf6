"""Ledger, progress and verdict of a run: the exit status is 0 only when the run was good."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import platform
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import scrapy
from scrapy import signals

from crawler import stages
from crawler.archive import ArchiveError
from crawler.context import Context, now, page_read
from crawler.lanes import redact
from crawler.outcomes import GOOD, Outcome
from crawler.pages import Page
from crawler.spool import Load, SpoolError
from crawler.storage.errors import StorageError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

log = logging.getLogger(__name__)
VERDICT = "run/verdict"
ALREADY = "replay/already_applied"
REFUSED_SHARE = 0.05
PROGRESS_S = 10.0


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a good run brings, as the spider declares it."""

    least_items: int
    most_items: int
    least_good_share: float
    replay: bool = False
    already: int = 0
    """Captures that a resumed replay found stored; with some, having nothing to do is good."""


def judge(
    fates: Counter[str], yielded: int, outcomes: Counter[str], finish: str, errors: int, expected: Expectations
) -> list[str]:
    """Why the run is not good; empty when it is."""
    reasons = []
    stored = fates["saved"] + fates["repeated"]
    if finish != "finished":
        reasons.append(f"stopped early: {finish}")
    if fates["unsaved"]:
        reasons.append(f"{fates['unsaved']} items not stored")
    if fates["spooled"]:
        reasons.append(f"{fates['spooled']} items on disk only, not in the database")
    if sum(fates.values()) != yielded:
        reasons.append(f"{yielded} items yielded, {sum(fates.values())} accounted for")
    if errors:
        reasons.append(f"{errors} errors logged")
    fetches = sum(outcomes.values())
    if fetches == 0 and not expected.already:
        reasons.append("nothing was fetched")
    # What a wall said on the day of the capture is no fault of its replay; a page nobody can read is.
    bad = {str(Outcome.SHAPE_CHANGED)} if expected.replay else {str(o) for o in Outcome if o not in GOOD}
    poor = sum(n for outcome, n in outcomes.items() if outcome in bad)
    if fetches and 1 - poor / fetches < expected.least_good_share:
        worst = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.most_common() if outcome in bad)
        reasons.append(f"{poor} of {fetches} fetches without an answer: {worst}")
    if stored < expected.least_items:
        reasons.append(f"{stored} items stored, at least {expected.least_items} expected")
    if yielded and fates["refused"] / yielded > REFUSED_SHARE:
        reasons.append(f"{fates['refused']} of {yielded} items refused")
    return reasons


class RunExtension:
    """Listens to page_read, keeps the ledger, says how far it is, and judges at the end."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.context = Context.of(crawler)
        self.outcomes: Counter[str] = Counter()
        self.parsers: set[str] = set()
        self.bytes = 0
        self.progress: asyncio.Task[None] | None = None
        self.capture_only = crawler.settings.getbool(stages.SETTING)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RunExtension:
        made = cls(crawler)
        crawler.signals.connect(made.page_read, signal=page_read)
        crawler.signals.connect(made.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(made.spider_closed, signal=signals.spider_closed)
        return made

    def page_read(self, row: dict[str, Any], items: int) -> None:
        self.outcomes[row["outcome"]] += 1
        self.bytes += row["bytes"]
        if "parser" in row:
            self.parsers.add(row["parser"])
        if "capture" in row:
            try:
                self.context.archive.note(row["capture"], row["outcome"], row.get("parts", {}))
            except ArchiveError as error:
                self.context.stop(self.crawler, "archive", error.strerror or str(error))
        if row.get("problem"):
            log.warning("%s", redact.text(row["problem"]))
        if self.capture_only:
            row, items = {**row, "parser": stages.PARSER}, 0
        self.context.accounts.opened(row, items)

    def spider_opened(self) -> None:
        self.progress = asyncio.get_running_loop().create_task(self._say_progress())

    async def _say_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            pages, items = sum(self.outcomes.values()), self.context.accounts.yielded
            seconds = (now() - self.context.started_at).total_seconds()
            log.info("%d pages, %d items, %.0f items/s, %.1f MB", pages, items, items / seconds, self.bytes / 1e6)

    async def spider_closed(self, reason: str) -> None:
        if self.progress is not None:
            self.progress.cancel()
        finished_at = now()
        spider = self.crawler.spidercls
        stats = self.crawler.stats
        assert stats is not None
        expected = Expectations(
            0 if self.capture_only else getattr(spider, "least_items", 0), getattr(spider, "most_items", 1 << 62),
            getattr(spider, "least_good_share", 0.9), spider.name == "replay", int(stats.get_value(ALREADY, 0)),
        )  # fmt: skip
        accounts = self.context.accounts
        errors = int(stats.get_value("log_count/ERROR", 0))
        reasons = judge(accounts.fates, accounts.yielded, self.outcomes, reason, errors, expected)
        if accounts.fates["saved"] + accounts.fates["repeated"] > expected.most_items:
            log.warning("%d items stored, at most %d expected", accounts.fates["saved"], expected.most_items)
        verdict = "poor" if reasons else "good"
        row = self._row(finished_at, reason, verdict, reasons)
        try:
            await asyncio.to_thread(self._keep, row)
        except SpoolError as error:
            verdict, reasons = "poor", [*reasons, str(error)]
        stats.set_value(VERDICT, verdict)
        self._tell(finished_at, verdict, reasons)
        await asyncio.to_thread(self.context.close)

    def _keep(self, row: dict[str, Any]) -> None:
        """In the database, or in the spool with the items that wait there."""
        if not self.context.accounts.fates["spooled"]:
            with contextlib.suppress(StorageError):
                return self.context.store.run(row)
        return self.context.spool.put(Load(runs=[row]), now())

    def _row(self, finished_at: datetime, reason: str, verdict: str, reasons: list[str]) -> dict[str, Any]:
        accounts = self.context.accounts
        return {
            "_id": self.context.run, "spider": self.crawler.spidercls.name, "started_at": self.context.started_at,
            "finished_at": finished_at, "finish_reason": reason, "verdict": verdict, "reasons": reasons,
            "items": {"yielded": accounts.yielded, **{fate: accounts.fates[fate] for fate in sorted(accounts.fates)}},
            "outcomes": dict(sorted(self.outcomes.items())), "bytes": self.bytes,
            "targets": list(getattr(self.crawler.spider, "targets", ()))[:1000],
            "versions": {"python": platform.python_version(), "scrapy": scrapy.__version__},
            "parsers": sorted(self.parsers) or sorted(f"{p.name}@{p.version}" for p in Page.registry.values())[:0],
        }  # fmt: skip

    def _tell(self, finished_at: datetime, verdict: str, reasons: list[str]) -> None:
        fates = self.context.accounts.fates
        parts = [f"{sum(self.outcomes.values())} pages"]
        parts += [f"{n} {outcome}" for outcome, n in sorted(self.outcomes.items())]
        items = [f"{self.context.accounts.yielded} items"] + [f"{fates[fate]} {fate}" for fate in sorted(fates)]
        seconds = (finished_at - self.context.started_at).total_seconds()
        log.info("pages: %s", ", ".join(parts))
        log.info("items: %s", ", ".join(items))
        if self.context.spool.items:
            size_mb = self.context.spool.size_bytes / 1e6
            log.warning("spool: %d items wait in %s (%.1f MB); the next start of anything brings them in",
                        self.context.spool.items, self.context.spool.directory, size_mb)  # fmt: skip
        log.info("%s after %.1f s, in %s", verdict, seconds, self.context.where)
        for each in reasons:
            log.warning("not good: %s", each)
