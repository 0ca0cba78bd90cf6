"""What we watch: a target as a person writes it, made canonical or refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


class TargetError(ValueError):
    """A target nobody can fetch; says what was expected."""


@dataclass(frozen=True, slots=True)
class TargetForm:
    """How targets of a spider look: `pattern` has one group, the canonical value; `example` for messages."""

    pattern: str
    example: str
    fold: bool = True
    yields: bool = False
    """A form that others have too, and more often: told apart only by --spider."""

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


def typed(written: str, known: Mapping[str, tuple[TargetForm, tuple[str, ...]]]) -> tuple[str, str]:
    """Which spider's target this is, and its canonical form, where its form alone tells: @name, #tag, an address.

    known: form and hosts of each spider. Raises TargetError with the spiders that it could be for.
    """
    text = written.strip()
    host = (urlsplit(text).hostname or "") if "://" in text else ""
    fits = {}
    for name, (form, _) in known.items():
        with suppress(TargetError):
            fits[name] = form.canonical(text)
    # What is marked, by a sign or as an address, is told by whoever takes the mark off.
    marked = {name: value for name, value in fits.items() if value != text.lower() and value != text}
    marked = {name: value for name, value in marked.items() if not known[name][0].yields} or marked
    at_home = {name: value for name, value in marked.items() if host and host in known[name][1]}
    found = (at_home or marked) if host or text[:1] in ("@", "#") else {}
    if len(found) == 1:
        return next(iter(found.items()))
    could = ", ".join(sorted(found or fits)) or "none"
    raise TargetError(f"target {text[:60]!r}: whose is it? Say --spider NAME; it would fit {could}")
