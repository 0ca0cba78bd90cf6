"""What a set of posts feels: shares with interval, put right for the classifier's mistakes. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.text.sentiment import LABELS, Sentiment

Vector = npt.NDArray[np.float64]
FEW = 20  # posts; below it no share is said
Z = 1.96
WORST = 0.05  # least eigenvalue of a confusion that can be undone


@dataclass(frozen=True)
class Share:
    """One label's share of *n* posts, between 0 and 1."""

    label: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Mood:
    """Posts that fed it, and the three shares; none under FEW posts."""

    n: int
    shares: tuple[Share, ...] | None

    def __str__(self) -> str:
        if self.shares is None:
            return f"too few ({self.n} posts)"
        told = ", ".join(f"{each.share:.0%} {each.label} ({each.low:.0%} to {each.high:.0%})" for each in self.shares)
        return f"{told}; {self.n} posts"


def mood(found: Sequence[Sentiment | None], confusion: Vector) -> Mood:
    """*confusion*: (3 true, 3 said), rows sum to 1, from cross-validation of the model that said it.

    Where the classifier errs, the said shares are s = confusion' t; t is found by inverting that, and is kept a
    share. The interval is Wilson's of the said share, widened as far as the inversion stretches it.
    """
    said = [each.label for each in found if each is not None]
    n = len(said)
    if n < FEW:
        return Mood(n, None)
    counted = np.array([said.count(label) for label in LABELS], float)
    low, high = np.array([wilson(int(count), n) for count in counted]).T
    share, stretch = _put_right(counted / n, confusion)
    half = (high - low) / 2 * stretch
    shares = tuple(
        Share(label, float(at), max(0.0, float(at - reach)), min(1.0, float(at + reach)))
        for label, at, reach in zip(LABELS, share, half, strict=True)
    )
    return Mood(n, shares)


def _put_right(said: Vector, confusion: Vector) -> tuple[Vector, Vector]:
    """True shares, and by how much each label's interval grows."""
    if np.abs(np.linalg.eigvals(confusion)).min() < WORST:
        return said, np.ones(3)
    inverse = np.linalg.inv(confusion.T)
    true = np.clip(inverse @ said, 0, None)
    return true / true.sum(), np.maximum(1.0, np.linalg.norm(inverse, axis=1))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share."""
    at, spread = hits / n, Z * Z / n
    middle = (at + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(at * (1 - at) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)
