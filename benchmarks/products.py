"""Store pages: our general readers on the product extraction benchmark, beside three systems' own published outputs.

The data are a folder with ground-truth.json, html/ and, where there is one, output/ (scrapinghub/product-extraction-
benchmark, MIT: 140 pages of 2021; a part of it lies in ../shared). Its rules, written anew here: one prediction a page
and attribute, right when it equals one of the accepted values; prices are compared as decimal numbers, all else as
text; a page that says nothing of stock is taken as in stock. Precision, recall, F1, and 95 % intervals by resampling.

Speed is CPU time on one core, ours and extruct in one run, page by page in turn: extruct as the benchmark's baseline
uses it (three syntaxes), with RDFa, which we read as well, and as it comes (all syntaxes).

Run: python -m benchmarks.products [--data DIR] [--json] [--errors] [--no-speed]
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from crawler.config import load
from crawler.pages.product.choosing import headline, read
from crawler.pages.product.document import Document, decoded

DEFAULT = Path("captures") / "store" / "product-extraction-benchmark" / "dataset"
ATTRIBUTES = ("price", "availability", "sku", "InStock", "OutOfStock")
RESAMPLES = 1000
Gold = Mapping[str, Mapping[str, Any]]
Said = Mapping[str, Mapping[str, str]]
SYNTAXES: dict[str, dict[str, Any]] = {
    "extruct, the benchmark's three syntaxes": {"syntaxes": ["microdata", "opengraph", "json-ld"]},
    "extruct, and RDFa": {"syntaxes": ["microdata", "opengraph", "json-ld", "rdfa"]},
    "extruct, as it comes": {},
}
SLOW = ("extruct, and RDFa", "extruct, as it comes")  # 0.1 s a page: one round is enough


@dataclass(frozen=True)
class Tally:
    """True and false positives and false negatives of one page or of many."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float:
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else float(not self.fn)

    @property
    def recall(self) -> float:
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else float(not self.fp)

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def ours(body: bytes, url: str) -> dict[str, str]:
    chosen = read(Document(decoded(body, {}), url), [])
    price, stock, sku = headline(chosen.price), chosen.availability.taken, chosen.sku.taken
    word = "InStock" if stock is None or stock.value else "OutOfStock"
    said = {"availability": word, word: word}
    if price is not None:
        said["price"] = str(price)
    if sku is not None:
        said["sku"] = str(sku.value)
    return said


def judged(accepted: Iterable[str], said: str | None, attribute: str) -> Tally:
    as_value: Callable[[str], object] = _decimal if attribute == "price" else str
    true = {as_value(each) for each in accepted}
    if said is None:
        return Tally(fn=int(bool(true)))
    return Tally(tp=1) if as_value(said) in true else Tally(fp=1, fn=int(bool(true)))


def _decimal(shown: str) -> Decimal | str:
    try:
        return Decimal(shown.strip())
    except InvalidOperation:
        return shown


def scores(gold: Gold, said: Said) -> dict[str, dict[str, Any]]:
    """By attribute: F1 with its 95 % interval, precision, recall, support."""
    made = {}
    for attribute in ATTRIBUTES:
        rows = [judged(gold[key].get(attribute, ()), said.get(key, {}).get(attribute), attribute) for key in gold]
        total = sum(rows, Tally())
        dice = random.Random(7)
        resampled = sorted(sum(dice.choices(rows, k=len(rows)), Tally()).f1 for _ in range(RESAMPLES))
        made[attribute] = {
            "f1": round(total.f1, 4), "low": round(resampled[int(0.025 * RESAMPLES)], 4),
            "high": round(resampled[int(0.975 * RESAMPLES) - 1], 4), "precision": round(total.precision, 4),
            "recall": round(total.recall, 4), "support": sum(bool(gold[key].get(attribute)) for key in gold),
        }  # fmt: skip
    return made


def errors(gold: Gold, said: Said) -> list[dict[str, Any]]:
    return [
        {"page": key[:8], "url": gold[key].get("url"), "attribute": attribute, "accepted": accepted, "ours": found}
        for key in gold
        for attribute in ATTRIBUTES[:3]
        for accepted, found in [(gold[key].get(attribute, []), said[key].get(attribute))]
        if judged(accepted, found, attribute).tp == 0 and (found is not None or accepted)
    ]


def speeds(pages: Mapping[str, tuple[bytes, str]], rounds: int) -> dict[str, float]:
    """Pages a second of CPU time. Each page goes to every way before the next: a busy machine harms all alike."""
    try:
        import extruct
    except ImportError:
        print("products: extruct is not installed (dependency group dev); speed is ours alone", file=sys.stderr)
        extruct = None
    logging.getLogger("extruct").setLevel(logging.CRITICAL)
    ways: dict[str, Callable[[bytes, str], object]] = {"ours": ours}
    if extruct is not None:
        for name, options in SYNTAXES.items():
            ways[name] = lambda body, url, options=options: extruct.extract(
                body.decode("utf-8", "replace"), base_url=url, errors="ignore", **options
            )
    spent = dict.fromkeys(ways, 0.0)
    for n in range(rounds):
        for body, url in pages.values():
            for name, way in ways.items():
                if n and name in SLOW:
                    continue
                started = time.process_time()
                way(body, url)
                spent[name] += time.process_time() - started
    done = {name: len(pages) * (1 if name in SLOW else rounds) for name in ways}
    return {name: round(done[name] / spent[name], 1) for name in ways}


def run(data: Path, speed: bool, rounds: int) -> dict[str, Any]:
    gold: Gold = json.loads((data / "ground-truth.json").read_text("utf-8"))
    pages = {}
    for key in gold:
        path = data / "html" / f"{key}.html.gz"
        if path.exists():
            pages[key] = (gzip.decompress(path.read_bytes()), str(gold[key].get("url", "")))
    gold = {key: gold[key] for key in pages}
    said = {key: ours(body, url) for key, (body, url) in pages.items()}
    systems = {"ours": scores(gold, said)}
    for path in sorted((data / "output").glob("*.json")):
        theirs = json.loads(path.read_text("utf-8"))
        systems[path.stem] = scores(gold, theirs)
    return {
        "pages": len(pages), "scores": systems, "errors": errors(gold, said),
        "pages_per_s": speeds(pages, rounds) if speed else {},
    }  # fmt: skip


def show(found: Mapping[str, Any], with_errors: bool) -> None:
    print(f"products: {found['pages']} pages; F1 [95 % interval] precision recall (n)")
    for attribute in ATTRIBUTES:
        for system, each in found["scores"].items():
            row = each[attribute]
            print(
                f"  {attribute:13}{system:9} {row['f1']:.3f} [{row['low']:.3f} {row['high']:.3f}]"
                f"  {row['precision']:.3f} {row['recall']:.3f} ({row['support']})"
            )
    mine = found["pages_per_s"].get("ours")
    for name, rate in found["pages_per_s"].items():
        print(
            f"  {rate:8.1f} pages/s per core  {name}" + ("" if name == "ours" else f"   ours / it: {mine / rate:.2f}")
        )
    for row in found["errors"] if with_errors else ():
        print(f"  {row['page']} {row['attribute']}: accepted {row['accepted']}, ours {row['ours']!r}  {row['url']}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.products", description=__doc__)
    parser.add_argument("--data", type=Path, default=load().shared_dir / DEFAULT, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--errors", action="store_true", help="list what was wrong")
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(arguments)
    if not (args.data / "ground-truth.json").is_file():
        print(f"products: {args.data}: expected ground-truth.json and html/, found none", file=sys.stderr)
        return 2
    found = run(args.data, not args.no_speed, args.rounds)
    if args.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        show(found, args.errors)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
