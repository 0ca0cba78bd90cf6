"""Whom to feature: creators whose rate is surely above what their size expects, with the reasons. Pure.

Nobody is recommended on fewer than LEAST_POSTS posts, however well these did.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd

LEAST_POSTS = 3
SURE = 0.9  # probability of a rate above the expected one, from which a creator is recommended
QUIET = timedelta(days=60)
KEPT = (
    "creator", "followers", "posts_counted", "rate", "rate_low", "rate_high", "expected_rate", "median_views",
    "followers_per_day_low", "followers_per_day", "followers_per_day_high", "last_post",
)  # fmt: skip
FEATURE_COLUMNS = [*KEPT, "advice", "sure", "why"]
CAVEAT = (
    "Rates are what these posts had, not what a paid post will have; who reads the posts and whether they would buy "
    "is not in these numbers."
)


def featured(table: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """*table*: creators (as analysis.creators.table gives them) joined with their growth; best first.

    now: the newest moment of the posts; whoever has been quiet for QUIET before it is not recommended.
    """
    rows = [_row(each, now) for each in table.to_dict("records") if not pd.isna(each["rate"])]
    found = pd.DataFrame(rows, columns=FEATURE_COLUMNS)
    order = found["advice"].map({"feature": 0, "no": 1}).fillna(2)
    return (
        found.assign(_order=order, _ratio=found["rate_low"])
        .sort_values(["_order", "_ratio", "creator"], ascending=[True, False, True], ignore_index=True)
        .drop(columns=["_order", "_ratio"])
        .astype({"followers": "Int64", "posts_counted": "Int64", "median_views": "Int64"})
    )


def _row(each: dict[Any, Any], now: datetime) -> dict[str, object]:
    n, sure = int(each["posts_counted"]), float(each["above_expected"])
    why = [
        f"{_pct(each['rate'])} ({_pct(each['rate_low'])} to {_pct(each['rate_high'])}) where its size has "
        f"{_pct(each['expected_rate'])}; {n} posts"
    ]
    if not pd.isna(each["median_views"]):
        why.append(f"{each['median_views']:,.0f} views typical")
    if not pd.isna(each.get("followers_per_day")):
        low, mid, high = (each[f"followers_per_day{end}"] for end in ("_low", "", "_high"))
        why.append(f"{mid:+,.0f} followers a day ({low:+,.0f} to {high:+,.0f})")
    quiet = not pd.isna(each["last_post"]) and now - each["last_post"] > QUIET
    if quiet:
        why.append(f"no post seen for {(now - each['last_post']).days} days")
    if n < LEAST_POSTS:
        advice = f"too few posts ({n} of {LEAST_POSTS})"
    else:
        advice = "feature" if sure >= SURE and not quiet else "no"
    return {
        **{name: each[name] for name in KEPT},
        "advice": advice, "sure": sure, "why": "; ".join(why),
    }  # fmt: skip


def _pct(rate: float) -> str:
    return f"{100 * rate:.1f} %"
