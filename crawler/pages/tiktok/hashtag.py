"""TikTok hashtag page: the hashtag, and where the page holds them, the posts under it."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from parsel import Selector

from crawler.counts import CountError, parse_count
from crawler.fields import Fields, identifier, text
from crawler.items import Hashtag, Sound
from crawler.outcomes import MissingField
from crawler.pages.tiktok.grids import folded
from crawler.pages.tiktok.state import count
from crawler.pages.tiktok.thing import ThingPage, printed

# The heading's number was of plays and is of posts since 2024 or 2025; its noun says which. The most common
# languages; a noun we do not know tells nothing, and the number is dropped.
_PLAYS = re.compile(
    r"view|plays?\b|aufruf|vue|visualiza|visualizza|reproducc|vista|lượt xem|просмотр|weergaven|wyświetl|görüntülen"
    r"|tayangan|ditonton|مشاهد|回視聴|回再生|次观看|次觀看|조회",
    re.I,
)
_POSTS = re.compile(r"video|vídeo|vidéo|post|publica|beitr|видео|動画|视频|影片|동영상|فيديو|gönderi|film", re.I)


class HashtagPage(ThingPage):
    name: ClassVar[str] = "tiktok.hashtag"
    word: ClassVar[str] = "challenge"
    title: ClassVar[str] = "Challenge"
    card: ClassVar[bytes] = b'data-e2e="challenge-item"'
    heading: ClassVar[bytes] = b'data-e2e="challenge-title"'
    urls: ClassVar[tuple[str, ...]] = (
        r"^https?://(www|m)\.tiktok\.com/tag/[^/?#]+/?(\?|$)",
        r"tiktok\.com/api/challenge/detail/",
        r"tiktok\.com/node/share/tag/",
        r"api\.tikapi\.io/public/hashtag\?([^#]*&)?name=",
    )

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        if body[:1000].lstrip()[:1] == b"{":
            return b'"challengeInfo"' in body[:3000] or b'"challengeData"' in body[:3000]
        return (
            b'"webapp.challenge-detail":' in body
            or cls.heading in body
            or b'"challengeInfo":{' in body
            or b'"ChallengePage":{' in body
        )

    def thing(self, info: Any, where: str) -> None:
        fields = Fields(info, where, self.reading.odd)
        tag = fields.part("challenge")
        if tag is None:
            raise MissingField(f"{where}.challenge: expected the hashtag, found none")
        stats, exact = fields.part("stats"), fields.part("statsV2")
        self._add(
            tag.need("title", text), tag.may("id", identifier), tag.may("desc", text),
            count("viewCount", stats, exact), count("videoCount", stats, exact), where,
        )  # fmt: skip
        self.reading.unread += tag.unread()

    def thing_2020(self, tag: Fields) -> None:
        self._add(
            tag.need("challengeName", text), tag.may("challengeId", identifier), tag.may("text", text),
            count("views", tag, None), count("posts", tag, None), tag.where,
        )  # fmt: skip

    def _add(
        self, name: str, tag_id: str | None, description: str | None, views: tuple[int | None, int | None],
        posts: tuple[int | None, int | None], where: str,
    ) -> None:  # fmt: skip
        """Zero posts under 37 thousand million plays were sent: of a hashtag, zeros say that nobody counted."""
        views = views if views[0] else (None, None)
        posts = posts if posts[0] else (None, None)
        if views[0] is None and posts[0] is None:
            raise MissingField(f"{where}.stats: expected viewCount or videoCount, found none above 0")
        self.add(
            Hashtag, url=f"https://www.tiktok.com/tag/{name}", name=name, tag_id=tag_id, description=description,
            views=views[0], views_precision=views[1], posts=posts[0], posts_precision=posts[1],
        )  # fmt: skip

    def printed(self, page: Selector) -> None:
        name = printed(page, "challenge-title").removeprefix("#")
        if not name:
            raise MissingField('[data-e2e="challenge-title"]: expected the name, found none')
        label = printed(page, "challenge-vvcount")
        try:
            number = parse_count(label, decimals=1)
        except CountError as error:
            raise MissingField(f'[data-e2e="challenge-vvcount"]: {error}') from None
        shown = (number.value, number.precision if number.precision > 1 else None)
        plays, posts = bool(_PLAYS.search(label)), bool(_POSTS.search(label))
        if plays == posts:
            raise MissingField(f'[data-e2e="challenge-vvcount"]: expected views or videos, found {label[:40]!r}')
        self._add(
            name, None, printed(page, "challenge-desc") or None, shown if plays else (None, None),
            shown if posts else (None, None), "page",
        )  # fmt: skip

    def board(self) -> str:
        found = self.reading.items[0]
        assert isinstance(found, Hashtag)
        return f"tiktok:hashtag:{folded(found.name)}"

    def page_url(self, found: Hashtag | Sound) -> str:
        return found.url
