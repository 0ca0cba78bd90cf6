"""TikTok Shop product page: the product, what each variant costs, and the reviews that it prints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from crawler.counts import epoch, json_count, units
from crawler.fields import Fields, dig, flag, identifier, load_json, text, text_at
from crawler.items import Offer, Product, Review
from crawler.outcomes import MissingField
from crawler.pages.tiktok.common import TikTokPage
from crawler.pages.tiktok.state import script

ROUTER = b"__MODERN_ROUTER_DATA__"
HOST = "tiktok.com"  # one product stands under www.tiktok.com/shop and shop.tiktok.com
_UID_IN_LINK = re.compile(r"/profile/(\d{1,20})")


@dataclass(frozen=True, slots=True)
class Terms:
    """What all variants of a product share."""

    product: str
    url: str
    seller: str | None
    delivery: tuple[Decimal, str | None] | None
    currency: str | None


class ShopProductPage(TikTokPage):
    name: ClassVar[str] = "tiktok.shop_product"
    urls: ClassVar[tuple[str, ...]] = (
        r"^https?://(www\.tiktok\.com/shop|shop\.tiktok\.com)/([a-z-]+/)?pdp/",
        r"^https?://(www\.tiktok\.com|shop\.tiktok\.com)/view/product/\d+",
    )

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        if url.startswith("http") and "tiktok.com" not in url:
            return False
        return ROUTER in body and b'"product_info"' in body

    def read(self) -> None:
        data = script(self.body, ROUTER, b'"product_info"')
        if data is None:
            if ROUTER in self.body:
                raise MissingField(f"script {ROUTER.decode()}: expected product_info, found none")
            self.no_data("no state holds a product")
            return
        info = Fields(_product_info(data), "product_info", self.reading.odd)
        base = info.part("product_base")
        if base is None:
            raise MissingField("product_info.product_base: expected the product, found none")
        product_id = info.need("product_id", identifier)
        seller, review, price = info.part("seller"), info.part("product_detail_review"), base.part("price")
        currency = price.may("currency", text) if price else None
        category = dig(_component(data), "categories", -1, "category_name")
        count = review.may("review_count", json_count) if review else None
        made = self.add(
            Product,
            url=f"https://www.tiktok.com/shop/pdp/{product_id}",
            host=HOST,
            product_id=product_id,
            title=" ".join(base.need("title", text).split()),
            vendor=seller.may("name", text) if seller else None,
            category=category if isinstance(category, str) else None,
            description=base.may("desc_detail", _description),
            image_url=_address(dig(base.raw, "images", 0, "url_list", 0)),
            rating=review.may("product_rating", float) if review and count else None,  # 0 of 0 is no rating
            rating_count=count,
            sold_count=base.may("sold_count", json_count),
        )
        if made is None:
            return
        shipping = info.part("logistic")
        rest = Terms(made.key, made.url, made.vendor, _delivery(shipping), currency)
        skus = list(info.parts("skus"))
        self.each("offer", skus, lambda sku: self._offer(sku, rest))
        self.reading.got = len(skus)
        if not skus:
            raise MissingField("product_info.skus: expected variants with prices, found none")
        if review is not None:
            self.each("review", review.parts("review_items"), lambda row: self._review(row, made.key))

    def _offer(self, sku: Fields, terms: Terms) -> None:
        price = sku.part("price")
        real = price.part("real_price") if price else None
        if price is None or real is None:
            raise MissingField(f"{sku.where}.price.real_price: expected a price, found none")
        asked, before = real.need("price_val", units), price.may("original_price_value", units)
        currency = real.may("currency", text) or terms.currency
        self.add(
            Offer,
            url=terms.url,
            product=terms.product,
            variant_id=sku.need("sku_id", identifier),
            title=" / ".join(filter(None, (text_at(row, "prop_value") for row in sku.rows("sku_sale_props")))) or None,
            price=asked,
            list_price=before if before is not None and before > asked else None,
            currency=currency,
            available=sku.may("stock", lambda stock: json_count(stock) > 0),
            seller=terms.seller,
            shipping=terms.delivery[0] if terms.delivery and terms.delivery[1] in (None, currency) else None,
        )

    def _review(self, row: Fields, product: str) -> None:
        """Read field by field: the row also names its author, who must not reach the quarantine."""
        review = dig(row.raw, "review")
        kept = Fields(review if isinstance(review, dict) else {}, f"{row.where}.review", self.reading.odd)
        link = _UID_IN_LINK.search(str(dig(row.raw, "review_user", "link") or ""))
        try:
            self.add(
                Review,
                url=f"https://www.tiktok.com/shop/pdp/{product.rpartition(':')[2]}",
                product=product,
                review_id=kept.need("review_id", identifier),
                rating=kept.may("rating", float),
                title=kept.may("main_review_title", text),
                text=kept.may("display_text", text),
                author_hash=self.person(f"id:{link[1]}") if link else None,
                created_at=kept.may("review_timestamp", epoch),
            )
        except MissingField as error:
            self.odd_row("review", str(error), kept)


def _component(data: Any) -> Any:
    """The data of the component that shows the product, on whichever route it stands."""
    routes = dig(data, "loaderData")
    for route in routes.values() if isinstance(routes, dict) else ():
        components = dig(route, "page_config", "components_map")
        for component in components if isinstance(components, list) else ():
            if dig(component, "component_name") == "product_info":
                return dig(component, "component_data")
    return None


def _product_info(data: Any) -> Any:
    found = dig(_component(data), "product_info")
    if found is None:
        raise MissingField("components_map.product_info.component_data: expected the product, found none")
    return found


def _delivery(logistic: Fields | None) -> tuple[Decimal, str | None] | None:
    """Cost of delivery and its currency; free is 0."""
    if logistic is None:
        return None
    fee = logistic.part("shipping_fee")
    currency = fee.may("currency", text) if fee else None
    if logistic.may("free_shipping", flag):
        return Decimal(0), currency
    cost = fee.may("price_val", units) if fee else None
    return (cost, currency) if cost is not None else None


def _description(value: Any) -> str | None:
    """The text of a description that is JSON within a string: a list of paragraphs and pictures."""
    parts = load_json(text(value))
    said = [text_at(each, "text") for each in parts if isinstance(each, dict)] if isinstance(parts, list) else []
    return "\n".join(" ".join(each.split()) for each in said if each) or None


def _address(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
