"""TikTok's discover list as its own pages requested it (2020-22): accounts, hashtags and sounds that it suggests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from crawler.counts import json_count
from crawler.fields import Fields, address, dig, flag, identifier, text
from crawler.items import Hashtag, Profile, Sound
from crawler.outcomes import MissingField, Outcome, ShapeError, UnknownKind
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.grids import Hit, add_board
from crawler.pages.tiktok.people import Numbers
from crawler.pages.tiktok.state import count, handle

CEILINGS = {"profiles": 30, "hashtags": 10, "sounds": 10}  # never more in 1,000 hourly snapshots of 2022
Reader = Callable[["DiscoverPage", Fields, Fields], Hit | None]


class DiscoverPage(TikTokPage):
    name: ClassVar[str] = "tiktok.discover"
    urls: ClassVar[tuple[str, ...]] = (r"tiktok\.com/(node/share|api)/discover",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return body[:1000].lstrip()[:1] == b"{" and b'"exploreList"' in body[:5000]

    def read(self) -> None:
        answer = self.answer()
        if answer is None:
            return
        lists = answer.get("body")
        lists = [lists] if isinstance(lists, dict) else lists
        if not isinstance(lists, list):
            raise MissingField(f"body.body: expected the lists, found {type(lists).__name__}")
        self.reading.got = 0
        for i, each in enumerate(lists):
            rows = dig(each, "exploreList")
            if not isinstance(rows, list):
                raise MissingField(f"body.body[{i}].exploreList: expected a list, found {type(rows).__name__}")
            self._list(rows, f"body.body[{i}].exploreList", dig(each, "pageState", "fullUrl"))
        if not self.reading.got:
            self.walled(Outcome.BLOCKED, "three lists without a row")

    def _list(self, rows: list[Any], where: str, stated: Any) -> None:
        """One list is of one kind; where rows disagree, the board is of the first row's."""
        hits: list[Hit | None] = []
        kinds: list[str] = []
        for i, row in enumerate(rows):
            card = Fields(dig(row, "cardItem") or {}, f"{where}[{i}].cardItem", self.reading.odd)
            try:
                kind, read = _kind(card)
                kinds.append(kind)
                hits.append(read(self, card, card.part("extraInfo") or Fields({}, card.where)))
            except ShapeError as error:
                self.odd_row("boardentry", str(error), card)
                hits.append(None)
        self.reading.got = (self.reading.got or 0) + len(rows)
        if kinds:
            host = (address(stated if isinstance(stated, str) else self.url).hostname or "").removesuffix(".tiktok.com")
            name = f"tiktok:discover_{kinds[0]}" + (f":{host}" if host in ("www", "m", "t") else "")
            add_board(self, name, hits, place=self.place(), ceiling=max(CEILINGS[kinds[0]], len(rows)))

    def profile(self, card: Fields, extra: Fields) -> Hit | None:
        name = card.need("subTitle", _handle)
        numbers: Numbers = {}
        for ours, theirs in {
            "followers": "fans", "following": "following", "likes": "heart", "videos": "video",
        }.items():  # fmt: skip
            numbers[ours], numbers[f"{ours}_precision"] = count(theirs, extra, None)
        made = self.add(
            Profile, url=f"https://www.tiktok.com/@{name}", username=name, user_id=extra.may("userId", identifier),
            sec_uid=extra.may("secUid", text), nickname=card.may("title", text), bio=card.may("description", text),
            verified=extra.may("verified", flag), **numbers,
        )  # fmt: skip
        volume, step = numbers["followers"], numbers["followers_precision"]
        return Hit(f"@{name}", name.lower(), made.key, volume, step) if made else None

    def hashtag(self, card: Fields, extra: Fields) -> Hit | None:
        name = card.need("title", text).removeprefix("#")
        extra.need("views", json_count)
        views, step = count("views", extra, None)
        made = self.add(
            Hashtag, url=f"https://www.tiktok.com/tag/{name}", name=name, tag_id=card.may("id", identifier),
            description=card.may("description", text), views=views, views_precision=step,
        )  # fmt: skip
        return Hit(f"#{name}", name.lower(), made.key, views, step) if made else None

    def sound(self, card: Fields, extra: Fields) -> Hit | None:
        number = card.need("id", identifier)
        extra.need("posts", json_count)
        posts, step = count("posts", extra, None)
        title = card.may("title", text)
        made = self.add(
            Sound, url=f"https://www.tiktok.com/music/-{number}", sound_id=number, title=title,
            author=card.may("description", text), posts=posts, posts_precision=step,
        )  # fmt: skip
        return Hit(title or number, number, made.key, posts, step) if made else None


def _kind(card: Fields) -> tuple[str, Reader]:
    match card.need("type", json_count):
        case 1:
            return "sounds", DiscoverPage.sound
        case 2:
            return "profiles", DiscoverPage.profile
        case 3:
            return "hashtags", DiscoverPage.hashtag
        case other:
            raise UnknownKind(f"{card.where}.type: expected 1 sound, 2 account or 3 hashtag, found {other}")


def _handle(value: Any) -> str:
    found = text(value)
    if not found.startswith("@"):
        raise ValueError(f"expected '@' and a handle, found {found[:30]!r}")
    return handle(found[1:])
