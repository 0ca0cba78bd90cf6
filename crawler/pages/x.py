"""X/Twitter trends: v1.1 `trends/place` bodies, and tables that other people saved from them."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from crawler import places
from crawler.counts import json_count, twitter_time
from crawler.fields import Fields, load_json, text
from crawler.items import Board, BoardEntry
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Page

VOLUME_FLOOR = 10_000  # v1.1 sends null below about ten thousand; the least volume in 542,000 rows is 10,000
CEILING = 50
Row = tuple[str, int | None, bool | None]


def topic_key(topic: str) -> str:
    """Topic folded for comparison: case, width, Latin accents, '#', spacing, emoji variants.

    '#JulietteNoAltasHoras' and 'juliette no altas horas' are one key. Marks of other scripts
    stay (in Devanagari or Arabic they are letters). A topic of symbols only keeps them.
    """
    wide = unicodedata.normalize("NFKD", topic).casefold()
    bare = re.sub(r"[\u0300-\u036f\ufe0e\ufe0f\u200b-\u200f\u2060-\u206f]", "", wide)
    folded = re.sub(r"[\s#_\-'’.]+", "", bare)
    return unicodedata.normalize("NFC", folded) or topic.strip() or topic


class TrendsPage(Page):
    """What the two formats share: rows in order of rank become a board and its entries."""

    platform: ClassVar[str] = "x"

    def board(self, place: str, at: datetime, rows: Sequence[Row | None]) -> None:
        """*rows*: topic, volume (None when hidden), promoted; None where a row could not be read."""
        board = f"x:trends:{place}"
        if not rows:
            # Archives stored empty lists for weeks: an empty answer is a failed one, not "no trends".
            self.reading.outcome = Outcome.BLOCKED
            self.reading.problem = f"{type(self).__name__} {self.url}: expected rows, found an empty list"
            return
        self.reading.got, self.reading.ceiling = len(rows), max(CEILING, len(rows))
        first = len(self.reading.items)
        for position, row in enumerate(rows, start=1):
            if row is None:
                continue
            topic, volume, promoted = row
            self.add(
                BoardEntry,
                board=board,
                at=at,
                position=position,
                topic=topic,
                topic_key=topic_key(topic),
                volume=volume,
                volume_floor=None if volume is not None else VOLUME_FLOOR,
                promoted=promoted,
            )
        stored = sum(isinstance(item, BoardEntry) for item in self.reading.items[first:])
        self.add(
            Board, board=board, at=at, place=place, source="x", size=stored,
            got=len(rows), ceiling=self.reading.ceiling,
        )  # fmt: skip
        self.reading.items.insert(first, self.reading.items.pop())

    def told_place(self) -> str:
        """The place that came with the file; these formats do not state it."""
        place = self.headers.get("tidemark-place")
        if not place:
            raise MissingField("place: expected one beside the file, found none; give --place br")
        return place


class TrendsPlacePage(TrendsPage):
    """`[{"trends": […], "as_of": …, "locations": […]}]`; also one such object, as a document store keeps it."""

    name: ClassVar[str] = "x.trends_place"
    urls: ClassVar[tuple[str, ...]] = (r"/1\.1/trends/place\.json",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        head = body.lstrip()[:1]
        return head in (b"[", b"{") and b'"trends"' in body and b'"as_of"' in body

    def read(self) -> None:
        try:
            data = load_json(self.body)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None
        answer = Fields(data[0] if isinstance(data, list) and data else data, "[0]", self.reading.odd)
        if codes := [each.may("code", json_count) for each in answer.parts("errors")]:
            self._refused(codes[0])
            return
        at = answer.need("as_of", _as_of)  # created_at is the age of the list: days old in one capture
        place = self._place(answer)
        rows: list[Row | None] = []
        for trend in answer.parts("trends"):
            try:
                topic = trend.may("name", text) or _from_query(trend)
            except MissingField as error:
                self.odd_row("boardentry", str(error), trend)
                rows.append(None)
                continue
            volume = trend.may("tweet_volume", json_count)
            rows.append((topic, volume or None, trend.may("promoted_content", lambda v: v is not None)))
        self.board(place, at, rows)
        answer.skip("created_at", "_id")
        self.reading.unread += answer.unread()

    def _refused(self, code: int | None) -> None:
        """Error codes of the documented API; no capture confirms them."""
        known = {88: Outcome.RATE_LIMITED, 34: Outcome.MISSING, 32: Outcome.LOGIN_WALL, 89: Outcome.LOGIN_WALL}
        self.reading.outcome = known.get(code or 0, Outcome.BLOCKED)

    def _place(self, answer: Fields) -> str:
        location = next(answer.parts("locations"), None)
        if location is None:
            return self.told_place()
        return places.of_woeid(location.need("woeid", json_count))


class TrendsTablePage(TrendsPage):
    """Saved tables, a row a trend in order of rank: `name,…,tweet_volume`, `name;volume`, `name volume`.

    A hidden volume stands there as nothing, None, null, nan or 0: never a zero. The moment is
    the file's (`as_of` where a column holds it), the place the file's or `country`.
    """

    name: ClassVar[str] = "x.trends_table"

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        head = body[:2000].lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0].strip().lower()
        if b"tweet_volume" in head and b"name" in head:
            return True
        if head.replace(b'"', b"") in (b"name;volumne", b"name;volume", b"name,volume", b"name,volumne"):
            return True
        return len(list(_printed(body[:2000].decode("utf-8", "replace"), least=5))) >= 5

    def read(self) -> None:
        shown = self.body.decode("utf-8-sig", "replace")
        head = shown.lstrip().split("\n", 1)[0]
        if "volum" in head.lower() and ("," in head or ";" in head):
            table = list(csv.DictReader(io.StringIO(shown), delimiter=";" if ";" in head else ","))
        else:
            table = [{"name": name, "volume": volume} for name, volume in _printed(shown)]
        if not table:
            raise MissingField("body: expected rows of name and volume, found none")
        self.board(self._place(table[0]), self._at(table[0]), [self._row(i, row) for i, row in enumerate(table)])

    def _row(self, i: int, row: dict[str, Any]) -> Row:
        name = row.get("name")
        if not name:
            raise MissingField(f"row[{i}].name: expected a topic, found none; columns: {', '.join(map(str, row))}")
        given = next((row[each] for each in ("tweet_volume", "volume", "volumne") if each in row), None)
        promoted = row.get("promoted_content")
        return name, _volume(given, f"row[{i}]"), None if promoted is None else bool(promoted)

    def _place(self, row: dict[str, Any]) -> str:
        stated = row.get("country") or row.get("location")
        return (places.of_name(stated) if stated else None) or self.told_place()

    def _at(self, row: dict[str, Any]) -> datetime:
        return _as_of(row["as_of"]) if row.get("as_of") else self.fetched_at


def _printed(shown: str, least: int = 1) -> Iterator[tuple[str, str]]:
    """Lines 'some topic 140681' or 'some topic None'; nothing unless every line is one."""
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    found = [re.fullmatch(r"(.+?)\s+(\d+|None)", line) for line in lines]
    whole = found[:-1] if least > 1 else found  # the last line of a cut text may be torn
    if len(lines) >= least and all(whole):
        yield from ((match[1], match[2]) for match in found if match)


def _volume(given: Any, where: str) -> int | None:
    label = str(given or "").strip()
    if label.lower() in ("", "none", "null", "nan", "0", "0.0"):
        return None
    if match := re.fullmatch(r"(\d+)(?:\.0+)?", label):
        return int(match[1]) or None
    raise MissingField(f"{where}.volume: expected a whole number or nothing, found {label[:20]!r}")


def _as_of(value: Any) -> datetime:
    label = text(value).strip()
    if re.match(r"\d{4}-", label):
        moment = datetime.fromisoformat(label.replace("Z", "+00:00"))
        if moment.tzinfo is None:
            raise ValueError("as_of: expected a time zone")
        return moment
    return twitter_time(label)


def _from_query(trend: Fields) -> str:
    return unquote_plus(trend.need("query", text)).strip('"')
