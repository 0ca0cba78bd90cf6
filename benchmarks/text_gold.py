"""Labelled tweets of ../shared/gold, for measuring and training only: no text of them is part of the project."""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.text.features import readable

CODES = {"english": "en", "portuguese": "pt", "spanish": "es"}
MINAS = {"Negativo": 0, "Neutro": 1, "Positivo": 2}
VADER_NEGATIVE, VADER_POSITIVE = -0.5, 0.5  # of a mean rating from -4 to 4
FOLDS = 5


@dataclass(frozen=True)
class Labelled:
    texts: list[str]
    labels: npt.NDArray[np.int64]
    """0 negative, 1 neutral, 2 positive."""
    languages: list[str]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, chosen: npt.NDArray[np.bool_]) -> Labelled:
        at = np.flatnonzero(chosen)
        return Labelled([self.texts[i] for i in at], self.labels[at], [self.languages[i] for i in at])


def folder(root: Path, language: str, split: str) -> Labelled | None:
    """`root/<language>/<split>_{text,labels}.txt`, a line each; None where it is not there."""
    at = root / language
    if not (at / f"{split}_text.txt").is_file():
        return None
    if not (at / f"{split}_labels.txt").is_file():
        raise ValueError(f"{at}: {split}_text.txt is there, {split}_labels.txt is not; a label a line is needed")
    texts = _lines(at / f"{split}_text.txt")
    told = [line.strip() for line in _lines(at / f"{split}_labels.txt") if line.strip()]
    if not told or not set(told) <= {"0", "1", "2"}:
        raise ValueError(
            f"{at}/{split}_labels.txt: expected 0 (negative), 1 or 2 a line, found {sorted(set(told))[:5]}"
        )
    labels = [int(line) for line in told]
    texts = texts[: len(labels)] if not any(texts[len(labels) :]) else texts
    if len(texts) != len(labels):
        raise ValueError(f"{at}/{split}_*.txt: {len(texts)} texts but {len(labels)} labels; one a line is needed")
    return Labelled(texts, np.array(labels), [CODES.get(language, language)] * len(labels))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")  # not splitlines: a tweet may hold other line ends


def joined(parts: list[Labelled]) -> Labelled:
    return Labelled(
        [text for part in parts for text in part.texts],
        np.concatenate([part.labels for part in parts]),
        [code for part in parts for code in part.languages],
    )


def umsab(gold: Path, splits: tuple[str, ...] = ("train", "val")) -> Labelled:
    parts = [folder(gold / "sentiment_tweets", language, split) for language in CODES for split in splits]
    return joined([part for part in parts if part is not None])


def minas(gold: Path) -> Labelled:
    """Portuguese tweets on Minas Gerais, each text once (reposts are copies), by the reading of one person."""
    kept: dict[str, tuple[str, int]] = {}
    with (gold / "pt_tweets_mg" / "Tweets_Mg.csv").open(encoding="utf-8", errors="replace") as lines:
        for row in csv.DictReader(lines):
            if row["Classificacao"] in MINAS:
                text = re.sub(r"^(?:RT @\w+: ?)+", "", row["Text"])
                kept.setdefault(readable(text).casefold(), (text, MINAS[row["Classificacao"]]))
    return Labelled([text for text, _ in kept.values()], np.array([y for _, y in kept.values()]), ["pt"] * len(kept))


def vader(gold: Path) -> Labelled:
    """English tweets rated by 20 people, each text once; the mean rating cut into three."""
    kept: dict[str, tuple[str, int]] = {}
    for line in (gold / "vader" / "tweets_GroundTruth.txt").read_text(encoding="utf-8").splitlines():
        _, rating, text = line.split("\t", 2)
        label = 0 if float(rating) <= VADER_NEGATIVE else 2 if float(rating) >= VADER_POSITIVE else 1
        kept.setdefault(readable(text).casefold(), (text, label))
    return Labelled([text for text, _ in kept.values()], np.array([y for _, y in kept.values()]), ["en"] * len(kept))


def folds(data: Labelled, count: int = FOLDS) -> npt.NDArray[np.int64]:
    """A fold for each text, by its own hash: the same text is never on both sides, whatever set it comes from."""
    return np.array([fingerprint(text) % count for text in data.texts])


def fingerprint(text: str) -> int:
    """Of the readable text without case; 63 bits."""
    return int.from_bytes(hashlib.blake2b(readable(text).casefold().encode(), digest_size=8).digest(), "big") >> 1
