"""Near-duplicate texts: reposts, copies with another emoji, link or number. Pure, and the same on every machine.

MinHash finds candidates (rensa), the exact overlap of their character shingles decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rensa import RMinHash, RMinHashLSH

from analysis.text.words import HASHTAG, MENTION, SPACES, URL, plain

SHINGLE = 4  # characters; short posts have few words
SAME = 0.6  # least Jaccard overlap of shingles
PERMUTATIONS, BANDS = 64, 32  # two rows a band: pairs at 0.6 meet with a chance above 1 - 10^-6
SEED = 1
SHORTEST = 12  # characters; a shorter text is a copy only of the very same text
CANDIDATES = 50  # nearest earlier texts compared; a text copied a thousand times is one of them
_REPOSTED = re.compile(r"^(?:rt\s+@\w+\s*:?\s*)+", re.I)
_MARKS = re.compile(r"[^\w\s]|_")
_NUMBER = re.compile(r"\d+(?:[\s.,]\d+)*")


def folded(text: str) -> str:
    """What is compared: no repost mark, links, handles, punctuation, emoji or case; every number is 0."""
    told = _REPOSTED.sub("", plain(text))
    told = MENTION.sub(" ", URL.sub(" ", told)).lower()
    said = _bare(HASHTAG.sub(" ", told))
    return said if len(said) >= SHORTEST else _bare(told)  # a long tag would make alike what shares nothing else


def _bare(told: str) -> str:
    return SPACES.sub(" ", _NUMBER.sub("0", _MARKS.sub(" ", told))).strip()


def shingles(told: str) -> frozenset[str]:
    return frozenset(told[i : i + SHINGLE] for i in range(max(1, len(told) - SHINGLE + 1)))


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard: shared shingles over all."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def groups(texts: Sequence[str]) -> list[int]:
    """For each text the index of the first one it repeats, itself where it is new; chains are followed.

    A text without letters repeats nothing: two posts of emoji alone say nothing of each other.
    """
    told = [folded(text) for text in texts]
    first: dict[str, int] = {}
    parents = [i if not key else first.setdefault(key, i) for i, key in enumerate(told)]
    distinct = [i for i, key in enumerate(told) if parents[i] == i and len(key) >= SHORTEST]
    sets = {i: shingles(told[i]) for i in distinct}
    for newer, older in _candidates(distinct, sets):
        one, other = _root(parents, newer), _root(parents, older)
        if one != other and overlap(sets[newer], sets[older]) >= SAME:
            parents[max(one, other)] = min(one, other)
    return [_root(parents, i) for i in range(len(texts))]


def _candidates(distinct: Sequence[int], sets: dict[int, frozenset[str]]) -> Iterable[tuple[int, int]]:
    """Pairs that share a band, newer text first."""
    index = RMinHashLSH(threshold=SAME, num_perm=PERMUTATIONS, num_bands=BANDS)
    hashed = RMinHash.from_token_sets([sorted(sets[i]) for i in distinct], num_perm=PERMUTATIONS, seed=SEED)
    for at, (newer, digest) in enumerate(zip(distinct, hashed, strict=True)):
        near = sorted(index.query(digest), key=lambda key: (-digest.jaccard(hashed[key]), key))
        for key in near[:CANDIDATES]:
            yield newer, distinct[key]
        index.insert(at, digest)


def _root(parents: list[int], at: int) -> int:
    while parents[at] != at:
        parents[at] = parents[parents[at]]
        at = parents[at]
    return at
