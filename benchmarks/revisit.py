"""Where looks are worth most: revisit policies beside the uniform one and beside what no schedule could beat.

On TikTok's hourly lists (../shared) and on what the living site truly shows. Measures: benchmarks/revisit_play.py. A
share of the targets and the last part of the time are kept for the end (--part seen: what the policies were developed
on). Intervals are 95 % of a bootstrap over targets. Run: python -m benchmarks revisit [--seed N] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.revisit_best import bounds
from benchmarks.revisit_play import Played, play, ratios
from benchmarks.revisit_series import Recorded, hourly_lists, living_site
from crawler.config import load
from crawler.revisit import POLICIES

SHARES = (0.05, 0.10, 0.20, 0.50)
DRAWS = 1000
NEEDED = 0.20
TRIED = 95  # configurations of weights, memory and prior looked at on the seen part


@dataclass(frozen=True)
class Row:
    series: str
    share: float
    policy: str
    loads: int
    useful: float
    lag_h: float
    error: float
    useful_ratio: tuple[float, float, float]
    """To the uniform policy's: estimate, and 95 % of the draws from, to."""
    lag_ratio: tuple[float, float, float]
    error_ratio: tuple[float, float, float]
    over: int
    """Rounds in which more was loaded than the budget holds."""
    longest_h: float
    """Between two looks at any target."""


def rows(recorded: Recorded, since: int, seed: int) -> Iterator[Row]:
    groups = [each.group for each in recorded.series]
    played = {share: {name: play(policy, recorded, share, since) for name, policy in POLICIES.items()}
              for share in SHARES}  # fmt: skip
    best = bounds(recorded, since, [float(played[share]["uniform"].sums[:, 0].sum()) for share in SHARES])
    for share, bound in zip(SHARES, best, strict=True):
        uniform = played[share]["uniform"]
        for name, each in played[share].items():
            yield _row(
                recorded.name, share, name, each, ratios(each, uniform, groups, DRAWS, np.random.default_rng(seed))
            )
        beside = np.stack([bound / np.maximum(uniform.measures(), 1e-12)] * 3)
        at_best = _row(recorded.name, share, "hindsight", uniform, beside)
        yield Row(**{**asdict(at_best), "useful": bound[0], "lag_h": bound[1], "error": bound[2], "longest_h": 0.0})


def _row(name: str, share: float, policy: str, played: Played, beside: np.ndarray) -> Row:
    useful, lag_h, error = map(float, played.measures())
    three = [tuple(map(float, beside[:, i])) for i in range(3)]
    loads, longest_h = int(played.sums[:, 0].sum()), float(played.sums[:, 6].max(initial=0.0))
    return Row(name, share, policy, loads, useful, lag_h, error, *three, played.over, longest_h)  # type: ignore[arg-type]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks revisit", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the hourly lists (default: ../shared/beds/…)")
    parser.add_argument("--part", choices=("kept", "seen"), default="kept")
    parser.add_argument("--seed", type=int, default=15, help="of what is kept aside, of the world and of the bootstrap")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    folder = options.data or load().shared_dir / "beds" / "tiktok_discover_hourly"
    sets = [living_site(options.seed + (options.part == "kept"))]  # another world than those developed on
    if any(folder.glob("*_hourly.tar.xz")):
        sets.insert(0, hourly_lists(folder))
    else:
        sys.stderr.write(f"no *_hourly.tar.xz in {folder}: the living site alone\n")
    for recorded in sets:
        part, since = recorded.part(options.part, options.seed)
        found = list(rows(part, since, options.seed))
        if options.json:
            sys.stdout.writelines(json.dumps(asdict(row)) + "\n" for row in found)
        else:
            _print(part, since, found, options.part)


def _print(recorded: Recorded, since: int, found: list[Row], part: str) -> None:
    n, measured = len(recorded.rounds), len(recorded.rounds) - since
    print(f"\n{recorded.name}, {part}: {len(recorded.series)} targets, {measured} rounds measured of {n}; "
          f"{TRIED} configurations were tried on the part that is not kept")  # fmt: skip
    print(f"{'budget':>6} {'policy':10} {'loads':>6} {'useful':>7} {'x uniform':>20} {'lag h':>7} {'x uniform':>20} "
          f"{'error':>9} {'x uniform':>20} {'longest':>8} over")  # fmt: skip
    for row in found:
        beside = [f"{a:.2f} [{low:.2f}, {high:.2f}]" if row.policy != "hindsight" else f"{a:.2f}"
                  for a, low, high in (row.useful_ratio, row.lag_ratio, row.error_ratio)]  # fmt: skip
        print(f"{row.share:6.0%} {row.policy:10} {row.loads:6} {row.useful:7.3f} {beside[0]:>20} {row.lag_h:7.2f} "
              f"{beside[1]:>20} {row.error:9.2e} {beside[2]:>20} {row.longest_h:7.0f}h {row.over:4}")  # fmt: skip
    for row in found:
        if row.share == NEEDED and row.policy not in ("uniform", "hindsight"):
            met = [row.useful_ratio[0] >= 2, row.lag_ratio[0] <= 0.5, row.error_ratio[0] <= 1]
            said = ", ".join(
                f"{what} {'met' if good else 'MISSED'}"
                for what, good in zip(("useful twice", "lag half", "error no worse"), met, strict=True)
            )
            print(f"  at 20 %, {row.policy}: {said}")
