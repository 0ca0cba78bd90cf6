"""The one family of spiders that take a list by place: -a place=br,us. It never parses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar

from crawler import places
from crawler.targets import TargetForm
from spiders.base import PageSpider

if TYPE_CHECKING:
    from scrapy import Request

PLACE = TargetForm(r"(world|[a-z]{2}(?:-[a-z]+)*|woeid-\d{1,10})", "br,us,world")


class BoardSpider(PageSpider):
    """Declare what PageSpider wants; in `url` may stand {code} {woeid} {geo} {slug} of the place asked for.

    A place that the source has no list for (Google has none of the world) is told and left out.
    """

    target = PLACE
    worldwide: ClassVar[bool] = True
    """The source has a list of the whole world."""
    cities: ClassVar[bool] = False
    """The source has lists of cities."""
    needs_key: ClassVar[str] = ""
    """Setting that must hold the user's key; empty where none is needed."""

    custom_settings = {  # noqa: RUF012 - Scrapy's own attribute
        # A limit says when it ends, and asking again before only lengthens it.
        "RETRY_HTTP_CODES": [500, 502, 503, 504, 522, 524, 408],
    }

    def __init__(self, place: str = "", targets: str = "", **kwargs: Any) -> None:
        super().__init__(targets=place or targets, **kwargs)

    async def start(self) -> AsyncIterator[Request]:
        if self.needs_key and not self.credentials():
            self.logger.error("%s: needs your own key; set %s (see .env.example)", self.name, self.needs_key)
            return
        self.targets = tuple(each for each in self.targets if self._has(each))
        async for request in super().start():
            yield request

    def _has(self, target: str) -> bool:
        if places.get(target) is None and not (self.cities and target.startswith("woeid-")):
            why = "no such place; see crawler/places.py"
        elif target == "world" and not self.worldwide:
            why = "this source has no list of the whole world"
        elif "-" in target and not self.cities:
            why = "this source has no lists of cities"
        else:
            return True
        self.logger.error("%s: place %s left out: %s", self.name, target, why)
        return False

    def address(self, target: str) -> str:
        return address_of(self.url, target)


def address_of(url: str, target: str) -> str:
    """*url* with what the source calls this place filled in; a bare WOEID has no other name."""
    place = places.get(target)
    if place is None:
        return url.format(target=target, code=target, woeid=target.removeprefix("woeid-"), slug="", geo="")
    slug = "" if target == "world" else place.names[0].replace(" ", "-") + "/"
    return url.format(
        target=target, code=place.code, woeid=place.woeid, slug=slug, geo=(place.country or "").upper()
    )  # fmt: skip
