"""Which of many entities grow faster than the others, sized down where little is known. Pure; never queries.

Growth here is the change of log(1 + counter) per elapsed hour between the first and the last reading of a time. A
small entity doubles by chance, so its growth is drawn towards that of all (empirical Bayes: the less its own reading
says, the more). An entity stands out when its growth is rarer among the others than the false-discovery share allows.
One reading is no growth: such an entity is new, a state of its own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.trends.growth import Growth, Shown, growth
from analysis.trends.measures import Floats, false_discoveries

RISING_COLUMNS = {
    "entity": "string", "counter": "string", "state": "string", "n": "Int64", "first": "Int64", "last": "Int64",
    "elapsed_h": "Float64", "change_low": "Int64", "change": "Int64", "change_high": "Int64",
    "per_hour_low": "Float64", "per_hour": "Float64", "per_hour_high": "Float64",
    "growth_pct_day": "Float64", "shrunk_pct_day": "Float64", "p": "Float64", "stands_out": "boolean",
}  # fmt: skip
LEAST_PEERS = 8  # fewer entities do not tell what is usual among them
MAD_TO_SPREAD = 1.4826  # of a normal distribution
PER_DAY = 24.0
ENGAGEMENT = ("likes", "comments", "shares", "saves")


@dataclass(frozen=True)
class Filters:
    """Applied before anything is grouped or compared, so that what is left out cannot set what is usual."""

    least: int = 0
    """Of the last value: smaller entities are left out."""
    least_engagement: int = 0
    """Of the last likes, comments, shares and saves together, those of them that are shown."""


def rising(
    observations: pd.DataFrame, counter: str, filters: Filters | None = None, share: float = 0.05
) -> pd.DataFrame:
    """One row per entity, fastest (shrunk) first, new ones last; columns as RISING_COLUMNS.

    observations: as Reader.observations gives them, of any number of entities.
    share: of those told to stand out, at most so many may be wrong.
    """
    kept = _kept(observations[observations[counter].notna()], counter, filters or Filters())
    rounding = f"{counter}_precision"
    columns = ["entity", "at", "at_precision", "capture", counter, *([rounding] if rounding in kept.columns else [])]
    ordered = kept[columns].sort_values(["entity", "at", "capture"], kind="stable")
    ends = [ordered.drop_duplicates("entity", keep=end).to_dict("records") for end in ("first", "last")]
    counts = ordered.groupby("entity", sort=True).size().tolist()
    rows = [_row(counter, *each) for each in zip(*ends, counts, strict=True)]
    frame = pd.DataFrame(rows, columns=[*RISING_COLUMNS, "noise"])
    known = frame["growth_pct_day"].notna()
    _compare(frame, known.to_numpy(dtype=bool), share)
    order = frame.sort_values(["shrunk_pct_day", "entity"], ascending=[False, True], kind="stable", ignore_index=True)
    return order[list(RISING_COLUMNS)].astype(RISING_COLUMNS)


def _kept(frame: pd.DataFrame, counter: str, filters: Filters) -> pd.DataFrame:
    newest = frame.sort_values("at", kind="stable").groupby("entity").last()  # of each column the last one shown
    enough = newest[counter] >= filters.least
    if filters.least_engagement:
        shown = newest[[name for name in ENGAGEMENT if name in newest.columns]]
        enough &= shown.sum(axis=1) >= filters.least_engagement
    return frame[frame["entity"].isin(newest.index[enough])]


def matching(about: pd.DataFrame, wanted: Mapping[str, Collection[str]]) -> list[str]:
    """Entities of which each wanted column says one of the values given; `pt` is said by `pt-BR`, too.

    about: as Reader.about gives it. An entity of which nothing is known matches nothing.
    """
    kept = pd.Series(True, index=about.index)
    for column, values in wanted.items():
        said = about[column].str.casefold()
        folded = {each.casefold() for each in values}
        kept &= (said.isin(folded) | said.str.split("-").str[0].isin(folded)).fillna(False).astype(bool)
    return [str(each) for each in about.loc[kept, "entity"]]


def _row(counter: str, oldest: dict[Any, Any], newest: dict[Any, Any], n: int) -> dict[str, Any]:
    first, last = _shown(oldest, counter), _shown(newest, counter)
    row: dict[str, Any] = {"entity": newest["entity"], "counter": counter, "n": n, "last": int(last.value)}
    if n == 1:
        return row | {"state": "new"}
    found = growth(first, last)
    row |= {"first": int(first.value), "state": found.sign, "elapsed_h": found.elapsed_h}
    row |= {"change_low": found.change_low, "change": found.change, "change_high": found.change_high}
    row |= {"per_hour_low": found.per_hour.low, "per_hour": found.per_hour.mid, "per_hour_high": found.per_hour.high}
    return row | _logarithmic(first, last, found)


def _shown(row: dict[Any, Any], counter: str) -> Shown:
    rounding, by_day = row.get(f"{counter}_precision"), row.get("at_precision")
    return Shown(
        int(row[counter]), row["at"],
        None if pd.isna(rounding) else int(rounding), None if pd.isna(by_day) else str(by_day),
    )  # fmt: skip


def _logarithmic(first: Shown, last: Shown, found: Growth) -> dict[str, float]:
    """Growth in per cent a day, and the variance that counting and rounding alone give it."""
    if found.per_hour.mid is None or not found.elapsed_h:
        return {}
    a, b = float(first.value), float(last.value)
    days = found.elapsed_h / PER_DAY
    counted = max(abs(b - a), 1.0) / (b + 1) ** 2
    rounded = sum(((each.precision or 0) / (float(each.value) + 1)) ** 2 / 12 for each in (first, last))
    return {"growth_pct_day": 100 * math.log((b + 1) / (a + 1)) / days, "noise": 1e4 * (counted + rounded) / days**2}


def _compare(frame: pd.DataFrame, known: np.ndarray[tuple[int], np.dtype[np.bool_]], share: float) -> None:
    frame["shrunk_pct_day"], frame["p"], frame["stands_out"] = np.nan, np.nan, False
    if known.sum() < LEAST_PEERS:
        frame["stands_out"] = pd.NA
        frame.loc[known, "shrunk_pct_day"] = frame.loc[known, "growth_pct_day"]
        return
    value = frame.loc[known, "growth_pct_day"].to_numpy(dtype=np.float64)
    noise = frame.loc[known, "noise"].to_numpy(dtype=np.float64)
    usual, between = peers(value, noise)
    weight = between / (between + noise) if between > 0 else np.zeros(len(value))
    chance = np.array([_beyond(each) for each in (value - usual) / np.sqrt(between + noise + 1e-12)])
    frame.loc[known, "shrunk_pct_day"] = usual + weight * (value - usual)
    frame.loc[known, "p"] = chance
    frame.loc[known, "stands_out"] = false_discoveries(chance.tolist(), share)


def peers(value: Floats, noise: Floats) -> tuple[float, float]:
    """What is usual, and the variance between entities beyond their noise; robust, so that stars do not set it."""
    usual = float(np.median(value))
    spread = MAD_TO_SPREAD * float(np.median(np.abs(value - usual)))
    return usual, max(spread**2 - float(np.median(noise)), 0.0)


def _beyond(z: float) -> float:
    """Chance of a normal value above z."""
    return 0.5 * math.erfc(z / math.sqrt(2))
