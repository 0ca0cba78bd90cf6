"""What a trend belongs to, told from the posts around it, not from its bare name. Pure but for the model it may load.

Phrases of taxonomy.toml are found in one pass; a head on the language model (extra `embed`) joins in where it is
installed. A topic is `unknown` where neither says enough, and ambiguous where its posts speak of two things.
"""

from __future__ import annotations

import tomllib
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

UNKNOWN = "unknown"
SURE = 3.0  # a phrase that nothing else says, against a seed
LEAST_SHARE = 0.4  # of all evidence, for the best category
LEAST_EVIDENCE = 2.0  # of phrases, in units of a seed; less is chance
SECOND_SENSE, SENSE_POSTS = 0.3, 10  # share of posts in a second category, of at least so many
MOST_POSTS = 200  # of one topic that are read; more change no share by much
HEAD_VOICE = 2.0  # of one post's head, against a seed
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Category:
    """*share* of the evidence for *name*; *posts* that said anything at all."""

    name: str
    share: float
    posts: int
    second: str | None = None
    """Where the posts split into two senses: the other one."""

    first: str | None = None
    """The sense that most posts speak in; the name, where there is one."""

    @property
    def ambiguous(self) -> bool:
        return self.second is not None

    @property
    def senses(self) -> str | None:
        """'sports or music' where the posts speak of two things."""
        return f"{self.first} or {self.second}" if self.second else None


def categorise(texts: Sequence[str], related: Sequence[str] = (), *, head: bool = True) -> Category:
    """*texts*: posts on one topic. *related*: terms that come with it, one more voice together."""
    spoken = _votes(texts, head=head)
    if related:
        spoken.append(seed_scores(" . ".join(related)))
    return _decided([vote for vote in spoken if vote])


def categorise_each(texts: Sequence[str], topics: Sequence[Sequence[int]], *, head: bool = True) -> list[Category]:
    """One for each of *topics*, given by the places of its posts in *texts*; no post is read twice.

    Of a topic with more than MOST_POSTS posts, so many in even steps speak for all. *head*: also ask the language
    model, a hundred posts a second; the phrases alone are enough to tell that a name has two senses.
    """
    chosen = [_even(places) for places in topics]
    needed = sorted({at for places in chosen for at in places})
    votes = dict(zip(needed, _votes([texts[at] for at in needed], head=head), strict=True))
    return [_decided([votes[at] for at in places if votes[at]]) for places in chosen]


def _even(places: Sequence[int]) -> Sequence[int]:
    step = max(1, -(-len(places) // MOST_POSTS))
    return places[::step]


def _votes(texts: Sequence[str], *, head: bool) -> list[dict[str, float]]:
    votes = [seed_scores(text) for text in texts]
    for vote, chances in zip(votes, _head_chances(texts) if head else (), strict=False):
        for name, chance in chances.items():
            vote[name] = vote.get(name, 0.0) + HEAD_VOICE * chance
    return votes


def _decided(votes: Sequence[Mapping[str, float]]) -> Category:
    total: dict[str, float] = {}
    leading: dict[str, int] = {}
    for vote in votes:
        whole = sum(vote.values())
        for name, weight in vote.items():
            total[name] = total.get(name, 0.0) + weight * min(1.0, SURE / whole)  # no post shouts down the others
        best = max(sorted(vote), key=vote.__getitem__)
        leading[best] = leading.get(best, 0) + 1
    evidence = sum(total.values())
    if evidence < LEAST_EVIDENCE:
        return Category(UNKNOWN, 0.0, len(votes))
    order = sorted(total, key=lambda name: (-total[name], name))
    share = total[order[0]] / evidence
    others = sorted((name for name in leading if name != order[0]), key=lambda name: (-leading[name], name))
    split = bool(others) and len(votes) >= SENSE_POSTS and leading[others[0]] >= SECOND_SENSE * len(votes)
    name = order[0] if share >= LEAST_SHARE else UNKNOWN
    return Category(name, share, len(votes), others[0] if split else None, order[0])


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
