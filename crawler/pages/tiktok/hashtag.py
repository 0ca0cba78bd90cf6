"""TikTok hashtag page: the hashtag, and where the page holds them, the posts under it."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from parsel import Selector

from crawler.counts import CountError, parse_count
from crawler.fields import Fields, dig, identifier, text
from crawler.items import Hashtag
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Follow
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.grids import add_board, cards, folded, hits_of, read_posts
from crawler.pages.tiktok.state import NEXT, PERSISTED, SIGI, UNIVERSAL, count, part, posts_of, script

CARD = b'data-e2e="challenge-item"'
_HEADING = b'data-e2e="challenge-title"'
# The heading's number was of plays and is of posts since 2024 or 2025; its noun says which. The most common
# languages; a noun we do not know tells nothing, and the number is dropped.
_PLAYS = re.compile(
    r"view|plays?\b|aufruf|vue|visualiza|visualizza|reproducc|vista|lượt xem|просмотр|weergaven|wyświetl|görüntülen"
    r"|tayangan|ditonton|مشاهد|回視聴|回再生|次观看|次觀看|조회",
    re.I,
)
_POSTS = re.compile(r"video|vídeo|vidéo|post|publica|beitr|видео|動画|视频|影片|동영상|فيديو|gönderi|film", re.I)


class HashtagPage(TikTokPage):
    name: ClassVar[str] = "tiktok.hashtag"
    urls: ClassVar[tuple[str, ...]] = (
        r"^https?://(www|m)\.tiktok\.com/tag/[^/?#]+/?(\?|$)",
        r"tiktok\.com/api/challenge/detail/",
        r"tiktok\.com/node/share/tag/",
    )

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        if body[:1000].lstrip()[:1] == b"{":
            return b'"challengeInfo"' in body[:3000] or b'"challengeData"' in body[:3000]
        return (
            b'"webapp.challenge-detail":' in body
            or _HEADING in body
            or b'"challengeInfo":{' in body
            or b'"ChallengePage":{' in body
        )

    def read(self) -> None:
        if self.is_json:
            answer = self.answer()
            if answer is not None:
                self._either(dig(answer, "challengeInfo"), dig(answer, "body", "challengeData"), "body")
        elif not (self._read_universal() or self._read_sigi() or self._read_next() or self._read_dom()):
            self.no_data("no state holds a hashtag, nor does the page")

    def _read_universal(self) -> bool:
        detail = part(self.body, UNIVERSAL, "webapp.challenge-detail")
        if detail is None:
            return False
        if self.allowed(detail, "webapp.challenge-detail"):
            self._hashtag(dig(detail, "challengeInfo"), "webapp.challenge-detail.challengeInfo")
            self._grid(dig(detail, "itemList") or part(self.body, UNIVERSAL, "webapp.updated-items"))
        return True

    def _read_sigi(self) -> bool:
        state = script(self.body, SIGI, b'"ChallengePage"') or script(self.body, PERSISTED, b'"ChallengePage"')
        page = dig(state, "ChallengePage")
        if page is None:
            return False
        if self.allowed(page, "ChallengePage"):
            self._hashtag(dig(page, "challengeInfo"), "ChallengePage.challengeInfo")
            self._grid(posts_of(state, "challenge"))
        return True

    def _read_next(self) -> bool:
        page = dig(script(self.body, NEXT, b'"pageProps"'), "props", "pageProps")
        info, data = dig(page, "challengeInfo"), dig(page, "challengeData")
        if info is None and data is None and not dig(page, "statusCode"):
            return False
        if self.allowed(page, "pageProps"):
            self._either(info, data, "pageProps")
            self._grid(dig(page, "items") or dig(page, "itemList"))
        return True

    def _either(self, info: Any, data: Any, where: str) -> None:
        if info is not None:
            self._hashtag(info, f"{where}.challengeInfo")
        else:
            self._hashtag_2020(Fields(data, f"{where}.challengeData", self.reading.odd))

    def _hashtag(self, info: Any, where: str) -> None:
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

    def _hashtag_2020(self, tag: Fields) -> None:
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

    def _read_dom(self) -> bool:
        """Last resort: the heading. Since 2025 the page's own state no longer holds the hashtag."""
        if _HEADING not in self.body:
            return False
        page = Selector(body=self.body, type="html")

        def printed(name: str) -> str:
            return page.css(f'[data-e2e="{name}"]').xpath("normalize-space()").get() or ""

        name = printed("challenge-title").removeprefix("#")
        if not name:
            raise MissingField('[data-e2e="challenge-title"]: expected the name, found none')
        label = printed("challenge-vvcount")
        try:
            number = parse_count(label, decimals=1)
        except CountError as error:
            raise MissingField(f'[data-e2e="challenge-vvcount"]: {error}') from None
        shown = (number.value, number.precision if number.precision > 1 else None)
        plays, posts = bool(_PLAYS.search(label)), bool(_POSTS.search(label))
        if plays == posts:
            raise MissingField(f'[data-e2e="challenge-vvcount"]: expected views or videos, found {label[:40]!r}')
        self._add(
            name, None, printed("challenge-desc") or None, shown if plays else (None, None),
            shown if posts else (None, None), "page",
        )  # fmt: skip
        self._grid(None)
        return True

    def _grid(self, listed: Any) -> None:
        """The posts: from the state, else from the printed cards, else say what became of them."""
        found = self.reading.items[0] if self.reading.items else None
        if not isinstance(found, Hashtag):
            return
        posts = read_posts(self, listed if isinstance(listed, list) else [], "posts") or cards(self, CARD)
        self.reading.got = len(posts)
        if any(posts):
            add_board(self, f"tiktok:hashtag:{folded(found.name)}", hits_of(posts), place=self.place())
            self.reading.parts["posts"] = Outcome.OK
        elif _HEADING in self.body:  # rendered, and no card: the list did not load
            self.reading.parts["posts"] = Outcome.BLOCKED
        else:
            self.reading.follows.append(Follow(found.url, self.name, "browser", "the posts are not in the HTML"))
