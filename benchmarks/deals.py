"""How well deals are read: python -m benchmarks deals [FOLDER] [--json] [--errors N]

FOLDER holds `deals_*.jsonl` in the form of ../shared/gold/deals (the default), and may hold its own score_deals.py.
The weights that ship were learnt on the seen half there; the honest figure there is cross-validated:
`python -m benchmarks.train_deals --check`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.commerce.deals import Told, read
from analysis.commerce.deals_rows import row
from benchmarks.deals_gold import OPTIONS, rows, scorer, scores
from crawler.config import load

MEASURES = (
    "value+currency",
    "value+currency+role",
    "commerce roles only, +role",
    "is_deal",
    "hard negatives with a false amount",
)


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks deals")
    default = load().shared_dir / "gold" / "deals"
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="print the first N posts read wrongly")
    args = parser.parse_args(arguments)
    files = sorted(args.folder.glob("deals_*.jsonl"))
    if not files:
        raise SystemExit(f"deals: no deals_*.jsonl in {args.folder}; set TIDEMARK_SHARED or name a folder")
    wanted = [each for file in files for each in rows(file)]
    posts = [Told(each["text"], each.get("lang"), links=tuple(each.get("urls") or ())) for each in wanted]
    read(posts[0])  # loads the weights
    began = time.perf_counter()
    readings = [read(post) for post in posts]
    took_s = time.perf_counter() - began
    said = {each["id"]: row(each["id"], found) for each, found in zip(wanted, readings, strict=True)}
    judge = scorer(args.folder, default)
    parts = {"all": wanted, "real": [each for each in wanted if not each.get("synthetic")],
             "synthetic": [each for each in wanted if each.get("synthetic")]}  # fmt: skip
    found: dict[str, Any] = {name: scores(judge, part, said) for name, part in parts.items() if part}
    found["posts"], found["posts_per_s"] = len(wanted), round(len(wanted) / took_s)
    if args.json:
        print(json.dumps(found, indent=1))
        return
    for name in parts:
        for measure in MEASURES if name in found else ():
            print(f"{name:<10} {measure:<36} {found[name][measure]}")
    print(f"{len(wanted)} posts, {found['posts_per_s']} a second")
    _errors(judge, wanted, said, args.errors)


def _errors(judge: Any, wanted: list[dict[str, Any]], said: dict[str, Any], most: int) -> None:
    for each in wanted:
        _, false, missed = judge.match(each["amounts"], said[each["id"]]["amounts"], "fine", OPTIONS)
        wrong = said[each["id"]]["is_deal"] != each["is_deal"]
        if most > 0 and (false or missed or wrong):
            most -= 1
            print(f"\n{each['id']} {each['lang']} deal {each['is_deal']}{' WRONG' if wrong else ''}: {each['text']!r}")
            for kind, amounts in (("missed", missed), ("false", false)):
                for amount in amounts:
                    print(f"   {kind} {amount['text']} {amount['value']} {amount['currency']} {amount['role']}")
