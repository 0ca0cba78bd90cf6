"""TikTok post page: video or photo; desktop, mobile "reflow", what a share link leads to, and its JSON."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from parsel import Selector

from crawler.counts import tiktok_time
from crawler.fields import Fields, dig
from crawler.items import Post
from crawler.outcomes import MissingField
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.eras import as_struct
from crawler.pages.tiktok.people import add_author
from crawler.pages.tiktok.post import add_post, shown
from crawler.pages.tiktok.state import NEXT, PERSISTED, SIGI, UNIVERSAL, part, script

# Desktop, and what a mobile browser and a share link get ("reflow").
DETAILS = ("webapp.video-detail", "webapp.reflow.video.detail", "webapp.photo-detail", "webapp.reflow.photo.detail")
_IN_URL = re.compile(r"/@(?P<handle>[\w.]*)/(?P<media>video|photo)/(?P<id>\d+)|/(?:v|embed|share/video)/(?P<old>\d+)")
# Printed by the page itself, then by the window that opens over a grid.
_PRINTED = {
    "likes": ("like-count", "browse-like-count"),
    "comments": ("comment-count", "browse-comment-count"),
    "saves": ("undefined-count", "favorite-count"),  # favourites have had no name of their own
    "shares": ("share-count", "browse-share-count"),
}


class PostPage(TikTokPage):
    name: ClassVar[str] = "tiktok.post"
    urls: ClassVar[tuple[str, ...]] = (
        r"^https?://(www|m)\.tiktok\.com/@[\w.]*/(video|photo)/\d+/?(\?|$)",
        r"^https?://m\.tiktok\.com/v/\d+(\.html)?/?(\?|$)",
        r"^https?://(www|m)\.tiktok\.com/share/video/\d+/?(\?|$)",
        r"tiktok\.com/api/item/detail/",
        r"tiktok\.com/node/share/video/",
    )

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        if body[:1000].lstrip()[:1] == b"{":
            head = body[:2000]
            return b'"itemInfo"' in head or b'"videoData"' in head
        return (
            any(b'"' + name.encode() + b'":{' in body for name in DETAILS)
            or b'"itemInfo":{"itemStruct"' in body
            or b'"videoData":{"itemInfos"' in body
            or b'"VideoPage":{' in body
        )

    def read(self) -> None:
        if self.is_json:
            answer = self.answer()
            if answer is not None:
                self._one(dig(answer, "itemInfo", "itemStruct") or dig(answer, "body", "videoData"), "body.itemInfo")
        elif not (self._read_universal() or self._read_sigi() or self._read_next() or self._read_dom()):
            self.no_data("no state holds a post, nor does the page")

    def _read_universal(self) -> bool:
        for name in DETAILS:
            detail = part(self.body, UNIVERSAL, name)
            if detail is not None:
                if self.allowed(detail, name):
                    self._one(dig(detail, "itemInfo", "itemStruct"), f"{name}.itemInfo.itemStruct")
                return True
        return False

    def _read_sigi(self) -> bool:
        state = script(self.body, SIGI, b'"ItemModule"') or script(self.body, PERSISTED, b'"ItemModule"')
        posts = dig(state, "ItemModule")
        if not isinstance(posts, dict) or (not posts and dig(state, "VideoPage") is None):
            return False
        if self.allowed(dig(state, "VideoPage") or {}, "VideoPage"):
            wanted = self._stated_id() or dig(state, "ItemList", "video", "list", 0) or next(iter(posts), None)
            post = posts.get(wanted) if isinstance(wanted, str) else None
            if isinstance(post, dict) and isinstance(handle := post.get("author"), str):
                account = dig(state, "UserModule", "users", handle)
                stats = post.get("authorStats") or dig(state, "UserModule", "stats", handle)
                post = {**post, "author": account if isinstance(account, dict) else handle, "authorStats": stats}
            self._one(post, f"ItemModule.{wanted}")
        return True

    def _read_next(self) -> bool:
        page = dig(script(self.body, NEXT, b'"pageProps"'), "props", "pageProps")
        post = dig(page, "itemInfo", "itemStruct") or dig(page, "videoData")
        if post is None and not dig(page, "statusCode"):
            return False
        if self.allowed(page, "pageProps"):
            self._one(post, "pageProps")
        return True

    def _one(self, row: Any, where: str) -> None:
        """The post itself: recommended ones beside it are another list, and the sharer is not its author."""
        item = Fields(as_struct(row) if isinstance(row, dict) else row, where, self.reading.odd)
        made = add_post(self, item)
        stated = self._stated_id()
        if made is not None and stated is not None and made.post_id != stated:
            raise MissingField(f"{where}.id: expected {stated} as the address says, found {made.post_id}")
        if made is not None:
            add_author(self, item)
            self.reading.got = 1
            self.reading.unread += item.unread()

    def _stated_id(self) -> str | None:
        found = _IN_URL.search(self.url)
        return (found["id"] or found["old"]) if found else None

    def _read_dom(self) -> bool:
        """Last resort: what the page prints beside the video. It never prints the plays."""
        if not any(f'data-e2e="{name}"'.encode() in self.body for name in _PRINTED["likes"]):
            return False
        page = Selector(body=self.body, type="html")
        canonical = page.css('link[rel="canonical"]::attr(href)').get() or ""
        known = _IN_URL.search(self.url) or _IN_URL.search(canonical)
        if known is None:
            raise MissingField("url: expected the post's number in the address or the canonical link, found none")
        numbers: dict[str, int | None] = {}
        for ours, theirs in _PRINTED.items():
            # The feed goes on below with other posts; the first of each is this one's.
            found = (page.css(f'[data-e2e="{name}"]').xpath("normalize-space()").get() for name in theirs)
            numbers[ours], numbers[f"{ours}_precision"] = shown(next(filter(None, found), None))
        if numbers["likes"] is None:
            raise MissingField('[data-e2e="like-count"]: expected a count, found none')
        post_id, handle, media = known["id"] or known["old"], known["handle"] or None, known["media"] or "video"
        caption = page.css('[data-e2e="video-desc"], [data-e2e="browse-video-desc"]').xpath("normalize-space()").get()
        self.add(
            Post,
            url=f"https://www.tiktok.com/@{handle or ''}/{media}/{post_id}",
            post_id=post_id,
            media=media,
            author=handle,
            created_at=tiktok_time(post_id),
            caption=caption or None,
            **numbers,
        )
        self.reading.got = 1
        return True
