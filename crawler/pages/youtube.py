"""YouTube Data API: most popular videos of a country (`videos?chart=mostPopular`). Saved lists: tables.youtube.

Known from its documentation; no capture confirms it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar
from urllib.parse import parse_qs, quote, urlsplit

from crawler import places
from crawler.counts import json_count
from crawler.fields import Fields, dig, identifier, load_json, text
from crawler.items import Post
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Follow
from crawler.pages.boards import BoardPage, Row, Snapshot
from crawler.pages.tables.base import utc_moment
from crawler.pages.tables.youtube import CATEGORIES, CEILING, board_id, video_url

_REASONS = {
    "quotaExceeded": (Outcome.RATE_LIMITED, "the quota of this key is used up until midnight Pacific time"),
    "rateLimitExceeded": (Outcome.RATE_LIMITED, "too many requests with this key"),
    "keyInvalid": (Outcome.LOGIN_WALL, "the key is not valid; see YOUTUBE_API_KEY"),
    "forbidden": (Outcome.LOGIN_WALL, "the key is missing or may not do this; see YOUTUBE_API_KEY"),
    "accessNotConfigured": (Outcome.LOGIN_WALL, "the YouTube Data API is not switched on for this key"),
    "invalidRegionCode": (Outcome.MISSING, "no such region"),
}


class MostPopularPage(BoardPage):
    """`items` in order of rank, 50 a page. A later page is a list of its own, from its first rank on."""

    name: ClassVar[str] = "youtube.popular"
    platform: ClassVar[str] = "youtube"
    is_data: ClassVar[bool] = True
    urls: ClassVar[tuple[str, ...]] = (r"googleapis\.com/youtube/v3/videos\?",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return b'"youtube#videoListResponse"' in body[:500]

    def refused(self, status: int, outcome: Outcome) -> tuple[Outcome, str]:
        return self._refusal() or (outcome, f"YouTube API: {status}")

    def _refusal(self) -> tuple[Outcome, str] | None:
        """What the body of an error says, which its status does not: a used-up quota is a 403 as well."""
        try:
            error = dig(load_json(self.body), "error")
        except ValueError:
            return None
        reason = dig(error, "errors", 0, "reason")
        outcome, why = _REASONS.get(str(reason), (None, ""))
        return (outcome, f"YouTube API: {why}") if outcome else None

    def snapshots(self) -> Iterator[Snapshot]:
        try:
            answer = Fields(load_json(self.body), "$", self.reading.odd)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None
        if answer.part("error") is not None:
            said = self._refusal()
            if said is None:
                raise MissingField("$.items: expected videos, found an error of unknown reason")
            self.reading.outcome, self.reading.problem = said
            return
        asked = parse_qs(urlsplit(self.url).query)
        first = int((parse_qs(urlsplit(self.url).fragment).get("from") or ["1"])[0])
        region = (asked.get("regionCode") or [""])[0]
        place = places.of_name(region) or region.lower() or self.place_beside()
        rows = [self._video(each) for each in answer.parts("items")]
        board = board_id(place)
        yield Snapshot(
            board if first == 1 else f"{board}:from{first}", self.fetched_at, rows, place, "youtube", CEILING,
            first=first, unread=rows.count(None),
        )  # fmt: skip
        if (token := answer.may("nextPageToken", text)) and rows and first + len(rows) <= CEILING:
            self.reading.follows.append(self._next(token, first + len(rows)))
        answer.skip("kind", "etag", "pageInfo", "prevPageToken")
        self.reading.unread += answer.unread()

    def _next(self, token: str, first: int) -> Follow:
        bare = re.sub(r"&pageToken=[^&#]*", "", self.url.partition("#")[0])
        return Follow(f"{bare}&pageToken={quote(token, safe='')}#from={first}", self.name, why="next page")

    def _video(self, video: Fields) -> Row | None:
        try:
            number = video.need("id", identifier)
            snippet = video.part("snippet") or Fields({}, f"{video.where}.snippet", self.reading.odd)
            shown = video.part("statistics")
            if shown is None or not {"viewCount", "likeCount", "commentCount"} & set(shown.raw):
                raise MissingField(
                    f"{video.where}.statistics: expected viewCount, likeCount or commentCount, found none"
                )
        except MissingField as error:
            self.odd_row("post", str(error), video)
            return None
        title, category = snippet.may("title", text), snippet.may("categoryId", text)
        views = shown.may("viewCount", json_count)
        tags = snippet.may("tags", lambda value: tuple(text(each).lower() for each in value))
        category = CATEGORIES.get(category or "", category)
        self.add(
            Post, url=video_url(number), post_id=number, media="video", caption=title,
            author_id=snippet.may("channelId", text), created_at=snippet.may("publishedAt", _moment),
            category=category, hashtags=tags, language=snippet.may("defaultAudioLanguage", text), views=views,
            likes=shown.may("likeCount", json_count), comments=shown.may("commentCount", json_count),
        )  # fmt: skip
        return Row(title or number, views, category=category, entity=f"youtube:post:{number}")


def _moment(value: object) -> datetime:
    return utc_moment(text(value))[0]
