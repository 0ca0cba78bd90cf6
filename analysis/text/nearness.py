"""Posts by meaning: how near each is to a question, and which lie together. Pure but for the model and a shelf.

With the extra `embed` a text is a vector of multilingual-e5-small, near across languages; vectors are kept on a shelf
by the hash of their text, so that each is read once. Without it texts are near where they share words and pieces.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import log
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.feature_extraction.text import TfidfVectorizer

from analysis.text.embedding import WIDTH, Embedder, is_there
from analysis.text.features import readable
from analysis.text.posts import PostText
from analysis.text.sentiment import WEIGHTS
from analysis.text.terms import terms
from analysis.text.topics import LABEL_TERMS, LEAST_POSTS, Topic, apart, state_of

Matrix = npt.NDArray[np.float32]
BY_MODEL, BY_WORDS = "multilingual-e5-small", "shared words"
KEPT = 100_000  # vectors on a shelf, the last ones read; 77 MB
CHANCE = 0.995  # of pairs of a set, drawn by chance: a theme is more alike than this share of them
PAIRS = 20_000
ALIKE = {BY_MODEL: (0.30, 0.45), BY_WORDS: (0.10, 0.30)}
"""Bounds of that: in a set of few themes many pairs drawn by chance are alike, in one of many hardly any."""
LABEL_CHARACTERS = 60  # of a post, where a theme has no word of its own
logger = logging.getLogger(__name__)


@dataclass
class Shelf:
    """Vectors by the hash of their text, kept in a file between calls; no text is in it."""

    path: Path | None = None
    _held: dict[int, npt.NDArray[np.float16]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is None or not self.path.is_file():
            return
        try:
            with self.path.open("rb") as file, np.load(file) as kept:
                self._held = dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # made anew: it holds nothing that cannot be
            logger.warning("analysis: %s holds no vectors that can be read; they are made anew", self.path.name)

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """(n, 384), unit rows."""
        keys = [_key(text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._held}
        if new:
            made = Embedder()(list(new.values())).astype(np.float16)
            self._held.update(zip(new, made, strict=True))
            self._keep()
        return np.array([self._held[key] for key in keys], np.float32).reshape(-1, WIDTH)

    def _keep(self) -> None:
        if self.path is None:
            return
        last = list(self._held.items())[-KEPT:]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(file, keys=np.array([key for key, _ in last], np.uint64), vectors=np.array([v for _, v in last]))
        part.replace(self.path)


@dataclass(frozen=True)
class Space:
    """Texts as unit rows, dense or sparse."""

    rows: Any
    made_by: str

    def alike(self, one: slice, other: slice) -> Matrix:
        """Cosines, -1 to 1."""
        found = self.rows[one] @ self.rows[other].T
        return np.asarray(found.todense() if sparse.issparse(found) else found, np.float32)


def space(texts: Sequence[str], shelf: Shelf) -> Space:
    return space_by_model(texts, shelf) if is_there() else space_by_words(texts)


def space_by_model(texts: Sequence[str], shelf: Shelf) -> Space:
    found = shelf.vectors([readable(text) or "." for text in texts]) - _centre()  # all lie in a narrow cone
    return Space(found / np.linalg.norm(found, axis=1, keepdims=True), BY_MODEL)


def space_by_words(texts: Sequence[str]) -> Space:
    if not texts:
        return Space(np.zeros((0, 1), np.float32), BY_WORDS)
    maker = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    return Space(maker.fit_transform([readable(text) or "." for text in texts]), BY_WORDS)


def nearness(question: str, texts: Sequence[str], shelf: Shelf) -> tuple[Matrix, str]:
    """How near each text is to *question*, -1 to 1; and what made the vectors."""
    held = space([question, *texts], shelf)
    return held.alike(slice(0, 1), slice(1, None)).ravel(), held.made_by


def together(held: Space, seed: int) -> list[list[int]]:
    """Groups of rows that are alike on average (linkage), the largest first; alone is a group of one.

    Alike is what hardly any two rows drawn by chance are, so that the limit holds for any model and any set.
    """
    count = held.rows.shape[0]
    if count < 2:
        return [[at] for at in range(count)]
    alike = held.alike(slice(None), slice(None))
    pairs = np.random.default_rng(seed).integers(0, count, (2, PAIRS))
    pairs = pairs[:, pairs[0] != pairs[1]]
    limit = float(np.clip(np.quantile(alike[pairs[0], pairs[1]], CHANCE), *ALIKE[held.made_by]))
    apart = np.clip(1 - (alike + alike.T) / 2, 0, 2)
    np.fill_diagonal(apart, 0)
    groups: dict[int, list[int]] = {}
    for at, group in enumerate(fcluster(linkage(squareform(apart, checks=False), "average"), 1 - limit, "distance")):
        groups.setdefault(int(group), []).append(at)
    return sorted(groups.values(), key=lambda group: (-len(group), group))


def themes(posts: Sequence[PostText], held: Space, seed: int) -> list[Topic]:
    """Posts that mean alike, whatever their words or language; *held*: space of `said`, in the order of *posts*."""
    spoken = [{term.key: term.shown for term in terms(post)} for post in posts]
    used = Counter(key for found in spoken for key in found)
    moments = sorted(post.at for post in posts if post.at is not None)
    made = []
    for group in together(held, seed):
        if len(group) < LEAST_POSTS:
            break
        keys = _telling(group, spoken, used)
        own = [posts[at] for at in group]
        names = {key: shown for at in reversed(group) for key, shown in spoken[at].items()}
        label = ", ".join(names[key] for key in apart(keys)[:LABEL_TERMS]) or own[0].said[:LABEL_CHARACTERS]
        state = state_of([post.at for post in own if post.at is not None], moments)
        authors = len({post.author or post.key for post in own})
        made.append(Topic(label, tuple(keys), tuple(post.key for post in own), authors, state))
    return made


def _telling(group: Sequence[int], spoken: Sequence[Mapping[str, str]], used: Mapping[str, int]) -> list[str]:
    """Keys of the terms said twice in *group* and more often there than elsewhere, best first."""
    inside = Counter(key for at in group for key in spoken[at])
    weight = {
        key: count * log(count * len(spoken) / (len(group) * used[key])) for key, count in inside.items() if count > 1
    }
    kept = [key for key in weight if weight[key] > 0 or len(group) == len(spoken)]
    return sorted(kept, key=lambda key: (-weight[key], -inside[key], -len(key), key))


def _key(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _centre() -> Matrix:
    with np.load(WEIGHTS / "categories_embed.npz") as held:
        return np.asarray(held["centre"], np.float32)
