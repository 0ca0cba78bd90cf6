"""A store: variants, prices that move, honest and made-up sales, stock that runs out, reviews that come in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from demo.world import names
from demo.world.chance import dice, noise, number, share
from demo.world.people import GONE

HOST = "tidewater-goods.example"
CURRENCY = "EUR"
WEEK_H = 168.0


@dataclass(frozen=True, slots=True)
class Variant:
    variant_id: str
    title: str
    sku: str
    cents: int
    """Usual price at the world's start."""


@dataclass(frozen=True, slots=True)
class Product:
    index: int
    product_id: str
    handle: str
    title: str
    kind: str
    tags: tuple[str, ...]
    variants: tuple[Variant, ...]
    gtin: str
    from_h: float
    until_h: float
    reviews: int
    """At the world's start."""
    reviews_day: float
    stars: float
    sold_day: float


@dataclass(frozen=True, slots=True)
class Sale:
    """A time of lower prices. *honest*: the struck-through price was really asked before."""

    from_h: float
    until_h: float
    percent: int
    products: frozenset[int]
    honest: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a variant costs at a moment, in cents."""

    cents: int
    was: int | None
    available: bool


class Shop:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.products = tuple(_product(seed, index) for index in range(len(names.PRODUCTS)))
        self.planted = _planted(seed)
        self.sales = lru_cache(maxsize=None)(self._sales)

    def listed(self, at_h: float) -> list[Product]:
        """What the store shows at a moment, in its own order."""
        return [product for product in self.products if product.from_h <= at_h < product.until_h]

    def find(self, handle: str, at_h: float) -> Product | None:
        return next((product for product in self.listed(at_h) if product.handle == handle), None)

    def sales_near(self, at_h: float) -> list[Sale]:
        week = int(at_h // WEEK_H)
        near = [*self.planted, *self.sales(week), *self.sales(week - 1)]
        return [sale for sale in near if sale.from_h <= at_h < sale.until_h]

    def asked(self, product: Product, variant: Variant, at_h: float) -> Asked:
        usual = self._usual(product, variant, at_h)
        available = not self._sold_out(product, variant, at_h)
        deep = [sale for sale in self.sales_near(at_h) if product.index in sale.products]
        if not deep:
            return Asked(usual, None, available)
        sale = max(deep, key=lambda each: each.percent)
        if sale.honest:
            return Asked(usual * (100 - sale.percent) // 100, usual, available)
        return Asked(usual, usual * 100 // (100 - sale.percent), available)  # the price was never higher

    def asked_in_mall(self, product: Product, variant: Variant, at_h: float) -> Asked:
        """What the same thing costs on the video platform: dearer, and in one week of three with a tenth off."""
        cents = self._usual(product, variant, at_h) * 112 // 100
        available = not self._sold_out(product, variant, at_h + 40)
        if share(self.seed, "mall", product.index, int(at_h // WEEK_H)) < 1 / 3:
            return Asked(cents * 9 // 10, cents, available)
        return Asked(cents, None, available)

    def _usual(self, product: Product, variant: Variant, at_h: float) -> int:
        """The price without a sale: it steps up or down by a few per cent in some weeks."""
        cents = variant.cents
        for week in range(int(at_h // WEEK_H) + 1):
            move = share(self.seed, "price", product.index, week)
            if move < 0.12 and at_h >= (week + share(self.seed, "moment", product.index, week)) * WEEK_H:
                cents = cents * (107 if move < 0.08 else 95) // 100
        return cents

    def _sold_out(self, product: Product, variant: Variant, at_h: float) -> bool:
        """In one week of four a variant runs out for a day or two; the lamp always does in the planted sale."""
        if product.handle == "coral-lamp" and variant is product.variants[0]:
            sale = self.planted[0]
            if sale.from_h + 14 <= at_h < sale.until_h + 20:
                return True
        week = int(at_h // WEEK_H)
        if share(self.seed, "stock", variant.variant_id, week) > 0.25:
            return False
        from_h = (week + 0.7 * share(self.seed, "out", variant.variant_id, week)) * WEEK_H
        return from_h <= at_h < from_h + 20 + 30 * share(self.seed, "long", variant.variant_id, week)

    def rating(self, product: Product, at_h: float) -> tuple[float, int]:
        """Mean of stars and how many gave them."""
        stars = product.stars + 0.06 * noise(at_h, 60.0, self.seed, "stars", product.index)
        return round(min(stars, 5.0), 2), product.reviews + max(0, int(product.reviews_day * at_h / 24))

    def sold(self, product: Product, at_h: float) -> int:
        return product.reviews * 11 + max(0, int(product.sold_day * at_h / 24))

    def _sales(self, week: int) -> tuple[Sale, ...]:
        chance = dice(self.seed, "sale", week)
        if week < 1 or chance.random() < 0.5:  # the first week has its planted ones
            return ()
        from_h = week * WEEK_H + chance.uniform(0, 100)
        some = frozenset(chance.sample(range(len(self.products)), 6))
        return (Sale(from_h, from_h + chance.uniform(24, 96), chance.choice((10, 20, 25, 30)), some, True),)


def _planted(seed: int) -> tuple[Sale, Sale]:
    """In the first week a real sale, and one whose old price nobody ever paid."""
    chance = dice(seed, "planted sale")
    from_h = chance.uniform(40, 56)
    rest = frozenset(chance.sample(range(3, len(names.PRODUCTS)), 5))
    honest = Sale(from_h, from_h + 44, 25, frozenset({0, 1, 2}) | rest, True)
    pretended = frozenset(chance.sample(sorted(set(range(3, len(names.PRODUCTS))) - rest), 3))
    return honest, Sale(from_h - 20, from_h + 60, 40, pretended, False)


def _product(seed: int, index: int) -> Product:
    title, kind, cents, options = names.PRODUCTS[index]
    chance = dice(seed, "product", index)
    handle = title.lower().replace(". ", "-").replace(" ", "-")
    dearer = 0 if kind in ("Socks", "Clothes") else chance.choice((0, 10, 35))
    variants = tuple(
        Variant(
            number(14, seed, "variant", index, n), option, f"{handle[:4].upper()}-{n + 1:02d}",
            cents * (100 + n * dearer) // 100,
        )
        for n, option in enumerate(options)
    )  # fmt: skip
    # One product comes in during the first week, one goes.
    from_h = chance.uniform(50, 80) if title == "Ferry Poster" else -GONE
    until_h = chance.uniform(60, 100) if title == "Net Bag" else GONE
    return Product(
        index=index, product_id=number(13, seed, "product", index), handle=handle, title=title, kind=kind,
        tags=(kind.lower(), chance.choice(("sea", "new", "gift"))), variants=variants,
        gtin=_gtin13(number(12, seed, "gtin", index)), from_h=from_h, until_h=until_h,
        reviews=0 if title == "Ferry Poster" else int(10 ** chance.uniform(0.5, 3.4)),
        reviews_day=chance.uniform(0.2, 9), stars=chance.uniform(3.6, 4.9), sold_day=chance.uniform(1, 90),
    )  # fmt: skip


def _gtin13(twelve: str) -> str:
    total = sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(twelve))
    return twelve + str(-total % 10)
