"""How topics move on a board, and counters of an entity move in time. Pure functions on frames.

Three rules hold everywhere. An absent topic is censored, not zero: it is below the list, or the list
was not taken. A hidden volume is a bound, not zero. A moment known by its day lies in [at, at + 24 h),
so a duration has bounds, and no value where those bounds allow that no time passed at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.trends.board_columns import HOUR_MS, Moments, evolve, rows_of
from analysis.trends.growth import Growth, Shown, growth

DAY_H = 24.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_MAX_GAP = timedelta(hours=3)
CADENCE_SNAPSHOTS = 8  # with fewer, one long pause decides what is usual
TOPS = (3, 10, 50)

_MOMENT = "datetime64[ms, UTC]"
_DURATIONS = (*(f"time_in_top_{top}_h" for top in TOPS), "speed_to_peak_h", "half_life_h")
BOARD_EVOLUTION_COLUMNS = {
    "topic": "string", "topic_key": "string", "state": "string",
    "first_seen": _MOMENT, "first_seen_precision": "string",
    "last_seen": _MOMENT, "last_seen_precision": "string",
    "snapshots": "Int64", "snapshots_possible": "Int64", "streak": "Int64", "re_entries": "Int64",
    "best_position": "Int64", "best_at": _MOMENT, "best_at_precision": "string", "last_position": "Int64",
    "peak_volume": "Int64", "peak_volume_at": _MOMENT, "peak_volume_at_precision": "string",
    "first_volume": "Int64", "last_volume": "Int64", "volumes": "string",
    "hidden": "Int64", "promoted": "Int64",
    **{f"{name}{end}": "Float64" for name in _DURATIONS for end in ("", "_low", "_high")},
}  # fmt: skip

READING_COLUMNS = {
    "entity": "string", "counter": "string", "unit": "string", "at": _MOMENT, "at_precision": "string",
    "value": None, "precision": "Int64", "low": None, "high": None, "capture": "string",
}  # fmt: skip
_THREE = ("_low", "", "_high")
CHANGE_COLUMNS = {
    "entity": "string", "counter": "string", "unit": "string",
    "from_at": _MOMENT, "from_at_precision": "string", "at": _MOMENT, "at_precision": "string",
    "capture": "string", "sign": "string", **{f"change{end}": None for end in _THREE},
    **{f"{name}{end}": "Float64" for name in ("elapsed_h", "per_hour", "per_day") for end in _THREE},
}  # fmt: skip
"""A column of None holds Int64; Float64 where a reading is a float, Decimal where one is a price."""
PRICES = ("price", "list_price")


class Span(NamedTuple):
    """Hours between two moments, each of which may be known by its day only."""

    low: float
    high: float

    @property
    def mid(self) -> float | None:
        """None where no time may have passed: a value would be shorter than its own uncertainty."""
        return None if self.low <= 0 < self.high else (self.low + self.high) / 2


class Sighting(NamedTuple):
    """A topic in one snapshot, at its best position there."""

    snapshot: int
    position: int
    topic: str
    volume: int | None
    floor: int | None
    promoted: bool


@dataclass(frozen=True)
class Clock:
    """The moments at which a board was taken, oldest first."""

    starts_ms: Sequence[int]
    by_day: Sequence[bool]
    """Only the day is known."""
    whole: Sequence[bool]
    """False where rows were refused: there, absence says nothing."""
    last_whole: int
    """The newest whole snapshot; -1 without any."""
    max_gap_h: float

    def moment(self, name: str, snapshot: int) -> dict[str, object]:
        at = EPOCH + timedelta(milliseconds=self.starts_ms[snapshot])
        return {name: at, f"{name}_precision": "day" if self.by_day[snapshot] else None}

    def between(self, first: int, last: int) -> Span:
        if first == last:
            return Span(0.0, 0.0)
        gap_h = (self.starts_ms[last] - self.starts_ms[first]) / HOUR_MS
        return Span(max(0.0, gap_h - DAY_H * self.by_day[first]), gap_h + DAY_H * self.by_day[last])

    def standing(self, first: int, last: int) -> Span:
        """How long consecutive snapshots stand: each until the next, at most max_gap; the newest for 0 h."""
        end = min(last + 1, len(self.starts_ms) - 1)
        steps = [self.between(i, i + 1) for i in range(first, end)]
        low = sum(min(step.low, self.max_gap_h) for step in steps)
        high = sum(min(step.high, self.max_gap_h) for step in steps)
        unbroken = self.between(first, end)  # narrower: the blur of the days between cancels out
        if all(step.high <= self.max_gap_h for step in steps):
            low = max(low, unbroken.low)
        return Span(low, min(high, unbroken.high))


def board_evolution(boards: pd.DataFrame, entries: pd.DataFrame, max_gap: timedelta | None = None) -> pd.DataFrame:
    """One row per topic_key; columns as BOARD_EVOLUTION_COLUMNS, by first_seen and topic_key.

    boards, entries: as Reader.boards and Reader.entries give them.
    snapshots_possible: snapshots of the board from first_seen to last_seen, both included.
    streak: most snapshots on end that show it.
    first_volume, last_volume: at first_seen and last_seen; None where hidden there.
    volumes: the path of shown numbers, repeats once; `<10,000` where hidden below a floor; None without any. Of a long
    path its first and last 20 steps.
    time_in_top_N_h: a snapshot stands until the next one, at most max_gap. Default: twice the median gap,
    3 h on boards with fewer than eight snapshots. The newest snapshot has no next and stands for 0 h.
    speed_to_peak_h: first_seen to the highest shown volume; None where a single one was shown.
    half_life_h: from that peak to the first shown volume of half or less; None where not seen.
    re_entries: came back after a whole snapshot without it.
    Promoted rows count as seen, but have no position, no time in the top and make no re-entry.
    """
    if entries.empty:
        return _frame([], BOARD_EVOLUTION_COLUMNS)
    clock = board_clock(boards, entries, max_gap)
    moments = Moments(
        np.array(clock.starts_ms, dtype=np.int64), np.array(clock.by_day), np.array(clock.whole), clock.last_whole,
        round(clock.max_gap_h * HOUR_MS),
    )  # fmt: skip
    columns = evolve(rows_of(entries, moments.starts_ms), moments, TOPS)
    return pd.DataFrame({name: columns[name] for name in BOARD_EVOLUTION_COLUMNS}, copy=False)


def board_clock(boards: pd.DataFrame, entries: pd.DataFrame, max_gap: timedelta | None) -> Clock:
    # Of a moment the last row tells how well it is known, as for boards below.
    day = entries["at_precision"].eq("day").fillna(False).to_numpy(dtype=bool)[::-1]
    at_ms = entries["at"].dt.as_unit("ms").astype("int64").to_numpy()
    moments, last = np.unique(at_ms[::-1], return_index=True)
    taken = {at: (by_day, True) for at, by_day in zip(moments.tolist(), day[last].tolist(), strict=True)}
    refused = (boards["got"] > boards["size"]).fillna(False)
    for start, precision, fewer in zip(
        _ms(boards["at"]), boards["at_precision"].eq("day").tolist(), refused.tolist(), strict=True
    ):
        taken[start] = (precision is True, not fewer)
    starts = sorted(taken)
    whole = [taken[start][1] for start in starts]
    return Clock(
        starts_ms=starts,
        by_day=[taken[start][0] for start in starts],
        whole=whole,
        last_whole=max((i for i, each in enumerate(whole) if each), default=-1),
        max_gap_h=(max_gap or default_max_gap(starts)) / timedelta(hours=1),
    )


def median_gap(starts_ms: Sequence[int]) -> timedelta | None:
    """The lower median; None where fewer than two gaps leave nothing to take one of."""
    gaps = sorted(later - earlier for earlier, later in pairwise(starts_ms))
    return timedelta(milliseconds=gaps[(len(gaps) - 1) // 2]) if len(gaps) > 1 else None


def default_max_gap(starts_ms: Sequence[int]) -> timedelta:
    """Twice the median gap; 3 h on boards of too few snapshots to speak of a cadence."""
    typical = median_gap(starts_ms)
    return DEFAULT_MAX_GAP if typical is None or len(starts_ms) < CADENCE_SNAPSHOTS else 2 * typical


def best_rows(entries: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """(topic_key, at, position, topic, volume, floor, promoted); of twins the best earned one."""
    plain = entries.assign(promoted=entries["promoted"].fillna(False))
    order = ["topic_key", "at", "promoted", "position"]
    best = plain.sort_values(order, kind="stable").drop_duplicates(["topic_key", "at"])
    columns = ("topic_key", "position", "topic", "volume", "volume_floor", "promoted")
    key, *others = (_plain(best[name]) for name in columns)
    return zip(key, _ms(best["at"]), *others, strict=True)


def _ms(moments: pd.Series[Any]) -> list[int]:
    found: list[int] = moments.dt.as_unit("ms").astype("int64").tolist()
    return found


def _plain(column: pd.Series[Any]) -> list[Any]:
    """Python values, None where missing."""
    found: list[Any] = column.astype("object").where(column.notna(), None).tolist()
    return found


def entity_evolution(observations: pd.DataFrame, counters: Sequence[str]) -> pd.DataFrame:
    """One row per observation and counter, by counter and moment; columns as READING_COLUMNS.

    observations: as Reader.observations gives them. value is missing where the page did not show it;
    low and high are what it can be, given its rounding. unit: the currency of a price, else missing.
    """
    order = ["entity", "at", "capture"]
    seen = observations.sort_values(order, kind="stable").to_dict("records")
    rows = []
    for counter in counters:
        for each in seen:
            reading = _shown(each, counter, f"{counter}_precision")
            rows.append({
                "entity": each["entity"], "counter": counter,
                "unit": each["currency"] if counter in PRICES else None,
                "at": each["at"], "at_precision": each["at_precision"], "capture": each["capture"],
                **{name: getattr(reading, name, None) for name in ("value", "precision", "low", "high")},
            })  # fmt: skip
    return _frame(rows, READING_COLUMNS)


def changes(readings: pd.DataFrame) -> pd.DataFrame:
    """One row per counter and pair of successive readings that show it; columns as CHANGE_COLUMNS.

    readings: as entity_evolution gives them. Prices of different currencies are never compared.
    """
    rows = []
    for (entity, counter), group in groupby(readings.to_dict("records"), key=itemgetter("entity", "counter")):
        shown = [(row, reading) for row in group if (reading := _shown(row, "value", "precision"))]
        for (before, earlier), (after, later) in pairwise(shown):
            unit = _known(after["unit"])
            if _known(before["unit"]) != unit:
                continue
            rows.append({
                "entity": entity, "counter": counter, "unit": unit, "capture": after["capture"],
                "from_at": before["at"], "from_at_precision": before["at_precision"],
                "at": after["at"], "at_precision": after["at_precision"], **_flat(growth(earlier, later)),
            })  # fmt: skip
    return _frame(rows, CHANGE_COLUMNS)


def _flat(found: Growth) -> dict[str, object]:
    row = {name: getattr(found, name) for name in CHANGE_COLUMNS if hasattr(found, name)}
    for name, rate in (("per_hour", found.per_hour), ("per_day", found.per_day)):
        row |= {f"{name}_low": rate.low, name: rate.mid, f"{name}_high": rate.high}
    return row


def _shown(row: dict[Any, Any], value: str, precision: str) -> Shown | None:
    if (number := _known(row[value])) is None:
        return None
    return Shown(number, row["at"], _known(row.get(precision)), _known(row["at_precision"]))


def _known(value: Any) -> Any:
    return None if pd.isna(value) else value


def _frame(rows: Sequence[dict[str, Any]], columns: Mapping[str, str | None]) -> pd.DataFrame:
    values = {name: [row.get(name) for row in rows] for name in columns}
    return pd.DataFrame(
        {name: pd.Series(values[name], dtype=kind or _number_type(values[name])) for name, kind in columns.items()}
    )


def _number_type(values: Sequence[object]) -> str:
    if any(isinstance(value, Decimal) for value in values):
        return "object"
    return "Float64" if any(isinstance(value, float) for value in values) else "Int64"
