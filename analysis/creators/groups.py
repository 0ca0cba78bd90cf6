"""Groups of posts side by side, and what goes with what: medians and rank correlations with intervals. Pure.

Whole creators are drawn again for every interval, because posts of one creator are not independent. Nothing is claimed
of a group under LEAST_POSTS posts or LEAST_CREATORS creators, nor where chance among so many groups would do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.creators.rates import Floats, floats
from analysis.trends.measures import false_discoveries

LEAST_POSTS = 20
LEAST_CREATORS = 10
LEAST_FOR_INTERVAL = 5  # of fewer posts the bootstrap knows only the posts themselves
ROUNDS = 800  # of the bootstrap; an interval then moves by about a twentieth of itself between seeds
SEED = 20261121
NOTHING = "no difference shown"
SHARE = 0.05  # of the claims made, at most so many wrong
GROUP_COLUMNS = {
    "group": "string", "posts": "Int64", "creators": "Int64", "median": "Float64", "low": "Float64", "high": "Float64",
    "p": "Float64", "claim": "string",
}  # fmt: skip
RELATION_COLUMNS = {
    "relation": "string", "among": "string", "posts": "Int64", "creators": "Int64", "rho": "Float64", "low": "Float64",
    "high": "Float64", "claim": "string",
}  # fmt: skip

Ints = npt.NDArray[np.int64]


def compare(posts: pd.DataFrame, by: str, value: str, order: Sequence[str] = ()) -> pd.DataFrame:
    """Median of *value* in each group of *by*, its interval, and how the group stands to all others.

    posts: also a column `creator`; rows without any of the three are left out. order: of the groups, else by name.
    claim: higher, lower, no difference shown, or too few (with how many are needed). For it every creator has one
    voice, its own median inside and outside the group, so that one who posts a hundred times makes no group better.
    """
    known = posts[posts[by].notna() & posts[value].notna() & posts["creator"].notna()]
    names = [each for each in order if (known[by] == each).any()] or sorted(known[by].unique())
    sorted_posts = known.assign(_value=floats(known[value])).sort_values("_value", kind="stable")
    drawn = _Drawn(sorted_posts["creator"])
    values, group = sorted_posts["_value"].to_numpy(), sorted_posts[by].to_numpy()
    found = [_group(name, values, group == name, drawn) for name in names]
    holds = false_discoveries([each.p for each in found], SHARE)
    told = [
        each if math.isnan(each.p) or held else each._replace(claim=NOTHING)
        for each, held in zip(found, holds, strict=True)
    ]
    return pd.DataFrame(told, columns=[*GROUP_COLUMNS]).astype(GROUP_COLUMNS)


class Group(NamedTuple):
    """As GROUP_COLUMNS; NaN where there are too few posts."""

    group: str
    posts: int
    creators: int
    median: float
    low: float
    high: float
    p: float
    claim: str


class _Drawn:
    """Bootstrap weights of rows: every creator is drawn as a whole."""

    def __init__(self, creators: pd.Series) -> None:
        self.place, known = pd.factorize(creators)
        self.creators = len(known)
        rng = np.random.default_rng(SEED)
        even = np.full(self.creators, 1 / max(self.creators, 1))
        self._times = [rng.multinomial(self.creators, even) for _ in range(ROUNDS)] if self.creators else []

    def __iter__(self) -> Iterator[Ints]:
        return (times[self.place] for times in self._times)

    def medians(self, values: Floats, rows: npt.NDArray[np.bool_]) -> Floats:
        """In each round the median over creators of their own medians in *rows*."""
        own = pd.Series(values[rows]).groupby(self.place[rows]).median().sort_values(kind="stable")
        who, ascending = own.index.to_numpy(), floats(own)
        return np.array([_median(ascending, times[who]) for times in self._times])

    def among(self, rows: npt.NDArray[np.bool_]) -> int:
        return len(np.unique(self.place[rows]))


def _group(name: str, values: Floats, inside: npt.NDArray[np.bool_], drawn: _Drawn) -> Group:
    """values: ascending."""
    n, creators = int(inside.sum()), drawn.among(inside)
    few = _too_few(n, creators, len(values) - n, drawn.among(~inside))
    nothing = Group(name, n, creators, float(np.median(values[inside])), math.nan, math.nan, math.nan, few)
    if n < LEAST_FOR_INTERVAL:
        return nothing
    own = [_median(values[inside], weight[inside]) for weight in drawn]
    low, high = _limits(own)
    if few:
        return nothing._replace(low=low, high=high)
    gaps = drawn.medians(values, inside) - drawn.medians(values, ~inside)
    known = gaps[~np.isnan(gaps)]
    below = float((np.sum(known < 0) + np.sum(known == 0) / 2 + 0.5) / (len(known) + 1))
    side, p = ("lower" if below > 0.5 else "higher"), 2 * min(below, 1 - below)
    return nothing._replace(low=low, high=high, p=p, claim=side)


def _too_few(n: int, creators: int, other_n: int, other_creators: int) -> str:
    if n < LEAST_POSTS:
        return f"too few: {n} of {LEAST_POSTS} posts"
    if creators < LEAST_CREATORS:
        return f"too few: {creators} of {LEAST_CREATORS} creators"
    if other_n < LEAST_POSTS or other_creators < LEAST_CREATORS:
        return "nothing to compare with"
    return ""


def _median(ascending: Floats, weight: Ints) -> float:
    reached = np.cumsum(weight)
    if not len(reached) or not reached[-1]:
        return math.nan
    half = reached[-1] / 2
    return float(ascending[np.searchsorted(reached, half, side="left")])


def _limits(values: Sequence[float]) -> tuple[float, float]:
    known = [each for each in values if not math.isnan(each)]
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


class Relation(NamedTuple):
    """Spearman's rank correlation."""

    posts: int
    creators: int
    rho: float
    low: float
    high: float
    claim: str


def spearman(one: Floats, other: Floats, creator: pd.Series) -> Relation:
    """Of two rows of numbers; where either is NaN the row is left out.

    Under LEAST_POSTS creators the interval is that of Bonett and Wright with the number of creators; from there on
    creators are drawn again. NaN where fewer than five creators, or one row is constant.
    """
    known = ~(np.isnan(one) | np.isnan(other)) & creator.notna().to_numpy()
    n, creators = int(known.sum()), int(creator[known].nunique())
    ranks = [floats(pd.Series(each[known]).rank()) for each in (one, other)]
    if creators < LEAST_FOR_INTERVAL or any(np.ptp(each) == 0 for each in ranks):
        return Relation(n, creators, math.nan, math.nan, math.nan, f"too few: {creators} creators")
    rho = _weighted(ranks[0], ranks[1], np.ones(n, dtype=np.int64))
    if creators < LEAST_POSTS:
        low, high = _bonett_wright(rho, creators)
        return Relation(n, creators, rho, low, high, f"no claim: {creators} of {LEAST_POSTS} creators")
    low, high = _limits([_weighted(ranks[0], ranks[1], weight) for weight in _Drawn(creator[known])])
    claim = "no direction shown" if low <= 0 <= high else "rises with it" if rho > 0 else "falls with it"
    return Relation(n, creators, rho, low, high, claim)


def _bonett_wright(rho: float, n: int) -> tuple[float, float]:
    bounded = min(max(rho, -0.9999), 0.9999)
    half = 1.959964 * math.sqrt((1 + bounded**2 / 2) / (n - 3))
    return math.tanh(math.atanh(bounded) - half), math.tanh(math.atanh(bounded) + half)


def _weighted(one: Floats, other: Floats, weight: Ints) -> float:
    if not weight.sum():
        return math.nan
    a, b = one - np.average(one, weights=weight), other - np.average(other, weights=weight)
    spread = math.sqrt(float(np.sum(weight * a * a)) * float(np.sum(weight * b * b)))
    return float(np.sum(weight * a * b)) / spread if spread else math.nan


def relations(
    rows: pd.DataFrame, pairs: Sequence[tuple[str, str]], bands: Sequence[str], band: str = "size"
) -> pd.DataFrame:
    """Spearman of each pair of columns, over all rows and within each band; columns as RELATION_COLUMNS."""
    found = []
    for one, other in pairs:
        for name in ("all", *bands):
            part = rows if name == "all" else rows[rows[band] == name]
            if len(part):
                told = spearman(floats(part[one]), floats(part[other]), part["creator"])
                found.append({"relation": f"{one} and {other}", "among": name, **told._asdict()})
    return pd.DataFrame(found, columns=[*RELATION_COLUMNS]).astype(RELATION_COLUMNS)
