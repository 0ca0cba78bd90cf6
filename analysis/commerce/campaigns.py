"""What deal posts did: engagement over usual posts of the same author, by depth of discount, author, hour. Pure.

A deal post is compared with its controls: posts of the same author within 30 days that are no deals. The ratio is of
medians of their logarithms, so that one viral post moves little. It tells what came with deals, not what they caused.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import fmean, median
from typing import Any

import pandas as pd

NEAR = timedelta(days=30)
FEW = 10  # deals in a group; below it nothing is claimed
LEAST_CONTROLS = 3  # of one deal; without them its author's usual is unknown
RESAMPLES, SEED = 500, 0
DEPTHS = ((10, "under 10 %"), (25, "10 to 24 %"), (50, "25 to 49 %"), (101, "50 % and more"))


@dataclass(frozen=True)
class Effect:
    by: str
    """depth, author, hour, or all."""
    group: str
    n: int
    """Deals that could be compared."""
    controls: int
    authors: int
    ratio: float | None
    """Engagement of deals over controls; None where too few."""
    low: float | None
    """95 % interval, by resampling deals."""
    high: float | None
    note: str


@dataclass(frozen=True)
class _Post:
    key: str
    at: datetime
    echo: int


def depth(deal: Mapping[str, Any]) -> float | None:
    """Percent off: as announced, or from the former price; None where neither is told."""
    amounts = [each for each in deal.get("amounts") or () if each.get("value") is not None]
    told = [float(each["value"]) for each in amounts if each["role"] == "discount_percent"]
    if told:
        return max(told)
    prices: dict[str, Decimal] = {}
    for each in amounts:
        prices.setdefault(each["role"], each["value"])
    now, before = prices.get("price"), prices.get("was_price")
    return float((before - now) / before * 100) if now is not None and before and before > now else None


def effects(deals: Iterable[Mapping[str, Any]], posts: pd.DataFrame) -> list[Effect]:
    """posts: as Reader.posts gives them."""
    held = _by_author(posts)
    offers = {str(deal["post"]): deal for deal in deals}
    groups: dict[tuple[str, str], list[tuple[str, float, int]]] = defaultdict(list)
    for author, own in held.items():
        usual = [each for each in own if each.key not in offers]
        for each in own:
            if each.key not in offers:
                continue
            near = [math.log1p(other.echo) for other in usual if abs(other.at - each.at) <= NEAR]
            if len(near) < LEAST_CONTROLS:
                continue
            lift = math.log1p(each.echo) - median(near)
            for by, group in _groups(offers[each.key], author, each.at):
                groups[by, group].append((author, lift, len(near)))
    order = ("all", "depth", "author", "hour")
    return [
        _effect(by, group, rows)
        for (by, group), rows in sorted(groups.items(), key=lambda g: (order.index(g[0][0]), g[0][1]))
    ]


def _by_author(posts: pd.DataFrame) -> dict[str, list[_Post]]:
    held: dict[str, list[_Post]] = defaultdict(list)
    for row in posts.astype(object).to_dict("records"):
        shown = [row.get(name) for name in ("likes", "comments", "shares", "saves")]
        known = [int(each) for each in shown if not pd.isna(each)]
        if known and not pd.isna(row["author"]) and not pd.isna(row["created_at"]):
            held[str(row["author"])].append(_Post(str(row["key"]), row["created_at"].to_pydatetime(), sum(known)))
    return held


def _groups(deal: Mapping[str, Any], author: str, at: datetime) -> Iterable[tuple[str, str]]:
    yield "all", "all deals"
    yield "author", author
    yield "hour", f"{at.hour // 4 * 4:02}-{at.hour // 4 * 4 + 3:02} UTC"
    if (percent := depth(deal)) is not None:
        yield "depth", next(name for below, name in DEPTHS if percent < below)


def _effect(by: str, group: str, rows: Sequence[tuple[str, float, int]]) -> Effect:
    lifts, n = [lift for _, lift, _ in rows], len(rows)
    counted = (n, sum(each for *_, each in rows), len({author for author, *_ in rows}))
    if n < FEW:
        return Effect(by, group, *counted, None, None, None, f"too few (under {FEW})")
    chance = random.Random(SEED)
    means = sorted(fmean(chance.choices(lifts, k=n)) for _ in range(RESAMPLES))
    low, high = (math.exp(means[int(share * RESAMPLES)]) for share in (0.025, 0.975))
    note = "no difference shown" if low <= 1 <= high else ""
    return Effect(by, group, *counted, round(math.exp(fmean(lifts)), 2), round(low, 2), round(high, 2), note)
