"""Categories of captured video titles: seven groups, five folds by video, and one country on the other.

The uploader's own category is the truth, and a noisy one. python -m benchmarks text --only categories
--save writes the head that analysis.text.categories uses: 384 weights a category, no text.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from analysis.text import embedding
from analysis.text.categories import seed_scores, taxonomy
from analysis.text.sentiment import WEIGHTS
from benchmarks.text_gold import FOLDS, fingerprint
from crawler.config import load

Report = dict[str, Any]
Chances = npt.NDArray[np.float64]
COUNTRIES = ("BR", "US")
GROUPS = {
    "10": "music", "20": "gaming", "17": "sports", "25": "news", "29": "news", "1": "film_tv", "23": "film_tv",
    "24": "film_tv", "43": "film_tv", "26": "fashion_beauty",
}  # fmt: skip
"""Category id of the site: group; all others are `other`."""
SCALE = 20.0  # unit vectors of this model lie in a narrow cone


def titles(captures: Path) -> tuple[list[str], list[str], list[str]]:
    """Titles, groups and countries; each video once."""
    kept: dict[str, tuple[str, str, str]] = {}
    for country in COUNTRIES:
        for path in sorted((captures / "trends" / "youtube").glob(f"{country}_youtube_trending_*.csv")):
            with path.open(encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines):
                    group = GROUPS.get(row["categoryId"], "other")
                    kept.setdefault(row["video_id"], (row["title"], group, country))
    rows = list(kept.values())
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def categories(shared: Path) -> Report:
    texts, groups, countries = titles(shared / "captures")
    names = sorted(set(groups))
    truth = np.array([names.index(group) for group in groups])
    place, fold = np.array(countries), np.array([fingerprint(text) % FOLDS for text in texts])
    ways: dict[str, Callable[[npt.NDArray[np.bool_]], Chances]] = {
        "tfidf": Tfidf(texts, truth),
        "tfidf_balanced": Tfidf(texts, truth, "balanced"),
    }
    if embedding.is_there():
        ways["tidemark"] = Ours(texts, truth, names)
    found: Report = {"titles": len(texts), "groups": {name: groups.count(name) for name in names}}
    for way, chances in ways.items():
        out = np.zeros(len(texts), int)
        for each in range(FOLDS):
            out[fold == each] = chances(fold != each)[fold == each].argmax(axis=1)
        row: Report = {"macro_f1": _f1(truth, out), "accuracy": round(float((truth == out).mean()), 4)}
        for trained in COUNTRIES:
            other = place != trained
            row[f"trained_on_{trained}_alone"] = _f1(truth[other], chances(place == trained)[other].argmax(axis=1))
        found[way] = row
    return found


def _f1(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> float:
    return round(float(f1_score(truth, said, average="macro", zero_division=0)), 4)


class Tfidf:
    """The usual way: words and pairs of words, logistic regression."""

    def __init__(self, texts: list[str], truth: npt.NDArray[np.int64], weight: str | None = None) -> None:
        self.texts, self.truth, self.weight = texts, truth, weight

    def __call__(self, train: npt.NDArray[np.bool_]) -> Chances:
        made = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        made.fit([text for text, used in zip(self.texts, train, strict=True) if used])
        rows = made.transform(self.texts)
        model = LogisticRegression(C=10, max_iter=500, class_weight=self.weight).fit(rows[train], self.truth[train])
        return _spread(model, rows, self.truth)


class Ours:
    """The mean of a head on the language model and seeds, and of words with characters; rare groups weigh more."""

    def __init__(self, texts: list[str], truth: npt.NDArray[np.int64], names: list[str]) -> None:
        self.texts, self.truth = texts, truth
        self.vectors = embedding.Embedder()([_readable(text) for text in texts])
        every = sorted(taxonomy())
        self.seeds = np.array([[seed_scores(text).get(name, 0.0) for name in every] for text in texts])

    def __call__(self, train: npt.NDArray[np.bool_]) -> Chances:
        dense = np.hstack([(self.vectors - self.vectors[train].mean(axis=0)) * SCALE, np.minimum(self.seeds, 3) * 0.7])
        head = LogisticRegression(C=0.3, max_iter=500, class_weight="balanced").fit(dense[train], self.truth[train])
        used = [text for text, each in zip(self.texts, train, strict=True) if each]
        makers = [
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit(used),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True).fit(used),
        ]
        rows = sparse.hstack([maker.transform(self.texts) for maker in makers]).tocsr()
        flat = LogisticRegression(C=5, max_iter=500, class_weight="balanced").fit(rows[train], self.truth[train])
        return 0.6 * _spread(head, dense, self.truth) + 0.4 * _spread(flat, rows, self.truth)


def _readable(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip() or "."


def _spread(model: LogisticRegression, rows: Any, truth: npt.NDArray[np.int64]) -> Chances:
    """Chances over all groups, though a country may lack one."""
    made = np.zeros((rows.shape[0], int(truth.max()) + 1))
    made[:, model.classes_] = model.predict_proba(rows)
    return made


def save(shared: Path) -> None:
    texts, groups, _ = titles(shared / "captures")
    vectors = embedding.Embedder()([_readable(text) for text in texts])
    centre = vectors.mean(axis=0)
    learnt = LogisticRegression(C=0.3, max_iter=500).fit((vectors - centre) * SCALE, groups)
    np.savez_compressed(
        WEIGHTS / "categories_embed.npz", names=np.array(learnt.classes_, "U20"), centre=centre,
        weights=(learnt.coef_.T * SCALE).astype(np.float32), bias=learnt.intercept_.astype(np.float32),
    )  # fmt: skip


if __name__ == "__main__" and "--save" in sys.argv:
    save(load().shared_dir)
