"""TikTok sound page: the sound, how many posts use it, and where the page holds them, those posts."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from parsel import Selector

from crawler.fields import Fields, flag, identifier, text
from crawler.items import Sound
from crawler.outcomes import MissingField
from crawler.pages.tiktok.post import shown
from crawler.pages.tiktok.state import count
from crawler.pages.tiktok.thing import ThingPage, printed

_ID_IN_URL = re.compile(r"/music/(?:[^/?#]*-)?(\d{5,20})(?:[/?#]|$)")


class SoundPage(ThingPage):
    name: ClassVar[str] = "tiktok.sound"
    word: ClassVar[str] = "music"
    title: ClassVar[str] = "Music"
    card: ClassVar[bytes] = b'data-e2e="music-item"'
    heading: ClassVar[bytes] = b'data-e2e="music-title"'
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
        return b'"webapp.music-detail":' in body or cls.heading in body or b'"MusicPage":{' in body

    def thing_2020(self, data: Fields) -> None:
        posts, step = count("posts", data, None)
        self._add(
            data.need("musicId", identifier), data.may("musicName", text), data.may("authorName", text),
            data.may("original", flag), posts, step, data.where,
        )  # fmt: skip

    def thing(self, info: Any, where: str) -> None:
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

    def printed(self, page: Selector) -> None:
        canonical = page.css('link[rel="canonical"]::attr(href)').get() or ""
        known = _ID_IN_URL.search(self.url) or _ID_IN_URL.search(canonical)
        if known is None:
            raise MissingField("url: expected the sound's number in the address or the canonical link, found none")
        title, creator = (printed(page, name) or None for name in ("music-title", "music-creator"))
        posts, step = shown(printed(page, "music-video-count") or None)
        self._add(known[1], title, creator, None, posts, step, "page")

    def board(self) -> str:
        found = self.reading.items[0]
        assert isinstance(found, Sound)
        return f"tiktok:sound:{found.sound_id}"
