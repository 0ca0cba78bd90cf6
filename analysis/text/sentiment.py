"""How posts feel: negative, neutral or positive, in English, Portuguese and Spanish. Pure but for the model it loads.

Two models with one interface. `small` needs nothing extra: hashed words and characters beside the lexicons (VADER's,
LeIA's and our own, `feelings`). `embed` reads the tokens of a language model with heads of its own (extra `embed`),
with the small one beside them.
Their weights are figures, learnt by `python -m benchmarks.train_text` and `python -m benchmarks.tune_embed` from texts
that are not part of this project.
The name of a topic has no sentiment; its posts do (`mood`, in shares).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.text import embedding, features, feelings, lexicon
from analysis.text.encoder import Encoder, packed_model

LABELS = ("negative", "neutral", "positive")
LANGUAGES = ("en", "pt", "es")
"""Those it was measured on; a text in another language gets no sentiment."""
Model = Literal["small", "embed"]
LAYERS = 8  # of the language model's twelve; deeper ones forget how it was said
BESIDE = 0.6  # of the small model's log probabilities beside the heads'; chosen within the folds, .6 to .8
TINY = 1e-6
LEXICONS = lexicon.WIDTH * len(lexicon.LANGUAGES) + len(feelings.COLUMNS)
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
    """(LEXICONS, 3)."""
    bias: Matrix

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Matrix:
        logits = np.tile(self.bias, (len(texts), 1))
        for counted, weights, rarity in zip(
            features.counts(texts), (self.pieces, self.sequences), self.norms, strict=True
        ):
            length = np.sqrt(np.asarray(counted @ np.square(rarity)).ravel())
            logits += np.asarray(counted @ weights) / np.maximum(length, 1e-6)[:, None]
        return softmax(logits + lexicon_columns(texts, languages) @ self.lexicons)


class Head(NamedTuple):
    """Looks at a text in some places at once, takes some numbers from each, and says three.

    look: (WIDTH, voices). take: (WIDTH, voices x deep). say: (voices x deep, 3). own: (LANGUAGES, 3).
    """

    look: Matrix
    take: Matrix
    say: Matrix
    own: Matrix
    look_from: Matrix
    take_from: Matrix

    def logits(self, states: Matrix, real: Matrix, own: Matrix) -> Matrix:
        count, size, width = states.shape
        flat = states.reshape(-1, width)
        ties = (flat @ self.look + self.look_from).reshape(count, size, -1)
        ties += np.where(real > 0, 0, -1e9).astype(np.float32)[..., None]
        ties = np.exp(ties - ties.max(axis=1, keepdims=True))
        ties /= ties.sum(axis=1, keepdims=True)
        taken = _gelu(flat @ self.take + self.take_from).reshape(count, size, ties.shape[2], -1)
        told = np.einsum("bth,bthv->bhv", ties, taken).reshape(count, -1)
        return np.asarray(told @ self.say + own @ self.own, np.float32)


def _gelu(x: Matrix) -> Matrix:
    return np.asarray(x * 0.5 * (1 + np.tanh(np.float32(0.7978846) * (x + np.float32(0.044715) * x**3))), np.float32)


@dataclass(frozen=True)
class Heads:
    """Some heads on the tokens of the language model, averaged."""

    each: tuple[Head, ...]

    def read(self, states: Matrix, real: Matrix, languages: Sequence[str]) -> Matrix:
        """Probabilities of texts by their tokens (texts, tokens, WIDTH); *real*: 1 where a token is no padding."""
        own = np.zeros((len(languages), len(LANGUAGES)), np.float32)
        for row, code in enumerate(languages):
            own[row] = [code == each for each in LANGUAGES] if code in LANGUAGES else 1 / len(LANGUAGES)
        logs = [np.log(softmax(head.logits(states, real, own)) + TINY) for head in self.each]
        return softmax(np.mean(logs, axis=0))

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Matrix:
        made = np.zeros((len(texts), 3), np.float32)
        for chosen, states, real in _encoder()(texts):
            made[chosen] = self.read(states, real, [languages[at] for at in chosen])
        return made

    def save(self, path: Path, confusion: npt.NDArray[Any]) -> None:
        held: dict[str, Any] = {f"{at}/{name}": np.asarray(value, np.float16) for at, head in enumerate(self.each)
                for name, value in head._asdict().items()}  # fmt: skip
        np.savez_compressed(path, confusion=confusion, **held)


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
    small = small_model()[0](told, languages)
    return small if model == "small" else beside(embed_model()(told, languages), small)


def beside(heads: Matrix, small: Matrix, share: float = BESIDE) -> Matrix:
    """The small model knows words and ways of writing that the language model cuts to pieces, slang above all."""
    return softmax(np.log(heads + TINY) + share * np.log(small + TINY))


def lexicon_columns(texts: Sequence[str], languages: Sequence[str]) -> Matrix:
    """(n, LEXICONS): the scores of VADER and of LeIA in columns of their own, then `feelings`."""
    made = np.zeros((len(texts), LEXICONS), np.float32)
    for row, (text, code) in enumerate(zip(texts, languages, strict=True)):
        if code in lexicon.LANGUAGES:
            at = lexicon.WIDTH * lexicon.LANGUAGES.index(code)
            made[row, at : at + lexicon.WIDTH] = lexicon.scores(text, code)
        made[row, -len(feelings.COLUMNS) :] = feelings.columns(text, code)
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
def embed_model() -> Heads:
    """The shipped heads."""
    with np.load(WEIGHTS / "sentiment_embed.npz") as held:
        count = 1 + max(int(name.split("/")[0]) for name in held.files if "/" in name)
        return Heads(tuple(
            Head(*(held[f"{at}/{name}"].astype(np.float32) for name in Head._fields)) for at in range(count)
        ))  # fmt: skip


@cache
def _encoder() -> Encoder:
    return Encoder(packed_model(), LAYERS)


def confusion(model: Model) -> npt.NDArray[Any]:
    """Of the cross-validation of *model*: (3 true, 3 said), rows sum to 1."""
    name = "sentiment_small.npz" if model == "small" else "sentiment_embed.npz"
    with np.load(WEIGHTS / name) as held:
        return np.asarray(held["confusion"], np.float64)
