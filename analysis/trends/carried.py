"""A topic's evolution carried on: from what is stored of it and its new rows, never from its past. Pure.

A document holds the columns of evolution.board_evolution, to the last digit. What they do not tell of a topic that goes
on (the runs it stands in, what has passed since its last earned place) lies beside them, in `carry`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

import pandas as pd

from analysis.trends.board_columns import HOUR_MS, NO_PLACE
from analysis.trends.evolution import EPOCH, TOPS, Sighting, best_rows
from analysis.trends.life import Life, Moment, Path, Reach, Run, Window, between

Document: TypeAlias = Mapping[str, Any]

MS = timedelta(milliseconds=1)


def carry_on(stored: Iterable[Document], entries: pd.DataFrame, window: Window) -> list[dict[str, Any]]:
    """Documents of the topics that new rows or the passing of time have changed.

    stored: what is kept of the topics in *entries*, and of all that were on the board until now.
    entries: as Reader.entries gives them, of the snapshots that are new.
    """
    known = {each["topic_key"]: each for each in stored}
    lives = {key: life_of(each) for key, each in known.items()}
    index = {ms: i for i, ms in enumerate(window.clock.starts_ms)}
    for key, rows in groupby(best_rows(entries), key=itemgetter(0)):
        for _, at_ms, position, topic, volume, floor, promoted in rows:
            i = index[at_ms]
            if (life := lives.get(key)) is None:
                life = lives[key] = Life(key, window.moments[i], window.number + i, volume)
            life.see(Sighting(i, NO_PLACE if position is None else position, topic, volume, floor, promoted), window)
    for life in lives.values():
        if life.last_number < window.newest:
            life.leave(window)
    told = [document(life, window) for life in lives.values()]
    return [each for each in told if each != known.get(each["topic_key"])]


def document(life: Life, window: Window) -> dict[str, Any]:
    """The columns as plain values, without what is missing."""
    spans: dict[str, Reach | None] = {
        f"time_in_top_{top}_h": closed if run is None else _sum(closed, run.until(life.last))
        for top, closed, run in zip(TOPS, life.closed, life.runs, strict=True)
    }
    several = life.peak is not None and life.shown > 1
    spans["speed_to_peak_h"] = between(life.first, life.peak) if several and life.peak else None
    spans["half_life_h"] = life.half
    columns = {
        "topic": life.topic, "topic_key": life.key, "state": "left" if window.last_whole > life.last_number else "on",
        **_moment("first_seen", life.first), **_moment("last_seen", life.last),
        "snapshots": life.snapshots, "snapshots_possible": life.last_number - life.first_number + 1,
        "streak": life.streak, "re_entries": life.re_entries, "best_position": life.best_position,
        **_moment("best_at", life.best), "last_position": life.last_position,
        "peak_volume": life.peak_volume, **_moment("peak_volume_at", life.peak),
        "first_volume": life.first_volume, "last_volume": life.last_volume,
        "volumes": str(life.path) or None, "hidden": life.hidden, "promoted": life.promoted,
        **{name: each for span, reach in spans.items() for name, each in _hours(span, reach).items()},
        "carry": _carried(life),
    }  # fmt: skip
    return {name: value for name, value in columns.items() if value is not None}


def _sum(one: Reach, other: Reach) -> Reach:
    return one[0] + other[0], one[1] + other[1]


def _moment(name: str, at: Moment | None) -> dict[str, Any]:
    return {} if at is None else {name: _at(at.ms), f"{name}_precision": "day" if at.by_day else None}


def _at(ms: int) -> datetime:
    return EPOCH + ms * MS


def _hours(name: str, reach: Reach | None) -> dict[str, float | None]:
    """No middle where no time may have passed: a value would be shorter than its own uncertainty."""
    if reach is None:
        return {}
    low, high = (each / HOUR_MS for each in reach)
    return {name: None if low <= 0 < high else (low + high) / 2, f"{name}_low": low, f"{name}_high": high}


def _carried(life: Life) -> dict[str, Any]:
    runs = [
        {
            "top": top, "begin": _at(run.begin.ms), "by_day": run.begin.by_day, "unbroken": run.unbroken,
            "run_ms": [run.low_ms, run.high_ms], "closed_ms": list(closed),
        }
        for top, run, closed in zip(TOPS, life.runs, life.closed, strict=True) if run is not None
    ]  # fmt: skip
    carry = {
        "last": life.last_number, "run": life.run, "bought": life.bought or None, "whole": life.whole_at_earned,
        "shown": life.shown, "runs": runs or None,
    }  # fmt: skip
    return {name: value for name, value in carry.items() if value is not None}


def life_of(stored: Document) -> Life:
    """What document made of it, undone."""
    carry = stored["carry"]
    first, last = _read_moment(stored, "first_seen"), _read_moment(stored, "last_seen")
    if first is None or last is None:
        raise ValueError("trends: a document without first_seen and last_seen")
    life = Life(
        key=stored["topic_key"], first=first, first_number=carry["last"] - stored["snapshots_possible"] + 1,
        first_volume=stored.get("first_volume"), topic=stored["topic"], last=last, last_number=carry["last"],
        snapshots=stored["snapshots"], run=carry["run"], streak=stored["streak"], promoted=stored["promoted"],
        re_entries=stored["re_entries"], whole_at_earned=carry.get("whole"), bought=carry.get("bought", 0),
        best_position=stored.get("best_position"), best=_read_moment(stored, "best_at"),
        last_position=stored.get("last_position"), last_volume=stored.get("last_volume"),
        path=Path.read(stored.get("volumes", "")), hidden=stored["hidden"],
        shown=carry["shown"], peak_volume=stored.get("peak_volume"), peak=_read_moment(stored, "peak_volume_at"),
        half=_read_reach(stored, "half_life_h"),
        closed=[_read_reach(stored, f"time_in_top_{top}_h") or (0, 0) for top in TOPS],
    )  # fmt: skip
    for each in carry.get("runs", ()):
        place, (low, high), (closed_low, closed_high) = TOPS.index(each["top"]), each["run_ms"], each["closed_ms"]
        life.runs[place] = Run(Moment(_ms(each["begin"]), each["by_day"]), low, high, each["unbroken"])
        life.closed[place] = closed_low, closed_high
    return life


def _ms(at: datetime) -> int:
    return (at - EPOCH) // MS


def _read_moment(stored: Document, name: str) -> Moment | None:
    return Moment(_ms(stored[name]), f"{name}_precision" in stored) if name in stored else None


def _read_reach(stored: Document, name: str) -> Reach | None:
    """Whole milliseconds come back exactly: hours hold 15 digits, and no board is 10^12 ms old."""
    if f"{name}_low" not in stored:
        return None
    return round(stored[f"{name}_low"] * HOUR_MS), round(stored[f"{name}_high"] * HOUR_MS)
