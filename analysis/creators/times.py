"""When posts do better than their creator's others: lift by hour of the day and day of the week. Pure.

A prolific creator who posts at night must not make the night look good or bad: each post is compared with the typical
post of its own creator. What is left is association: who chooses an hour chooses more than that.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from analysis.creators.groups import compare
from analysis.creators.rates import Floats, floats

LEAST_OWN = 3  # posts of a creator; of fewer there is no typical other one
SETTLED_H = 7 * 24.0  # younger posts still gather views, so their hour of posting would stand for their age
PART_H = 3
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
PARTS_OF_DAY = tuple(f"{hour:02d}-{hour + PART_H:02d} h" for hour in range(0, 24, PART_H))
TIME_COLUMNS = {
    "slot": "string", "posts": "Int64", "creators": "Int64", "lift_pct": "Float64", "low_pct": "Float64",
    "high_pct": "Float64", "p": "Float64", "claim": "string",
}  # fmt: skip


def lifts(posts: pd.DataFrame, zone: str, value: str = "views") -> pd.DataFrame:
    """By part of the day, then by day of the week, in the clock of *zone*: columns as TIME_COLUMNS.

    value: views (of posts at least a week old when read) or rate. lift: of the typical post of a slot over the typical
    post of the same creators.
    """
    known = posts[posts["created_at"].notna() & (floats(posts[value]) > 0)]
    if value == "views":
        known = known[known["age_h"] >= SETTLED_H]
    logs = pd.Series(np.log(floats(known[value])), index=known.index)
    above = logs.groupby(known["creator"]).transform(lambda own: own - _typical_other(own.to_numpy()))
    local = known["created_at"].dt.tz_convert(ZoneInfo(zone))
    hour = [PARTS_OF_DAY[each // PART_H] for each in local.dt.hour]
    day = [DAYS[each] for each in local.dt.day_of_week]
    made = known.assign(above=above, hour=hour, day=day)
    found = pd.concat(
        [compare(made, "hour", "above", PARTS_OF_DAY), compare(made, "day", "above", DAYS)], ignore_index=True
    )
    for name, old in (("lift_pct", "median"), ("low_pct", "low"), ("high_pct", "high")):
        found[name] = (np.exp(floats(found[old])) - 1) * 100
    return found.rename(columns={"group": "slot"})[list(TIME_COLUMNS)].astype(TIME_COLUMNS)


def _typical_other(own: Floats) -> Floats:
    """Of each post the median of its creator's others; NaN where there are too few."""
    n = len(own)
    if n < LEAST_OWN:
        return np.full(n, np.nan)
    ordered = np.sort(own)
    rank = np.argsort(np.argsort(own, kind="stable"), kind="stable")

    def other(place: int) -> Floats:
        """The place-th of the n - 1 others, for each post."""
        return np.asarray(np.where(rank <= place, ordered[place + 1], ordered[place]))

    return np.asarray((other((n - 2) // 2) + other((n - 1) // 2)) / 2)
