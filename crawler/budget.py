"""What a run, or one target of it, may cost: pages, bytes, minutes. Pure; time is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """None: no limit."""

    pages: int | None = None
    megabytes: float | None = None
    minutes: float | None = None

    @classmethod
    def parse(cls, arguments: Mapping[str, str], prefix: str = "") -> Budget:
        """From spider arguments. Raises ValueError with the argument's name."""
        pages = _number(arguments, f"{prefix}pages")
        return cls(
            None if pages is None else int(pages), _number(arguments, f"{prefix}megabytes"),
            _number(arguments, f"{prefix}minutes"),
        )  # fmt: skip


def _number(arguments: Mapping[str, str], name: str) -> float | None:
    written = arguments.get(name, "").strip()
    if not written:
        return None
    try:
        number = float(written)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise ValueError(f"{name}={written[:20]!r}: expected a number above 0")
    return number


@dataclass(slots=True)
class Spent:
    """What it has cost so far."""

    began_s: float
    pages: int = 0
    bytes: int = 0

    def over(self, budget: Budget, now_s: float) -> str:
        """Which limit is reached, in words; '' while none is."""
        if budget.pages is not None and self.pages >= budget.pages:
            return f"{budget.pages} pages"
        if budget.megabytes is not None and self.bytes >= budget.megabytes * 1e6:
            return f"{budget.megabytes:g} MB"
        if budget.minutes is not None and now_s - self.began_s >= budget.minutes * 60:
            return f"{budget.minutes:g} minutes"
        return ""
