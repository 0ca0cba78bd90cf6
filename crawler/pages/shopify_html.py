"""A Shopify store's HTML: product JSON embedded by card or once (cents), else JSON-LD (units); rating widgets."""

from __future__ import annotations

import html
import re
from functools import cached_property
from typing import ClassVar
from urllib.parse import parse_qs, urljoin

from crawler.counts import cents
from crawler.fields import Fields, address, dig, load_json, text
from crawler.items import Offer, Product
from crawler.outcomes import MissingField, Outcome
from crawler.pages.product.chooser import Chosen, chooser
from crawler.pages.product.document import Document
from crawler.pages.product.found import Stated, StatedOffer
from crawler.pages.product.linked import linked
from crawler.pages.reviews import reviews_of
from crawler.pages.shopify import ShopifyPage, host_of, plain
from crawler.pages.widgets import ratings

_CURRENCY = re.compile(rb'Shopify\.currency\s*=\s*\{"active":"([A-Z]{3})"')
_META_CURRENCY = re.compile(rb'(?:og|product):price:currency"\s+content="([A-Z]{3})"')
_EMBEDDED = re.compile(rb"<script[^>]*js-product-json[^>]*>(.*?)</script>", re.S)
_PRODUCT_JSON = re.compile(rb'<script[^>]*\bid=["\']?ProductJson[^>]*>(.*?)</script>', re.S)
_LINKED_PRODUCT = re.compile(rb'"@type"\s*:\s*\[?\s*"Product(?:Group)?"')
_META_ID = re.compile(rb'var meta = \{"product":\{"id":(\d+)')
_CUT_NUMBER = re.compile(r"(?<=[:,\[])\s*(0\d+)(?=\s*[,}\]])")


class StorePage(ShopifyPage):
    """A store's HTML: product JSON embedded by card or once (cents), else JSON-LD (units); rating widgets."""

    name: ClassVar[str] = "shopify.html"
    version: ClassVar[int] = 3  # 1 read Junip alone; 2 took a product's stock for its variants', and no older prices
    urls: ClassVar[tuple[str, ...]] = (r"/products/[^/?.]+(\?|$)", r"/collections/[^/?.]+(\?|$)")
    on_any_host: ClassVar[bool] = True

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        """A Shopify page with data of the shapes read here; others are any store's pages."""
        if b"js-product-json" in body:
            return True
        ours = b"Shopify.shop" in body or b"Shopify.currency" in body
        return ours and (b"ProductJson" in body or _LINKED_PRODUCT.search(body) is not None)

    def read(self) -> None:
        found = _EMBEDDED.findall(self.body) or _PRODUCT_JSON.findall(self.body)
        seen: dict[str, Fields] = {}
        for i, raw in enumerate(found):
            product = self._embedded(raw, i)
            if product is not None:  # featured products stand several times on one page
                seen.setdefault(self._number(product) or product.need("handle", text), product)
        if seen:
            currency = _CURRENCY.search(self.body) or _META_CURRENCY.search(self.body)
            stated = currency[1].decode() if currency else None
            self.each("product", seen.values(), lambda product: self.product(product, cents, stated))
            self.reading.got = len(seen)
            self._ratings()
            self.board(self.products())
        elif not self._read_linked():
            raise MissingField(f"script: expected product JSON or JSON-LD, found {len(found)} that cannot be read")
        self._reviews()

    def _reviews(self) -> None:
        products = [item for item in self.reading.items if isinstance(item, Product)]
        if len(products) == 1 and products[0].product_id:
            self.reading.follows += reviews_of(self.body, products[0].host, products[0].product_id)

    @cached_property
    def _document(self) -> Document:
        return Document(self.body.decode("utf-8", "replace"), self.url)

    @cached_property
    def _stated(self) -> list[Stated]:
        """Products of the page's JSON-LD, groups and graphs too; blocks of one page disagree."""
        return [block for block in linked(self._document, self.reading.odd) if block.own]

    def _read_linked(self) -> bool:
        """The JSON-LD product whose offers name the most variants, of equal ones the first."""
        priced = [
            block for block in self._stated if block.name and any(offer.price is not None for offer in block.offers)
        ]
        if not priced:
            return False
        best = max(priced, key=_numbered)
        url = urljoin(self.url if address(self.url).hostname else f"https://{self.store()}", best.url or self.url)
        number = _META_ID.search(self.body)
        made = self.add(
            Product,
            url=url,
            host=host_of(url) or self.store(),
            product_id=number[1].decode() if number else None,
            handle=url.partition("/products/")[2].partition("?")[0].strip("/") or None,
            title=best.name,
            brand=best.brand,
            sku=best.sku,
            gtin=best.gtin,
            mpn=best.mpn,
            description=plain(best.description),
            rating=best.rating,
            rating_count=best.rating_count,
        )
        # A block that says the same of all variants may say it of the product; one that tells them apart cannot.
        apart = max(priced, key=lambda block: (_numbered(block), len({offer.available for offer in block.offers})))
        choices = chooser(self._document, {_variant(each) or "": each.price for each in apart.offers if each.price})
        for offer in apart.offers if made else ():
            said = choices.get(_variant(offer) or "", Chosen())
            self._linked_offer(made.key if made else "", url, offer, said)
        self.reading.got = 1
        return True

    def _linked_offer(self, product: str, url: str, offer: StatedOffer, said: Chosen) -> None:
        if offer.price is None:
            self.reading.odd.append("ld+json: an offer without a price")
            return
        before = offer.list_price or said.before
        self.add(
            Offer, url=url, product=product, variant_id=_variant(offer), title=offer.title, price=offer.price,
            list_price=before if before is not None and before > offer.price else None, currency=offer.currency,
            available=offer.available if said.available is None else said.available,
        )  # fmt: skip

    def _embedded(self, raw: bytes, i: int) -> Fields | None:
        shown = html.unescape(raw.decode("utf-8", "replace")) if b"&quot;" in raw else raw.decode("utf-8", "replace")
        try:
            data = load_json(shown)
        except ValueError:
            self.reading.odd.append(f"script[{i}]")
            try:  # numbers that begin with 0, as in copies whose digits were cut, are no JSON; prices do not
                data = load_json(_CUT_NUMBER.sub(r'"\1"', shown))
            except ValueError:
                return None
            if not isinstance(data, dict) or not isinstance(dig(data, "product", "handle") or data.get("handle"), str):
                return None
            self._cut.add(f"script[{i}]")
            self.reading.parts["numbers"] = str(Outcome.SHAPE_CHANGED)
        where = Fields(data, f"script[{i}]", self.reading.odd)
        return where.part("product") or where

    def _ratings(self) -> None:
        """A widget states rating and count beside each product; bundles inherit a part's: equal ones are one pool."""
        products = [item for item in self.reading.items if isinstance(item, Product)]
        only = products[0].product_id or "" if len(products) == 1 else ""
        found: dict[str, tuple[float, int]] = {}
        for each in ratings(self.body, self.reading.odd):
            found.setdefault(only if self._cut or not each.product_id else each.product_id, (each.rating, each.count))
        if len(products) == 1 and not found.get(only, (0, 0))[1] and (stated := self._stated_rating()):
            found[only] = stated
        for i, item in enumerate(self.reading.items):
            if not isinstance(item, Product) or (rated := found.get(item.product_id or only)) is None:
                continue
            twins = tuple(
                f"{item.host}:product:{other}"
                for other, same in found.items()
                if same == rated and other not in ("", item.product_id) and rated[1]
            )
            # 0 of 0 is no rating.
            update = {"rating": rated[0] if rated[1] else None, "rating_count": rated[1]}
            self.reading.items[i] = item.model_copy(update={**update, "rating_shared_with": twins or None})

    def _stated_rating(self) -> tuple[float, int] | None:
        """Of the page's only product, as its JSON-LD states it: the way of Stamped and others."""
        rated = (block for block in self._stated if block.rating is not None and block.rating_count)
        found = next(rated, None)
        return (found.rating, found.rating_count) if found and found.rating and found.rating_count else None


def _numbered(block: Stated) -> int:
    return sum(_variant(offer) is not None for offer in block.offers)


def _variant(offer: StatedOffer) -> str | None:
    """The variant's number by the offer's address, else its stock number."""
    found = parse_qs(address(offer.url or "").query).get("variant")
    return found[0] if found else offer.sku
