"""TikTok's lists as pages: search results, explore, for you. The rows come from the state or the printed cards."""

from __future__ import annotations

from typing import Any, ClassVar

from crawler.fields import dig
from crawler.items import Post
from crawler.outcomes import Outcome
from crawler.pages.base import Follow
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.grids import add_board, board_of_page, cards, hits_of, read_posts
from crawler.pages.tiktok.state import SIGI, UNIVERSAL, has_state, part, posts_of, script

CARDS = (
    b'data-e2e="search_top-item"',
    b'data-e2e="search_video-item"',
    b'data-e2e="search-card-item"',
    b'data-e2e="explore-item"',
)
_RENDERED = b'data-e2e="nav-foryou"'  # the side bar: the page's own program has run


class FeedPage(TikTokPage):
    name: ClassVar[str] = "tiktok.feed"
    urls: ClassVar[tuple[str, ...]] = (
        r"^https?://www\.tiktok\.com/search(/(video|photo))?/?\?[^#]*$",
        r"^https?://www\.tiktok\.com/(explore|foryou)?/?(\?|$)",
        r"^https?://www\.tiktok\.com/discover/[^/?#]+/?(\?|$)",
    )

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        return has_state(body) and (b'"webapp.updated-items":[{' in body or any(card in body for card in CARDS))

    def read(self) -> None:
        posts = self._stated()
        for card in CARDS:
            posts = posts or cards(self, card)
        self.reading.got = len(posts)
        if any(posts):
            board = board_of_page(self.url)
            if board is None:
                self.reading.parts["board"] = "unnamed; give --url"
            else:
                add_board(self, board, hits_of(posts), place=self.place())
        elif not posts:
            self._nothing()

    def _stated(self) -> list[Post | None]:
        rows: Any = part(self.body, UNIVERSAL, "webapp.updated-items")
        if not isinstance(rows, list):
            rows = posts_of(script(self.body, SIGI, b'"ItemModule"'))
        return read_posts(self, [row for row in rows if dig(row, "liveRoomInfo") is None], "items")

    def _nothing(self) -> None:
        """A list page without rows never says that there are none: rendered, it failed; else a browser may see them."""
        if not has_state(self.body):
            self.no_data("no state, so no list")
        elif _RENDERED in self.body:
            self.walled(Outcome.BLOCKED, "rendered, and no row: the list did not load")
        else:
            self.reading.follows.append(Follow(self.url, self.name, "browser", "the rows are not in the HTML"))
