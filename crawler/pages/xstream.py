"""X/Twitter as a stream of lines: a minute of the public dumps (version 1.1), a batch of the filtered stream (2).

In a dump a retweet is folded into its original, whose text is whole; delete notices are listed in `withdrawn`.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

from crawler.counts import json_count, twitter_time
from crawler.fields import Fields, identifier, load_json, text
from crawler.items import Post
from crawler.outcomes import Outcome
from crawler.pages.base import Page
from crawler.pages.x import SearchPage

_STREAM_LINE = re.compile(rb'\s*\{"(?:created_at":"\w{3} \w{3} \d\d |delete":\{"status")')
_STAMP = re.compile(rb'"timestamp_ms":"(\d{13})"')
_CREATED = re.compile(rb'^\{"created_at":"([^"]{25,40})"', re.M)
_LANGUAGES = {"in": "id", "iw": "he", "und": None}  # what the platform calls them, or that it does not know


class StreamPage(Page):
    """Lines of statuses, delete notices and other notices, in any order and with repetitions."""

    name: ClassVar[str] = "x.stream"
    platform: ClassVar[str] = "x"

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return _STREAM_LINE.match(body) is not None

    @classmethod
    def moment(cls, body: bytes) -> datetime | None:
        """The newest moment that a minute states of itself."""
        stamps = [int(each) for each in _STAMP.findall(body)]
        if stamps:
            return datetime.fromtimestamp(max(stamps) / 1000, UTC)
        created = [twitter_time(each.decode("ascii", "replace")) for each in _CREATED.findall(body)]
        return max(created, default=None)

    def read(self) -> None:
        kinds: Counter[str] = Counter()
        posts: dict[str, Fields] = {}
        self.withdrawn: list[str] = []
        for line in _lines(self.body):
            tweet = Fields(line, "line", self.reading.odd)
            if notice := tweet.part("delete"):
                kinds["delete"] += 1
                status = notice.part("status")
                if status and (number := status.may("id_str", identifier)):
                    self.withdrawn.append(number)
            elif "id_str" in line:
                kinds["tweet"] += 1
                for each in _told(tweet):
                    if number := each.may("id_str", identifier):
                        posts[number] = each
            else:
                kinds["notice"] += 1
        for number, each in posts.items():
            if number not in self.withdrawn:
                self._post(number, each)
        self.reading.got = kinds["tweet"]
        self.reading.outcome = Outcome.OK if kinds else Outcome.EMPTY

    def _post(self, number: str, tweet: Fields) -> None:
        extended = tweet.part("extended_tweet")
        entities = (extended.part("entities") if extended else None) or tweet.part("entities")
        user, place = tweet.part("user"), tweet.part("place")
        shown = (extended.may("full_text", text) if extended else None) or tweet.may("full_text", text)
        shown = shown or tweet.may("text", text)
        language = tweet.may("lang", text)
        self.add(
            Post, url=f"https://x.com/i/status/{number}", post_id=number, media=_media(tweet),
            author=user.may("screen_name", text) if user else None,
            author_id=user.may("id_str", identifier) if user else None,
            author_followers=user.may("followers_count", json_count) if user else None,
            created_at=tweet.may("created_at", lambda shown: twitter_time(text(shown))),
            caption=html.unescape(shown) if shown else None, language=_LANGUAGES.get(language or "", language),
            hashtags=_named(entities, "hashtags", "text"), mentions=_named(entities, "user_mentions", "screen_name"),
            urls=_named(entities, "urls", "expanded_url"), location=place.may("full_name", text) if place else None,
            likes=tweet.may("favorite_count", json_count), comments=tweet.may("reply_count", json_count),
            shares=tweet.may("quote_count", json_count), reposts=tweet.may("retweet_count", json_count),
        )  # fmt: skip


def _lines(body: bytes) -> Iterator[dict[str, Any]]:
    """Those that are whole; a minute that was cut ends in one that is not."""
    for line in body.split(b"\n"):
        if line.strip():
            try:
                found = load_json(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found


def _told(tweet: Fields) -> Iterator[Fields]:
    """The original of a retweet, or the tweet itself; and what either of them quotes."""
    original = tweet.part("retweeted_status") or tweet
    yield original
    if (quoted := original.part("quoted_status")) is not None:
        yield quoted


def _media(tweet: Fields) -> str:
    held = (tweet.part("extended_tweet") or tweet).part("extended_entities") or tweet.part("extended_entities")
    kinds = {each.may("type", text) for each in held.parts("media")} if held else set()
    return "video" if kinds & {"video", "animated_gif"} else "photo" if kinds else "text"


def _named(entities: Fields | None, kind: str, name: str) -> tuple[str, ...] | None:
    if entities is None:
        return None
    found = (each.may(name, text) for each in entities.parts(kind))
    return tuple(each.lower() if kind == "hashtags" else each for each in found if each) or None


class FilteredPage(SearchPage):
    """Lines of version 2's filtered stream, as many as came in one go; blank ones keep the line open."""

    name: ClassVar[str] = "x.filtered"
    urls: ClassVar[tuple[str, ...]] = (r"/2/tweets/search/stream(?:\?|$)",)

    def read(self) -> None:
        n = 0
        for line in _lines(self.body):
            answer = Fields(line, "line", self.reading.odd)
            if (tweet := answer.part("data")) is not None:
                n += 1
                self._hit(tweet, self._authors(answer))
        self.reading.got = n
        self.reading.outcome = Outcome.OK if n else Outcome.EMPTY
