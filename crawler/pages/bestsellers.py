"""Amazon's best-seller lists: a board for each category on the page, with the products' ratings and prices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.fields import address
from crawler.items import Offer, Product
from crawler.outcomes import MissingField, Outcome
from crawler.pages.boards import BoardPage, Row, Snapshot
from crawler.pages.product.document import ancestors, challenges, decoded, text_of
from crawler.pages.product.found import currency_in, money, number, whole
from crawler.pages.shopify import host_of

_CATEGORY = re.compile(r"/ref=zg_bs_[a-z]_([\w-]+?)_(?:d_)?sccl")
_RANK = re.compile(r"#?\s*([1-9]\d{0,3})")
_STARS = re.compile(r"(\d(?:[.,]\d)?)\D")
_COUNT = re.compile(r"(\d[\d.,\s]*)\D*$")
_ASIN = re.compile(r"[A-Z0-9]{10}")


@dataclass(frozen=True, slots=True)
class _Listed:
    category: str
    rank: int
    asin: str
    title: str
    node: LexborNode


class BestSellersPage(BoardPage):
    name: ClassVar[str] = "amazon.bestsellers"
    platform: ClassVar[str] = "amazon"
    urls: ClassVar[tuple[str, ...]] = (
        r"^https?://(?:www\.)?amazon\.[a-z.]{2,6}/(?:[^?#]*/)?(?:gp/bestsellers|zgbs|bestsellers|Best-Sellers)",
    )

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return b"zg-bdg-text" in body

    def read(self) -> None:
        if not self._listed and challenges(self.body):
            self.reading.outcome = Outcome.BLOCKED
            return
        super().read()
        for each in self._listed:
            self._product(each)

    def snapshots(self) -> Iterator[Snapshot]:
        lists: dict[str, dict[int, Row | None]] = {}
        for each in self._listed:
            row = Row(topic=each.title, category=each.category, entity=f"{self._host}:product:{each.asin}")
            lists.setdefault(each.category, {}).setdefault(each.rank, row)
        if not lists:
            raise MissingField("body: expected ranked products (#1, #2 …), found none")
        for category, rows in lists.items():
            first = min(rows)
            ranked = [rows.get(rank) for rank in range(first, max(rows) + 1)]
            yield Snapshot(
                board=f"{self._host}:bestsellers:{category}", at=self.fetched_at, rows=ranked, source=self._host,
                first=first, ceiling=100,
            )  # fmt: skip

    @property
    def _host(self) -> str:
        return host_of(self.url) or "amazon.com"

    @property
    def _listed(self) -> list[_Listed]:
        if not hasattr(self, "_found"):
            self._found = list(self._read_cards())
        return self._found

    def _read_cards(self) -> Iterator[_Listed]:
        tree = LexborHTMLParser(decoded(self.body, self.headers))
        for badge in tree.css(".zg-bdg-text"):
            card = next((above for above in ancestors(badge) if above.attributes.get("data-asin")), None)
            rank = _RANK.fullmatch(text_of(badge))
            asin = (card.attributes.get("data-asin") or "") if card else ""
            if card is None or rank is None or not _ASIN.fullmatch(asin):
                self.reading.odd.append("zg-bdg-text")
                continue
            links = [node.attributes.get("href") or "" for node in card.css("a[href]")]
            category = next((found[1] for link in links if (found := _CATEGORY.search(link))), self._named())
            titles = (text_of(node) for node in card.css("a[href*='/dp/']"))
            yield _Listed(category, int(rank[1]), asin, next(filter(None, titles), asin)[:300], card)

    def _named(self) -> str:
        """The category by the address, where the links do not tell."""
        last = address(self.url).path.rstrip("/").rpartition("/")[2].lower()
        return last if last and last not in ("zgbs", "bestsellers", "best-sellers") else "all"

    def _product(self, each: _Listed) -> None:
        stars = each.node.css_first("a[aria-label*='stars'], a[aria-label*='ratings'], .a-icon-alt")
        said = (stars.attributes.get("aria-label") or text_of(stars)) if stars else ""
        rating, count = _STARS.match(said), _COUNT.search(said)
        priced = each.node.css_first("[class*='p13n-sc-price']")
        shown = text_of(priced) if priced else ""
        made = self.add(
            Product,
            url=f"https://www.{self._host}/dp/{each.asin}",
            host=self._host,
            product_id=each.asin,
            title=each.title,
            sku=each.asin,
            rating=number(rating[1]) if rating else None,
            rating_count=whole(re.sub(r"[.,\s]", "", count[1])) if count and rating and "," in said else None,
        )
        price = money(shown, None) if shown else None
        if made is not None and price is not None:
            self.add(
                Offer, url=made.url, product=made.key, price=price, currency=currency_in(shown), available=None
            )  # fmt: skip
