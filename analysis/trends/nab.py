"""The Numenta Anomaly Benchmark's score, from its published definition. Pure; never reads files, never queries.

Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms", 2015. Every labelled window is
worth its earliest detection: a scaled sigmoid of the place in the window, 1 at its first row and about 0
at its last. A window without detection costs the weight of a miss. A detection outside costs up to the
weight of a false positive, less shortly after a window. The first rows of a series, at most 750, are for
learning and not scored. 100 is a detection on the first row of every window and nothing else; 0 is silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Times: TypeAlias = npt.NDArray[np.datetime64]
Window: TypeAlias = tuple[np.datetime64, np.datetime64]

PROBATION = 0.15
PROBATION_ROWS = 750  # of a series of 5,000 rows; a longer one has no longer a time to learn
STEEPNESS = 5.0
OUTSIDE = -1
BREADTH = 0.25  # about a quarter up or down
FAR = 3.0  # widths of the window; a false positive further behind it costs its whole weight


@dataclass(frozen=True)
class Profile:
    """What a user of alerts minds, as the benchmark's profiles.json gives it."""

    miss: float
    false_alarm: float


PROFILES = {
    "standard": Profile(miss=1.0, false_alarm=0.11),
    "reward_low_FP_rate": Profile(miss=1.0, false_alarm=0.22),
    "reward_low_FN_rate": Profile(miss=2.0, false_alarm=0.11),
}


@dataclass(frozen=True)
class Judge:
    """One series with its windows, ready to price detections."""

    start: int
    """Rows before this one are for learning and are not scored."""
    window: Ints
    """Of each scored row: the number of its window, -1 outside."""
    worth: Floats
    """Of each scored row: gain in a window (0 to 1), cost outside (-1 to 1), before the profile's weights."""
    windows: int


def judge(times: Times, windows: Sequence[Window]) -> Judge:
    """times: ascending, one per row. windows: first and last moment of each, both inside, apart from each other."""
    rows, n = np.arange(len(times)), len(times)
    window, worth = np.full(n, OUTSIDE, dtype=np.int64), np.full(n, -1.0)
    for number, (opens, closes) in enumerate(sorted(windows)):
        first, last = int(np.searchsorted(times, opens)), int(np.searchsorted(times, closes, side="right")) - 1
        width = last - first + 1
        window[first : last + 1] = number
        worth[first : last + 1] = _sigmoid((rows[first : last + 1] - last - 1) / width) / _sigmoid(np.array([-1.0]))
        worth[last + 1 :] = _sigmoid((rows[last + 1 :] - last) / max(width - 1, 1))
    start = min(int(PROBATION * n), PROBATION_ROWS)
    return Judge(start, window[start:], worth[start:], len(set(window[start:].tolist()) - {OUTSIDE}))


def _sigmoid(place: Floats) -> Floats:
    """Near 1 far before 0, 0 at 0, -1 from FAR on."""
    near = np.minimum(place, FAR)
    return np.where(place > FAR, -1.0, 2.0 / (1.0 + np.exp(STEEPNESS * near)) - 1.0)


def earned(judged: Judge, rows: Ints, profile: Profile) -> float:
    """What detections at *rows* of the series earn, in the profile's weights; rows for learning are left out."""
    told = rows[rows >= judged.start] - judged.start
    window, worth = judged.window[told], judged.worth[told]
    found = set(window.tolist()) - {OUTSIDE}
    hits = sum(float(worth[window == number].max()) for number in found)
    false_alarms = float(worth[window == OUTSIDE].sum()) * profile.false_alarm
    return hits + false_alarms - profile.miss * (judged.windows - len(found))


def normalised(total: float, windows: int, profile: Profile) -> float:
    """0 for silence, 100 for the first row of every window and nothing else."""
    return 100.0 * (total + profile.miss * windows) / ((1.0 + profile.miss) * windows)


def steadiest(thresholds: Floats, total: Floats) -> int:
    """Index of the threshold around which most is earned: one lucky threshold among poor ones is not chosen."""
    apart = np.log(thresholds)[:, None] - np.log(thresholds)[None, :]
    near = np.exp(-0.5 * (apart / BREADTH) ** 2)
    return int(np.argmax(near @ total / near.sum(axis=1)))


def one_left_out(thresholds: Floats, table: Floats) -> Ints:
    """Of each series the index of the threshold that is steadiest over all the others.

    table: what each series (row) earns at each threshold (column). Raises ValueError with fewer than two series.
    """
    if len(table) < 2:
        raise ValueError(f"nab: a series' threshold is chosen on the others; expected two or more, found {len(table)}")
    total = table.sum(axis=0)
    return np.array([steadiest(thresholds, total - own) for own in table], dtype=np.int64)
