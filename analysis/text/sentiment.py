"""How posts feel: negative, neutral or positive, in English, Portuguese and Spanish. Pure but for the model it loads.

Two models with one interface. `small` needs nothing extra: hashed words and characters beside the lexicons.
`embed` blends it with a language model (extra `embed`). Their weights are figures, learnt by
`python -m benchmarks.train_text` from texts that are not part of this project. The name of a topic has no
sentiment; its posts do (`share`, in sentiment_shares).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.text import embedding, features, lexicon

LABELS = ("negative", "neutral", "positive")
LANGUAGES = ("en", "pt", "es")
"""Those it was measured on; a text in another language gets no sentiment."""
Model = Literal["small", "embed"]
WEIGHTS = Path(__file__).with_name("weights")
Matrix = npt.NDArray[np.float32]


class Sentiment(NamedTuple):
    """Probabilities that sum to 1."""

    negative: float
    neutral: float
    positive: float

    @property
    def label(self) -> str:
        return LABELS[max(range(3), key=self.__getitem__)]


@dataclass(frozen=True)
class Small:
    """Logistic regression over hashed pieces, sequences and lexicon scores."""

    pieces: Matrix
    """(COLUMNS, 3): weight times rarity, zero where too rare."""
    sequences: Matrix
    norms: tuple[Matrix, Matrix]
    """Rarity of each column of pieces and of sequences, for the length of a row."""
    lexicons: Matrix
    """(2 languages x 4, 3)."""
    bias: Matrix

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Matrix:
        logits = np.tile(self.bias, (len(texts), 1))
        for counted, weights, rarity in zip(
            features.counts(texts), (self.pieces, self.sequences), self.norms, strict=True
        ):
            length = np.sqrt(np.asarray(counted @ np.square(rarity)).ravel())
            logits += np.asarray(counted @ weights) / np.maximum(length, 1e-6)[:, None]
        return softmax(logits + lexicon_columns(texts, languages) @ self.lexicons)


@dataclass(frozen=True)
class Embed:
    """A linear head on the tuned language model."""

    centre: Matrix
    weights: Matrix
    bias: Matrix
    tuned: dict[str, npt.NDArray[Any]]

    def __call__(self, texts: Sequence[str]) -> Matrix:
        return softmax((_embedder(self)(texts) - self.centre) @ self.weights + self.bias)

    __hash__ = object.__hash__


def classify(texts: Sequence[str], languages: Sequence[str], model: Model | None = None) -> list[Sentiment | None]:
    """One for each text, None in a language not covered (`und` is tried). *model* None: the best installed."""
    chosen = model or ("embed" if embedding.is_there() else "small")
    covered = [i for i, code in enumerate(languages) if code in LANGUAGES or code == "und"]
    found: list[Sentiment | None] = [None] * len(texts)
    if covered:
        made = probabilities([texts[i] for i in covered], [languages[i] for i in covered], chosen)
        for i, row in zip(covered, made.tolist(), strict=True):
            found[i] = Sentiment(*row)
    return found


def probabilities(texts: Sequence[str], languages: Sequence[str], model: Model) -> Matrix:
    """(n, 3), columns as LABELS."""
    told = [features.readable(text) or "." for text in texts]
    small, _ = small_model()
    made = small(told, languages)
    if model == "small":
        return made
    large, share = embed_model()
    return share * large(told) + (1 - share) * made


def lexicon_columns(texts: Sequence[str], languages: Sequence[str]) -> Matrix:
    """(n, 8): the scores of each language's own lexicon in its own columns."""
    made = np.zeros((len(texts), lexicon.WIDTH * len(lexicon.LANGUAGES)), np.float32)
    for row, (text, code) in enumerate(zip(texts, languages, strict=True)):
        if code in lexicon.LANGUAGES:
            at = lexicon.WIDTH * lexicon.LANGUAGES.index(code)
            made[row, at : at + lexicon.WIDTH] = lexicon.scores(text, code)
    return made


def softmax(logits: npt.NDArray[Any]) -> Matrix:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


@cache
def small_model() -> tuple[Small, npt.NDArray[Any]]:
    """The shipped small model and the confusion of its cross-validation, (3 true, 3 said), rows sum to 1."""
    with np.load(WEIGHTS / "sentiment_small.npz") as held:
        rarity = tuple(held[f"{name}_rarity"].astype(np.float32) for name in ("pieces", "sequences"))
        dense = [np.zeros((features.COLUMNS, 3), np.float32) for _ in range(2)]
        for made, name in zip(dense, ("pieces", "sequences"), strict=True):
            made[held[f"{name}_columns"]] = held[f"{name}_weights"].astype(np.float32)
        model = Small(dense[0], dense[1], (rarity[0], rarity[1]), held["lexicons"], held["bias"])
        return model, held["confusion"]


@cache
def embed_model() -> tuple[Embed, float]:
    """The shipped head of the language model, and its share in the blend."""
    with np.load(WEIGHTS / "sentiment_embed.npz") as held:
        tuned = {name[2:]: held[name].astype(np.float32) for name in held.files if name.startswith("t/")}
        return Embed(held["centre"], held["weights"], held["bias"], tuned), float(held["share"])


@cache
def _embedder(model: Embed) -> embedding.Embedder:
    return embedding.Embedder(model.tuned)


def confusion(model: Model) -> npt.NDArray[Any]:
    """Of the cross-validation of *model*: (3 true, 3 said), rows sum to 1."""
    name = "sentiment_small.npz" if model == "small" else "sentiment_embed.npz"
    with np.load(WEIGHTS / name) as held:
        return np.asarray(held["confusion"], np.float64)
