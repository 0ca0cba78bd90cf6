"""Alert rules on bursts: whose inflow has just left what is usual for it, told once, and whether it lasted. Pure.

A series is one entity's counter, or one topic's volume. Its inflow is at least what came per hour between two readings:
a rounding step alone brings none. A score is the burst detector's strength in units of what an alert needs; nothing of
it is learnt from the history at hand, so telling the past in order is the walk-forward backtest. An alert comes true
when the inflow of the hours after it stays at TIMES what was usual before it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any

import numpy as np
import pandas as pd

from analysis.trends import team
from analysis.trends.alerts import LEAST_EARNED, Candidate, Earned, State, decide, promised, wilson
from analysis.trends.board_life import inflows
from analysis.trends.bursts import DAY, DEFAULT, HOUR, THRESHOLD, Alarm, BurstSettings, Strength

PLAIN_TIMES = 3.0
TIMES = 2.0  # what stays below twice the usual is no burst to act on
LEAST_USUAL = 1.0  # an hour: one more follower after none is no burst
USUAL_OF = 7 * DAY
LEARNING_ROWS = 24  # readings; slow series need more than the detector's 62.5 hours
SHORTEST_BIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Inflow:
    """At least so much came per hour in the time that ended at `at`."""

    at: datetime
    hours: float
    per_hour: float
    shown: float
    capture: str


@dataclass(frozen=True)
class Series:
    key: str
    name: str
    rows: Sequence[Inflow]


@dataclass(frozen=True)
class BurstRule:
    subject: str
    """A board, or a kind and its counter."""
    about: Mapping[str, str]
    """Fields of the alert's document that say the same."""
    horizon_h: float = 24.0
    least: float = 1.0
    """Score from which a burst is told; 1 is the detector's own threshold."""
    per_day: int = 10
    quiet: timedelta = DAY
    earned: Earned | None = None
    calibration: team.Calibration | None = None

    @property
    def name(self) -> str:
        return f"{self.subject}: burst that lasts {self.horizon_h:g} h"

    @property
    def promise(self) -> str:
        return promised(self.earned)

    def probability(self, score: float) -> float | None:
        """Of coming true; None where too few alerts were settled here to say."""
        if self.calibration is not None:
            return float(self.calibration.probability(np.array([math.log(score)]))[0])
        return self.earned.precision if self.earned and self.earned.n >= LEAST_EARNED else None


@dataclass(frozen=True)
class Told:
    at: datetime
    burst: Candidate
    came_true: bool | None
    lead_h: float
    """From the telling to the greatest inflow within the horizon; NaN unless it came true."""


def of_counter(observations: pd.DataFrame, counter: str) -> list[Series]:
    """observations: as Reader.observations_of gives them. Readings known by their day only are left out."""
    known = observations[observations[counter].notna() & observations["at_precision"].isna()]
    rounding = f"{counter}_precision"
    steps = known[rounding] if rounding in known.columns else pd.Series(pd.NA, index=known.index, dtype="Int64")
    frame = pd.DataFrame({
        "key": known["entity"], "at": known["at"], "value": known[counter].astype("float64"),
        "half": steps.astype("Float64").fillna(0.0).astype("float64") / 2, "capture": known["capture"],
    })  # fmt: skip
    frame = _apart(frame.sort_values(["key", "at", "capture"], kind="stable").drop_duplicates(["key", "at"]))
    before = frame.groupby("key", sort=False)[["at", "value", "half"]].shift(1)
    frame["hours"] = (frame["at"] - before["at"]).dt.total_seconds() / 3600
    came = frame["value"] - frame["half"] - before["value"] - before["half"]
    frame["per_hour"] = came.clip(lower=0.0) / frame["hours"]
    return [Series(str(key), str(key), _rows(own)) for key, own in frame.dropna(subset=["hours"]).groupby("key")]


def _apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Without readings that come sooner than half the usual time after the one before: a rate of minutes is noise."""
    least = frame.groupby("key", sort=False)["at"].diff().median() / 2
    kept, last_key, last = [], None, None
    for key, at in zip(frame["key"].tolist(), frame["at"].tolist(), strict=True):
        far = key != last_key or last is None or at - last >= least
        kept.append(far)
        last_key, last = (key, at) if far else (last_key, last)
    return frame[kept]


def of_volume(entries: pd.DataFrame) -> list[Series]:
    """entries: as Reader.entries gives them, of one board; what each topic's rolling count rose by at least."""
    found = []
    for key, own in entries[~entries["promoted"].fillna(False)].groupby("topic_key"):
        came = inflows(own)
        shown = own.drop_duplicates("at").set_index("at")["capture"]
        frame = pd.DataFrame({
            "at": came["at"], "hours": came["hours"], "per_hour": came["came_low"].astype("float64") / came["hours"],
            "value": came["shown"].astype("Float64").fillna(0.0), "capture": came["at"].map(shown),
        })  # fmt: skip
        found.append(Series(str(key), str(own["topic"].iloc[-1]), _rows(frame)))
    return found


def _rows(frame: pd.DataFrame) -> list[Inflow]:
    columns = ("at", "hours", "per_hour", "value", "capture")
    return [
        Inflow(at.to_pydatetime(), hours, per_hour, value, str(capture))
        for at, hours, per_hour, value, capture in zip(*(frame[each].tolist() for each in columns), strict=True)
    ]


def cadence(series: Sequence[Series]) -> timedelta | None:
    """Usual time between two readings; None without any."""
    hours = [row.hours for each in series for row in each.rows]
    return max(timedelta(hours=median(hours)), SHORTEST_BIN) if hours else None


def settings_at(bin: timedelta) -> BurstSettings:
    """The detector's own, with memories long enough for readings that are far apart."""
    rows = LEARNING_ROWS * bin
    return replace(DEFAULT, learning=max(DEFAULT.learning, rows), level_memory=max(DEFAULT.level_memory, rows),
                   memory=max(DEFAULT.memory, rows), calendar_memory=max(DEFAULT.calendar_memory, rows))  # fmt: skip


class Watched:
    """One series, fed in order: the score of each reading and what speaks for it.

    plain: the rule of many a script instead of the detector, "three times as much as usual".
    """

    def __init__(self, bin: timedelta, *, plain: bool = False) -> None:
        self._plain = plain
        settings = settings_at(bin)
        self._strength, self._alarm = Strength(bin, settings), Alarm(THRESHOLD, bin, settings)
        self._learning, self._n = settings.learning / bin, 0
        self._past: deque[Inflow] = deque()
        self._idle_h = 0.0

    def add(self, row: Inflow) -> Candidate:
        usual, needed = self._usual(row.at), self._alarm.needed(self._n)
        came = row.per_hour * row.hours
        self._idle_h += row.hours
        per_hour = came / self._idle_h
        strength = 0.0
        if came > 0:  # many a site counts in batches: what comes after hours of nothing came in those hours
            strength, self._idle_h = self._strength.add(row.at, per_hour), 0.0
            self._alarm.add(self._n, strength)
        self._n += 1
        self._past.append(row)
        tells = self._n > self._learning and per_hour >= TIMES * usual
        score = per_hour / usual / PLAIN_TIMES if self._plain else strength / needed
        evidence = {
            "inflow_per_hour": round(per_hour, 2), "usual_per_hour": round(usual, 2),
            "times_usual": round(per_hour / usual, 2), "strength": round(strength, 2), "shown": row.shown,
            "readings": self._n, "capture": row.capture,
        }  # fmt: skip
        return Candidate("", "", score if tells else 0.0, evidence)

    def _usual(self, at: datetime) -> float:
        while self._past and at - self._past[0].at > USUAL_OF:
            self._past.popleft()
        return max(fmean(each.per_hour for each in self._past), LEAST_USUAL) if self._past else LEAST_USUAL


def tell(
    rule: BurstRule, series: Sequence[Series], bin: timedelta, *, plain: bool = False
) -> list[tuple[datetime, Candidate]]:
    """Every alert of the past, in order, as it would have been told: no reading is used before its moment.

    Readings within one bin are decided together, at its last one, so that the strongest get the day's budget.
    """
    rows = sorted(((row.at, one, row) for one, each in enumerate(series) for row in each.rows), key=lambda row: row[:2])
    watched = [Watched(bin, plain=plain) for _ in series]
    told: list[tuple[datetime, Candidate]] = []
    state, held = State(), dict[str, Candidate]()
    at = 0
    while at < len(rows):
        slot, fresh = _slot(rows[at][0], bin), dict[str, Candidate]()
        while at < len(rows) and _slot(rows[at][0], bin) == slot:
            moment, one, row = rows[at]
            found = replace(watched[one].add(row), topic_key=series[one].key, topic=series[one].name)
            before = fresh.get(found.topic_key)
            fresh[found.topic_key] = found if before is None or found.score >= before.score else before
            at += 1
        now, state = decide(rule, state, moment, [*fresh.values(), *_older(held, fresh, rule)])
        held = {key: each for key, each in (held | fresh).items() if key in state.on}
        told += [(moment, each) for each in now]
    return told


def _slot(at: datetime, bin: timedelta) -> int:
    return int(at.timestamp() // bin.total_seconds())


def _older(held: Mapping[str, Candidate], fresh: Mapping[str, Candidate], rule: BurstRule) -> list[Candidate]:
    """Who was not read now: a burst told before stays on, but nobody is told on an old reading."""
    below = math.nextafter(rule.least, 0.0)
    return [replace(each, score=min(each.score, below)) for key, each in held.items() if key not in fresh]


def outcome(at: datetime, until: datetime, usual: float, rows: Sequence[Inflow]) -> tuple[bool | None, float]:
    """Whether the inflow stayed at TIMES the usual until then, and hours to its greatest; None while nobody can know.

    Nobody can know before the end is read past, or where nothing was read in between.
    """
    between = rows[bisect_right(rows, at, key=_at) : bisect_right(rows, until, key=_at)]
    if not between or rows[-1].at < until:
        return None, math.nan
    hours = sum(each.hours for each in between)
    lasted = sum(each.per_hour * each.hours for each in between) >= TIMES * usual * hours
    greatest = max(between, key=lambda each: each.per_hour)
    return lasted, (greatest.at - at) / HOUR if lasted else math.nan


def _at(row: Inflow) -> datetime:
    return row.at


def backtest(rule: BurstRule, series: Sequence[Series], bin: timedelta, *, plain: bool = False) -> list[Told]:
    by_key = {each.key: each.rows for each in series}
    ahead = timedelta(hours=rule.horizon_h)
    return [
        Told(at, each, *outcome(at, at + ahead, each.evidence["usual_per_hour"], by_key[each.topic_key]))
        for at, each in tell(rule, series, bin, plain=plain)
    ]


def proven(rule: BurstRule, told: Sequence[Told]) -> BurstRule:
    """The rule with what its alerts were worth; as it is where none was settled."""
    known = [each for each in told if each.came_true is not None]
    if not known:
        return rule
    label = np.array([bool(each.came_true) for each in known])
    hits, n = int(label.sum()), len(known)
    leads = [each.lead_h for each in known if each.came_true]
    scores = np.array([math.log(each.burst.score) for each in known])
    earned = Earned(hits / n, *wilson(hits, n), median(leads) if leads else math.nan, n, known[-1].at)
    return replace(rule, earned=earned, calibration=team.calibrate(scores, label))


def by_chance(series: Sequence[Series], bin: timedelta, horizon_h: float) -> tuple[int, int]:
    """Of all moments that could be told and judged: how many would have come true; and how many they are."""
    hits, n, learning = 0, 0, settings_at(bin).learning / bin
    for each in series:
        watched = Watched(bin, plain=True)
        for row in each.rows:
            seen = watched.add(row).evidence
            if seen["readings"] <= learning:
                continue
            true, _ = outcome(row.at, row.at + timedelta(hours=horizon_h), seen["usual_per_hour"], each.rows)
            hits, n = hits + (true is True), n + (true is not None)
    return hits, n


def document(rule: BurstRule, at: datetime, each: Candidate) -> dict[str, Any]:
    """An alert as the collection `alerts` keeps it."""
    return {
        "_id": f"{rule.name}@{at:%Y%m%dT%H%M%SZ}#{each.topic_key}", "rule": rule.name, "detector": "burst",
        **rule.about, ("topic_key" if "board" in rule.about else "entity"): each.topic_key, "at": at,
        "topic": each.topic, "probability": rule.probability(each.score),
        "until": at + timedelta(hours=rule.horizon_h), "evidence": dict(each.evidence), "promise": rule.promise,
        "earned": asdict(rule.earned) if rule.earned else None,
    }  # fmt: skip
