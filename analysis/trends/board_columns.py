"""Evolution of all topics of a board at once, column by column. Pure; never queries.

What each column means is told in evolution.board_evolution. Durations are summed in whole milliseconds, so that a sum
of parts is exactly the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Columns: TypeAlias = dict[str, Any]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ARROW = " -> "
NO_PLACE = 10**9
BEHIND_ALL = 1_000_000  # no list is so long; one number a row then sorts by topic, snapshot, promoted and place
NOWHERE = -1
PATH_ENDS = 20  # steps told at either end of a path of volumes; those between are counted


@dataclass(frozen=True)
class Moments:
    """When a board was taken, as arrays; oldest first."""

    starts_ms: Ints
    by_day: Bools
    whole: Bools
    last_whole: int
    max_gap_ms: int


@dataclass(frozen=True)
class Rows:
    """The best row of each topic in each snapshot, by topic and snapshot."""

    keys: Any
    """Of each topic, as the frame holds them; `group` counts along it."""
    group: Ints
    first: Ints
    """First row of each group."""
    end: Ints
    """Row behind the last of each group."""
    snapshot: Ints
    position: Ints
    promoted: Bools
    volume: Ints
    shown: Bools
    floor: Ints
    floored: Bools
    """Volume hidden, and below a known floor."""
    source: Ints
    """Row of the frame that each came from."""
    topic: Any
    """The frame's topics as written, by row of the frame."""


def rows_of(entries: pd.DataFrame, starts_ms: Ints) -> Rows:
    """Topics are numbered by their first snapshot, then by key."""
    codes, keys = pd.factorize(entries["topic_key"], sort=True)
    at_ms = entries["at"].dt.as_unit("ms").astype("int64").to_numpy()
    snapshot = np.searchsorted(starts_ms, at_ms)
    begun = np.full(len(keys), len(starts_ms), dtype=np.int64)
    np.minimum.at(begun, codes, snapshot)
    by_start = np.argsort(begun, kind="stable")
    number = np.empty(len(keys), dtype=np.int64)
    number[by_start] = np.arange(len(keys))
    group = number[codes]
    promoted = entries["promoted"].fillna(False).to_numpy(dtype=bool)
    position = entries["position"].to_numpy(dtype=np.int64, na_value=NO_PLACE)
    place = np.minimum(position, BEHIND_ALL) + np.where(promoted, BEHIND_ALL + 1, 0)
    order = np.argsort((group * len(starts_ms) + snapshot) * (2 * BEHIND_ALL + 2) + place, kind="stable")
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(group[order]) != 0) | (np.diff(snapshot[order]) != 0)
    order = order[new]
    group = group[order]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    shown = entries["volume"].notna().to_numpy()[order]
    return Rows(
        keys.take(by_start), group, first, np.append(first[1:], len(group)),
        snapshot[order], position[order], promoted[order],
        entries["volume"].to_numpy(dtype=np.int64, na_value=0)[order], shown,
        entries["volume_floor"].to_numpy(dtype=np.int64, na_value=0)[order],
        ~shown & entries["volume_floor"].notna().to_numpy()[order],
        order, entries["topic"].array,
    )  # fmt: skip


def evolve(rows: Rows, clock: Moments, tops: tuple[int, ...]) -> Columns:
    """Columns of equal length, one value a topic, by first_seen and key."""
    return {
        "topic_key": pd.array(rows.keys, dtype="string"),
        **_presence(rows, clock), **_ranks(rows, clock, tops), **_volumes(rows, clock),
    }  # fmt: skip


def _presence(rows: Rows, clock: Moments) -> Columns:
    first, last = rows.snapshot[rows.first], rows.snapshot[rows.end - 1]
    return {
        "topic": pd.array(rows.topic.take(rows.source[rows.end - 1]), dtype="string"),
        "state": _words(("on", "left"), (clock.last_whole > last).astype(np.int64)),
        **_moment("first_seen", first, clock), **_moment("last_seen", last, clock),
        "snapshots": _whole(rows.end - rows.first),
        "snapshots_possible": _whole(last - first + 1),
        "streak": _whole(_streak(rows)),
        "promoted": _whole(np.add.reduceat(rows.promoted.astype(np.int64), rows.first)),
    }  # fmt: skip


def _streak(rows: Rows) -> Ints:
    """Most snapshots on end."""
    starts = np.flatnonzero((np.diff(rows.group, prepend=-1) != 0) | (np.diff(rows.snapshot, prepend=-2) != 1))
    longest = np.zeros(len(rows.first), dtype=np.int64)
    np.maximum.at(longest, rows.group[starts], np.diff(starts, append=len(rows.group)))
    return longest


def _ranks(rows: Rows, clock: Moments, tops: tuple[int, ...]) -> Columns:
    earned = np.flatnonzero(~rows.promoted)
    group, place = rows.group[earned], rows.position[earned]
    best_first = earned[np.argsort(group * (NO_PLACE + 1) + place, kind="stable")]
    best = _first_of_each(best_first, rows)
    last = np.full(len(rows.first), NOWHERE, dtype=np.int64)
    last[group] = earned  # the last writing of each group stands
    return {
        "re_entries": _whole(_returns(rows, clock, earned)),
        "best_position": _taken(rows.position, best), "last_position": _taken(rows.position, last),
        **_moment("best_at", np.where(best == NOWHERE, NOWHERE, rows.snapshot[best]), clock),
        **{name: each for top in tops for name, each in _time_in_top(rows, clock, earned, top).items()},
    }  # fmt: skip


def _returns(rows: Rows, clock: Moments, earned: Ints) -> Ints:
    """Comings back after a whole snapshot in which the topic was not, not even as an advertisement."""
    left, back = earned[:-1], earned[1:]
    same = rows.group[left] == rows.group[back]
    whole = np.concatenate([[0], np.cumsum(clock.whole)])
    between = whole[rows.snapshot[back]] - whole[rows.snapshot[left] + 1]
    bought = np.concatenate([[0], np.cumsum(rows.promoted & clock.whole[rows.snapshot])])
    away = between - (bought[back] - bought[left + 1]) > 0
    return np.bincount(rows.group[back][same & away], minlength=len(rows.first))


def _time_in_top(rows: Rows, clock: Moments, earned: Ints, top: int) -> Columns:
    inside = earned[rows.position[earned] <= top]
    group, snapshot = rows.group[inside], rows.snapshot[inside]
    starts = np.ones(len(inside), dtype=bool)
    starts[1:] = (np.diff(group) != 0) | (np.diff(snapshot) != 1)
    opens = np.flatnonzero(starts)
    closes = np.append(opens[1:], len(inside)) - 1 if len(opens) else opens
    low, high = _standing(clock, snapshot[opens], snapshot[closes])
    count = len(rows.first)
    total_low, total_high = (np.bincount(group[opens], weights=each, minlength=count) for each in (low, high))
    return _span(f"time_in_top_{top}_h", total_low, total_high, np.ones(count, dtype=bool))


def _standing(clock: Moments, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """As Clock.standing, for many runs of snapshots."""
    gap = np.diff(clock.starts_ms)
    low = np.maximum(gap - DAY_MS * clock.by_day[:-1], 0)
    high = gap + DAY_MS * clock.by_day[1:]
    sums = [
        np.concatenate([[0], np.cumsum(each)])
        for each in (np.minimum(low, clock.max_gap_ms), np.minimum(high, clock.max_gap_ms), high > clock.max_gap_ms)
    ]
    end = np.minimum(last + 1, len(clock.starts_ms) - 1)
    run_low, run_high, broken = (each[end] - each[first] for each in sums)
    unbroken_low, unbroken_high = _between(clock, first, end)
    run_low = np.where(broken == 0, np.maximum(run_low, unbroken_low), run_low)
    return run_low, np.minimum(run_high, unbroken_high)


def _between(clock: Moments, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    gap, apart = clock.starts_ms[last] - clock.starts_ms[first], first != last
    low = np.maximum(gap - DAY_MS * clock.by_day[first], 0)
    return np.where(apart, low, 0), np.where(apart, gap + DAY_MS * clock.by_day[last], 0)


def _volumes(rows: Rows, clock: Moments) -> Columns:
    shown = np.flatnonzero(rows.shown)
    count = len(rows.first)
    peak = _first_of_each(shown[np.lexsort((shown, -rows.volume[shown], rows.group[shown]))], rows)
    several = np.bincount(rows.group[shown], minlength=count) > 1
    known = peak != NOWHERE
    later = shown[(shown > peak[rows.group[shown]]) & (2 * rows.volume[shown] <= rows.volume[peak[rows.group[shown]]])]
    half = _first_of_each(later, rows)
    peak_at = rows.snapshot[peak]
    rise = _between(clock, rows.snapshot[rows.first], peak_at)
    fall = _between(clock, peak_at, rows.snapshot[half])
    return {
        "first_volume": _whole(rows.volume[rows.first], ~rows.shown[rows.first]),
        "last_volume": _whole(rows.volume[rows.end - 1], ~rows.shown[rows.end - 1]),
        "volumes": _paths(rows),
        "hidden": _whole(np.add.reduceat(rows.floored.astype(np.int64), rows.first)),
        "peak_volume": _taken(rows.volume, peak),
        **_moment("peak_volume_at", np.where(known, peak_at, NOWHERE), clock),
        **_span("speed_to_peak_h", *rise, known & several),
        **_span("half_life_h", *fall, half != NOWHERE),
    }  # fmt: skip


def _paths(rows: Rows) -> Any:
    """'140,681 -> <10,000 -> 351,261'; rows of which nothing at all is known are left out, repeats told once.

    Of a long path the first and last PATH_ENDS steps: a topic may stay for years.
    """
    told = np.flatnonzero(rows.shown | rows.floored)
    step = np.where(rows.shown[told], 2 * rows.volume[told], 2 * rows.floor[told] + 1)
    group = rows.group[told]
    new = np.ones(len(told), dtype=bool)
    new[1:] = (np.diff(step) != 0) | (np.diff(group) != 0)
    step, group = step[new], group[new]
    values, place = np.unique(step, return_inverse=True)
    words = [f"<{each >> 1:,}" if each & 1 else f"{each >> 1:,}" for each in values.tolist()]
    edges = np.searchsorted(group, np.arange(len(rows.first) + 1))
    one = np.full(len(rows.first), NOWHERE, dtype=np.int64)
    count = np.diff(edges)
    one[count > 0] = place[edges[:-1][count > 0]]
    places, borders, several = place.tolist(), edges.tolist(), np.flatnonzero(count > 1)
    one[several] = np.arange(len(words), len(words) + len(several))
    paths = [path(words, places[borders[each] : borders[each + 1]]) for each in several.tolist()]
    return _words((*words, *paths), one)


def path(words: Sequence[str], steps: Sequence[int]) -> str:
    if (between := len(steps) - 2 * PATH_ENDS) <= 0:
        return ARROW.join([words[i] for i in steps])
    ends = [[words[i] for i in each] for each in (steps[:PATH_ENDS], steps[-PATH_ENDS:])]
    return ARROW.join([*ends[0], left_out(between), *ends[1]])


def left_out(steps: int) -> str:
    return f"({steps:,} more)"


def _first_of_each(ordered: Ints, rows: Rows) -> Ints:
    """Of each group its first row in *ordered* (by group), NOWHERE where it has none."""
    group = rows.group[ordered]
    found = np.full(len(rows.first), NOWHERE, dtype=np.int64)
    heads = np.flatnonzero(np.diff(group, prepend=-1))
    found[group[heads]] = ordered[heads]
    return found


def _words(words: tuple[str, ...], which: Ints) -> Any:
    """Missing where which is NOWHERE."""
    return pd.array(list(words), dtype="string").take(which, allow_fill=True) if words else _no_words(len(which))


def _no_words(n: int) -> Any:
    return pd.array([None] * n, dtype="string")


def _taken(values: Ints, rows: Ints) -> Any:
    return _whole(values[rows], rows == NOWHERE)


def _whole(values: Ints, missing: Bools | None = None) -> Any:
    absent = np.zeros(len(values), dtype=bool) if missing is None else missing
    return pd.arrays.IntegerArray(np.where(absent, 0, values).astype(np.int64), absent)


def _moment(name: str, snapshot: Ints, clock: Moments) -> Columns:
    known = snapshot != NOWHERE
    at = pd.array(np.where(known, clock.starts_ms[snapshot], 0).view("datetime64[ms]"), dtype="datetime64[ms, UTC]")
    at[~known] = pd.NaT
    day = known & clock.by_day[snapshot]
    return {name: at, f"{name}_precision": _words(("day",), np.where(day, 0, NOWHERE))}


def _span(name: str, low_ms: Any, high_ms: Any, known: Bools) -> Columns:
    """Hours; no middle where no time may have passed: a value would be shorter than its own uncertainty."""
    low, high = low_ms / HOUR_MS, high_ms / HOUR_MS
    vague = (low <= 0) & (high > 0)
    float_array = pd.arrays.FloatingArray
    return {
        name: float_array(np.where(known, (low + high) / 2, 0.0), ~known | vague),
        f"{name}_low": float_array(np.where(known, low, 0.0), ~known),
        f"{name}_high": float_array(np.where(known, high, 0.0), ~known),
    }
