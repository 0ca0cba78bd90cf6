"""What we watch: a target as a person writes it, made canonical or refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


class TargetError(ValueError):
    """A target nobody can fetch; says what was expected."""


@dataclass(frozen=True, slots=True)
class TargetForm:
    """How targets of a spider look: `pattern` has one group, the canonical value; `example` for messages."""

    pattern: str
    example: str
    fold: bool = True

    def canonical(self, written: str) -> str:
        match = re.fullmatch(self.pattern, written.strip())
        if match is None:
            raise TargetError(f"target {written.strip()[:60]!r}: expected something like {self.example}")
        return match[1].lower() if self.fold else match[1]


def parse(written: str, form: TargetForm) -> Iterator[str]:
    """Targets of a comma-separated list, canonical, each once, in order."""
    seen = set()
    for each in written.split(","):
        if each.strip() and (value := form.canonical(each)) not in seen:
            seen.add(value)
            yield value
