"""Parts of the benchmark `text` beside sentiment and language: copies, keyphrases, echo, rises, speed."""

from __future__ import annotations

import math
import random
import re
import time
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from sklearn.feature_extraction.text import TfidfVectorizer

from analysis.text.duplicates import groups
from analysis.text.keywords import keywords
from analysis.text.language import identify
from analysis.text.longtext import keyphrases
from analysis.text.posts import from_row, once_each
from analysis.text.sentiment import classify
from analysis.text.stopwords import listed
from analysis.text.terms import terms
from analysis.text.words import words
from benchmarks.text_gold import umsab
from benchmarks.text_trends import list_rows, measure, term_sets, tweets

Report = dict[str, Any]
ORIGINALS, COPIES = 4000, 1000
TOP = 10
SETS = {"110-PT-BN-KP.zip": "pt", "WikiNews.zip": "fr"}


def copies(shared: Path) -> Report:
    """Recall on planted copies (reposts, emoji, a word less, other numbers, capitals, a link), and pairs besides."""
    rng = random.Random(4)
    told = list(dict.fromkeys(umsab(shared / "gold").texts))
    rng.shuffle(told)
    originals = told[:ORIGINALS]
    chosen = [i for i, text in enumerate(originals) if len(text) >= 40][:COPIES]
    changed = [_changed(originals[i], rng) for i in chosen]
    alone = groups(originals)
    found = groups([*originals, *changed])
    hits = sum(found[ORIGINALS + n] == alone[i] for n, i in enumerate(chosen))
    return {
        "originals": len(originals), "planted": len(chosen), "recall": round(hits / len(chosen), 4),
        "pairs_among_originals": sum(first != i for i, first in enumerate(alone)),
        "wrongly_joined": sum(found[i] != first for i, first in enumerate(alone)),
    }  # fmt: skip


def _changed(text: str, rng: random.Random) -> str:
    split = text.split()
    drop = rng.randrange(len(split))
    edits: list[Callable[[], str]] = [
        lambda: f"RT @someone: {text}",
        lambda: f"{text} 😍🔥",
        lambda: " ".join(split[:drop] + split[drop + 1 :]),
        lambda: re.sub(r"\d+", lambda _: str(rng.randrange(1000)), text),
        lambda: text.upper(),
        lambda: f"{text} https://t.example/{rng.randrange(10**6)}",
    ]
    return rng.choice(edits)()


def keyphrase_scores(shared: Path) -> Report:
    """F1 of the best ten against the keys of each document, exact after folding and cutting plural endings."""
    return {name: _one_set(shared / "gold" / "keyphrase" / name, code) for name, code in SETS.items()}


def _one_set(path: Path, code: str) -> Report:
    documents, keys = _documents(path)
    stop = sorted({word for each in listed(code) for word in re.findall(r"\w\w+", each)})
    matrix = TfidfVectorizer(ngram_range=(1, 3), stop_words=stop, sublinear_tf=True)
    weights = matrix.fit_transform(documents)
    names = matrix.get_feature_names_out()
    ways: dict[str, Callable[[int], list[str]]] = {
        "tidemark": lambda i: [each.text for each in keyphrases(documents[i], code, TOP)],
        "yake": lambda i: _yake(documents[i], code),
        "tfidf": lambda i: [str(names[at]) for at in weights[i].toarray().ravel().argsort()[::-1][:TOP]],
        "rake": lambda i: _rake(documents[i], code),
    }
    found: Report = {"documents": len(documents)}
    for name, way in ways.items():
        scores = [_f1(way(i), keys[i]) for i in range(len(documents))]
        found[name] = round(sum(scores) / len(scores), 4)
    return found


def _documents(path: Path) -> tuple[list[str], list[list[str]]]:
    with zipfile.ZipFile(path) as held:
        files = {name: held.read(name).decode("utf-8", "replace") for name in held.namelist() if not name.endswith("/")}
    texts = {Path(name).stem: text for name, text in files.items() if "docs" in name and name.endswith(".txt")}
    keys = {Path(name).stem: text.splitlines() for name, text in files.items() if name.endswith(".key")}
    both = sorted(texts.keys() & keys.keys())
    return [texts[name] for name in both], [[key for key in keys[name] if key.strip()] for name in both]


def _yake(text: str, code: str) -> list[str]:
    import yake

    return [phrase for phrase, _ in yake.KeywordExtractor(lan=code, n=3, top=TOP).extract_keywords(text)]


def _rake(text: str, code: str) -> list[str]:
    """RAKE: runs between stop words, each word scored by degree over frequency."""
    stop = listed(code)
    runs: list[list[str]] = []
    for part in re.split(r"[^\w\s'-]+|\n", text.lower()):
        run: list[str] = []
        for word in part.split():
            if word in stop:
                runs.append(run)
                run = []
            else:
                run.append(word)
        runs.append(run)
    seen = Counter(word for run in runs for word in run)
    degree = Counter[str]()
    for run in runs:
        degree.update(dict.fromkeys(run, len(run)))
    scored = {" ".join(run): sum(degree[word] / seen[word] for word in run) for run in runs if 0 < len(run) <= 3}
    return sorted(scored, key=lambda phrase: (-scored[phrase], phrase))[:TOP]


def _f1(said: Sequence[str], keys: Sequence[str]) -> float:
    found, wanted = {_stem(each) for each in said}, {_stem(each) for each in keys}
    hits = len(found & wanted)
    return 2 * hits / (len(found) + len(wanted)) if hits else 0.0


def _stem(phrase: str) -> str:
    return " ".join(re.sub(r"(?<=\w{3})(?:es|s|x)$", "", word.key) for word in words(phrase))


def echo(shared: Path) -> Report:
    """Engagement by keyword on a list that holds each post many times: each counts once."""
    rows = orjson.loads((shared / "captures/tiktok/dumps/tiktok_trending.json").read_bytes())
    posts = [from_row(_row(row)) for row in rows]
    found = keywords(posts)
    best = found.frame.sort_values("engagement", ascending=False).head(TOP)
    raw = Counter[str]()
    for row in rows:
        for tag in set(re.findall(r"#(\w+)", (row["caption"] or "").lower())):
            raw[tag] += sum(int(each) for name, each in row["stats"].items() if name != "playCount")
    return {
        "rows": len(rows), "posts": found.posts, "copies": found.copies,
        "best": list(zip(best["term"], best["posts"].tolist(), best["engagement"].tolist(), strict=True)),
        "best_by_rows": raw.most_common(3),
        "engagement_once_each": sum(post.engagement or 0 for post in once_each(posts)),
    }  # fmt: skip


def _row(row: dict[str, Any]) -> dict[str, Any]:
    stats = row["stats"]
    title = (row.get("music") or {}).get("title")
    return {
        "key": f"tiktok:post:{row['id']}", "caption": row["caption"], "author": row["username"],
        "sound_id": title, "sound_title": title, "views": int(stats["playCount"]),
        "likes": int(stats["diggCount"]), "comments": int(stats["commentCount"]), "shares": int(stats["shareCount"]),
        "saves": int(stats["collectCount"]),
    }  # fmt: skip


def rises(shared: Path) -> Report:
    """Planted rises: found within two hours, and terms told besides; docs/text.md says how."""
    pools = {
        "tweets": term_sets(list(tweets(shared / "captures"))),
        "hourly_list": term_sets(list(list_rows(shared / "beds"))[:60_000]),
    }
    found = [measure(name, pool, times, 1) for name, pool in pools.items() for times in (3, 5, 10)]
    return {f"{each.source} x{each.times:g}": asdict(each) | {"false_a_day": each.false_a_day} for each in found}


def speed(shared: Path) -> Report:
    """Posts a second of one core (processor time, so that other programs do not count), warm."""
    posts = [post for post, _ in zip(tweets(shared / "captures"), range(6000), strict=False)]
    texts = [post.caption for post in posts]
    codes = [identify(text).code for text in texts]
    steps: dict[str, Callable[[], object]] = {
        "language": lambda: [identify(text) for text in texts],
        "terms": lambda: deque(map(terms, posts), 0),  # none kept, as in `texts`; kept, they take twice as long
        "copies": lambda: groups(texts),
        "sentiment_small": lambda: classify(texts, codes, "small"),
    }
    for step in steps.values():
        step()
    seconds = {name: _cost(step) for name, step in steps.items()}
    chain = sum(seconds.values())
    each = {name: round(len(posts) / cost) for name, cost in seconds.items()}
    return {"posts": len(posts), **each, "default_chain": round(len(posts) / chain) if math.isfinite(chain) else None}


def _cost(step: Callable[[], object]) -> float:
    start = time.process_time()
    step()
    return max(time.process_time() - start, 1e-9)
