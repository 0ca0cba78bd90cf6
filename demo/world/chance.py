"""Chance by name: the same name gives the same numbers in every process, in any order of asking."""

from __future__ import annotations

import hashlib
import math
from random import Random


def dice(*name: object) -> Random:
    """A generator of its own for each name; text is hashed by SHA-512, never by hash()."""
    return Random("/".join(map(str, name)))


def share(*name: object) -> float:
    """One number in 0..1 for a name: a tenth of the cost of dice."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def noise(at_h: float, step_h: float, *name: object) -> float:
    """A smooth wander in -1..1: random values every *step_h* hours, joined without corners."""
    slot = math.floor(at_h / step_h)
    x = at_h / step_h - slot
    before, after = share(*name, slot), share(*name, slot + 1)
    return 2 * (before + (after - before) * x * x * (3 - 2 * x)) - 1


def number(digits: int, *name: object) -> str:
    """An id of so many digits, the first of them not 0."""
    low = 10 ** (digits - 1)
    return str(low + int(share("id", *name) * 9 * low))
