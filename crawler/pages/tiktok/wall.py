"""A wall whose address nobody kept: captcha, downgraded or static shell. Asked last, when no page knows the body."""

from __future__ import annotations

from typing import ClassVar

from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.state import has_state, looks_like_tiktok


class WallPage(TikTokPage):
    name: ClassVar[str] = "tiktok.wall"
    urls: ClassVar[tuple[str, ...]] = (r"^https?://(www|m|shop)\.tiktok\.com/login(\?|/|$)",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        return not has_state(body) and looks_like_tiktok(body) and b"<html" in body[:5000].lower()

    def read(self) -> None:
        self.no_data("no state, so no data")
