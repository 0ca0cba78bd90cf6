"""What is said in posts, measured: python -m benchmarks text [--sentiment DIR] [--json] [--only PART …]

--sentiment DIR scores the shipped models on DIR/<language>/{val,test}_{text,labels}.txt, whichever are there.
Without it every part is measured on ../shared: sentiment (cross-validation), language, copies, keyphrases,
echo, categories, near, speed. How the parts are measured is told in docs/text.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from analysis.text import embedding, lexicon
from analysis.text.features import readable
from analysis.text.language import identify
from analysis.text.sentiment import WEIGHTS, probabilities
from analysis.text.words import HASHTAG, MENTION, URL
from benchmarks.text_gold import CODES, Labelled, fingerprint, folder, minas, umsab, vader
from benchmarks.train_text import out_of_fold
from crawler.config import load

Report = dict[str, Any]
SPLITS = ("val", "test")
DRAWS = 500


def main(arguments: Sequence[str] = ()) -> int:
    args = _arguments(arguments)
    if args.sentiment:
        try:
            report: Report = {"sentiment": score_folder(args.sentiment)}
        except ValueError as error:
            sys.stderr.write(f"text: {error}\n")
            return 2
        if not report["sentiment"]:
            sys.stderr.write(f"{args.sentiment}: no <language>/val_text.txt or test_text.txt in it\n")
            return 2
    else:
        shared = load().shared_dir
        if not shared.exists():
            sys.stderr.write(f"text: the labelled sets are not at {shared}; set TIDEMARK_SHARED\n")
            return 0
        report = {name: part(shared) for name, part in PARTS.items() if not args.only or name in args.only}
    print(json.dumps(report, indent=None if args.json else 2, ensure_ascii=False))
    return 0


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks text")
    parser.add_argument("--sentiment", type=Path, metavar="DIR", help="score the shipped models on this folder")
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), help="only these parts")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser.parse_args(arguments)


def score_folder(root: Path) -> Report:
    """Each language and split of *root*: the best installed model, with the others beside it."""
    if not root.is_dir():
        return {}
    held = np.load(WEIGHTS / "sentiment_seen.npz")["fingerprints"]
    seen = set(held.tolist())
    found: Report = {}
    for each in sorted(path.name for path in root.iterdir() if path.is_dir()):
        for split in SPLITS:
            data = folder(root, each, split)
            if data is not None:
                found.setdefault(each, {})[split] = _scored(data, seen)
    return found


def _scored(data: Labelled, seen: set[int]) -> Report:
    models = (["embed"] if embedding.is_there() else []) + ["small"]
    scores: Report = {name: measured(data.labels, _said(data, name)) for name in [*models, "lexicon"]}
    return {
        "n": len(data), "model": models[0], **scores[models[0]],
        "others": {name: scores[name] for name in [*models[1:], "lexicon"]},
        "seen_in_training": sum(fingerprint(text) in seen for text in data.texts),
    }  # fmt: skip


def _said(data: Labelled, model: str) -> npt.NDArray[np.int64]:
    if model == "lexicon":
        told = (lexicon.scores(readable(text), code) for text, code in zip(data.texts, data.languages, strict=True))
        return np.array([lexicon.label(each[3]) for each in told])
    return np.asarray(
        probabilities(data.texts, data.languages, "embed" if model == "embed" else "small").argmax(axis=1)
    )


def measured(labels: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> Report:
    """Macro-F1 of three classes with its 95 % interval over drawn texts, and the share that is right."""
    rng = np.random.default_rng(1)
    drawn = [rng.integers(0, len(labels), len(labels)) for _ in range(DRAWS)]
    low, high = np.percentile([f1(labels[each], said[each]) for each in drawn], [2.5, 97.5])
    return {
        "macro_f1": round(f1(labels, said), 4), "low": round(float(low), 4), "high": round(float(high), 4),
        "accuracy": round(float((labels == said).mean()), 4),
    }  # fmt: skip


def f1(labels: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> float:
    return float(f1_score(labels, said, average="macro", labels=[0, 1, 2], zero_division=0))


def sentiment(shared: Path) -> Report:
    """Small model: cross-validation over train and validation, and over two other sets by text. The shipped
    model on those two sets, of which it saw nothing."""
    gold = shared / "gold"
    data = umsab(gold)
    said = out_of_fold(data).argmax(axis=1)
    codes = np.array(data.languages)
    found: Report = {
        f"small_cv_{code}": measured(data.labels[codes == code], said[codes == code]) for code in CODES.values()
    }
    for name, other in (("vader_tweets", vader(gold)), ("minas_tweets", minas(gold))):
        found[name] = {
            "n": len(other),
            "small_cv": measured(other.labels, out_of_fold(other).argmax(axis=1)),
            "small_shipped": measured(other.labels, _said(other, "small")),
            "lexicon": measured(other.labels, _said(other, "lexicon")),
        }
    return found


def language(shared: Path) -> Report:
    """Share told right, full tweets and first four words; handles, links and '#' are not words."""
    found: Report = {}
    for name, code in CODES.items():
        data = umsab(shared / "gold").take(np.array(umsab(shared / "gold").languages) == code)
        for cut, label in ((None, "full"), (4, "four_words")):
            told = [identify(_cut(text, cut)).code for text in data.texts]
            found.setdefault(name, {})[label] = round(sum(each == code for each in told) / len(told), 4)
    return found


def _cut(text: str, count: int | None) -> str:
    told = readable(text)
    if count is None:
        return told
    bare = HASHTAG.sub(" ", MENTION.sub(" ", URL.sub(" ", told)))
    return " ".join(bare.split()[:count])


def _later(module: str, name: str) -> Callable[[Path], Report]:
    def part(shared: Path) -> Report:
        import importlib

        made: Report = getattr(importlib.import_module(f"benchmarks.{module}"), name)(shared)
        return made

    return part


PARTS: Mapping[str, Callable[[Path], Report]] = {
    "sentiment": sentiment,
    "language": language,
    "copies": _later("text_parts", "copies"),
    "keyphrases": _later("text_parts", "keyphrase_scores"),
    "echo": _later("text_parts", "echo"),
    "rises": _later("text_parts", "rises"),
    "categories": _later("text_categories", "categories"),
    "near": _later("text_near", "near"),
    "speed": _later("text_parts", "speed"),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
