"""X/Twitter: the API's trends of both versions and its recent search. Saved tables of trends: crawler.pages.tables.x.

Version 2 is known from its documentation; no capture confirms it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, unquote_plus, urlsplit

from crawler import places
from crawler.counts import json_count, twitter_time
from crawler.fields import Fields, identifier, load_json, text
from crawler.items import Post
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Follow
from crawler.pages.boards import BoardPage, Row, Snapshot

VOLUME_FLOOR = 10_000  # v1.1 sends null below about ten thousand; the least volume in 542,000 rows is 10,000
CEILING = 50
RECENT = timedelta(days=7)  # how far back the recent search goes
HIT_LENGTH = 120  # of a post's text in a list of hits; the post keeps all of it


class XPage(BoardPage):
    """What the answers of the API share."""

    platform: ClassVar[str] = "x"
    is_data: ClassVar[bool] = True

    def refused(self, status: int, outcome: Outcome) -> tuple[Outcome, str]:
        """In words what a status says, and until when."""
        if status == 401:
            return Outcome.LOGIN_WALL, "X API: 401, the bearer token is wrong, expired or withdrawn; see X_BEARER_TOKEN"
        if status == 403:
            return Outcome.BLOCKED, "X API: 403, the plan of this key does not include the endpoint"
        if status == 429:
            reset = self.headers.get("x-rate-limit-reset", "")
            until = f" until {datetime.fromtimestamp(int(reset), UTC):%Y-%m-%dT%H:%M:%SZ}" if _is_epoch(reset) else ""
            return Outcome.RATE_LIMITED, f"X API: 429, the limit of this window is used up{until}"
        if status == 400 and beyond_reach(self.url, self.fetched_at):
            return (
                Outcome.MISSING,
                f"X API: 400, only {RECENT.days} days are kept and older posts were asked for: a gap",
            )
        if status == 400:
            return Outcome.SHAPE_CHANGED, "X API: 400, it does not take the request; is the place or the query right?"
        return outcome, f"X API: {status}"

    def answer(self, where: str = "$") -> Fields:
        try:
            data = load_json(self.body)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None
        return Fields(data[0] if isinstance(data, list) and data else data, where, self.reading.odd)


class TrendsPlacePage(XPage):
    """`[{"trends": […], "as_of": …, "locations": […]}]`; also one such object, as a document store keeps it."""

    name: ClassVar[str] = "x.trends_place"
    version: ClassVar[int] = 2
    urls: ClassVar[tuple[str, ...]] = (r"/1\.1/trends/place\.json",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        head = body.lstrip()[:1]
        return head in (b"[", b"{") and b'"trends"' in body and b'"as_of"' in body

    def snapshots(self) -> Iterator[Snapshot]:
        answer = self.answer("[0]")
        if codes := [each.may("code", json_count) for each in answer.parts("errors")]:
            self._refused(codes[0])
            return
        at = answer.need("as_of", as_of)  # created_at is the age of the list: days old in one capture
        place = self._place(answer)
        rows = [self.read_row(trend, _shown) for trend in answer.parts("trends")]
        yield Snapshot(f"x:trends:{place}", at, rows, place, "x", CEILING, unread=rows.count(None))
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


class TrendsByWoeidPage(XPage):
    """`{"data": [{"trend_name", "tweet_count"}]}` in order of rank; neither place nor moment, which the request told.

    A missing count is hidden, with no floor: the documentation names none, and counts below 3,000 occur in it.
    """

    name: ClassVar[str] = "x.trends_by_woeid"
    urls: ClassVar[tuple[str, ...]] = (r"/2/trends/by/woeid/\d+",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return body.lstrip()[:1] == b"{" and b'"trend_name"' in body[:500]

    def snapshots(self) -> Iterator[Snapshot]:
        answer = self.answer()
        rows = [self.read_row(trend, _counted) for trend in answer.parts("data")]
        problems = [each.may("title", text) or each.may("detail", text) for each in answer.parts("errors")]
        if not rows and problems:
            raise MissingField(f"$.data: expected trends, found an error: {(problems[0] or '')[:100]!r}")
        place = self._place()
        yield Snapshot(f"x:trends:{place}", self.fetched_at, rows, place, "x", CEILING, unread=rows.count(None))
        self.reading.unread += answer.unread()

    def _place(self) -> str:
        match = re.search(r"/woeid/(\d{1,12})", self.url)
        return places.of_woeid(int(match[1])) if match else self.told_place()


class SearchPage(XPage):
    """`/2/tweets/search/recent`: posts, newest first, and the list of hits with query and position.

    A later page is a list of its own (`x:search:<query>:from101`): it was seen at another moment.
    """

    name: ClassVar[str] = "x.search"
    urls: ClassVar[tuple[str, ...]] = (r"/2/tweets/search/(?:recent|all)\?",)

    def snapshots(self) -> Iterator[Snapshot]:
        answer = self.answer()
        asked = parse_qs(urlsplit(self.url).query)
        first = int((parse_qs(urlsplit(self.url).fragment).get("from") or ["1"])[0])
        if "query" not in asked:
            raise MissingField("address: expected query=…, found none")
        meta = answer.part("meta")
        authors = self._authors(answer)
        rows = [self._hit(each, authors) for each in answer.parts("data")]
        if not rows:
            # A confirmed nothing has its own counter; without it the answer is not one.
            if meta is None or meta.need("result_count", json_count) != 0:
                raise MissingField("$.data: expected posts, or meta.result_count 0; found neither")
            self.reading.outcome = Outcome.EMPTY
            return
        query = asked["query"][0]
        board = f"x:search:{query.strip().lower()[:100]}"
        yield Snapshot(
            board if first == 1 else f"{board}:from{first}", self.fetched_at, rows, source="x", first=first,
            asked=_whole(asked.get("max_results")), unread=rows.count(None),
        )  # fmt: skip
        token = meta.may("next_token", text) if meta else None
        if token:
            self.reading.follows.append(self._next(token, first + len(rows)))
        answer.skip("includes", "errors")
        self.reading.unread += answer.unread()

    def _next(self, token: str, first: int) -> Follow:
        bare = re.sub(r"[&?]next_token=[^&#]*", "", self.url.partition("#")[0])
        joint = "&" if "?" in bare else "?"
        return Follow(f"{bare}{joint}next_token={quote(token, safe='')}#from={first}", self.name, why="next page")

    def _authors(self, answer: Fields) -> dict[str, Fields]:
        includes = answer.part("includes")
        users = list(includes.parts("users")) if includes else []
        return {number: user for user in users if (number := user.may("id", identifier))}

    def _hit(self, tweet: Fields, authors: Mapping[str, Fields]) -> Row | None:
        try:
            number = tweet.need("id", identifier)
        except MissingField as error:
            self.odd_row("post", str(error), tweet)
            return None
        counts = tweet.part("public_metrics")
        entities = tweet.part("entities")
        author_id = tweet.may("author_id", identifier)
        author = authors.get(author_id or "")
        shown = tweet.may("text", text)
        followers = author.part("public_metrics") if author else None

        def count(name: str) -> int | None:
            return counts.may(name, json_count) if counts else None

        self.add(
            Post, url=f"https://x.com/i/status/{number}", post_id=number, media="text",
            author=author.may("username", text) if author else None, author_id=author_id,
            created_at=tweet.may("created_at", as_of), caption=shown, language=tweet.may("lang", text),
            hashtags=_named(entities, "hashtags", "tag"), mentions=_named(entities, "mentions", "username"),
            urls=_named(entities, "urls", "expanded_url"), repost_of=_repost(tweet),
            author_followers=followers.may("followers_count", json_count) if followers else None,
            views=count("impression_count"), likes=count("like_count"), comments=count("reply_count"),
            shares=count("quote_count"), saves=count("bookmark_count"), reposts=count("retweet_count"),
        )  # fmt: skip
        return Row((shown or number)[:HIT_LENGTH], entity=f"x:post:{number}")


def _is_epoch(label: str) -> bool:
    return re.fullmatch(r"\d{9,11}", label) is not None


def _named(entities: Fields | None, kind: str, name: str) -> tuple[str, ...] | None:
    if entities is None:
        return None
    found = (each.may(name, text) for each in entities.parts(kind))
    return tuple(each.lower() if kind == "hashtags" else each for each in found if each) or None


def _repost(tweet: Fields) -> str | None:
    for each in tweet.parts("referenced_tweets"):
        if each.may("type", text) == "retweeted" and (number := each.may("id", identifier)):
            return f"x:post:{number}"
    return None


def _whole(given: list[str] | None) -> int | None:
    return int(given[0]) if given and given[0].isdigit() and len(given[0]) < 6 else None


def as_of(value: Any) -> datetime:
    label = text(value).strip()
    if re.match(r"\d{4}-", label):
        moment = datetime.fromisoformat(label.replace("Z", "+00:00"))
        if moment.tzinfo is None:
            raise ValueError("as_of: expected a time zone")
        return moment
    return twitter_time(label)


def _shown(trend: Fields) -> Row:
    """A row of version 1.1: nobody knows a volume below the floor."""
    volume = trend.may("tweet_volume", json_count) or None
    return Row(
        trend.may("name", text) or _from_query(trend), volume, floor=VOLUME_FLOOR if volume is None else None,
        promoted=trend.may("promoted_content", lambda each: each is not None),
    )  # fmt: skip


def _counted(trend: Fields) -> Row:
    """A row of version 2."""
    return Row(trend.need("trend_name", text), trend.may("tweet_count", json_count))


def _from_query(trend: Fields) -> str:
    return unquote_plus(trend.need("query", text)).strip('"')


def beyond_reach(url: str, asked_at: datetime) -> bool:
    """Whether a search for a range of time began or ended before what the API kept at *asked_at*."""
    asked = parse_qs(urlsplit(url).query)
    times = [asked[name][0] for name in ("start_time", "end_time") if name in asked]
    return any(each < iso_second(asked_at - RECENT) for each in times)


def iso_second(moment: datetime) -> str:
    """As the API writes a moment; such texts sort by time."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
