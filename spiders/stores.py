"""Store pages by address: any product page, its reviews, TikTok Shop, and lists of best sellers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import scrapy

from crawler.items import Item, Refused
from crawler.targets import TargetError, TargetForm
from spiders.base import PageSpider
from spiders.shopify import Catalogue

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from crawler.pages import Follow, Page

_ADDRESS = r"(https?://[^\s,]{4,2000})"
REVIEW_HOSTS = ("api-cdn.yotpo.com", "api.okendo.io", "stamped.io", "judge.me")


class StoreProduct(PageSpider):
    """Any store's product pages; Shopify's are read from Shopify's own data."""

    name = "product"
    page = "store.product"
    url = "{target}"
    hosts = ("{target}",)  # nothing is followed
    target = TargetForm(_ADDRESS, "https://shop.example/product/lamp", fold=False)


class StoreReviews(PageSpider):
    """Product pages of Shopify stores, then the reviews of their widget: -a pages=5 for each product at most."""

    name = "store_reviews"
    page = "store.product"
    url = "{target}"
    hosts = REVIEW_HOSTS
    target = TargetForm(_ADDRESS, "https://shop.example/products/lamp", fold=False)

    def __init__(self, pages: str = "5", targets: str = "", **kwargs: Any) -> None:
        super().__init__(targets=targets, **kwargs)
        if not re.fullmatch(r"[1-9]\d{0,3}", pages):
            raise TargetError(f"pages {pages[:20]!r}: expected how many pages of reviews to ask for at most, like 5")
        self.left = dict.fromkeys(self.targets, int(pages))

    def parse(self, response: Response) -> Iterator[Item | Refused | Request]:
        target = response.meta.get("target")
        for each in super().parse(response):
            if isinstance(each, scrapy.Request) and target is not None:
                if self.left.get(target, 0) < 1:
                    self.crawler.stats.inc_value("follow/over_budget")
                    continue
                self.left[target] -= 1
            yield each


class TikTokShop(PageSpider):
    name = "tiktok_shop"
    page = "tiktok.shop_product"
    url = "https://www.tiktok.com/shop/pdp/{target}"
    hosts = ("www.tiktok.com",)
    target = TargetForm(
        r"(?:https?://(?:www\.tiktok\.com/shop|shop\.tiktok\.com)/(?:[a-z-]+/)?pdp/(?:[^/?#]+/)?"
        r"|https?://(?:www|shop)\.tiktok\.com/view/product/)?(\d{8,25})/?(?:\?.*)?",
        "1729384756473829102",
    )


class StoreCollection(Catalogue):
    """A Shopify collection as a board of products, such as a store's own best sellers."""

    name = "store_collection"
    page = "shopify.catalogue"
    url = "https://{target}/products.json?limit=250&page=1"
    hosts = ("{target}",)
    target = TargetForm(
        r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,}/collections/[\w-]{1,200})/?(?:\?.*)?",
        "meetblume.com/collections/best-sellers",
    )

    def _followed(self, follow: Follow, target: str | None, page: Page) -> Request | None:
        return super()._followed(follow, target.partition("/")[0] if target else target, page)


class AmazonBestSellers(PageSpider):
    name = "amazon_bestsellers"
    page = "amazon.bestsellers"
    url = "https://www.amazon.com/gp/bestsellers/{target}"
    hosts = ("www.amazon.com",)
    target = TargetForm(r"(?:https?://www\.amazon\.com/gp/bestsellers/)?([\w-]{1,60})/?(?:\?.*)?", "beauty,fashion")
