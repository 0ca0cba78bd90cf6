"""Creators from their posts and pages: one row each, with the shrunk rate, growth and how much was seen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.creators.accounts import accounts
from analysis.creators.rates import PARTS, SIZE_EDGES, SIZE_NAMES, banded, floats, rounding_variance, with_rates
from analysis.creators.shrink import Sample, Shrunk, shrink
from analysis.trends.growth import Growth, Shown, growth

GROWTH_WINDOW = timedelta(days=30)
RATE_COLUMNS = {
    "posts_seen": "Int64", "posts_counted": "Int64", "raw_rate": "Float64", "rate": "Float64", "rate_low": "Float64",
    "rate_high": "Float64", "expected_rate": "Float64", "above_expected": "Float64", "median_views": "Int64",
    "last_post": "datetime64[ms, UTC]",
}  # fmt: skip
GROWTH_COLUMNS = {
    f"{counter}_{name}": kind
    for counter in ("followers", "likes")
    for name, kind in (
        ("per_day_low", "Float64"), ("per_day", "Float64"), ("per_day_high", "Float64"), ("growth", "string"),
        ("growth_from", "datetime64[ms, UTC]"), ("growth_to", "datetime64[ms, UTC]"),
    )
}  # fmt: skip
ACCOUNT_COLUMNS = {
    "creator": "string", "platform": "string", "username": "string", "user_id": "string", "verified": "boolean",
    "region": "string", "category": "string", "observed_at": "datetime64[ms, UTC]", "followers": "Int64",
    "followers_precision": "Int64", "following": "Int64", "likes": "Int64", "likes_precision": "Int64",
    "videos": "Int64", "size": "string",
}  # fmt: skip


class Material(NamedTuple):
    """Posts with their rates and their creator, and accounts with their creator."""

    posts: pd.DataFrame
    profiles: pd.DataFrame
    owner: Mapping[str, str]
    """Key of a post or a profile: key of the creator."""


def material(posts: pd.DataFrame, profiles: pd.DataFrame, parts: Sequence[str] = PARTS) -> Material:
    """posts and profiles as crawler.storage.creators.Creators gives them; parts: of engagement."""
    owner = accounts(profiles, posts)
    named = [table.assign(creator=table["key"].map(owner).astype("string")) for table in (posts, profiles)]
    return Material(with_rates(named[0], parts), named[1], owner)


def creators(found: Material, parts: Sequence[str] = PARTS) -> pd.DataFrame:
    """One row a creator, by key: ACCOUNT_COLUMNS and RATE_COLUMNS; of those with a page or a post.

    The rate of each is drawn towards that of its own platform: numbers of two platforms do not mean the same.
    """
    account = _accounts(found)
    posts = found.posts[found.posts["creator"].notna()]
    tables = [_rated(group, account, parts) for _, group in posts.groupby("platform", sort=True)]
    rated = pd.concat(tables) if tables else pd.DataFrame({name: [] for name in RATE_COLUMNS})
    table = account.join(rated.reindex(columns=[*RATE_COLUMNS]), how="outer")
    table[["posts_seen", "posts_counted"]] = table[["posts_seen", "posts_counted"]].fillna(0)
    made = table.rename_axis("creator").reset_index().sort_values("creator", ignore_index=True)
    return made[[*ACCOUNT_COLUMNS, *RATE_COLUMNS]].astype({**ACCOUNT_COLUMNS, **RATE_COLUMNS})


def _accounts(found: Material) -> pd.DataFrame:
    """By creator, what its newest page says; of one without a page, what its newest post says."""
    newest = found.profiles[found.profiles["creator"].notna()].sort_values(["observed_at", "key"], kind="stable")
    pages = newest.drop_duplicates("creator", keep="last").set_index("creator")
    own = found.posts[found.posts["creator"].notna()].sort_values(["observed_at", "key"], kind="stable")
    own = own.drop_duplicates("creator", keep="last").set_index("creator")
    said = own[["platform", "author", "author_id", "observed_at"]]
    said = said.rename(columns={"author": "username", "author_id": "user_id"})
    said = said.assign(followers=own["author_followers"], followers_precision=own["author_followers_precision"])
    table = pd.concat([pages, said[~said.index.isin(pages.index)]])
    table["size"] = banded(floats(table["followers"]), SIZE_EDGES, SIZE_NAMES)
    return table.reindex(columns=[name for name in ACCOUNT_COLUMNS if name != "creator"])


def _rated(posts: pd.DataFrame, account: pd.DataFrame, parts: Sequence[str]) -> pd.DataFrame:
    """RATE_COLUMNS by creator, of the posts of one platform."""
    groups = posts.groupby("creator", sort=True)
    table = pd.DataFrame({"posts_seen": groups.size(), "median_views": groups["views"].median().round()})
    table["last_post"] = groups["created_at"].max()
    counted = posts[posts["rate"].notna()]
    table["posts_counted"] = counted.groupby("creator").size()
    if counted.empty:
        return table
    sums = counted.groupby("creator")[["engagement", "views"]].sum()
    table["raw_rate"] = sums["engagement"] / sums["views"].astype("float64")
    names = sorted(counted["creator"].unique())
    shrunk = shrunk_rates(counted, names, account.loc[names, "followers"], parts)
    made = pd.DataFrame(
        {
            "rate": shrunk.rate, "rate_low": shrunk.low, "rate_high": shrunk.high, "expected_rate": shrunk.expected,
            "above_expected": shrunk.above,
        },
        index=names,
    )  # fmt: skip
    return table.join(made)


def shrunk_rates(counted: pd.DataFrame, names: Sequence[str], followers: pd.Series, parts: Sequence[str]) -> Shrunk:
    """*counted*: posts with a rate, of the creators *names*; followers: one a name."""
    number = {name: i for i, name in enumerate(names)}
    return shrink(
        Sample(
            creator=np.array([number[each] for each in counted["creator"]], dtype=np.int64),
            engagement=floats(counted["engagement"]), views=floats(counted["views"]),
            rounding=rounding_variance(counted, parts), followers=floats(followers),
        )
    )  # fmt: skip


def growths(histories: pd.DataFrame, owner: Mapping[str, str]) -> pd.DataFrame:
    """GROWTH_COLUMNS by creator: change per day of followers and likes, with both bounds.

    histories: as Creators.histories gives them. From the last reading back to the oldest within GROWTH_WINDOW before
    it, or to the one before where there is none; one reading is no growth.
    """
    rows: dict[str, dict[str, object]] = {}
    histories = histories.assign(creator=histories["entity"].map(owner))
    ordered = histories.sort_values(["at", "capture"], kind="stable")
    for creator, group in ordered.groupby("creator", sort=True):
        row: dict[str, object] = {}
        for counter in ("followers", "likes"):
            shown = _readings(group, counter)
            if len(shown) > 1:
                row |= _growth_row(counter, shown)
        rows[str(creator)] = row
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*GROWTH_COLUMNS]).astype(GROWTH_COLUMNS)


def _readings(group: pd.DataFrame, counter: str) -> list[Shown]:
    known = group[group[counter].notna()]
    columns = (known[counter], known["at"], known[f"{counter}_precision"], known["at_precision"])
    return [
        Shown(int(value), at.to_pydatetime(), None if pd.isna(step) else int(step), None if pd.isna(day) else str(day))
        for value, at, step, day in zip(*columns, strict=True)
    ]


def _growth_row(counter: str, shown: Sequence[Shown]) -> dict[str, object]:
    last = shown[-1]
    before = [each for each in shown[:-1] if each.at < last.at]
    if not before:
        return {}
    first = next((each for each in before if last.at - each.at <= GROWTH_WINDOW), before[-1])
    found: Growth = growth(first, last)
    return {
        f"{counter}_per_day_low": found.per_day.low, f"{counter}_per_day": found.per_day.mid,
        f"{counter}_per_day_high": found.per_day.high, f"{counter}_growth": found.sign,
        f"{counter}_growth_from": first.at, f"{counter}_growth_to": last.at,
    }  # fmt: skip
