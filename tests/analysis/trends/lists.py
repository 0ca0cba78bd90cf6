"""Made-up trending lists with a known cause: what climbs, arrives."""

import math
import random
from datetime import UTC, datetime, timedelta

from analysis.trends.streams import Snapshot, Stream

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def snapshot(hours, *rows):
    """rows: keys, or (key, volume)."""
    pairs = [row if isinstance(row, tuple) else (row, math.nan) for row in rows]
    return Snapshot(START + hours * HOUR, tuple(key for key, _ in pairs), tuple(float(volume) for _, volume in pairs))


def world(days=30, size=20, top=5, seed=1):
    """Hourly; each topic drifts down, except climbers (one in ten), which go up three places an hour."""
    rng, names = random.Random(seed), iter(range(10**9))
    alive, snapshots = {}, []
    for hour in range(24 * days):
        while len(alive) < size:
            climbs = rng.random() < 0.1
            alive[f"t{next(names)}"] = [rng.uniform(1.0, 2.0) if not climbs else 1.5, 0.25 if climbs else -0.08]
        ranked = sorted(alive, key=lambda key: -alive[key][0])
        snapshots.append(Snapshot(
            START + hour * HOUR, tuple(ranked), tuple(math.expm1(8 + alive[key][0]) for key in ranked)
        ))  # fmt: skip
        for key in ranked:
            alive[key][0] += alive[key][1] + rng.gauss(0, 0.08)
            if alive[key][0] > 3.2:
                alive[key][1] = -0.3
            if alive[key][0] < 0.9:
                del alive[key]
    return Stream("made:up", snapshots, {})
