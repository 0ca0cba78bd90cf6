"""Labelled posts for the models of deals: made by us (tests/analysis/commerce/made_deals.txt), and ../shared/gold."""

from __future__ import annotations

import bz2
import hashlib
import html
import importlib.util
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

MADE = Path(__file__).parent.parent / "tests" / "analysis" / "commerce" / "made_deals.txt"
ROLES = {"p": "price", "w": "was_price", "d": "discount_amount", "%": "discount_percent", "t": "threshold",
         "s": "shipping", "i": "income_or_wealth", "o": "other_money"}  # fmt: skip
_MARKED = re.compile(r"\{(.):([^}]*)\}")
OPTIONS = SimpleNamespace(multiset=False, strict_range=False)


@dataclass(frozen=True)
class Labelled:
    text: str
    language: str | None
    links: tuple[str, ...]
    spans: tuple[tuple[int, int, str], ...]
    """Start, end, role of every amount."""
    is_deal: bool


def made() -> list[Labelled]:
    lines = MADE.read_text(encoding="utf-8").splitlines()
    return [_made(*line.split(" ", 2)) for line in lines if line and not line.startswith("#")]


def _made(language: str, deal: str, marked: str) -> Labelled:
    text, at, spans = "", 0, []
    marked = marked.replace(" / ", "\n")
    for hit in _MARKED.finditer(marked):
        text += marked[at : hit.start()]
        spans.append((len(text), len(text) + len(hit[2]), ROLES[hit[1]]))
        text, at = text + hit[2], hit.end()
    return Labelled(text + marked[at:], language, (), tuple(spans), deal == "D")


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def gold(path: Path) -> list[Labelled]:
    return [
        Labelled(
            row["text"], row["lang"], tuple(row.get("urls") or ()),
            tuple(
                (each["start"], each["start"] + len(each["text"]), each["role"])
                for each in row["amounts"] if each["role"] != "not_money"
            ),
            row["is_deal"],
        )
        for row in rows(path)
    ]  # fmt: skip


def left_over(folder: Path, path: Path) -> Iterator[Labelled]:
    """Posts of the captured minutes in the same half as the gold set and not in it: read, and without money."""
    known = {row["id"] for row in rows(path)} | {row["text"][:60] for row in rows(path)}
    for file in sorted(folder.glob("*.json.bz2")):
        with bz2.open(file) as lines:
            for line in lines:
                if not line.startswith(b'{"created_at"'):
                    continue
                given = json.loads(line)
                told = given.get("retweeted_status") or given
                text = html.unescape((told.get("extended_tweet") or {}).get("full_text") or told["text"])
                names = {given["id_str"], told["id_str"]}
                other_half = any(int(hashlib.sha1(each.encode()).hexdigest(), 16) % 2 for each in names)
                if not other_half and not names & known and text[:60] not in known:
                    known.add(text[:60])
                    yield Labelled(text, given.get("lang"), (), (), False)


def scorer(folder: Path, fallback: Path) -> ModuleType:
    """The set's own scorer, `score_deals.py`."""
    path = next((each for each in (folder / "score_deals.py", fallback / "score_deals.py") if each.is_file()), None)
    spec = importlib.util.spec_from_file_location("score_deals", path) if path else None
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{folder}: no score_deals.py, nor in {fallback}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scores(judge: ModuleType, wanted: list[dict[str, Any]], said: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Name of the measure: [precision, recall, F1, n]; and the hard negatives with a false amount."""
    out: dict[str, Any] = {}
    for name, counts in judge.score(wanted, said, OPTIONS).items():
        n = counts["tp"] + counts["fn"]
        out[name.strip()] = [*(round(each, 3) for each in judge.prf(counts["tp"], counts["fp"], counts["fn"])), n]
    hard = [row for row in wanted if row.get("hard_negative")]
    false = [row for row in hard if judge.match(row["amounts"], said[row["id"]]["amounts"], False, OPTIONS)[1]]
    out["hard negatives with a false amount"] = [len(false), len(hard)]
    return out
