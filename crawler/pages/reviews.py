"""Reviews from the public JSON of the widgets that stores use, page by page. Authors only as a keyed hash.

Yotpo's shape is that of its widget's JSON; Okendo, Stamped, Junip and Judge.me are read as their makers describe them.
No capture confirms any of them yet. Whose product it is stands in the address alone, so the store's host comes with it
as a parameter that the widgets ignore: `…&store=HOST`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qs, urlencode, urljoin, urlunsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.counts import day_or_moment, epoch, json_count
from crawler.fields import Fields, address, dig, flag, identifier, load_json, text
from crawler.items import Product, Review
from crawler.outcomes import MissingField, Outcome
from crawler.pages.base import Follow, Page

T = TypeVar("T")
STORE = "store"
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}")
Path = tuple[str, ...]
_YOTPO_KEY = re.compile(
    rb"(?:staticw2|cdn-widgetsrepository|cdn-loyalty)\.yotpo\.com/(?:v1/loader/)?(\w{20,60})(?:/widget\.js)?"
)
_OKENDO_STORE = re.compile(rb'(?:"subscriberId"|data-oke-subscriber-id|oke-store-id)"?\s*[:=]\s*"([0-9a-f-]{36})"')
_STAMPED_KEY = re.compile(rb"(?:data-api-key|apiKey)[\"']?\s*[:=]\s*[\"'](pubkey-\w{10,60})[\"']")
_SHOP = re.compile(rb'(?:Shopify\.shop\s*=\s*|"shop":\s*)"([a-z0-9-]+\.myshopify\.com)"')


def reviews_of(body: bytes, host: str, product_id: str) -> list[Follow]:
    """Where the widget of a store's page gets this product's reviews from; nothing where the page names no key."""
    store = f"{STORE}={host}"
    shop = _SHOP.search(body)
    made = []
    if key := _YOTPO_KEY.search(body):
        where = f"https://api-cdn.yotpo.com/v1/widget/{key[1].decode()}/products/{product_id}/reviews.json"
        made.append(Follow(f"{where}?per_page=100&page=1&{store}", "reviews.yotpo", why="the widget's reviews"))
    if key := _OKENDO_STORE.search(body):
        where = f"https://api.okendo.io/v1/stores/{key[1].decode()}/products/shopify-{product_id}/reviews"
        made.append(Follow(f"{where}?limit=100&{store}", "reviews.okendo", why="the widget's reviews"))
    if shop and (key := _STAMPED_KEY.search(body)):
        query = f"productId={product_id}&apiKey={key[1].decode()}&storeUrl={shop[1].decode()}&take=50&page=1&{store}"
        made.append(Follow(f"https://stamped.io/api/widget/reviews?{query}", "reviews.stamped", why="the widget's"))
    if shop and b"jdgm-" in body:
        query = f"url={shop[1].decode()}&shop_domain={shop[1].decode()}&platform=shopify&per_page=50&page=1"
        where = f"https://judge.me/reviews/reviews_for_widget?{query}&product_id={product_id}&{store}"
        made.append(Follow(where, "reviews.judgeme", why="the widget's reviews"))
    return made


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a widget's JSON keeps what; a path of names each."""

    rows: Path
    id: str
    rating: str
    title: str
    text: str
    created: str
    verified: Path = ()
    author: Path = ()
    total: Path = ()
    mean: Path = ()


class WidgetPage(Page):
    """Subclasses declare name, urls and shape; `product` finds the product's number in the address."""

    platform: ClassVar[str] = "store"
    shape: ClassVar[Shape]
    product: ClassVar[str]
    """Regular expression with one group: the product's number in the address."""
    per_page: ClassVar[str] = "per_page"

    def read(self) -> None:
        data = self._data()
        rows = dig(data, *self.shape.rows)
        if not isinstance(rows, list):
            raise MissingField(f"$.{'.'.join(self.shape.rows)}: expected a list of reviews, found none")
        self._summary(data)
        listed = [Fields(row, f"review[{i}]", self.reading.odd) for i, row in enumerate(rows) if isinstance(row, dict)]
        for row in listed:
            self._one(row)
        self._end(data, len(rows))

    def _data(self) -> Any:
        try:
            return load_json(self.body)
        except ValueError as error:
            raise MissingField(f"body: {error}") from None

    @cached_property
    def key(self) -> str:
        match = re.search(self.product, self.url)
        if match is None:
            raise MissingField("url: expected the product's number in the address, found none")
        return f"{self.host}:product:{match[1]}"

    @cached_property
    def host(self) -> str:
        said = parse_qs(address(self.url).query).get(STORE, [""])[0].lower().removeprefix("www.")
        if not _HOST.fullmatch(said):
            raise MissingField(f"url: expected the store's host as {STORE}=HOST, found none")
        return said

    def _summary(self, data: Any) -> None:
        """Mean and count of the product, where the widget says them."""
        count, mean = _read(json_count, dig(data, *self.shape.total)), _read(float, dig(data, *self.shape.mean))
        if self.shape.total and count is not None:
            self.reading.ceiling = count
            self.add(
                Product, host=self.host, product_id=self.key.rpartition(":")[2],
                rating=mean if count else None, rating_count=count,
            )  # fmt: skip

    def _one(self, row: Fields) -> None:
        """Read field by field: the row also names its author, who must not reach the quarantine."""
        shape = self.shape
        kept = Fields(
            {name: row.raw.get(name) for name in (shape.id, shape.rating, shape.title, shape.text, shape.created)},
            row.where, self.reading.odd,
        )  # fmt: skip
        author = _read(identifier, dig(row.raw, *shape.author)) if shape.author else None
        try:
            self.add(
                Review,
                product=self.key,
                review_id=kept.need(shape.id, identifier),
                rating=kept.may(shape.rating, float),
                title=kept.may(shape.title, text),
                text=kept.may(shape.text, text),
                author_hash=self.person(author),
                created_at=kept.may(shape.created, moment),
                verified=_read(flag, dig(row.raw, *shape.verified)) if shape.verified else None,
            )
        except MissingField as error:
            self.odd_row("review", str(error), kept)

    def _end(self, data: Any, got: int) -> None:
        self.reading.got = got
        if not got and self._number == 1 and not self.reading.items:
            self.reading.outcome = Outcome.EMPTY
        elif got and (following := self._following(data, got)):
            self.reading.follows.append(Follow(following, self.name, why="more reviews"))

    @cached_property
    def _number(self) -> int:
        said = parse_qs(address(self.url).query).get("page", ["1"])[0]
        return int(said) if said.isdigit() and len(said) < 7 else 1

    def _following(self, data: Any, got: int) -> str | None:
        """The next page's address; None where the widget says that there are no more."""
        parts = address(self.url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked = query.get(self.per_page, "")
        size = int(asked) if asked.isdigit() else got
        total = self.reading.ceiling
        if got < size or (total is not None and self._number * size >= total):
            return None
        query["page"] = str(self._number + 1)
        return urlunsplit(parts._replace(query=urlencode(query)))


def moment(value: Any) -> datetime:
    """ISO 8601 as widgets write it (UTC where no zone is said), or seconds since 1970."""
    if isinstance(value, str) and not value.isdecimal():
        found, precision = day_or_moment(value, assume_utc=True)
        if precision is None:
            return found
        raise ValueError("expected a moment, found a day")
    return epoch(value)


def _read(read: Callable[[Any], T], value: Any) -> T | None:
    try:
        return None if value is None else read(value)
    except (ValueError, TypeError, ArithmeticError):
        return None


class YotpoReviews(WidgetPage):
    name: ClassVar[str] = "reviews.yotpo"
    urls: ClassVar[tuple[str, ...]] = (r"^https?://api-cdn\.yotpo\.com/v1/widget/\w+/products/\d+/reviews\.json",)
    product: ClassVar[str] = r"/products/(\d+)/reviews"
    shape: ClassVar[Shape] = Shape(
        rows=("response", "reviews"), id="id", rating="score", title="title", text="content", created="created_at",
        verified=("verified_buyer",), author=("user", "user_id"), total=("response", "bottomline", "total_review"),
        mean=("response", "bottomline", "average_score"),
    )  # fmt: skip


class OkendoReviews(WidgetPage):
    name: ClassVar[str] = "reviews.okendo"
    urls: ClassVar[tuple[str, ...]] = (r"^https?://api\.okendo\.io/v1/stores/[\w-]+/products/shopify-\d+/reviews",)
    product: ClassVar[str] = r"/products/shopify-(\d+)/reviews"
    shape: ClassVar[Shape] = Shape(
        rows=("reviews",), id="reviewId", rating="rating", title="title", text="body", created="dateCreated",
        verified=("reviewer", "isVerified"),
    )  # fmt: skip

    def _following(self, data: Any, got: int) -> str | None:
        following = dig(data, "nextUrl")
        if not isinstance(following, str) or not following:
            return None
        found = urljoin("https://api.okendo.io/v1/", following.lstrip("/"))
        return f"{found}{'&' if '?' in found else '?'}{STORE}={self.host}"


class StampedReviews(WidgetPage):
    name: ClassVar[str] = "reviews.stamped"
    urls: ClassVar[tuple[str, ...]] = (r"^https?://stamped\.io/api/widget/reviews\?",)
    product: ClassVar[str] = r"[?&]productId=(\d+)"
    per_page: ClassVar[str] = "take"
    shape: ClassVar[Shape] = Shape(
        rows=("data",), id="id", rating="reviewRating", title="reviewTitle", text="reviewMessage",
        created="dateCreated", total=("total",), mean=("rating",),
    )  # fmt: skip


class JunipReviews(WidgetPage):
    """Its address needs a key in a header, so it is read from captures only."""

    name: ClassVar[str] = "reviews.junip"
    urls: ClassVar[tuple[str, ...]] = (r"^https?://api\.juniphq\.com/v[12]/product_reviews\?",)
    product: ClassVar[str] = r"product_(?:remote_)?id\]?=(\d+)"
    shape: ClassVar[Shape] = Shape(
        rows=("product_reviews",), id="id", rating="rating", title="title", text="body", created="created_at",
        verified=("verified_buyer",),
    )  # fmt: skip

    def _following(self, data: Any, got: int) -> str | None:
        return None


class JudgeMeReviews(WidgetPage):
    """JSON around HTML: each review an element with its number."""

    name: ClassVar[str] = "reviews.judgeme"
    urls: ClassVar[tuple[str, ...]] = (r"^https?://judge\.me/reviews/reviews_for_widget\?",)
    product: ClassVar[str] = r"[?&]product_id=(\d+)"
    shape: ClassVar[Shape] = Shape(
        rows=("rows",), id="id", rating="rating", title="title", text="text", created="created_at",
        verified=("verified",), total=("number_of_reviews",), mean=("average_rating",),
    )  # fmt: skip

    def _data(self) -> Any:
        data = super()._data()
        shown = dig(data, "html")
        if not isinstance(shown, str):
            raise MissingField("$.html: expected reviews as HTML, found none")
        rows = [_judged(node) for node in LexborHTMLParser(shown).css(".jdgm-rev")]
        return {**{name: value for name, value in data.items() if name != "html"}, "rows": rows}


def _judged(node: LexborNode) -> dict[str, Any]:
    def part(selector: str, attribute: str | None = None) -> str | None:
        found = node.css_first(selector)
        if found is None:
            return None
        return found.attributes.get(attribute) if attribute else " ".join(found.text(separator=" ").split()) or None

    at = part(".jdgm-rev__timestamp", "data-content")
    return {
        "id": node.attributes.get("data-review-id"), "rating": part(".jdgm-rev__rating", "data-score"),
        "title": part(".jdgm-rev__title"), "text": part(".jdgm-rev__body"),
        "created_at": at.removesuffix(" UTC") if at else None,
        "verified": node.attributes.get("data-verified-buyer") == "true",
    }  # fmt: skip
