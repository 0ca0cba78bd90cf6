"""TikTok: profiles, posts, hashtags, sounds, searches, what it recommends."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from crawler.pages import Page
from crawler.pages.tiktok.common import TikTokPage
from crawler.storage.errors import StorageError
from crawler.targets import TargetError, TargetForm
from spiders.browser import BrowserSpider

_SITE = r"(?:https?://(?:www\.|m\.)?tiktok\.com)"


class TikTok(BrowserSpider):
    """The targets of its spiders are names and words; in an address they stand escaped."""

    hosts = ("www.tiktok.com",)
    # Where its pages' own program comes from, and where a visitor is asked about cookies.
    page_hosts = ("consent.tiktok.com", ".ttwstatic.com", "lf16-tiktok-web.tiktokcdn-us.com")

    def address(self, target: str) -> str:
        return super().address(quote(target, safe=""))

    def place_of(self, page: Page) -> str | None:
        return page.place() if isinstance(page, TikTokPage) else None


class TikTokProfile(TikTok):
    name = "tiktok_profile"
    page = "tiktok.profile"
    url = "https://www.tiktok.com/@{target}"
    target = TargetForm(rf"(?:{_SITE}/)?@?([\w.]{{1,24}})/?(?:\?.*)?", "@nasa,@bbc")
    answers = r"/api/post/item_list/"
    newest_first = True


class TikTokHashtag(TikTok):
    name = "tiktok_hashtag"
    page = "tiktok.hashtag"
    url = "https://www.tiktok.com/tag/{target}"
    target = TargetForm(rf"(?:{_SITE}/tag/)?#?([^\s/?#&,]{{1,100}})/?(?:\?.*)?", "#booktok,skincare")
    answers = r"/api/challenge/item_list/"


class TikTokSound(TikTok):
    name = "tiktok_sound"
    page = "tiktok.sound"
    url = "https://www.tiktok.com/music/-{target}"
    target = TargetForm(rf"(?:{_SITE}/music/(?:[^/?#]*-)?)?(\d{{5,20}})/?(?:\?.*)?", "7571863209596881686")
    answers = r"/api/music/item_list/"


class TikTokSearch(TikTok):
    name = "tiktok_search"
    page = "tiktok.feed"
    url = "https://www.tiktok.com/search?q={target}"
    target = TargetForm(r"(.{1,100})", "skincare,summer dress", fold=False)
    answers = r"/api/search/(general|item)/full/"
    least_items = 0


class TikTokPost(TikTok):
    name = "tiktok_post"
    page = "tiktok.post"
    url = "https://www.tiktok.com/@/video/{target}"
    target = TargetForm(rf"(?:{_SITE}/@[\w.]*/(?:video|photo)/)?(\d{{8,20}})/?(?:\?.*)?", "7571863209596881686")
    answers = r"(?!)"

    def __init__(self, due: str = "100", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not due.isdecimal():
            raise TargetError(f"due={due[:20]!r}: expected a number")
        self.due = int(due)

    async def watched(self) -> tuple[str, ...]:
        """Without targets, those posts whose counters were read longest ago for their age."""
        now = self.context.clock()
        try:
            found = await asyncio.to_thread(lambda: self.context.targets.due_posts(now, self.due))
        except StorageError:  # the run says so itself
            found = []
        return tuple(found) or await super().watched()


class TikTokDiscover(TikTok):
    """explore and foryou: what a visitor is shown; lists: accounts, hashtags and sounds that the site suggests."""

    name = "tiktok_discover"
    page = "tiktok.feed"
    url = "https://www.tiktok.com/{target}"
    target = TargetForm(r"(explore|foryou|lists)", "explore,lists")
    answers = r"/api/(explore|recommend)/item_list/"

    def address(self, target: str) -> str:
        return "https://www.tiktok.com/node/share/discover" if target == "lists" else super().address(target)

    def page_for(self, target: str) -> str:
        return "tiktok.discover" if target == "lists" else self.page
