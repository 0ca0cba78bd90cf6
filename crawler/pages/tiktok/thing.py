"""What the pages of a hashtag and of a sound share: one frame in four eras, and the posts that use the thing."""

from __future__ import annotations

from typing import Any, ClassVar

from parsel import Selector

from crawler.fields import Fields, dig
from crawler.items import Hashtag, Sound
from crawler.outcomes import Outcome
from crawler.pages.base import Follow
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.grids import add_board, cards, hits_of, read_posts
from crawler.pages.tiktok.state import NEXT, PERSISTED, SIGI, UNIVERSAL, part, posts_of, script


class ThingPage(TikTokPage):
    """Subclasses say what the site calls the thing, and read it: `thing`, `thing_2020`, `printed`."""

    word: ClassVar[str]
    """In the names of the state: challenge, music."""
    title: ClassVar[str]
    """In the names of old pages: ChallengePage, MusicPage."""
    card: ClassVar[bytes]
    """A card of the rendered grid."""
    heading: ClassVar[bytes]
    """The rendered page has it."""

    def thing(self, info: Any, where: str) -> None:
        raise NotImplementedError(type(self).__name__)

    def thing_2020(self, data: Fields) -> None:
        raise NotImplementedError(type(self).__name__)

    def printed(self, page: Selector) -> None:
        """The thing as the rendered page prints it: the last resort."""
        raise NotImplementedError(type(self).__name__)

    def board(self) -> str:
        """Name of the list of its posts; the thing is the first item."""
        raise NotImplementedError(type(self).__name__)

    def read(self) -> None:
        if self.is_json:
            answer = self.answer()
            if answer is not None:
                self._either(dig(answer, f"{self.word}Info"), dig(answer, "body", f"{self.word}Data"), "body")
        elif not (self._read_universal() or self._read_sigi() or self._read_next() or self._read_dom()):
            self.no_data(f"no state holds a {self.name.partition('.')[2]}, nor does the page")

    def _read_universal(self) -> bool:
        name = f"webapp.{self.word}-detail"
        detail = part(self.body, UNIVERSAL, name)
        if detail is None:
            return False
        if self.allowed(detail, name):
            self.thing(dig(detail, f"{self.word}Info"), f"{name}.{self.word}Info")
            self._grid(dig(detail, "itemList") or part(self.body, UNIVERSAL, "webapp.updated-items"))
        return True

    def _read_sigi(self) -> bool:
        mark = f'"{self.title}Page"'.encode()
        state = script(self.body, SIGI, mark) or script(self.body, PERSISTED, mark)
        page = dig(state, f"{self.title}Page")
        if page is None:
            return False
        if self.allowed(page, f"{self.title}Page"):
            info = dig(page, f"{self.word}Info") or dig(state, f"{self.title}Module")
            self.thing(info, f"{self.title}Page.{self.word}Info")
            self._grid(posts_of(state, self.word))
        return True

    def _read_next(self) -> bool:
        page = dig(script(self.body, NEXT, b'"pageProps"'), "props", "pageProps")
        info, data = dig(page, f"{self.word}Info"), dig(page, f"{self.word}Data")
        if info is None and data is None and not dig(page, "statusCode"):
            return False
        if self.allowed(page, "pageProps"):
            self._either(info, data, "pageProps")
            self._grid(dig(page, "items") or dig(page, "itemList"))
        return True

    def _either(self, info: Any, data: Any, where: str) -> None:
        if info is not None:
            self.thing(info, f"{where}.{self.word}Info")
        else:
            self.thing_2020(Fields(data, f"{where}.{self.word}Data", self.reading.odd))

    def _read_dom(self) -> bool:
        """Since 2025 the page's own state no longer holds a hashtag; its heading does."""
        if self.heading not in self.body:
            return False
        self.printed(Selector(body=self.body, type="html"))
        self._grid(None)
        return True

    def _grid(self, listed: Any) -> None:
        """The posts: from the state, else from the printed cards, else say what became of them."""
        found = self.reading.items[0] if self.reading.items else None
        if not isinstance(found, Hashtag | Sound):
            return
        posts = read_posts(self, listed if isinstance(listed, list) else [], "posts") or cards(self, self.card)
        self.reading.got = len(posts)
        if any(posts):
            add_board(self, self.board(), hits_of(posts), place=self.place())
            self.reading.parts["posts"] = Outcome.OK
        elif self.heading in self.body:  # rendered, and no card: the list did not load
            self.reading.parts["posts"] = Outcome.BLOCKED
        else:
            why = "the posts are not in the HTML"
            self.reading.follows.append(Follow(self.page_url(found), self.name, "browser", why))

    def page_url(self, found: Hashtag | Sound) -> str:
        """Address at which a browser finds the posts."""
        return self.url


def printed(page: Selector, name: str) -> str:
    """Text of the element that the site's own tests call *name*; '' where it is not there."""
    return page.css(f'[data-e2e="{name}"]').xpath("normalize-space()").get() or ""
