"""Trials of the forecast itself: worse input must cost a little, nonsense must bring nothing, the obvious must be seen.

Pure; randomness comes in as a seed. All trials use one learner instead of the team, and so does what they are
compared with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from analysis.trends import lead, measures, team
from analysis.trends.backtest import TEAM_NAME, Forecasts, Settings, walk_forward
from analysis.trends.baselines import PERSISTENCE
from analysis.trends.entry import Candidates, Question, candidates
from analysis.trends.streams import Snapshot, Stream

PLANTED = "planted:"
PLANTED_PLACES = (30, 20, 12, 4)  # a climb that anyone would call one
HIDDEN_SHARE = 0.6  # of its entries, for which a well-known trends API showed no volume
HIDDEN_QUANTILE = 0.4


@dataclass(frozen=True)
class Trial:
    name: str
    average_precision: float
    persistence: float
    base_rate: float


def stress(truth: Sequence[Stream], question: Question, settings: Settings, seed: int) -> list[Trial]:
    """Volumes hidden at random and below a floor, snapshots lost; answers stay those of the whole archive."""
    alone = replace(settings, members=team.ALONE)
    worse: dict[str, Callable[[Stream], Stream]] = {
        "as it is": lambda each: each,
        f"{HIDDEN_SHARE:.0%} of the volumes hidden": lambda each: hidden(each, seed),
        "small volumes hidden": floored,
        "10 % of the snapshots lost": lambda each: thinned(each, 0.1, seed),
        "30 % of the snapshots lost": lambda each: thinned(each, 0.3, seed),
    }
    found = []
    for name, change in worse.items():
        rows = candidates(truth, question, [change(each) for each in truth])
        found.append(_trial(name, walk_forward(rows, question, alone)))
    return found


def shuffled(rows: Candidates, question: Question, settings: Settings, seed: int) -> Trial:
    """Answers dealt anew within each origin: nothing is left to learn but how many enter."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(rows.at_h)), rows.origin))
    home = np.lexsort((np.arange(len(rows.at_h)), rows.origin))
    dealt = np.empty(len(order), dtype=np.int64)
    dealt[home] = order
    nonsense = replace(rows, best=rows.best[dealt], known=rows.known[dealt], entered_h=rows.entered_h[dealt])
    return _trial("answers shuffled", walk_forward(nonsense, question, replace(settings, members=team.ALONE)))


def planted(truth: Sequence[Stream], question: Question, settings: Settings, per_day: float, seed: int) -> float:
    """Share of planted climbs in the test time that are told before they arrive, at the budget; NaN without any."""
    sown = [plant(each, question.top, seed) for each in truth]
    rows = candidates(sown, question)
    found = walk_forward(rows, question, replace(settings, members=team.ALONE))
    numbers = [_planted_numbers(each, question.top) for each in sown]
    threshold = lead.threshold_for(found.rows, found.scores[TEAM_NAME], per_day + PER_DAY)
    alerts = lead.told(found.rows, found.scores[TEAM_NAME], threshold)
    of_planted = {(int(b), int(t)) for b, t in zip(found.rows.board, found.rows.topic, strict=True) if t in numbers[b]}
    told = {(int(found.rows.board[i]), int(found.rows.topic[i])) for i in alerts} & of_planted
    return len(told) / len(of_planted) if of_planted else math.nan


def _trial(name: str, found: Forecasts) -> Trial:
    label = found.label
    return Trial(
        name, measures.average_precision(label, found.scores[TEAM_NAME]),
        measures.average_precision(label, found.scores[PERSISTENCE]), float(label.mean()),
    )  # fmt: skip


def hidden(whole: Stream, seed: int, share: float = HIDDEN_SHARE) -> Stream:
    rng = np.random.default_rng(seed)

    def cover(snapshot: Snapshot) -> Snapshot:
        covered = rng.random(len(snapshot.keys)) < share
        volumes = (math.nan if out else each for each, out in zip(snapshot.volumes, covered.tolist(), strict=True))
        return replace(snapshot, volumes=tuple(volumes))

    return replace(whole, snapshots=[cover(each) for each in whole.snapshots])


def floored(whole: Stream) -> Stream:
    """Volumes below the archive's own 40 % quantile hidden, as a source with a floor does."""
    shown = [each for snapshot in whole.snapshots for each in snapshot.volumes if each == each]
    floor = float(np.quantile(shown, HIDDEN_QUANTILE)) if shown else 0.0
    return replace(whole, snapshots=[
        replace(each, volumes=tuple(volume if volume >= floor else math.nan for volume in each.volumes))
        for each in whole.snapshots
    ])  # fmt: skip


def thinned(whole: Stream, share: float, seed: int) -> Stream:
    rng = np.random.default_rng(seed)
    return replace(whole, snapshots=[each for each in whole.snapshots if rng.random() >= share])


PER_DAY = 2.0


def plant(whole: Stream, top: int, seed: int) -> Stream:
    """Two topics a day that climb to the top in four snapshots, their volumes between those of their neighbours."""
    rng, snapshots = np.random.default_rng(seed), list(whole.snapshots)
    count = int(PER_DAY * whole.days)
    starts = rng.choice(
        max(len(snapshots) - len(PLANTED_PLACES), 1), size=min(count, len(snapshots) // 8), replace=False
    )
    for number, start in enumerate(sorted(starts.tolist())):
        for step, place in enumerate(PLANTED_PLACES):
            if start + step < len(snapshots):
                where = min(place if place > top else max(1, top // 2), len(snapshots[start + step].keys)) - 1
                snapshots[start + step] = _with(snapshots[start + step], where, f"{PLANTED}{number}")
    return replace(whole, snapshots=snapshots)


def _with(snapshot: Snapshot, where: int, key: str) -> Snapshot:
    volumes = (*snapshot.volumes[:where], snapshot.volumes[where], *snapshot.volumes[where:])
    return replace(snapshot, keys=(*snapshot.keys[:where], key, *snapshot.keys[where:]), volumes=volumes)


def _planted_numbers(whole: Stream, top: int) -> set[int]:
    numbers: dict[str, int] = {}
    for snapshot in whole.snapshots:
        for key in snapshot.keys[top:]:
            numbers.setdefault(key, len(numbers))
    return {number for key, number in numbers.items() if key.startswith(PLANTED)}


def garbage_after(whole: Stream, moment_h: float) -> Stream:
    """The same archive, with everything later than the moment turned into nonsense."""

    def spoil(snapshot: Snapshot) -> Snapshot:
        if snapshot.at_h <= moment_h:
            return snapshot
        volumes = tuple(7.0e8 * (i + 1) if i % 2 else math.nan for i in range(len(snapshot.keys)))
        return Snapshot(
            snapshot.at + timedelta(minutes=1), tuple(f"garbage {key}" for key in snapshot.keys)[::-1], volumes
        )

    return replace(whole, snapshots=[spoil(each) for each in whole.snapshots])
