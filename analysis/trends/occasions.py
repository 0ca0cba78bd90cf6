"""What a list does around a given time, and while programmes are on. Pure; never queries.

A topic has come when it was not on the list within a day before. It came between two snapshots; where both are close
enough, it counts for the time between them in proportion, otherwise nobody knows when it came and it counts nowhere.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from analysis.trends.alerts import wilson
from analysis.trends.calendars import Showing
from analysis.trends.entry import Bools, Floats
from analysis.trends.streams import EPOCH, HOUR, Snapshot, Stream

DAY_H = 24.0
DRAWS = 1000
LEAST_DAYS, LEAST_CAME = 5, 20  # fewer say too little
EVERY = "all of them"
_MOMENT = "datetime64[ms, UTC]"

PHASES = ("before", "during", "after")
PHASE_COLUMNS = {
    "phase": "string", "from": _MOMENT, "to": _MOMENT, "snapshots": "Int64", "watched_h": "Float64",
    "topics": "Int64", "came": "Int64", "came_per_hour": "Float64",
}  # fmt: skip
AROUND_COLUMNS = {
    "topic": "string", "topic_key": "string", "came": "string", "first_seen": _MOMENT, "new_here": "boolean",
    **{f"{name}_{phase}": kind for phase in PHASES
       for name, kind in (("share", "Float64"), ("best", "Int64"), ("volume", "Int64"))},
}  # fmt: skip
SHARE_COLUMNS = {
    "title": "string", "showings": "Int64", "days": "Int64", "watched_h": "Float64", "came": "Float64",
    "of_all": "Float64", "of_all_low": "Float64", "of_all_high": "Float64",
    "per_hour": "Float64", "per_hour_beside": "Float64",
    "ratio": "Float64", "ratio_low": "Float64", "ratio_high": "Float64",
    "named": "Int64", "named_of": "Int64", "named_share": "Float64", "named_low": "Float64", "named_high": "Float64",
    "named_beside": "Float64", "too_few": "boolean",
}  # fmt: skip


def around(
    whole: Stream, start: datetime, end: datetime, width: timedelta, max_gap: timedelta
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The list before, during and after: one row per phase (PHASE_COLUMNS), one per topic (AROUND_COLUMNS).

    width: how long before and after. share: of the snapshots of that phase. came: the phase a topic came in; missing
    where it was there when the time before began. new_here: never on this list before *start*, as far as it was kept.
    Topics that came during and after stand first, best place first.
    """
    edges = [start - width, start, end, end + width]
    parts = [[each for each in whole.snapshots if a <= each.at < b] for a, b in pairwise(edges)]
    came = _comings(whole, max_gap)
    known = {key for each in whole.snapshots if each.at < start for key in each.keys}
    phases: list[dict[str, object]] = []
    came_in: dict[str, tuple[str, datetime]] = {}
    for name, (a, b), part in zip(PHASES, pairwise(edges), parts, strict=True):
        inside = [(key, at) for key, at in came if a <= at < b]
        came_in |= {key: (name, at) for key, at in inside if key not in came_in}
        watched = _watched_h(whole, a, b, max_gap)
        phases.append({
            "phase": name, "from": a, "to": b, "snapshots": len(part), "watched_h": watched,
            "topics": len({key for each in part for key in each.keys}), "came": len(inside),
            "came_per_hour": len(inside) / watched if watched else None,
        })  # fmt: skip
    rows = []
    for key in dict.fromkeys(key for part in parts for each in part for key in each.keys):
        first = came_in.get(key)
        told: dict[str, object] = {
            "topic": whole.names.get(key, key), "topic_key": key, "new_here": key not in known,
            "came": first and first[0], "first_seen": first and first[1],
        }  # fmt: skip
        for phase, part in zip(PHASES, parts, strict=True):
            told |= _stand(key, phase, part)
        rows.append(told)
    frame = pd.DataFrame(rows, columns=list(AROUND_COLUMNS)).astype(AROUND_COLUMNS)
    order = frame.assign(
        late=frame["came"].map({"during": 0, "after": 1}).fillna(2),
        best=frame[[f"best_{phase}" for phase in PHASES]].min(axis=1),
    ).sort_values(["late", "best", "topic_key"], kind="stable")
    return pd.DataFrame(phases).astype(PHASE_COLUMNS), frame.loc[order.index].reset_index(drop=True)


def _stand(key: str, phase: str, part: Sequence[Snapshot]) -> dict[str, object]:
    seen = [(each.keys.index(key), each) for each in part if key in each.keys]
    shown = [each.volumes[place] for place, each in seen if each.volumes[place] == each.volumes[place]]
    return {
        f"share_{phase}": len(seen) / len(part) if part else None,
        f"best_{phase}": min((place + 1 for place, _ in seen), default=None),
        f"volume_{phase}": int(max(shown)) if shown else None,
    }


def _comings(whole: Stream, max_gap: timedelta) -> list[tuple[str, datetime]]:
    """Topics and the first snapshot that shows them again, where the one before it is close enough."""
    found: list[tuple[str, datetime]] = []
    last_h: dict[str, float] = {}
    before: Snapshot | None = None
    for each in whole.snapshots:
        if before is not None and each.at - before.at <= max_gap:
            found += [(key, each.at) for key in each.keys if each.at_h - last_h.get(key, -math.inf) > DAY_H]
        last_h |= dict.fromkeys(each.keys, each.at_h)
        before = each
    return found


def _watched_h(whole: Stream, start: datetime, end: datetime, max_gap: timedelta) -> float:
    a, b = ((each - EPOCH) / HOUR for each in (start, end))
    hours = 0.0
    for before, after in pairwise(whole.snapshots):
        if after.at - before.at <= max_gap:
            hours += max(0.0, min(after.at_h, b) - max(before.at_h, a))
    return hours


@dataclass(frozen=True)
class Gaps:
    """The time between snapshots that are close enough; columns of equal length."""

    start_h: Floats
    end_h: Floats
    day: Floats
    """Number of the place's day."""
    hour: np.ndarray[tuple[int], np.dtype[np.int64]]
    """Of the place's clock, in the middle."""
    came: Sequence[Sequence[str]]
    """Keys of the topics that came."""


def gaps(whole: Stream, zone: str, max_gap: timedelta) -> Gaps:
    clock, came = ZoneInfo(zone), defaultdict(list)
    for key, at in _comings(whole, max_gap):
        came[at].append(key)
    pairs = [
        (before, after) for before, after in pairwise(whole.snapshots)
        if after.at - before.at <= max_gap
    ]  # fmt: skip
    middles = [(before.at + (after.at - before.at) / 2).astimezone(clock) for before, after in pairs]
    return Gaps(
        np.array([before.at_h for before, _ in pairs]), np.array([after.at_h for _, after in pairs]),
        np.array([float(each.toordinal()) for each in middles]), np.array([each.hour for each in middles], dtype=int),
        [came[after.at] for _, after in pairs],
    )  # fmt: skip


def shares(whole: Stream, showings: Sequence[Showing], zone: str, max_gap: timedelta, seed: int = 7) -> pd.DataFrame:
    """One row per title and one of all together; columns as SHARE_COLUMNS, most topics first.

    came: topics that came while it was on; of_all: their share of all that came. per_hour_beside: what came at the same
    hours of the place's clock while it was not on, and ratio to that, so that an evening is not taken for a programme.
    named: of those that came while it was on (for the most part), the topics that hold its name; named_beside: of all
    others. Intervals of 95 % resample days; those of named are Wilson's. too_few: fewer than 5 days or 20 topics.
    """
    watched = gaps(whole, zone, max_gap)
    titles: dict[str, list[Showing]] = defaultdict(list)
    for each in showings:
        titles[each.title].append(each)
    rows = [_share(title, found, watched, np.random.default_rng(seed)) for title, found in titles.items()]
    rows.sort(key=lambda row: (-float(str(row["came"])), str(row["title"])))
    if len(titles) > 1:
        rows.insert(0, _share(EVERY, list(showings), watched, np.random.default_rng(seed)))
    return pd.DataFrame(rows, columns=list(SHARE_COLUMNS)).astype(SHARE_COLUMNS)


def _share(title: str, showings: Sequence[Showing], watched: Gaps, rng: np.random.Generator) -> dict[str, object]:
    inside_h = _overlap(showings, watched.start_h, watched.end_h)
    hours = watched.end_h - watched.start_h
    came = np.array([float(len(each)) for each in watched.came])
    part = inside_h / hours
    sums = _by_day_and_hour(watched, [inside_h, part * came, hours - inside_h, (1 - part) * came])
    point, drawn = _numbers(sums.sum(axis=0)), _drawn(sums, rng)
    days = len(np.unique(watched.day[inside_h > 0]))
    low, high = (dict(zip(point, each, strict=True)) for each in _middle_95(drawn))
    few = days < LEAST_DAYS or point["came"] < LEAST_CAME
    return {
        "title": title, "showings": len(showings), "days": days, **_known(point), "too_few": few,
        **{f"{name}_{end}": _or_none(each[name]) for name in ("of_all", "ratio")
           for end, each in (("low", low), ("high", high)) if days > 1},
        **_named(showings, watched, part >= 0.5),
    }  # fmt: skip


def _overlap(showings: Sequence[Showing], start_h: Floats, end_h: Floats) -> Floats:
    """Hours of each gap in which any of them was on; what is on twice counts once."""
    merged: list[list[float]] = []
    for each in sorted(showings, key=lambda one: one.start):
        a, b = ((moment - EPOCH) / HOUR for moment in (each.start, each.end))
        if merged and a <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], b)
        else:
            merged.append([a, b])
    starts, ends = np.array(merged).T
    before = np.concatenate([[0.0], np.cumsum(ends - starts)])

    def on_until(moment_h: Floats) -> Floats:
        i = np.searchsorted(starts, moment_h, side="right")
        last = np.maximum(i - 1, 0)
        return np.asarray(before[last] + np.where(i > 0, np.clip(moment_h - starts[last], 0, (ends - starts)[last]), 0))

    return on_until(end_h) - on_until(start_h)


def _by_day_and_hour(watched: Gaps, columns: Sequence[Floats]) -> Floats:
    """days x 24 x columns."""
    days, number = np.unique(watched.day, return_inverse=True)
    found = np.zeros((len(days), 24, len(columns)))
    for i, column in enumerate(columns):
        np.add.at(found[:, :, i], (number, watched.hour), column)
    return found


def _numbers(sums: Floats) -> dict[str, float]:
    """sums: 24 x (hours on, came then, hours off, came then)."""
    on_h, on, off_h, off = sums.T
    both = (on_h > 0) & (off_h > 0)  # an hour that was never seen without it compares with nothing
    beside = off[both] / off_h[both]
    expected = float((on_h[both] * beside).sum())
    hours = float(on_h.sum())
    everything = float(on.sum() + off.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "watched_h": hours, "came": float(on.sum()),
            "of_all": float(on.sum()) / everything if everything else np.nan,
            "per_hour": float(on.sum()) / hours if hours else np.nan,
            "per_hour_beside": expected / float(on_h[both].sum()) if both.any() else np.nan,
            "ratio": float(on[both].sum()) / expected if expected else np.nan,
        }  # fmt: skip


def _drawn(sums: Floats, rng: np.random.Generator) -> Floats:
    chosen = rng.integers(0, len(sums), (DRAWS, len(sums)))
    return np.array([list(_numbers(sums[each].sum(axis=0)).values()) for each in chosen])


def _middle_95(drawn: Floats) -> Floats:
    """2 x columns; NaN where a column was never known."""
    known = (column[~np.isnan(column)] for column in drawn.T)
    ends = [np.quantile(each, (0.025, 0.975)) if len(each) else np.full(2, np.nan) for each in known]
    return np.array(ends).T


def _named(showings: Sequence[Showing], watched: Gaps, on: Bools) -> dict[str, object]:
    names = {name for each in showings for name in each.names}
    if not names:
        return {}

    def count(chosen: Bools) -> tuple[int, int]:
        keys = [key for i in np.flatnonzero(chosen).tolist() for key in watched.came[i]]
        return sum(any(name in key for name in names) for key in keys), len(keys)

    hits, n = count(on)
    others, m = count(~on)
    low, high = wilson(hits, n)
    return {
        "named": hits, "named_of": n, "named_share": hits / n if n else None, "named_low": low, "named_high": high,
        "named_beside": others / m if m else None,
    }  # fmt: skip


def _known(numbers: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _or_none(each) for name, each in numbers.items()}


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
