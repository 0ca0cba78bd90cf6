"""Posts as rates: engagement, virality, discussion and saves per view, each with what rounding leaves open. Pure.

A part that the page does not show is not zero: such a post has no engagement rate and is counted as left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

PARTS = ("likes", "comments", "shares", "saves")
ALL_PARTS = (*PARTS, "reposts")
SINGLE = {"virality": "shares", "discussion": "comments", "save_rate": "saves"}
"""Rate: the counter it is made of, per view."""
AGE_EDGES_H = (24.0, 7 * 24.0, 30 * 24.0, 365 * 24.0)
AGE_NAMES = ("under 1 day", "1-7 days", "7-30 days", "30-365 days", "over 1 year")
SIZE_EDGES = (1_000.0, 10_000.0, 100_000.0, 1_000_000.0, 10_000_000.0)
SIZE_NAMES = ("under 1K", "1K-10K", "10K-100K", "100K-1M", "1M-10M", "over 10M")
UNKNOWN = "unknown"


def with_rates(posts: pd.DataFrame, parts: Sequence[str] = PARTS) -> pd.DataFrame:
    """*posts* with `engagement`, `rate`, `rate_low`, `rate_high`, the SINGLE rates, `age_h`, `age` and `size`.

    posts: columns as crawler.storage.creators.POST_COLUMNS. A rate is missing where a part or the views are hidden, or
    there are no views. Bounds are those of the rounding of every number in it, not of chance.
    """
    made = posts.copy()
    views, steps = floats(made["views"]), step(made, "views")
    views[views <= 0] = np.nan
    numbers = [floats(made[part]) for part in parts]
    engagement = np.sum(numbers, axis=0)
    low = np.sum(
        [np.maximum(0, each - step(made, part) / 2) for each, part in zip(numbers, parts, strict=True)], axis=0
    )
    high = np.sum([each + step(made, part) / 2 for each, part in zip(numbers, parts, strict=True)], axis=0)
    made["engagement"], made["rate"] = engagement, engagement / views
    made["rate_low"] = low / (views + steps / 2)
    made["rate_high"] = high / np.maximum(views - steps / 2, 1)
    for name, counter in SINGLE.items():
        made[name] = floats(made[counter]) / views
    made["age_h"] = (made["observed_at"] - made["created_at"]).dt.total_seconds() / 3600
    age_h = floats(made["age_h"])
    made["age"] = banded(np.where(age_h < 0, np.nan, age_h), AGE_EDGES_H, AGE_NAMES)
    made["size"] = banded(floats(made["author_followers"]), SIZE_EDGES, SIZE_NAMES)
    return made


def floats(column: pd.Series) -> Floats:
    """As numbers; NaN where missing."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def step(frame: pd.DataFrame, counter: str) -> Floats:
    """Rounding step of a counter; 0 when exact."""
    return np.nan_to_num(floats(frame[f"{counter}_precision"]), nan=0.0)


def banded(values: Floats, edges: Sequence[float], names: Sequence[str]) -> list[str]:
    """Name of the band of each value: below the first edge, up to, but without, the next …"""
    places = np.searchsorted(np.asarray(edges), values, side="right")
    return [UNKNOWN if np.isnan(value) else names[place] for value, place in zip(values, places, strict=True)]


def rounding_variance(frame: pd.DataFrame, parts: Sequence[str]) -> Floats:
    """Variance of log(rate) that rounding brings: each shown number is anywhere within half its step."""
    engagement = np.maximum(np.sum([floats(frame[part]) for part in parts], axis=0), 1.0)
    of_parts = np.sum([step(frame, part) ** 2 / 12 for part in parts], axis=0) / engagement**2
    return np.asarray(of_parts + step(frame, "views") ** 2 / 12 / floats(frame["views"]) ** 2)
