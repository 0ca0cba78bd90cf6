"""A product page of any store: the item with its offers, and why each value was taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import ClassVar
from urllib.parse import parse_qs, urljoin

from crawler.fields import address
from crawler.items import Evidence, Offer, Product
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Page, asks_for_consent
from crawler.pages.product.choosing import Chosen, headline, read
from crawler.pages.product.document import Document, challenges, decoded
from crawler.pages.product.found import Candidate, Choice, Stated, StatedOffer
from crawler.pages.shopify import host_of
from crawler.pages.shopify_html import StorePage

_SIGNS = re.compile(
    rb"""schema\.org/Product\b|"@type"\s*:\s*\[?\s*"Product"|og:type"\s+content="(?:og:)?product|id="ASIN"|typeof="[^"]{0,100}Product"""
    rb"""|class="[^"]{0,200}woocommerce-Price|itemprop="?price""",
    re.I,
)
_NAMES_IT = re.compile(r"^(?:(?:child)?sku|pid|product_?id|prod_?id|item_?id|id|goods_?id|variant|childSku)$", re.I)
MOST_CANDIDATES = 5


class ProductPage(Page):
    """Its key is the address: what a general reader takes for the product's number may change, its address not."""

    name: ClassVar[str] = "store.product"
    platform: ClassVar[str] = "store"

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return _is_markup(body) and not StorePage.knows(url, body) and _SIGNS.search(body) is not None

    def read(self) -> None:
        if "/products/" in self.url and StorePage.knows(self.url, self.body) and self._as_shopify():
            return
        if not _is_markup(self.body):
            raise MissingField("body: expected a web page, found something else")
        chosen = read(Document(decoded(self.body, self.headers), self.url), self.reading.odd)
        wall = self._wall()
        if wall is not None and not chosen.blocks:
            self.reading.outcome = wall
            return
        if not chosen.name or (headline(chosen.price) is None and not chosen.blocks):
            if b"<a " not in self.body.lower():
                self.reading.outcome = Outcome.BLOCKED
                self.reading.problem = (
                    f"{type(self).__name__} {self.url}: expected a product, found a page without links"
                )
                return
            raise MissingField("body: expected a product's name with a price or product data, found none")
        self._take(chosen)
        self.reading.got = 1

    def _as_shopify(self) -> bool:
        """Shopify's own data are read by Shopify's page: one product has one key, whoever fetched it.

        False where they cannot be read; then the page is read as any other store's.
        """
        inner = StorePage(
            self.url, self.body, self.fetched_at, self.headers, capture=self.capture, vantage=self.vantage,
            at_precision=self.at_precision, hash_key=self._hash_key,
        )  # fmt: skip
        result = inner.result
        if result.outcome is Outcome.SHAPE_CHANGED:
            self.reading.odd += result.odd
            return False
        for name in ("outcome", "items", "follows", "parts", "got", "odd", "problem"):
            setattr(self.reading, name, getattr(result, name))
        return True

    def _wall(self) -> Outcome | None:
        path = address(self.url).path
        if asks_for_consent(self.url, self.body):
            return Outcome.CONSENT
        if path.startswith(("/login", "/account/login", "/password", "/signin")):
            return Outcome.LOGIN_WALL
        if challenges(self.body):
            return Outcome.BLOCKED
        return None

    def _take(self, chosen: Chosen) -> None:
        blocks = chosen.blocks
        sku = chosen.sku.taken
        made = self.add(
            Product,
            url=self.url,
            host=self._host,
            product_id=next((block.product_id for block in blocks if block.where in ("amazon", "shopify.meta")), None),
            handle=self._handle,
            title=chosen.name,
            brand=_first(blocks, "brand"),
            category=_first(blocks, "category"),
            sku=str(sku.value) if sku else None,
            gtin=_first(blocks, "gtin"),
            mpn=_first(blocks, "mpn"),
            description=_first(blocks, "description"),
            image_url=_absolute(self.url, _first(blocks, "image")),
            **self._rating(blocks),
            evidence=evidence(chosen) or None,
        )
        if made is None:
            return
        for variant, offer in self._offers(chosen):
            self.add(
                Offer, url=self.url, product=made.key, variant_id=variant, title=offer.title, price=offer.price,
                list_price=offer.list_price, currency=offer.currency or chosen.currency, available=offer.available,
                seller=offer.seller,
            )  # fmt: skip

    @cached_property
    def _host(self) -> str:
        host = host_of(self.url)
        if not host:
            raise MissingField("url: expected the store's address, found none; give --url")
        return host

    @cached_property
    def _handle(self) -> str:
        """The address without host and wandering parameters; those that name the product stay."""
        parts = address(self.url)
        if b"Shopify" in self.body and (found := re.search(r"/products/([^/?]+)", parts.path)):
            return found[1][:400]
        named = {k: v[0] for k, v in sorted(parse_qs(parts.query).items()) if _NAMES_IT.match(k)}
        tail = "".join(f"?{k}={v}" for k, v in named.items())
        return (parts.path.strip("/") + tail)[:400] or "/"

    def _rating(self, blocks: tuple[Stated, ...]) -> Mapping[str, float | int | None]:
        rated = next((block for block in blocks if block.rating is not None and block.rating_count), None)
        return {"rating": rated.rating, "rating_count": rated.rating_count} if rated else {}

    def _offers(self, chosen: Chosen) -> list[tuple[str | None, StatedOffer]]:
        """Variants, where the page's data tell them apart; else the one offer that people see."""
        price = headline(chosen.price)
        for block in chosen.blocks:
            variants = _variants(block)
            if len(variants) < 2:
                continue
            prices = {offer.price for _, offer in variants}
            if len(prices) == 1 and price is not None and price not in prices:
                variants = [(key, _priced(offer, price, chosen.list_price)) for key, offer in variants]
            return variants
        available = chosen.availability.taken
        stated = next((o for block in chosen.blocks for o in block.offers if o.price == price), StatedOffer())
        before = stated.list_price or chosen.list_price
        return [
            (None, StatedOffer(
                price=price,
                list_price=before if price is not None and before is not None and before > price else None,
                currency=stated.currency if stated.price is not None else None,
                available=bool(available.value) if available else None,
                seller=stated.seller,
            ))
        ]  # fmt: skip


def _is_markup(body: bytes) -> bool:
    return body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def _variants(block: Stated) -> list[tuple[str | None, StatedOffer]]:
    """Offers under keys of their own; none where two would share one."""
    keyed: dict[str, StatedOffer] = {}
    for offer in block.offers:
        in_address = parse_qs(address(offer.url or "").query).get("variant", [None])[0]
        key = in_address or offer.sku or offer.title
        if key is None or offer.price is None or keyed.get(key, offer) != offer:
            return []
        keyed[key] = offer
    return list(keyed.items())


def _priced(offer: StatedOffer, price: Decimal, before: Decimal | None) -> StatedOffer:
    return StatedOffer(
        price=price, list_price=before if before is not None and before > price else None, currency=offer.currency,
        available=offer.available, sku=offer.sku, title=offer.title, url=offer.url, seller=offer.seller,
    )  # fmt: skip


def evidence(chosen: Chosen) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            field=each.field, value=_told(each.value), source=each.source, where=each.where[:120],
            weight=round(each.weight, 2), why=each.why[:200], taken=each is choice.taken,
        )
        for choice in (chosen.price, chosen.availability, chosen.sku)
        for each in _worth_keeping(choice)
    )  # fmt: skip


def _worth_keeping(choice: Choice) -> list[Candidate]:
    """The heaviest, and the one that was taken: another of the same value may be heavier."""
    kept = list(choice.candidates[:MOST_CANDIDATES])
    if choice.taken is not None and choice.taken not in kept:
        kept.append(choice.taken)
    return kept


def _told(value: Decimal | bool | str) -> str:
    if isinstance(value, bool):
        return "InStock" if value else "OutOfStock"
    return str(value)[:100]


def _first(blocks: tuple[Stated, ...], name: str) -> str | None:
    return next((value for block in blocks if (value := getattr(block, name))), None)


def _absolute(url: str, found: str | None) -> str | None:
    return urljoin(url, found) if found else None
