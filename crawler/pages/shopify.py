"""Shopify's product data in its shapes: cents in `.js`, units in `.json`, floats in `.oembed`.

The unit follows from the shape, never from the size of the number: 2500 cents and 25.0 units
are the same gift card. A sale is compare_at_price above price, by variant.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlunsplit

from crawler.counts import cents, units
from crawler.fields import Fields, address, flag, identifier, load_json, text
from crawler.items import Board, BoardEntry, Offer, Product
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Follow, Page, asks_for_consent
from crawler.topics import topic_key

PAGE_SIZE = 250  # the catalogue's documented most; larger values are ignored
_OWN_ADDRESS = re.compile(
    rb'(?:rel="canonical"\s+href=|property="og:url"\s+content=|data-url=|"url":\s*)'
    rb'"https?:(?:\\?/){2}(?:www\.)?([\w.-]+)\\?/(?:products|pages|collections)\\?/'
)
_COLLECTION = re.compile(r"/collections/([\w-]{1,200})(?:/products\.json)?/?$")
_TAGS = re.compile(r"<[^>]+>")

Money = Callable[[Any], Decimal]


def host_of(url: str) -> str:
    """Store name from an address: host without `www.`; '' when there is none."""
    return (address(url).hostname or "").removeprefix("www.")


class ShopifyPage(Page):
    platform: ClassVar[str] = "shopify"

    def store(self) -> str:
        """The store's host: from the address, else from what the page says of itself."""
        stated = _OWN_ADDRESS.search(self.body) if self.body.lstrip()[:1] == b"<" else None
        host = host_of(self.url) or (stated[1].decode("ascii", "replace") if stated else "")
        if not host:
            raise MissingField("url: expected the store's address, found none; give --url")
        return host

    def promised_json(self) -> bool:
        """Whether JSON came; if not, what came instead. A web page that leads nowhere is a wall, one with links a shop
        without such an address."""
        body = self.body.lstrip()
        if body and body[:1] != b"<":
            return True
        if address(self.url).path.startswith(("/login", "/account/login", "/password")):
            self.reading.outcome = Outcome.LOGIN_WALL
        elif asks_for_consent(self.url, body):
            self.reading.outcome = Outcome.CONSENT
        elif b"<a " in body.lower():
            self.reading.outcome = Outcome.MISSING
        else:
            self.reading.outcome = Outcome.BLOCKED
            self.reading.problem = f"{type(self).__name__} {self.url}: expected JSON, found a page that leads nowhere"
        return False

    def product(self, fields: Fields, money: Money, currency: str | None) -> None:
        """One product of `.js` or `.json` shape and its variants."""
        host = self.store()
        handle = fields.need("handle", text)
        url = f"https://{host}/products/{handle}"
        image = fields.may("featured_image", text) or next(_sources(fields), None)
        made = self.add(
            Product,
            url=url,
            host=host,
            product_id=self._number(fields),
            handle=handle,
            title=fields.need("title", text),
            vendor=fields.may("vendor", text),
            category=fields.may("type", text) or fields.may("product_type", text),
            tags=fields.may("tags", _labels),
            description=plain(fields.may("description", text) or fields.may("body_html", text)),
            image_url=f"https:{image}" if image and image.startswith("//") else image,
        )
        if made is None:
            return
        offers = fields.parts("variants")
        self.each("offer", offers, lambda variant: self._offer(made.key, url, variant, money, currency))

    def _offer(self, product: str, url: str, variant: Fields, money: Money, currency: str | None) -> None:
        price = variant.need("price", money)
        before = variant.may("compare_at_price", money)
        self.add(
            Offer,
            url=url,
            product=product,
            variant_id=self._number(variant) or variant.may("sku", text) or variant.need("title", text),
            title=variant.may("title", text),
            price=price,
            list_price=before if before is not None and before > price else None,
            currency=currency,
            available=variant.may("available", flag),
        )

    def products(self) -> list[str]:
        """Keys of the products read so far, in order."""
        return [item.key for item in self.reading.items if isinstance(item, Product)]

    def board(self, keys: list[str]) -> None:
        """The products of a collection's page, in its order, as a board: `<host>:collection:<name>`."""
        parts = address(self.url)
        name = _COLLECTION.search(parts.path)
        if name is None or not keys:
            return
        sorting = parse_qs(parts.query).get("sort_by", [""])[0]
        board = f"{self.store()}:collection:{name[1].lower()}" + (":best-selling" if sorting == "best-selling" else "")
        titles = {item.key: item.title for item in self.reading.items if isinstance(item, Product)}
        for position, key in enumerate(keys, start=1):
            topic = titles.get(key) or key
            self.add(
                BoardEntry, board=board, at=self.fetched_at, position=position, topic=topic, topic_key=topic_key(topic),
                entity=key,
            )  # fmt: skip
        self.add(Board, board=board, at=self.fetched_at, source=self.store(), size=len(keys), got=len(keys))

    @cached_property
    def _cut(self) -> set[str]:
        """Scripts of this page whose numbers have lost digits."""
        return set()

    def _number(self, fields: Fields) -> str | None:
        """The store's number of a thing; None where the copy has cut digits: what is left of it is another's number."""
        shown = fields.need("id", identifier)
        return None if fields.where.partition(".")[0] in self._cut else shown

    def json(self) -> Any:
        try:
            return load_json(self.body)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None


class CataloguePage(ShopifyPage):
    """`/products.json`, and `/products/<handle>.json`: prices as strings in units."""

    name: ClassVar[str] = "shopify.catalogue"
    version: ClassVar[int] = 2  # 1 knew no currency
    urls: ClassVar[tuple[str, ...]] = (r"/products\.json(\?|$)", r"/products/[^/?]+\.json(\?|$)")

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return body.lstrip()[:14].startswith((b'{"products":[', b'{"product":{'))

    def read(self) -> None:
        if not self.promised_json():
            return
        data = Fields(self.json(), "$", self.reading.odd)
        one = data.part("product")
        listed = [one] if one else list(data.parts("products"))
        if one is None:
            data.need("products", _a_list)
        currency = self._currency()
        self.each("product", listed, lambda product: self.product(product, units, currency))
        self.reading.got = len(listed)
        if parse_qs(address(self.url).query).get("page", ["1"]) == ["1"]:  # later pages have a moment of their own
            self.board(self.products())
        if not listed:
            self.reading.outcome = Outcome.EMPTY
        elif one is None:
            self._next_page(len(listed))

    def _currency(self) -> str | None:
        """The data state none; the fragment says what the front page of the same store stated in the same crawl."""
        said = parse_qs(address(self.url).fragment)
        stated = said.get("currency", [""])[0]
        same = said.get("store") == [host_of(self.url)]
        return stated if same and re.fullmatch("[A-Z]{3}", stated) else None

    def _next_page(self, got: int) -> None:
        parts = address(self.url)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        limit, page = query.get("limit", "30"), query.get("page", "1")
        if limit.isdigit() and page.isdigit() and got >= int(limit):
            query["page"] = str(int(page) + 1)
            url = urlunsplit(parts._replace(query=urlencode(query)))
            self.reading.follows.append(Follow(url, self.name, why="the page was full"))


class ProductJsPage(ShopifyPage):
    """`/products/<handle>.js`: whole cents, `type`, tags as a list."""

    name: ClassVar[str] = "shopify.product_js"
    urls: ClassVar[tuple[str, ...]] = (r"/products/[^/?]+\.js(\?|$)",)

    def read(self) -> None:
        if not self.promised_json():
            return
        self.product(Fields(self.json(), "$", self.reading.odd), cents, None)
        self.reading.got = 1


class OembedPage(ShopifyPage):
    """`.oembed` of a product or a collection: prices as floats in units, `product_id` is the handle."""

    name: ClassVar[str] = "shopify.oembed"
    urls: ClassVar[tuple[str, ...]] = (r"/(products|collections)/[^/?]+\.oembed(\?|$)",)

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        head = body.lstrip()[:1]
        return head == b"{" and b'"offer_id"' in body and b'"currency_code"' in body

    def read(self) -> None:
        data = Fields(self.json(), "$", self.reading.odd)
        products = list(data.parts("products")) or [data]
        page_url = data.may("url", text) or self.url
        self.each("product", products, lambda product: self._one(product, page_url))
        self.reading.got = len(products)

    def _one(self, fields: Fields, page_url: str) -> None:
        handle = fields.need("product_id", text)
        host = host_of(fields.may("url", text) or page_url) or self.store()
        url = f"https://{host}/products/{handle}"
        image = fields.may("thumbnail_url", text)
        made = self.add(
            Product,
            url=url,
            host=host,
            handle=handle,
            title=fields.need("title", text),
            brand=fields.may("brand", text),
            description=plain(fields.may("description", text)),
            image_url=f"https:{image}" if image and image.startswith("//") else image,
        )
        for offer in fields.parts("offers") if made else ():
            self.add(
                Offer,
                url=url,
                product=made.key if made else "",
                variant_id=offer.need("offer_id", identifier),
                title=offer.may("title", text),
                price=offer.need("price", units),
                currency=offer.may("currency_code", text),
                available=offer.may("in_stock", flag),
            )


def _labels(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(label.strip() for label in value.split(",") if label.strip())
    return tuple(text(label) for label in value)


def plain(markup: str | None) -> str | None:
    if markup is None:
        return None
    return re.sub(r"\s+", " ", html.unescape(_TAGS.sub(" ", markup))).strip() or None


def _sources(fields: Fields) -> Iterator[str]:
    for image in fields.parts("images"):
        if source := image.may("src", text):
            yield source


def _a_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, found {type(value).__name__}")
    return value
