"""Accounts side by side: how many are verified, what they have, and followers against likes. Pure."""

from __future__ import annotations

import pandas as pd

from analysis.creators.groups import RELATION_COLUMNS, relations
from analysis.creators.rates import SIZE_NAMES, floats
from analysis.text.shares import wilson

VERIFIED = {True: "verified", False: "not verified"}
COHORT_COLUMNS = {
    "cohort": "string", "n": "Int64", "share_pct": "Float64", "low_pct": "Float64", "high_pct": "Float64",
    "followers_median": "Float64", "likes_median": "Float64", "likes_per_follower": "Float64",
}  # fmt: skip


def verified(table: pd.DataFrame) -> pd.DataFrame:
    """Share of verified accounts with Wilson's 95 % interval, and medians: columns as COHORT_COLUMNS.

    Accounts whose badge no page showed are left out. It is the share among those captured, who were not drawn by lot.
    """
    known = table[table["verified"].notna()]
    rows = []
    for value, name in VERIFIED.items():
        part = known[known["verified"] == value]
        if len(known):
            low, high = wilson(len(part), len(known))
            per = pd.Series(floats(part["likes"]) / floats(part["followers"].where(part["followers"] > 0)))
            middles = [float(pd.Series(floats(part[each])).median()) for each in ("followers", "likes")]
            rows.append((name, len(part), 100 * len(part) / len(known), 100 * low, 100 * high, *middles, per.median()))
    return pd.DataFrame(rows, columns=[*COHORT_COLUMNS]).astype(COHORT_COLUMNS)


def followers_and_likes(table: pd.DataFrame) -> pd.DataFrame:
    """Spearman of followers and likes over all accounts, by size and by badge; columns as RELATION_COLUMNS."""
    badge = table.assign(badge=table["verified"].map(VERIFIED))
    pair = [("followers", "likes")]
    by_size = relations(table, pair, SIZE_NAMES)
    by_badge = relations(badge, pair, tuple(VERIFIED.values()), band="badge")
    return pd.concat([by_size, by_badge[by_badge["among"] != "all"]], ignore_index=True).astype(RELATION_COLUMNS)
