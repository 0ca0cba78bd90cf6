"""The life of a list itself: who comes and goes, how long topics stay, when in the week, and what rolling counts say.

Pure; never queries. A pause longer than max_gap breaks every stay: whether a topic stood there nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise, zip_longest
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from analysis.trends.alerts import wilson
from analysis.trends.entry import Bools, Floats
from analysis.trends.streams import HOUR, Stream

LEAST_LOOKS = 20  # at a slot of the week; fewer are called too few
DAY_H = 24.0
LIFE_COLUMNS = {
    "at": "datetime64[ms, UTC]", "gap_h": "Float64", "size": "Int64", "came": "Int64", "went": "Int64",
    "turnover_per_hour": "Float64",
}  # fmt: skip
INFLOW_COLUMNS = {
    "from": "datetime64[ms, UTC]", "at": "datetime64[ms, UTC]", "hours": "Float64", "shown": "Int64",
    "came_low": "Int64", "came_high": "Int64",
}  # fmt: skip
SURVIVAL_COLUMNS = {"hours": "Float64", "at_risk": "Int64", "still_on": "Float64"}
SLOT_COLUMNS = {
    "weekday": "Int64", "hour": "Int64", "looks": "Int64", "covered_h": "Float64", "on": "Int64", "share": "Float64",
    "low": "Float64", "high": "Float64", "too_few": "boolean",
}  # fmt: skip


def comings_and_goings(whole: Stream, max_gap: timedelta) -> pd.DataFrame:
    """One row per snapshot; columns as LIFE_COLUMNS. After a pause above max_gap nothing is counted."""
    rows = []
    for before, now in zip([None, *whole.snapshots], whole.snapshots, strict=False):
        row: dict[str, object] = {"at": now.at, "size": len(now.keys)}
        if before is not None:
            gap_h = now.at_h - before.at_h
            row["gap_h"] = gap_h
            if gap_h <= max_gap / HOUR:
                came = len(set(now.keys) - set(before.keys))
                row |= {"came": came, "went": len(set(before.keys) - set(now.keys))}
                row["turnover_per_hour"] = came / len(now.keys) / gap_h
        rows.append(row)
    return pd.DataFrame(rows, columns=list(LIFE_COLUMNS)).astype(LIFE_COLUMNS)


def survival(whole: Stream, max_gap: timedelta) -> pd.DataFrame:
    """Share of stays that last longer than so many hours (Kaplan and Meier); columns as SURVIVAL_COLUMNS.

    A stay that was running when the list was last seen, or when a pause began, ended later than we know: it counts
    among those at risk up to then. A stay seen once lasted 0 h.
    """
    lasted, ended = _stays(whole, max_gap / HOUR)
    rows, still = [], 1.0
    for hours in sorted(set(lasted[ended].tolist())):
        at_risk = int((lasted >= hours).sum())
        still *= 1 - int(((lasted == hours) & ended).sum()) / at_risk
        rows.append({"hours": hours, "at_risk": at_risk, "still_on": still})
    return pd.DataFrame(rows, columns=list(SURVIVAL_COLUMNS)).astype(SURVIVAL_COLUMNS)


def _stays(whole: Stream, max_gap_h: float) -> tuple[Floats, Bools]:
    """Hours of each stay from its first to its last sight, and whether its end was seen."""
    begun: dict[str, float] = {}
    lasted: list[float] = []
    ended: list[bool] = []

    def close(keys: Sequence[str], at_h: float, seen: bool) -> None:
        for key in keys:
            lasted.append(at_h - begun.pop(key))
            ended.append(seen)

    last_h: float | None = None
    for snapshot in whole.snapshots:
        if last_h is not None:
            paused = snapshot.at_h - last_h > max_gap_h
            here = set(snapshot.keys)
            close([key for key in begun if paused or key not in here], last_h, not paused)
        for key in snapshot.keys:
            begun.setdefault(key, snapshot.at_h)
        last_h = snapshot.at_h
    if last_h is not None:
        close(list(begun), last_h, False)
    return np.array(lasted), np.array(ended, dtype=bool)


def week(whole: Stream, topic_key: str, zone: str, top: int, max_gap: timedelta) -> pd.DataFrame:
    """When in the week a topic stands in the top, in the clock of *zone*; 168 rows, columns as SLOT_COLUMNS.

    share: of the snapshots taken in that hour of that weekday, with its interval. covered_h: how long those snapshots
    stood, so that an hour nobody looked at is not taken for an hour without the topic. Monday is 0.
    """
    looks, on, covered = np.zeros((7, 24), int), np.zeros((7, 24), int), np.zeros((7, 24))
    clock = ZoneInfo(zone)
    for now, then in zip_longest(whole.snapshots, whole.snapshots[1:]):
        local = now.at.astimezone(clock)
        slot = (local.weekday(), local.hour)
        looks[slot] += 1
        on[slot] += topic_key in now.keys[:top]
        covered[slot] += min((then.at_h - now.at_h) if then else 0.0, max_gap / HOUR)
    rows = []
    for weekday, hour in np.ndindex(7, 24):
        n, hits = int(looks[weekday, hour]), int(on[weekday, hour])
        low, high = wilson(hits, n)
        rows.append({
            "weekday": weekday, "hour": hour, "looks": n, "covered_h": covered[weekday, hour], "on": hits,
            "share": hits / n if n else None, "low": low, "high": high, "too_few": n < LEAST_LOOKS,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=list(SLOT_COLUMNS)).astype(SLOT_COLUMNS)


@dataclass(frozen=True)
class Inflow:
    """New posts between two readings of a count over the last 24 hours."""

    low: int
    high: int | None
    """None where more may have come and gone again between the readings."""


def inflow(before: int, after: int, elapsed: timedelta, precision: int = 0) -> Inflow:
    """What came between two rolling-24-hour counts, each known to half its rounding step; see bounded_inflow."""
    half = -(-precision // 2)
    return bounded_inflow(before + half, max(0, after - half), after + half, elapsed)


def bounded_inflow(before_most: int, after_least: int, after_most: int, elapsed: timedelta) -> Inflow:
    """What came between two rolling-24-hour counts: never their difference, which what falls out of the window hides.

    At least what the count rose by, at most all of the later count. After 24 hours or more the later count is all new
    and what came before its window is unknown. Raises ValueError unless time went on.
    """
    if elapsed <= timedelta(0):
        raise ValueError(f"inflow: the second reading must be later; found {elapsed}")
    if elapsed / HOUR > DAY_H:
        return Inflow(after_least, None)
    if elapsed / HOUR == DAY_H:
        return Inflow(after_least, after_most)
    return Inflow(max(0, after_least - before_most), after_most)


def inflows(entries: pd.DataFrame) -> pd.DataFrame:
    """New posts behind one topic's rolling counts, by pair of readings; columns as INFLOW_COLUMNS.

    entries: as Reader.entries gives them, of one topic. A hidden volume lies below its floor; without a floor, and on a
    list of which only the day is known, nothing is said.
    """
    known = entries[entries["at_precision"].isna() & (entries["volume"].notna() | entries["volume_floor"].notna())]
    readings = known.sort_values(["at", "position"], kind="stable").drop_duplicates("at").to_dict("records")
    rows = []
    for before, after in pairwise(readings):
        elapsed = after["at"] - before["at"]
        least, most = _count(after)
        found = bounded_inflow(_count(before)[1], least, most, elapsed)
        rows.append({"from": before["at"], "at": after["at"], "hours": elapsed / HOUR, "shown": after["volume"],
                     "came_low": found.low, "came_high": found.high})  # fmt: skip
    return pd.DataFrame(rows, columns=list(INFLOW_COLUMNS)).astype(INFLOW_COLUMNS)


def _count(row: dict[Any, Any]) -> tuple[int, int]:
    """Least and most that the count can be."""
    if pd.isna(row["volume"]):
        return 0, max(0, int(row["volume_floor"]) - 1)
    half = 0 if pd.isna(row["volume_precision"]) else -(-int(row["volume_precision"]) // 2)
    return max(0, int(row["volume"]) - half), int(row["volume"]) + half
