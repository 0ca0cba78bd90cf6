"""Shrunk engagement rates beside raw ones, on creators whose true rate is known: error and coverage.

A simulated creator has 1 to some 80 posts and 100 to 10 million followers; its rate falls with its size, its posts
scatter around it, engagement is drawn post by post, and every number is rounded as TikTok shows it.

Run: python -m benchmarks creators [--creators N] [--rounds N]
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np

from analysis.creators.rates import Floats
from analysis.creators.shrink import Sample, shrink

TYPICAL = 0.06
FALLS = -0.15  # log rate for each factor of ten in followers


@dataclass(frozen=True)
class World:
    """Spreads are of the log rate."""

    between: float = 0.5
    within: float = 0.6
    tails: float | None = None
    """Degrees of freedom of the scatter of posts; None: normal."""


WORLDS = {
    "usual": World(), "posts alike": World(within=0.05), "posts unlike": World(within=1.0),
    "creators alike": World(between=0.15), "heavy tails": World(tails=4),
}  # fmt: skip


@dataclass(frozen=True)
class Scores:
    raw_error: float
    """Root mean square error of the log rate; engagement of all posts over their views."""
    shrunk_error: float
    covered: Floats
    """By creator: 1 where its 95 % interval holds its true rate."""
    posts: Floats
    seconds: float


def simulate(seed: int, creators: int, world: World) -> tuple[Sample, Floats]:
    """Posts as a page shows them, and the true log rate of each creator."""
    rng = np.random.default_rng(seed)
    followers = 10 ** rng.uniform(2, 7, creators)
    truth = np.log(TYPICAL) + FALLS * (np.log10(followers) - 4.5) + world.between * rng.normal(size=creators)
    place = np.repeat(np.arange(creators), 1 + rng.poisson(rng.gamma(0.7, 8, creators)))
    n = len(place)
    scatter = rng.normal(size=n) if world.tails is None else rng.standard_t(world.tails, n) / np.sqrt(2)
    views = np.maximum(5, followers[place] ** 0.8 * np.exp(1.3 * rng.normal(size=n))).astype(np.int64)
    engagement = np.minimum(rng.poisson(views * np.exp(truth[place] + world.within * scatter)), views)
    shown_views, view_step = rounded(views)
    shown, step = rounded(engagement)
    variance = step**2 / 12 / np.maximum(shown, 1) ** 2 + view_step**2 / 12 / shown_views**2
    return Sample(place, shown, shown_views, variance, followers), truth


def rounded(values: np.ndarray) -> tuple[Floats, Floats]:
    """From 10,000 on to hundreds, from a million to hundred thousands: "12.3K", "1.2M"."""
    step = np.where(values >= 1_000_000, 100_000.0, np.where(values >= 10_000, 100.0, 0.0))
    return np.where(step > 0, np.round(values / np.maximum(step, 1)) * step, values.astype(np.float64)), step


def score(seed: int, creators: int, world: World) -> Scores:
    sample, truth = simulate(seed, creators, world)
    start = time.process_time()
    found = shrink(sample)
    seconds = time.process_time() - start
    sums = [np.bincount(sample.creator, each, creators) for each in (sample.engagement, sample.views)]
    raw = np.log(np.maximum(sums[0], 0.5) / sums[1])  # without a single like the raw rate would be infinitely wrong
    inside = (np.log(found.low) <= truth) & (truth <= np.log(found.high))
    errors = [float(np.sqrt(np.mean((each - truth) ** 2))) for each in (raw, np.log(found.rate))]
    return Scores(*errors, inside.astype(np.float64), found.n.astype(np.float64), seconds)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks creators")
    parser.add_argument("--creators", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args(arguments)
    sys.stdout.write("world           raw error  shrunk error  covered  1 post  2-5 posts  more  seconds\n")
    for name, world in WORLDS.items():
        found = [score(seed, args.creators, world) for seed in range(args.rounds)]
        inside, posts = np.concatenate([f.covered for f in found]), np.concatenate([f.posts for f in found])
        parts = [inside[posts == 1], inside[(posts > 1) & (posts <= 5)], inside[posts > 5]]
        raw, shrunk = (np.mean([getattr(f, each) for f in found]) for each in ("raw_error", "shrunk_error"))
        told = "  ".join(f"{part.mean():9.1%}" for part in (inside, *parts))
        seconds = np.mean([f.seconds for f in found])
        sys.stdout.write(f"{name:16}{raw:9.3f}  {shrunk:12.3f}  {told}  {seconds:7.2f}\n")
