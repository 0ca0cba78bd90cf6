"""What a trend belongs to, told from the posts around it, not from its bare name. Pure but for the model it may load.

Phrases of taxonomy.toml are found in one pass; a head on the language model (extra `embed`) joins in where it is
installed. A topic is `unknown` where neither says enough, and ambiguous where its posts speak of two things.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.text import embedding
from analysis.text.sentiment import WEIGHTS, softmax
from analysis.text.words import HASHTAG, bare, plain, split_hashtag, words

UNKNOWN, OTHER = "unknown", "other"
SURE = 3.0  # a phrase that nothing else says, against a seed
LEAST_SHARE = 0.4  # of all evidence, for the best category
LEAST_EVIDENCE = 2.0  # of phrases, in units of a seed; less is chance
SECOND_SENSE, SENSE_POSTS = 0.3, 10  # share of posts in a second category, of at least so many
MOST_POSTS = 100  # of one topic that are read; more change no share by much
HEAD_VOICE = 2.0  # of one post's head, against a seed
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Category:
    """*share* of the evidence for *name*; *posts* that said anything at all."""

    name: str
    share: float
    posts: int
    first: str | None = None
    """Where the posts split into two senses: that of most; else None."""
    second: str | None = None
    """The other one."""

    @property
    def ambiguous(self) -> bool:
        return self.second is not None

    @property
    def senses(self) -> str | None:
        """'sports or music' where the posts speak of two things."""
        return f"{self.first} or {self.second}" if self.second else None


def categorise(texts: Sequence[str], related: Sequence[str] = (), *, head: bool = True) -> Category:
    """*texts*: posts on one topic. *related*: terms that come with it, one more voice together."""
    phrases = [seed_scores(text) for text in texts]
    votes = _with_head(phrases, texts) if head else phrases
    return _decided([*votes, seed_scores(" . ".join(related))], phrases)


def categorise_each(texts: Sequence[str], topics: Sequence[Sequence[int]], *, head: bool = True) -> list[Category]:
    """One for each of *topics*, given by the places of its posts in *texts*; no post is read twice.

    Of a topic with more than MOST_POSTS posts, so many in even steps speak for all. *head*: also ask the language
    model, a hundred posts a second.
    """
    chosen = [places[:: max(1, -(-len(places) // MOST_POSTS))] for places in topics]
    needed = sorted({at for places in chosen for at in places})
    read = [texts[at] for at in needed]
    phrases = dict(zip(needed, map(seed_scores, read), strict=True))
    votes = dict(zip(needed, _with_head(list(phrases.values()), read), strict=True)) if head else phrases
    return [_decided([votes[at] for at in places], [phrases[at] for at in places]) for places in chosen]


def _with_head(phrases: Sequence[Mapping[str, float]], texts: Sequence[str]) -> list[dict[str, float]]:
    votes = [dict(each) for each in phrases]
    for vote, chances in zip(votes, _head_chances(texts), strict=False):
        for name, chance in chances.items():
            vote[name] = vote.get(name, 0.0) + HEAD_VOICE * chance
    return votes


def _decided(votes: Sequence[Mapping[str, float]], phrases: Sequence[Mapping[str, float]]) -> Category:
    """The name from all votes; the senses from phrases alone, which are right more often than the head."""
    speaking = [vote for vote in votes if vote]
    total: dict[str, float] = {}
    for vote in speaking:
        whole = sum(vote.values())
        for name, weight in vote.items():
            total[name] = total.get(name, 0.0) + weight * min(1.0, SURE / whole)  # no post shouts down the others
    evidence = sum(total.values())
    if evidence < LEAST_EVIDENCE:
        return Category(UNKNOWN, 0.0, len(speaking))
    best = min(total, key=lambda name: (-total[name], name))
    share = total[best] / evidence
    return Category(best if share >= LEAST_SHARE else UNKNOWN, share, len(speaking), *_senses(phrases))


def _senses(phrases: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """The two categories that most posts speak of, where both have a fair share of them; else nothing."""
    led = Counter(max(sorted(vote), key=vote.__getitem__) for vote in phrases if vote)
    del led[OTHER]  # whatever is left over is no second sense
    first = sorted(led.items(), key=lambda pair: (-pair[1], pair[0]))[:2]
    n = led.total()
    split = len(first) == 2 and n >= SENSE_POSTS and first[1][1] >= SECOND_SENSE * n
    return tuple(name for name, _ in first) if split else ()


def seed_scores(text: str) -> dict[str, float]:
    """Category: weight of its phrases in *text*, each phrase once."""
    clear = plain(text)
    tags = " . ".join(f"{name} . {split_hashtag(name)}" for name in HASHTAG.findall(clear))
    told = f" {' '.join(word.key for word in words(f'{bare(clear)} . {tags}'))} "
    found: dict[str, float] = {}
    for phrase in {value for _, value in _automaton().iter(told)}:
        name, weight = _seeds()[phrase]
        found[name] = found.get(name, 0.0) + weight
    return found


@cache
def taxonomy() -> dict[str, dict[str, list[str]]]:
    """Category: its `sure` phrases and its `seeds`."""
    held: dict[str, dict[str, list[str]]] = tomllib.loads(
        Path(__file__).with_name("taxonomy.toml").read_text(encoding="utf-8")
    )
    return held


@cache
def _seeds() -> dict[str, tuple[str, float]]:
    """Folded phrase, a space on both sides: its category and weight. What two categories claim says nothing."""
    made: dict[str, tuple[str, float]] = {}
    claimed: set[str] = set()
    for name, kinds in taxonomy().items():
        for kind, weight in (("sure", SURE), ("seeds", 1.0)):
            for phrase in kinds[kind]:
                key = f" {' '.join(word.key for word in words(phrase))} "
                if key in made and made[key][0] != name:
                    claimed.add(key)
                made.setdefault(key, (name, weight))
    return {key: value for key, value in made.items() if key not in claimed}


@cache
def _automaton() -> Any:
    import ahocorasick

    made = ahocorasick.Automaton()
    for phrase in _seeds():
        made.add_word(phrase, phrase)
    made.make_automaton()
    return made


def _head_chances(texts: Sequence[str]) -> list[dict[str, float]]:
    held = _head()
    if held is None or not texts:
        return []
    names, centre, weights, bias = held
    rows = softmax((_embedder()([plain(text) or "." for text in texts]) - centre) @ weights + bias)
    return [dict(zip(names, map(float, row), strict=True)) for row in rows]


@cache
def _head() -> tuple[list[str], Matrix, Matrix, Matrix] | None:
    path = WEIGHTS / "categories_embed.npz"
    if not path.exists() or not embedding.is_there():
        return None
    with np.load(path) as held:
        return [str(name) for name in held["names"]], held["centre"], held["weights"], held["bias"]


@cache
def _embedder() -> embedding.Embedder:
    return embedding.Embedder()
