"""Where looks are worth most: revisit policies beside the uniform one and beside what no schedule could beat.

On TikTok's hourly lists (../shared) and on what the living site truly shows. Measures: benchmarks/revisit_play.py. A
share of the targets and the last part of the time are kept for the end (--part seen: what the policies were developed
on; --part late: all targets in that last part). `rate x age^2` is the rule that was the default before; `rates known`
is `value` with the true mean rates of every target from the beginning. Intervals are 95 % of a bootstrap over targets.
Of seeds after the first, the living site is played alone, at 20 %. Run: python -m benchmarks revisit [--seed N …]
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
from crawler.revisit import POLICIES, Evenly, Rates

SHARES = (0.05, 0.10, 0.20, 0.50)
DRAWS = 1000
NEEDED = 0.20
TRIED = 208  # policies looked at on what is not kept: 95 weights, memories and priors of rate x age^2; then sums


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


class RateAge:
    """The default before: changes an hour^1.25, times the root of a change's usual size, times hours^2."""

    name = "rate x age^2"

    def urgency(self, rates: Rates, waited_h: float, evenly: Evenly) -> float:
        size = rates.growth_per_h / rates.changes_per_h
        return max(1e-12, rates.changes_per_h**1.25 * size**0.5) * waited_h**2


def rows(recorded: Recorded, since: int, seed: int, shares: tuple[float, ...]) -> Iterator[Row]:
    groups = [each.group for each in recorded.series]
    known = {each.name: each.true_rates(since) for each in recorded.series}
    played = {
        share: {each.name: play(each, recorded, share, since) for each in (*POLICIES.values(), RateAge())}
        | {"rates known": play(POLICIES["value"], recorded, share, since, known=known)}
        for share in shares
    }
    best = bounds(recorded, since, [float(played[share]["uniform"].sums[:, 0].sum()) for share in shares])
    for share, bound in zip(shares, best, strict=True):
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
    parser.add_argument("--part", choices=("kept", "late", "seen"), default="kept")
    parser.add_argument("--seed", type=int, nargs="+", default=[15], help="of what is kept aside, of the world and of "
                        "the bootstrap; the lists take the first")  # fmt: skip
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    folder = options.data or load().shared_dir / "beds" / "tiktok_discover_hourly"
    lists = any(folder.glob("*_hourly.tar.xz"))
    if not lists:
        sys.stderr.write(f"no *_hourly.tar.xz in {folder}: the living site alone\n")
    worlds = []
    for seed in options.seed:
        first = seed == options.seed[0]
        sets = [living_site(seed + (options.part != "seen"))]  # another world than those developed on
        if lists and first:
            sets.insert(0, hourly_lists(folder))
        for recorded in sets:
            part, since = recorded.part(options.part, seed)
            found = list(rows(part, since, seed, SHARES if first else (NEEDED,)))
            if options.json:
                sys.stdout.writelines(json.dumps({"seed": seed, **asdict(row)}) + "\n" for row in found)
            else:
                _print(part, since, found, f"{options.part}, seed {seed}")
        worlds.append([row for row in found if row.share == NEEDED])  # the living site comes last
    if not options.json:
        _print_all(worlds)


def _print(recorded: Recorded, since: int, found: list[Row], part: str) -> None:
    n, measured = len(recorded.rounds), len(recorded.rounds) - since
    print(f"\n{recorded.name}, {part}: {len(recorded.series)} targets, {measured} rounds measured of {n}; "
          f"{TRIED} configurations were tried on the part that is not kept")  # fmt: skip
    print(f"{'budget':>6} {'policy':12} {'loads':>6} {'useful':>7} {'x uniform':>20} {'lag h':>7} {'x uniform':>20} "
          f"{'error':>9} {'x uniform':>20} {'longest':>8} over")  # fmt: skip
    for row in found:
        beside = [f"{a:.2f} [{low:.2f}, {high:.2f}]" if row.policy != "hindsight" else f"{a:.2f}"
                  for a, low, high in (row.useful_ratio, row.lag_ratio, row.error_ratio)]  # fmt: skip
        print(f"{row.share:6.0%} {row.policy:12} {row.loads:6} {row.useful:7.3f} {beside[0]:>20} {row.lag_h:7.2f} "
              f"{beside[1]:>20} {row.error:9.2e} {beside[2]:>20} {row.longest_h:7.0f}h {row.over:4}")  # fmt: skip
    best = {row.share: row.useful for row in found if row.policy == "hindsight"}
    for row in found:
        if row.share == NEEDED and row.policy not in ("uniform", "hindsight"):
            said = ", ".join(f"{what} {'met' if good else 'MISSED'}" for what, good in _met(row).items())
            print(
                f"  at 20 %, {row.policy}: {said}; {_reached(row, best[NEEDED]):.0%} of what hindsight gains in useful"
            )


def _met(row: Row) -> dict[str, bool]:
    return {
        "useful twice": row.useful_ratio[0] >= 2, "lag half": row.lag_ratio[0] <= 0.5,
        "error no worse": row.error_ratio[0] <= 1,
    }  # fmt: skip


def _reached(row: Row, best: float) -> float:
    even = row.useful / row.useful_ratio[0]
    return (row.useful - even) / max(1e-12, best - even)


def _print_all(worlds: list[list[Row]]) -> None:
    """At the budget that was asked for, over all worlds alike."""
    best = [row.useful for world in worlds for row in world if row.policy == "hindsight"]
    print(f"\nthe living site at 20 %, mean of {len(worlds)} worlds, x uniform; in how many it is met")
    for policy in dict.fromkeys(row.policy for row in worlds[0] if row.policy != "uniform"):
        of = [row for world in worlds for row in world if row.policy == policy]
        said = [f"{np.mean([each[0] for each in ratios]):.2f} ({sum(met)})" for ratios, met in (
            ([row.useful_ratio for row in of], [_met(row)["useful twice"] for row in of]),
            ([row.lag_ratio for row in of], [_met(row)["lag half"] for row in of]),
            ([row.error_ratio for row in of], [_met(row)["error no worse"] for row in of]),
        )]  # fmt: skip
        gain = np.mean([_reached(row, most) for row, most in zip(of, best, strict=True)])
        print(
            f"  {policy:12} useful {said[0]}, lag {said[1]}, error {said[2]}; {gain:.0%} of hindsight's gain in useful"
        )
