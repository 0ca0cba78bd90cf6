"""The rate of a creator's typical post, drawn towards that of all creators where little is known. Pure.

Model: log rate of a post = what creators of this size have + the creator's own + the post's own, the last two normal
with spreads that the data tell; on top come the chance of counting (Poisson) and rounding. Nothing is plugged in:
both spreads are integrated over a grid, so that an interval holds its promise with few creators, too. With one post
each, what is the creator's and what the post's cannot be told apart; the intervals are then as wide as that leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from analysis.creators.rates import Floats

COARSE = np.geomspace(0.01, 3.0, 24)  # spreads tried first
FINE = 9  # then so many of each, where the likely ones lie; twice as many move no interval by 1 %
UNLIKELY = 1e-3  # of the likeliest spread: not looked at more closely
LARGEST_USUAL = 1.0  # scale of the half-normal prior of both spreads: a factor of e between typical creators
ROUNDS = 4  # of the approximation of small counts; the fifth moves no rate by 0.1 %
LEAST_FOR_SIZE = 20  # creators with followers shown, below which size does not enter
LEVELS = (0.025, 0.975)

Places: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Posts with a rate, one row each."""

    creator: Places
    """Number of the creator, 0 to creators - 1."""
    engagement: Floats
    views: Floats
    rounding: Floats
    """Variance of the log rate by rounding."""
    followers: Floats
    """Of each creator; NaN where not shown."""


@dataclass(frozen=True)
class Shrunk:
    """By creator: rate of the typical post and its 95 % interval."""

    rate: Floats
    low: Floats
    high: Floats
    expected: Floats
    """What is typical of creators of this size, whom the rate is drawn towards."""
    above: Floats
    """Probability that the creator's rate is above that."""
    n: Places
    between: float
    """Spread of creators (of log rate) around what their size expects."""
    within: float
    """Spread of one creator's posts."""


def shrink(sample: Sample) -> Shrunk:
    """Raises ValueError without a post."""
    creators = len(sample.followers)
    if not len(sample.engagement):
        raise ValueError("shrink: expected at least one post with a rate, found none")
    place = sample.creator
    design = _design(sample.followers)
    centre, within = np.full(creators, _start(sample)), 0.5
    for _ in range(ROUNDS):
        z, noise = _linear(sample, centre[place], within)
        posts = _Posts(place, z, noise + sample.rounding, design)
        centre, within = posts.mean(), posts.within
    low, high = posts.quantiles()
    return Shrunk(
        rate=np.exp(centre), low=np.exp(low), high=np.exp(high), expected=np.exp(posts.expected()),
        above=posts.above(), n=np.bincount(place, minlength=creators),
        between=posts.between, within=posts.within,
    )  # fmt: skip


def _start(sample: Sample) -> float:
    return float(np.log((sample.engagement.sum() + 0.5) / sample.views.sum()))


def _design(followers: Floats) -> Floats:
    """Columns that the expected log rate is linear in: one, and log followers where enough show them."""
    known = ~np.isnan(followers)
    ones = np.ones((len(followers), 1))
    if known.sum() < LEAST_FOR_SIZE or known.mean() < 0.5:
        return ones
    size = np.log10(np.where(known, followers, 0) + 1)
    centred = np.where(known, size - size[known].mean(), 0.0)
    if centred.std() < 0.1:
        return ones
    columns = [ones, centred[:, None]]
    if not known.all():
        columns.append((~known).astype(np.float64)[:, None])
    return np.hstack(columns)


def _linear(sample: Sample, centre: Floats, within: float) -> tuple[Floats, Floats]:
    """Laplace: each Poisson count as a normal reading of its log rate, around the most likely one."""
    prior = within**2 + sample.rounding
    eta = np.log((sample.engagement + 0.5) / (sample.views + 1))
    for _ in range(12):
        mean = sample.views * np.exp(eta)
        slope = sample.engagement - mean - (eta - centre) / prior
        eta = eta + np.clip(slope / (mean + 1 / prior), -2, 2)
    mean = np.maximum(sample.views * np.exp(eta), 1e-9)
    return eta + (sample.engagement - mean) / mean, 1 / mean


class _Posts:
    """Posterior of the two spreads, and of every creator given each pair of them."""

    def __init__(self, place: Places, z: Floats, noise: Floats, design: Floats) -> None:
        self._place, self._z, self._noise, self._design = place, z, noise, design
        axes = COARSE, COARSE
        for _ in range(2):  # the second look is as fine as the likely spreads lie close
            rough = self._weigh(*axes)
            axes = _around(axes[0], rough.sum(axis=1)), _around(axes[1], rough.sum(axis=0))
        shape = len(axes[0]), len(axes[1]), len(design)
        self._mean, self._sd, self._prior = np.empty(shape), np.empty(shape), np.empty(shape)
        self._weight = self._weigh(*axes, keep=True)
        self.within = float(self._weight.sum(axis=1) @ axes[0])
        self.between = float(self._weight.sum(axis=0) @ axes[1])

    def _weigh(self, withins: Floats, betweens: Floats, keep: bool = False) -> Floats:
        """Posterior weight of each pair; adds up to one."""
        creators = len(self._design)
        weight = np.empty((len(withins), len(betweens)))
        for i, within in enumerate(withins):
            precision = 1 / (within**2 + self._noise)
            total = np.bincount(self._place, precision, creators).astype(np.float64)
            own = np.bincount(self._place, precision * self._z, creators) / np.maximum(total, 1e-300)
            left = float((np.log(precision) - precision * (self._z - own[self._place]) ** 2).sum() / 2)
            for j, between in enumerate(betweens):
                fit = _fit(own, total, between, self._design)
                weight[i, j] = left + fit.likelihood - (within**2 + between**2) / (2 * LARGEST_USUAL**2)
                if keep:
                    self._prior[i, j], self._mean[i, j], self._sd[i, j] = fit.prior, fit.mean, fit.sd
        weight += np.log(withins)[:, None] + np.log(betweens)[None, :]  # the grid is even in logs
        likely = np.exp(weight - weight.max())
        return np.asarray(likely / likely.sum())

    def mean(self) -> Floats:
        return np.asarray(np.tensordot(self._weight, self._mean, axes=2))

    def expected(self) -> Floats:
        return np.asarray(np.tensordot(self._weight, self._prior, axes=2))

    def above(self) -> Floats:
        """Probability of a rate above the expected one."""
        gap = (self._mean - self._prior) / np.maximum(self._sd, 1e-12)
        return np.asarray(np.tensordot(self._weight, ndtr(gap), axes=2))

    def quantiles(self) -> tuple[Floats, Floats]:
        """Of the mixture over the grid, by bisection."""
        found = []
        for level in LEVELS:
            low = (self._mean - 6 * self._sd).min(axis=(0, 1))
            high = (self._mean + 6 * self._sd).max(axis=(0, 1))
            for _ in range(30):
                middle = (low + high) / 2
                below = np.tensordot(self._weight, ndtr((middle - self._mean) / np.maximum(self._sd, 1e-12)), axes=2)
                low, high = np.where(below < level, middle, low), np.where(below < level, high, middle)
            found.append((low + high) / 2)
        return found[0], found[1]


def _around(axis: Floats, weight: Floats) -> Floats:
    """A finer axis over the likely part of *axis*."""
    likely = np.flatnonzero(weight > UNLIKELY * weight.max())
    first, last = max(likely[0] - 1, 0), min(likely[-1] + 1, len(axis) - 1)
    return np.geomspace(axis[first], axis[last], FINE)


class _Fit(NamedTuple):
    """Of all creators, given both spreads."""

    likelihood: float
    prior: Floats
    mean: Floats
    sd: Floats


def _fit(own: Floats, total: Floats, between: float, x: Floats) -> _Fit:
    """own: mean log rate of each creator's posts; total: its precision, 0 where there is no post; x: the design."""
    seen = total > 0
    inverse = np.where(seen, 1 / (between**2 + 1 / np.maximum(total, 1e-300)), 0.0)
    covariance = np.linalg.inv((x * inverse[:, None]).T @ x + 1e-9 * np.eye(x.shape[1]))
    prior = x @ (covariance @ (x.T @ (inverse * own)))
    pull = between**2 * inverse  # how much of its own reading a creator keeps
    residual = np.where(seen, own - prior, 0.0)
    of_prior = np.einsum("ij,jk,ik->i", x, covariance, x)
    sd = np.sqrt(between**2 * (1 - pull) + (1 - pull) ** 2 * of_prior)
    # log(total) puts right that each creator's posts stood for themselves before
    told = (np.log(inverse[seen] / total[seen]) - inverse[seen] * residual[seen] ** 2).sum() / 2
    return _Fit(float(told + np.linalg.slogdet(covariance)[1] / 2), prior, prior + pull * residual, sd)
