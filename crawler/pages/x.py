"""X/Twitter trends: v1.1 `trends/place` bodies. Tables that other people saved from them: crawler.pages.tables.x."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from crawler import places
from crawler.counts import json_count, twitter_time
from crawler.fields import Fields, load_json, text
from crawler.outcomes import MissingField, Outcome
from crawler.pages.boards import BoardPage, Row, Snapshot

VOLUME_FLOOR = 10_000  # v1.1 sends null below about ten thousand; the least volume in 542,000 rows is 10,000
CEILING = 50


class TrendsPlacePage(BoardPage):
    """`[{"trends": […], "as_of": …, "locations": […]}]`; also one such object, as a document store keeps it."""

    name: ClassVar[str] = "x.trends_place"
    version: ClassVar[int] = 2
    platform: ClassVar[str] = "x"
    urls: ClassVar[tuple[str, ...]] = (r"/1\.1/trends/place\.json",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        head = body.lstrip()[:1]
        return head in (b"[", b"{") and b'"trends"' in body and b'"as_of"' in body

    def snapshots(self) -> Iterator[Snapshot]:
        try:
            data = load_json(self.body)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None
        answer = Fields(data[0] if isinstance(data, list) and data else data, "[0]", self.reading.odd)
        if codes := [each.may("code", json_count) for each in answer.parts("errors")]:
            self._refused(codes[0])
            return
        at = answer.need("as_of", as_of)  # created_at is the age of the list: days old in one capture
        place = self._place(answer)
        rows = [self._row(trend) for trend in answer.parts("trends")]
        yield Snapshot(f"x:trends:{place}", at, rows, place, "x", CEILING, unread=rows.count(None))
        answer.skip("created_at", "_id")
        self.reading.unread += answer.unread()

    def _row(self, trend: Fields) -> Row | None:
        try:
            topic = trend.may("name", text) or _from_query(trend)
        except MissingField as error:
            self.odd_row("boardentry", str(error), trend)
            return None
        volume = trend.may("tweet_volume", json_count) or None
        promoted = trend.may("promoted_content", lambda each: each is not None)
        return Row(topic, volume, floor=VOLUME_FLOOR if volume is None else None, promoted=promoted)

    def _refused(self, code: int | None) -> None:
        """Error codes of the documented API; no capture confirms them."""
        known = {88: Outcome.RATE_LIMITED, 34: Outcome.MISSING, 32: Outcome.LOGIN_WALL, 89: Outcome.LOGIN_WALL}
        self.reading.outcome = known.get(code or 0, Outcome.BLOCKED)

    def _place(self, answer: Fields) -> str:
        location = next(answer.parts("locations"), None)
        if location is None:
            return self.told_place()
        return places.of_woeid(location.need("woeid", json_count))


def as_of(value: Any) -> datetime:
    label = text(value).strip()
    if re.match(r"\d{4}-", label):
        moment = datetime.fromisoformat(label.replace("Z", "+00:00"))
        if moment.tzinfo is None:
            raise ValueError("as_of: expected a time zone")
        return moment
    return twitter_time(label)


def _from_query(trend: Fields) -> str:
    return unquote_plus(trend.need("query", text)).strip('"')
