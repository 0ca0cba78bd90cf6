"""Learns the small sentiment model in analysis/text/weights from ../shared/gold. python -m benchmarks.train_text

What is written are figures: weights of hashed columns and of lexicon scores. No text goes in, and none can be read
back: thousands of texts fall into each column. The heads on the language model: benchmarks/tune_embed.py.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from analysis.text import features
from analysis.text.sentiment import WEIGHTS, Small, lexicon_columns
from benchmarks.text_gold import FOLDS, Labelled, fingerprint, folds, umsab
from crawler.config import load

RARE = 2  # texts; a column of fewer says more of a text than of the language
STRENGTH = 1.0  # inverse of the regulariser; 1 and 3 alike within the folds


def fit_small(data: Labelled) -> Small:
    """The small model from *data*."""
    told = [features.readable(text) or "." for text in data.texts]
    counted = features.counts(told)
    rarity = tuple(_rarity(each) for each in counted)
    blocks = [_scaled(each, weights) for each, weights in zip(counted, rarity, strict=True)]
    lexicons = sparse.csr_matrix(lexicon_columns(told, data.languages))
    learnt = LogisticRegression(C=STRENGTH, max_iter=400).fit(sparse.hstack([*blocks, lexicons]).tocsr(), data.labels)
    weights = learnt.coef_.T.astype(np.float32)
    pieces, sequences = weights[: features.COLUMNS], weights[features.COLUMNS : 2 * features.COLUMNS]
    return Small(
        pieces * rarity[0][:, None], sequences * rarity[1][:, None], (rarity[0], rarity[1]),
        weights[2 * features.COLUMNS :], learnt.intercept_.astype(np.float32),
    )  # fmt: skip


def _rarity(counted: Any) -> npt.NDArray[np.float32]:
    seen = np.asarray(counted.sum(axis=0)).ravel()
    found = np.log((1 + counted.shape[0]) / (1 + seen)) + 1
    return np.where(seen < RARE, 0, found).astype(np.float32)


def _scaled(counted: Any, rarity: npt.NDArray[np.float32]) -> Any:
    length = np.sqrt(np.asarray(counted @ np.square(rarity)).ravel())
    return sparse.diags(1 / np.maximum(length, 1e-6)) @ counted @ sparse.diags(rarity)


def out_of_fold(data: Labelled, count: int = FOLDS) -> npt.NDArray[np.float32]:
    """The small model's probabilities for each text, by a model that never saw its fold."""
    fold = folds(data, count)
    made = np.zeros((len(data), 3), np.float32)
    for each in range(count):
        held = data.take(fold == each)
        told = [features.readable(text) or "." for text in held.texts]
        made[fold == each] = fit_small(data.take(fold != each))(told, held.languages)
    return made


def confusion(labels: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(3 true, 3 said), rows sum to 1."""
    table = np.zeros((3, 3))
    np.add.at(table, (labels, said), 1)
    return table / table.sum(axis=1, keepdims=True)


def save_small(model: Small, table: npt.NDArray[np.float64], path: Path) -> None:
    """Only the columns that count, in half precision."""
    held: dict[str, Any] = {"lexicons": model.lexicons, "bias": model.bias, "confusion": table}
    for name, weights, rarity in zip(
        ("pieces", "sequences"), (model.pieces, model.sequences), model.norms, strict=True
    ):
        columns = np.flatnonzero(np.abs(weights).max(axis=1) > 0)
        held[f"{name}_columns"] = columns.astype(np.uint16)
        held[f"{name}_weights"] = weights[columns].astype(np.float16)
        held[f"{name}_rarity"] = rarity.astype(np.float16)
    np.savez_compressed(path, **held)


def main(arguments: Sequence[str] = ()) -> int:
    gold = load().shared_dir / "gold"
    if not gold.exists():
        sys.stderr.write(f"train_text: the labelled texts are not at {gold}; set TIDEMARK_SHARED\n")
        return 1
    data = umsab(gold)
    table = confusion(data.labels, out_of_fold(data).argmax(axis=1))
    WEIGHTS.mkdir(exist_ok=True)
    save_small(fit_small(data), table, WEIGHTS / "sentiment_small.npz")
    seen = np.array(sorted({fingerprint(text) for text in data.texts}), np.uint64)
    np.savez_compressed(WEIGHTS / "sentiment_seen.npz", fingerprints=seen)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
