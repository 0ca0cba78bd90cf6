"""Google's public RSS of trending searches by country. Known from documentation; no capture confirms it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from parsel import Selector

from crawler import places
from crawler.counts import CountError, parse_count
from crawler.fields import Fields
from crawler.items import News
from crawler.outcomes import MissingField
from crawler.pages.boards import BoardPage, Row, Snapshot


class TrendingFeed(BoardPage):
    """`item`s in order of rank: title, approximate traffic ("200K+" is a lower bound), when it began, news reports."""

    name: ClassVar[str] = "google.trending"
    version: ClassVar[int] = 2
    platform: ClassVar[str] = "google"
    is_data: ClassVar[bool] = True
    urls: ClassVar[tuple[str, ...]] = (r"^https?://trends\.google\.[a-z.]+/(?:trending/rss|trends/trendingsearches/)",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return b"<rss" in body[:500] and b"trends.google." in body[:2000] and b"approx_traffic" in body

    def snapshots(self) -> Iterator[Snapshot]:
        if b"<rss" not in self.body[:1000]:
            raise MissingField("body: expected RSS, found none")
        items, ends = len(re.findall(rb"<item\b", self.body)), self.body.count(b"</item>")
        if b"</rss>" not in self.body or items != ends:  # the parser would mend it, and half a list pass for one
            raise MissingField(f"body: expected whole RSS, found {items} items begun and {ends} ended")
        feed = Selector(text=self.body.decode("utf-8", "replace").lstrip(), type="xml")
        feed.remove_namespaces()
        rows = [self._row(item, f"item[{i}]") for i, item in enumerate(feed.xpath("//channel/item"))]
        place = self._place(feed)
        yield Snapshot(
            f"google:trends:{place}", self.fetched_at, rows, place, "trends.google.com", unread=rows.count(None)
        )  # fmt: skip

    def _place(self, feed: Selector) -> str:
        for url in (
            self.url,
            feed.xpath("string(//channel/link)").get() or "",
            feed.xpath("string(//item/link)").get(),
        ):
            geo = parse_qs(urlsplit(url or "").query).get("geo")
            if geo:
                return places.of_name(geo[0]) or geo[0].lower()
        return self.told_place()

    def _row(self, item: Selector, where: str) -> Row | None:
        said = {
            each: (item.xpath(f"string({each})").get() or "").strip() for each in ("title", "approx_traffic", "pubDate")
        }
        try:
            return self._read(item, said, where)
        except MissingField as error:
            self.odd_row("boardentry", str(error), Fields(said, where))
            return None

    def _read(self, item: Selector, said: dict[str, str], where: str) -> Row:
        if not said["title"]:
            raise MissingField(f"{where}.title: expected a topic, found none")
        if not said["approx_traffic"]:
            return Row(said["title"], since=self._since(said["pubDate"], where), news=_news(item))
        try:
            count = parse_count(said["approx_traffic"], decimal=".")
        except CountError as error:
            raise MissingField(f"{where}.approx_traffic: {error}") from None
        return Row(
            said["title"], count.value, at_least=count.at_least or None, floor=count.floor,
            since=self._since(said["pubDate"], where), news=_news(item),
        )  # fmt: skip

    def _since(self, shown: str, where: str) -> datetime | None:
        try:
            moment = parsedate_to_datetime(shown)
        except ValueError:
            if shown:
                self.reading.odd.append(f"{where}.pubDate")
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _news(item: Selector) -> tuple[News, ...] | None:
    found = []
    for each in item.xpath("news_item"):
        title, url, source = (
            (each.xpath(f"string(news_item_{name})").get() or "").strip() for name in ("title", "url", "source")
        )
        if title:
            found.append(News(title=title, url=url or None, source=source or None))
    return tuple(found) or None
