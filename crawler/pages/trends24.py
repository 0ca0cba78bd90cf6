"""trends24.in: what trended on X in each of the last 24 hours, by place. From descriptions; no capture confirms it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlsplit

from parsel import Selector

from crawler import places
from crawler.counts import CountError, parse_count
from crawler.fields import Fields
from crawler.outcomes import MissingField
from crawler.pages.boards import BoardPage, Row, Snapshot

CEILING = 50


class Trends24(BoardPage):
    """A list an hour, the newest first: `.list-container`, its hour in `data-timestamp`, `ol li` in order of rank."""

    name: ClassVar[str] = "trends24.trends"
    platform: ClassVar[str] = "x"
    urls: ClassVar[tuple[str, ...]] = (r"^https?://(?:www\.)?trends24\.in/",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return b"trends24" in body[:20_000] and b"trend-card__list" in body

    def snapshots(self) -> Iterator[Snapshot]:
        page = Selector(text=self.body.decode("utf-8", "replace"))
        lists = page.css(".list-container, .trend-card")
        if not lists:
            raise MissingField("body: expected .list-container, found none")
        place = self._place(page)
        for i, each in enumerate(lists):
            at = _hour(each, f"list[{i}]")
            rows = [self._row(line, f"list[{i}]") for line in each.css("ol li")]
            yield Snapshot(
                f"trends24:trends:{place}", at, rows, place, "trends24.in", CEILING, unread=rows.count(None)
            )  # fmt: skip

    def _place(self, page: Selector) -> str:
        for url in (self.url, page.css("link[rel=canonical]::attr(href)").get() or ""):
            if re.match(r"https?://(?:www\.)?trends24\.", url):
                parts = [part for part in urlsplit(url).path.split("/") if part]
                return places.named(parts[-1]) if parts else "world"
        return self.told_place()

    def _row(self, line: Selector, where: str) -> Row | None:
        topic = "".join(line.css("a ::text, a::text").getall()).strip()
        try:
            if not topic:
                raise MissingField(f"{where}: expected a topic in li a, found none")
            return _counted(line, topic, where)
        except MissingField as error:
            self.odd_row("boardentry", str(error), Fields({"row": (line.xpath("string()").get() or "")[:200]}, where))
            return None


def _counted(line: Selector, topic: str, where: str) -> Row:
    """data-count is exact; the text beside it ("120K") is rounded; neither is there for a hidden volume."""
    exact = (line.css(".tweet-count::attr(data-count)").get() or "").strip()
    if re.fullmatch(r"\d{1,15}", exact) and int(exact):
        return Row(topic, int(exact))
    shown = (line.css(".tweet-count::text").get() or "").strip()
    if not shown or shown.upper() == "N/A":
        return Row(topic)
    try:
        count = parse_count(shown, decimal=".")
    except CountError as error:
        raise MissingField(f"{where}.tweet-count: {error}") from None
    return Row(topic, count.value, count.precision if count.precision > 1 else None, floor=count.floor)


def _hour(each: Selector, where: str) -> datetime:
    stamp = each.css("[data-timestamp]::attr(data-timestamp)").get() or each.attrib.get("data-timestamp", "")
    if not re.fullmatch(r"\d{9,13}(\.\d+)?", stamp.strip()):
        raise MissingField(f"{where}.data-timestamp: expected seconds since 1970, found {stamp[:20]!r}")
    seconds = float(stamp)
    return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC).replace(microsecond=0)
