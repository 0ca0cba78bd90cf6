"""A place in a post that may be an amount. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

How: TypeAlias = Literal["sign", "word", "letter", "scale", "label", "tail", "bare", "percent", "words"]
"""What makes it a candidate: a sign, a word behind it, one capital letter, a multiple alone, a label before it
("harga 27.000"), a dash for the cents ("230.-"), a fraction in a post that names money elsewhere, a percentage, or
words without digits."""


@dataclass(frozen=True, slots=True)
class Candidate:
    start: int
    end: int
    value: Decimal
    currency: str | None
    """ISO 4217; None where nothing tells, and for percentages."""
    how: How
    value_max: Decimal | None = None
    numeral: str = ""
    scale: int = 1
    upto: bool = False
    open: bool = False
    """The sign is one that many currencies share, and may be taken from another amount of the post."""

    @property
    def percent(self) -> bool:
        return self.how == "percent" or (self.how == "words" and self.currency is None)
