"""Which products are liked best: ratings sized down where few gave them, and every rating counted once. Pure.

Stores hand the ratings of a part on to the bundles it is sold in, so several products show one pool
of ratings. Equal mean and count are one pool; a pool little larger, with a mean that the few more
can explain, contains the smaller one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from statistics import fmean

import pandas as pd

SMALLEST_POOL = 30  # two products with 5.0 of 3 ratings are alike by chance
SMALLEST_INNER_POOL = 100
MOST_ADDED = 0.1  # of the smaller pool
Z95 = 1.96
LEAST_PRIOR, MOST_PRIOR = 3.0, 200.0
FEW_UNITS = 3  # fewer products tell nothing of how products differ

COLUMNS = (
    "rank", "product", "title", "score", "out_of", "low", "high", "n", "rating", "rating_count", "pool",
    "shares_with", "why",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rated:
    """What a product's page shows of its ratings."""

    product: str
    host: str
    title: str
    rating: float
    count: int
    price: Decimal | None = None
    """Its lowest; tells a part from the bundles it is sold in."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Products of one store that show the same ratings; *inside*: the smallest pool that this one contains."""

    products: tuple[Rated, ...]
    inside: Pool | None = None

    @property
    def rating(self) -> float:
        return self.products[0].rating

    @property
    def count(self) -> int:
        return self.products[0].count

    @property
    def owner(self) -> Rated:
        """Who counts for it: the cheapest, since a bundle costs more than its part."""
        return min(self.products, key=lambda each: (each.price is None, each.price or 0, len(each.title), each.product))

    @property
    def own_count(self) -> int:
        """Ratings that the pool inside it does not have."""
        return self.count - (self.inside.count if self.inside else 0)

    @property
    def own_rating(self) -> float:
        if self.inside is None:
            return self.rating
        mean = (self.rating * self.count - self.inside.rating * self.inside.count) / self.own_count
        # A store's own sums do not always add up: then only the mean that it shows is known.
        return mean if 1 <= mean <= scale_of(self.products) else self.rating


def scale_of(rated: Iterable[Rated]) -> float:
    """The most that the store gives: 5, 10 or 100."""
    most = max((each.rating for each in rated), default=5.0)
    return 5.0 if most <= 5 else 10.0 if most <= 10 else 100.0


def pools(rated: Sequence[Rated]) -> list[Pool]:
    """Every rating in exactly one pool; the ratings of all `own_count` are those of the stores, each once."""
    same: dict[tuple[str, float, int, str], list[Rated]] = defaultdict(list)
    for each in rated:
        if each.count > 0:
            alone = "" if each.count >= SMALLEST_POOL else each.product
            same[each.host, each.rating, each.count, alone].append(each)
    bare = sorted((Pool(tuple(group)) for group in same.values()), key=lambda pool: pool.count)
    made: list[Pool] = []
    for pool in bare:
        inner = next((each for each in bare if _contains(pool, each)), None)
        made.append(Pool(pool.products, inner))
    return made


def _contains(large: Pool, small: Pool) -> bool:
    """Whether the few ratings more can explain the other mean."""
    if large.products[0].host != small.products[0].host or small.count < SMALLEST_INNER_POOL:
        return False
    added = large.count - small.count
    if not 0 < added <= MOST_ADDED * small.count:
        return False
    return abs(large.rating - small.rating) <= (scale_of(large.products) - 1) * added / large.count


def ranking(rated: Sequence[Rated]) -> pd.DataFrame:
    """Products by Bayesian average, best first; columns as COLUMNS.

    out_of: the greatest that the store's scale has, 5, 10 or 100; ranks compare shares of it.
    score: the mean that the product's own ratings and those of all products of its scale suggest. low, high: 95 %,
    with the widest spread that such a mean allows, so rather too wide. n: ratings counted for it, 0 for those whose
    ratings count elsewhere (pool: for whom).
    """
    found = pools(rated)
    rows = [row for scale in (5.0, 10.0, 100.0) for row in _ranked(found, scale)]
    rows.sort(key=lambda row: (-_share(row), str(row["product"])))
    for i, row in enumerate(rows, start=1):
        row["rank"] = i
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _share(row: Mapping[str, object]) -> float:
    """Of the best that its scale allows: 9 of 10 stands below 4.8 of 5."""
    return float(str(row["score"])) / float(str(row["out_of"]))


def _ranked(found: Sequence[Pool], top: float) -> Iterable[dict[str, object]]:
    units = [pool for pool in found if scale_of(pool.products) == top]
    if not units:
        return
    mean, weight = _prior(units, top)
    for pool in units:
        score = (mean * weight + pool.own_rating * pool.own_count) / (weight + pool.own_count)
        spread = sqrt(max((top - score) * (score - 1), 0.05) / (weight + pool.own_count))
        for each in pool.products:
            counts = each is pool.owner
            yield {
                "product": each.product, "title": each.title, "score": round(score, 4), "out_of": top,
                "low": round(max(1.0, score - Z95 * spread), 4), "high": round(min(top, score + Z95 * spread), 4),
                "n": pool.own_count if counts else 0, "rating": each.rating, "rating_count": each.count,
                "pool": pool.owner.product if not counts else pool.inside.owner.product if pool.inside else None,
                "shares_with": len(pool.products) - 1, "why": _why(pool, counts),
            }  # fmt: skip


def _why(pool: Pool, counts: bool) -> str | None:
    if not counts:
        return f"the same {pool.count:,} ratings as {pool.owner.title}"
    if pool.inside:
        return f"{pool.inside.count:,} of {pool.count:,} are those of {pool.inside.owner.title}"
    return None


def _prior(units: Sequence[Pool], top: float) -> tuple[float, float]:
    """Mean of products, and how many ratings it is worth: the spread within over the spread between (moments)."""
    means = [pool.own_rating for pool in units]
    centre = fmean(means)
    if len(units) < FEW_UNITS:
        return centre, 10.0
    within = [max((top - mean) * (mean - 1), 0.05) for mean in means]
    noise = fmean(spread / pool.own_count for spread, pool in zip(within, units, strict=True))
    between = fmean((mean - centre) ** 2 for mean in means) - noise
    weight = MOST_PRIOR if between <= 0 else fmean(within) / between
    return centre, min(max(weight, LEAST_PRIOR), MOST_PRIOR)


def velocity(counts: pd.DataFrame, days: float = 30.0) -> float | None:
    """New ratings a day over the last *days*; counts: columns at and rating_count, oldest first.

    None where fewer than two sights lie a day or more apart, and where the count fell: it was counted anew.
    """
    known = counts[counts["rating_count"].notna()]
    if known.empty:
        return None
    known = known[known["at"] >= known["at"].iloc[-1] - pd.Timedelta(days=days)]
    span = (known["at"].iloc[-1] - known["at"].iloc[0]) / pd.Timedelta(days=1)
    gained = int(known["rating_count"].iloc[-1]) - int(known["rating_count"].iloc[0])
    return None if span < 1 or gained < 0 else gained / span
