"""How a post stands among its like: percentiles within platform, age and size of the author. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.creators.rates import SINGLE, UNKNOWN, Floats, floats

LEAST = 20  # posts; a smaller cohort is widened: first without size, then without age, then there is no percentile
LEVELS: tuple[tuple[str, ...], ...] = (("platform", "age", "size"), ("platform", "age"), ("platform",))
QUADRANTS = ("shared and discussed", "shared", "discussed", "neither")


def with_percentiles(posts: pd.DataFrame, values: Sequence[str] = tuple(SINGLE)) -> pd.DataFrame:
    """*posts* (as with_rates makes them) with `<value>_pct` (0 to 100), `cohort` and `cohort_n`.

    Percentile: the share of the cohort below, half of the equal ones with it. The cohort told is that of the first
    value which a post has.
    """
    made = posts.assign(
        cohort=pd.Series(pd.NA, index=posts.index, dtype="string"),
        cohort_n=pd.Series(pd.NA, index=posts.index, dtype="Int64"),
    )
    for value in values:
        percent, cohort, count = _within(made, floats(made[value]))
        made[f"{value}_pct"] = percent
        made["cohort"] = made["cohort"].fillna(pd.Series(cohort, index=made.index, dtype="string"))
        made["cohort_n"] = made["cohort_n"].fillna(pd.Series(count, index=made.index, dtype="Int64"))
    return made


def _within(posts: pd.DataFrame, value: Floats) -> tuple[Floats, list[str | None], list[int | None]]:
    percent = np.full(len(posts), np.nan)
    names: list[str | None] = [None] * len(posts)
    counts: list[int | None] = [None] * len(posts)
    for level in LEVELS:
        open_rows = np.isnan(percent) & ~np.isnan(value)
        labels = posts[list(level)].astype(str).agg(", ".join, axis=1).to_numpy() if len(posts) else np.array([])
        unknown = (posts[[each for each in level if each != "platform"]] == UNKNOWN).any(axis=1).to_numpy()
        for label in np.unique(labels[open_rows & ~unknown]):
            rows = np.flatnonzero((labels == label) & ~np.isnan(value))
            if len(rows) < LEAST:
                continue
            ranks = (pd.Series(value[rows]).rank() - 0.5).to_numpy() / len(rows) * 100
            for row, rank in zip(rows, ranks, strict=True):
                if np.isnan(percent[row]):
                    percent[row], names[row], counts[row] = rank, label, len(rows)
    return percent, names, counts


def quadrants(posts: pd.DataFrame) -> pd.DataFrame:
    """Posts with both percentiles, with `quadrant`: above the middle of the cohort in virality, in discussion."""
    known = posts[posts["virality_pct"].notna() & posts["discussion_pct"].notna()]
    shared, discussed = known["virality_pct"] > 50, known["discussion_pct"] > 50
    place = np.select([shared & discussed, shared, discussed], [0, 1, 2], default=3)
    return known.assign(quadrant=[QUADRANTS[each] for each in place])
