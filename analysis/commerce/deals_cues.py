"""Words that tell what an amount is for, in the languages of commerce; found in one pass over a post. Pure.

A term ends where a word ends, unless it is written with '*'. Scripts without spaces need no ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import ahocorasick

from analysis.commerce.deals_fold import small

WORDS = Path(__file__).with_name("deals_cues.txt")


_SPACED = re.compile("[^\\W\\d_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def terms() -> Iterator[tuple[str, str]]:
    """Class and term, in lower case."""
    kind = ""
    for line in WORDS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif not line.startswith("#"):
            yield from ((kind, term) for each in line.split(";") if (term := each.strip().lower()))


class Cue(NamedTuple):
    start: int
    end: int
    kind: str


@cache
def _machine() -> Any:
    machine = ahocorasick.Automaton()
    held: dict[str, set[tuple[str, bool]]] = {}
    for kind, term in terms():
        held.setdefault(term.rstrip("*"), set()).add((kind, term.endswith("*")))
    for word, kinds in held.items():
        machine.add_word(word, (len(word), tuple(sorted(kinds))))
    machine.make_automaton()
    return machine


def cues(folded: str) -> list[Cue]:
    """Every term in the text, in order of its end; terms inside longer ones too."""
    low = small(folded)
    found: list[Cue] = []
    for last, (length, kinds) in _machine().iter(low):
        start, end = last + 1 - length, last + 1
        if start and _SPACED.match(low[start]) and _SPACED.match(low[start - 1]):
            continue
        open_end = end < len(low) and _SPACED.match(low[last]) and _SPACED.match(low[end])
        for kind, stem in kinds:
            if stem or not open_end:
                found.append(Cue(start, end, kind))
    return found
