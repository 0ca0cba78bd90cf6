"""Made-up trending lists with a known cause: what climbs, arrives."""

import math
import random
from datetime import UTC, datetime, timedelta

import pandas as pd

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


def drawn_board(seed, snapshots=12, topics=9):
    """A board of which nothing is regular: gaps, twins, advertisements, hidden volumes, refused rows, bare days."""
    rng = random.Random(seed)
    boards, entries = [], []
    at = START
    for _ in range(snapshots):
        at += timedelta(minutes=rng.choice([20, 30, 30, 60, 400]))
        names = rng.sample([f"t{i}" for i in range(topics)], rng.randint(1, topics - 2))
        day = "day" if rng.random() < 0.1 else None
        boards.append({"at": at, "at_precision": day, "size": len(names), "got": len(names) + (rng.random() < 0.2)})
        for place, name in enumerate([*names, names[0]], 1):
            hidden = rng.random() < 0.4
            entries.append({
                "at": at, "at_precision": day, "position": place, "topic": name.upper(), "topic_key": name,
                "volume": None if hidden else rng.choice([10_000, 20_000, 45_000]),
                "volume_floor": 10_000 if hidden and rng.random() < 0.8 else None, "promoted": rng.random() < 0.15,
            })  # fmt: skip
    kinds = {"at": "datetime64[ms, UTC]", "at_precision": "string", "size": "Int64", "got": "Int64"}
    kinds |= {"position": "Int64", "topic": "string", "topic_key": "string", "volume": "Int64"}
    kinds |= {"volume_floor": "Int64", "promoted": "boolean"}
    frames = [pd.DataFrame(rows) for rows in (boards, entries)]
    return [each.astype({name: kinds[name] for name in each.columns}) for each in frames]
