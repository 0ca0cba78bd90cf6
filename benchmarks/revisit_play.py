"""A policy played over recorded series, and what came of it; it learns from its own looks and from nothing else.

Measures, fixed before any tuning. In each round the budget allows a share of the targets that could be loaded then.
- useful share: of the loads of targets that had been looked at before, those that differed from the look before.
- lag: hours from a change to the first look at or after it, over all changes of all targets; a change that is never
  looked at again counts until its target is gone or the recording ends.
- error: |last known - true| / true of each counter shown, averaged over the counters of a target, then over all
  targets and rounds alike; a target never looked at counts as 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from benchmarks.revisit_series import Recorded, Series, Shown, live
from crawler.revisit import Allowance, Candidate, Difference, Learned, Look, Policy, plan

Floats = npt.NDArray[np.float64]
COLUMNS = ("loads", "useful", "changes", "lag_h", "rounds", "error", "longest_h")


@dataclass(frozen=True)
class Played:
    """A row a target, a column each of COLUMNS."""

    sums: Floats
    over: int
    """Rounds in which more was loaded than allowed."""

    def measures(self, rows: npt.NDArray[np.intp] | None = None) -> Floats:
        """Useful share, lag in hours, error; of the targets in *rows*, drawn with repetition, if given."""
        total = (self.sums if rows is None else self.sums[rows]).sum(axis=0)
        return np.array([total[1] / max(1, total[0]), total[3] / max(1, total[2]), total[5] / max(1, total[4])])


class _Target:
    """What a policy knows of one target, and what it cannot know: changes that it has not seen."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.known: Look | None = None
        self.learned: Learned | None = None
        self.unseen: list[int] = []
        self.last: Shown | None = None
        self.sums = dict.fromkeys(COLUMNS, 0.0)


def play(
    policy: Policy,
    recorded: Recorded,
    share: float,
    since: int,
    slot_h: float = 1.0,
    known: Mapping[str, Learned] | None = None,
) -> Played:
    """share: of a look at every target in every round; since: the round from which is measured.

    known: what is to be taken for learned of each target that was looked at once, instead of what its looks teach.
    """  # fmt: skip
    targets = [_Target(each) for each in recorded.series]
    there = live(recorded.series)
    owed, over = 0.0, 0
    for n, at in enumerate(recorded.rounds):
        now = [targets[place] for place in there.get(n, ())]
        for each in now:
            _happens(each, n)
        owed += share * len(now)
        allowance = Allowance(now=int(owed), per_h=max(share * len(now) / slot_h, 1e-9))
        by_name = {each.series.name: each for each in now}
        candidates = [Candidate(each.series.name, each.series.source, slot_h, _taught(each, known)) for each in now]
        taken = [by_name[each.id] for each in plan(policy, candidates, at, allowance) if each.taken]
        over += len(taken) > allowance.now
        owed -= len(taken)
        for each in taken:
            _looked(each, n, recorded, since, slot_h)
        if n >= since:
            for each in now:
                each.sums["rounds"] += 1
                each.sums["error"] += _error(each.known, each.series.shown[n])
    for each in targets:
        _seen(each, max(each.series.shown), recorded, since)
    return Played(np.array([[each.sums[name] for name in COLUMNS] for each in targets]), over)


def _taught(target: _Target, known: Mapping[str, Learned] | None) -> Learned | None:
    if known is None or target.learned is None:
        return target.learned
    return replace(known[target.series.name], at=target.learned.at)


def _happens(target: _Target, n: int) -> None:
    shown = target.series.shown[n]
    if target.last is not None and shown != target.last:
        target.unseen.append(n)
    target.last = shown


def _looked(target: _Target, n: int, recorded: Recorded, since: int, slot_h: float) -> None:
    look = Look(recorded.rounds[n], str(n), target.series.shown[n])
    if target.known is None or target.learned is None:
        target.learned = Learned(look.at)
    else:
        found = Difference.of(target.known, look)
        if n >= since:
            waited_h = (look.at - target.known.at) / timedelta(hours=1)
            target.sums["loads"] += 1
            target.sums["useful"] += target.known.numbers != look.numbers
            target.sums["longest_h"] = max(target.sums["longest_h"], waited_h)
        target.learned = target.learned.after(found, look.at, slot_h)
    target.known = look
    _seen(target, n, recorded, since)


def _seen(target: _Target, n: int, recorded: Recorded, since: int) -> None:
    for change in target.unseen:
        if change >= since:
            target.sums["changes"] += 1
            target.sums["lag_h"] += (recorded.rounds[n] - recorded.rounds[change]) / timedelta(hours=1)
    target.unseen = []


def _error(known: Look | None, true: Shown) -> float:
    if known is None:
        return 1.0
    errors = [
        abs(known.numbers[name][0] - value) / abs(value)
        for name, (value, _) in true.items() if name in known.numbers and value
    ]  # fmt: skip
    return sum(errors) / max(1, len(errors))


def ratios(played: Played, beside: Played, groups: list[str], draws: int, rng: np.random.Generator) -> Floats:
    """Measures divided by those of *beside*: estimate, 2.5 % and 97.5 % of a bootstrap over groups; shape (3, 3)."""
    members: dict[str, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    pools = [np.array(each) for each in members.values()]
    found = [_ratio(played, beside, None)]
    for _ in range(draws):
        rows = np.concatenate([pools[i] for i in rng.integers(0, len(pools), len(pools))])
        found.append(_ratio(played, beside, rows))
    drawn = np.array(found[1:])
    return np.stack([found[0], np.quantile(drawn, 0.025, axis=0), np.quantile(drawn, 0.975, axis=0)])


def _ratio(played: Played, beside: Played, rows: npt.NDArray[np.intp] | None) -> Floats:
    return played.measures(rows) / np.maximum(beside.measures(rows), 1e-12)
