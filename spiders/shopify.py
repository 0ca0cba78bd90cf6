"""Shopify stores: the whole catalogue through /products.json, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from crawler.archive import ArchiveError
from crawler.items import Item, Refused
from crawler.outcomes import Outcome, of_status
from crawler.pages.shopify_front import FrontPage
from crawler.targets import TargetForm
from spiders.base import PageSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response
    from twisted.python.failure import Failure


class Catalogue(PageSpider):
    """The front page once, since the catalogue states no currency; then the catalogue, whatever came of it."""

    async def start(self) -> AsyncIterator[Request]:
        async for catalogue in super().start():
            target = str(catalogue.meta["target"])
            front = self._request(f"https://{target.partition('/')[0]}/", FrontPage.name, target)
            yield front.replace(errback=self.front_failed)

    def parse(self, response: Response) -> Iterator[Item | Refused | Request]:
        yield from super().parse(response)
        if response.meta.get("page") == FrontPage.name:
            page = self.read(response.meta["capture"], FrontPage.name)
            good = of_status(response.status) is None and page is not None and page.outcome is Outcome.OK
            market = page.market if good and isinstance(page, FrontPage) else ""
            yield self._catalogue(response.meta["target"], market)

    def front_failed(self, failure: Failure) -> Iterator[Request]:
        self.failed(failure)
        if not isinstance(failure.value, ArchiveError):
            yield self._catalogue(failure.request.meta["target"], "")  # type: ignore[attr-defined]

    def _catalogue(self, target: str, market: str) -> Request:
        address = self.address(target)
        return self._request(f"{address}#{market}" if market else address, self.page, target)


class ShopifyStore(Catalogue):
    name = "shopify_store"
    page = "shopify.catalogue"
    url = "https://{target}/products.json?limit=250&page=1"
    hosts = ("{target}",)
    target = TargetForm(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})/?.*", "meetblume.com")
