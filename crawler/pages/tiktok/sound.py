"""TikTok sound page: the sound, how many posts use it, and where the page holds them, those posts."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from parsel import Selector

from crawler.fields import Fields, dig, flag, identifier, text
from crawler.items import Sound
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Follow
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.grids import add_board, cards, hits_of, read_posts
from crawler.pages.tiktok.post import shown
from crawler.pages.tiktok.state import NEXT, PERSISTED, SIGI, UNIVERSAL, count, part, posts_of, script

CARD = b'data-e2e="music-item"'
_HEADING = b'data-e2e="music-title"'
_ID_IN_URL = re.compile(r"/music/(?:[^/?#]*-)?(\d{5,20})(?:[/?#]|$)")


class SoundPage(TikTokPage):
    name: ClassVar[str] = "tiktok.sound"
    urls: ClassVar[tuple[str, ...]] = (
        r"^https?://(www|m)\.tiktok\.com/music/[^/?#]+/?(\?|$)",
        r"tiktok\.com/api/music/detail/",
        r"tiktok\.com/node/share/music/",
    )

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        if body[:1000].lstrip()[:1] == b"{":
            return re.search(rb'"music(Info|Data)"\s*:\s*\{', body[:3000]) is not None
        return b'"webapp.music-detail":' in body or _HEADING in body or b'"MusicPage":{' in body

    def read(self) -> None:
        if self.is_json:
            answer = self.answer()
            if answer is not None:
                self._either(dig(answer, "musicInfo"), dig(answer, "body", "musicData"), "body")
        elif not (self._read_universal() or self._read_sigi() or self._read_next() or self._read_dom()):
            self.no_data("no state holds a sound, nor does the page")

    def _read_universal(self) -> bool:
        detail = part(self.body, UNIVERSAL, "webapp.music-detail")
        if detail is None:
            return False
        if self.allowed(detail, "webapp.music-detail"):
            self._sound(dig(detail, "musicInfo"), "webapp.music-detail.musicInfo")
            self._grid(dig(detail, "itemList") or part(self.body, UNIVERSAL, "webapp.updated-items"))
        return True

    def _read_sigi(self) -> bool:
        state = script(self.body, SIGI, b'"MusicPage"') or script(self.body, PERSISTED, b'"MusicPage"')
        page = dig(state, "MusicPage")
        if page is None:
            return False
        if self.allowed(page, "MusicPage"):
            self._sound(dig(page, "musicInfo") or dig(state, "MusicModule"), "MusicPage.musicInfo")
            self._grid(posts_of(state, "music"))
        return True

    def _read_next(self) -> bool:
        page = dig(script(self.body, NEXT, b'"pageProps"'), "props", "pageProps")
        info, data = dig(page, "musicInfo"), dig(page, "musicData")
        if info is None and data is None and not dig(page, "statusCode"):
            return False
        if self.allowed(page, "pageProps"):
            self._either(info, data, "pageProps")
            self._grid(dig(page, "items") or dig(page, "itemList"))
        return True

    def _either(self, info: Any, data: Any, where: str) -> None:
        if info is not None:
            self._sound(info, f"{where}.musicInfo")
            return
        sound = Fields(data, f"{where}.musicData", self.reading.odd)
        posts, step = count("posts", sound, None)
        self._add(
            sound.need("musicId", identifier), sound.may("musicName", text), sound.may("authorName", text),
            sound.may("original", flag), posts, step, sound.where,
        )  # fmt: skip

    def _sound(self, info: Any, where: str) -> None:
        fields = Fields(info, where, self.reading.odd)
        sound = fields.part("music")
        if sound is None:
            raise MissingField(f"{where}.music: expected the sound, found none")
        posts, step = count("videoCount", fields.part("stats"), fields.part("statsV2"))
        self._add(
            sound.need("id", identifier), sound.may("title", text), sound.may("authorName", text),
            sound.may("original", flag), posts, step, where,
        )  # fmt: skip
        self.reading.unread += sound.unread()

    def _add(
        self, sound_id: str, title: str | None, author: str | None, original: bool | None,
        posts: int | None, step: int | None, where: str,
    ) -> None:  # fmt: skip
        if posts is None:
            raise MissingField(f"{where}.stats.videoCount: expected a count, found none")
        self.add(
            Sound, url=f"https://www.tiktok.com/music/-{sound_id}", sound_id=sound_id, title=title, author=author,
            original=original, posts=posts, posts_precision=step,
        )  # fmt: skip

    def _read_dom(self) -> bool:
        if _HEADING not in self.body:
            return False
        page = Selector(body=self.body, type="html")

        def printed(name: str) -> str | None:
            found: str | None = page.css(f'[data-e2e="{name}"]').xpath("normalize-space()").get()
            return found or None

        canonical = page.css('link[rel="canonical"]::attr(href)').get() or ""
        known = _ID_IN_URL.search(self.url) or _ID_IN_URL.search(canonical)
        if known is None:
            raise MissingField("url: expected the sound's number in the address or the canonical link, found none")
        posts, step = shown(printed("music-video-count"))
        self._add(known[1], printed("music-title"), printed("music-creator"), None, posts, step, "page")
        self._grid(None)
        return True

    def _grid(self, listed: Any) -> None:
        found = self.reading.items[0] if self.reading.items else None
        if not isinstance(found, Sound):
            return
        posts = read_posts(self, listed if isinstance(listed, list) else [], "posts") or cards(self, CARD)
        self.reading.got = len(posts)
        if any(posts):
            add_board(self, f"tiktok:sound:{found.sound_id}", hits_of(posts), place=self.place())
            self.reading.parts["posts"] = Outcome.OK
        elif _HEADING in self.body:
            self.reading.parts["posts"] = Outcome.BLOCKED
        else:
            self.reading.follows.append(Follow(self.url, self.name, "browser", "the posts are not in the HTML"))
