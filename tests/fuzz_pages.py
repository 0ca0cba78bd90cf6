"""Mutations of saved pages: what a page object may never do, whatever it is given.

run(20_000, seed=1) is the long form; tests/test_fuzz_pages.py runs a short one. The same seed gives the same bytes.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from crawler import pages
from crawler.items import Item
from crawler.outcomes import Outcome
from crawler.pages import Page

CASES = Path(__file__).parent / "pages"
LARGEST_BODY = 300_000  # bytes; mutating a larger one costs more than it teaches
_STATE = re.compile(rb'(<script[^>]*\bid="[^"]+"[^>]*>)([^<]{2,}?)(</script)', re.S)

# What a page of this class lives on: the first group of which a name occurs, and each name in it alone is enough.
MANDATORY: dict[str, tuple[tuple[bytes, ...], ...]] = {
    "tiktok.profile": ((b'"uniqueId"', b'"followerCount"', b'"fans"'), (b'"followers-count"',)),
    "tiktok.post": ((b'"id"',), (b'"like-count"',)),
    "tiktok.hashtag": ((b'"title"', b'"challengeName"'), (b'"challenge-title"', b'"challenge-vvcount"')),
    "tiktok.sound": ((b'"music"', b'"musicId"'), (b'"music-video-count"',)),
    "tiktok.list": ((b'"itemList"',), (b'"item_list"',), (b'"itemListData"',), (b'"items"',), (b'"data"',),
                    (b'"user_list"',)),
    "tiktok.comments": ((b'"cid"',), (b"cid,",)),
    "tiktok.discover": ((b'"exploreList"', b'"cardItem"'),),
    "tiktok.shop_product": ((b'"product_id"', b'"product_base"', b'"skus"', b'"component_name"'),),
    "tiktok.saved_posts": ((b'"id"',),),
    "tiktok.zeeschuimer": ((b'"data"',),),
    "shopify.catalogue": ((b'"handle"', b'"title"'),),
    "shopify.product_js": ((b'"handle"', b'"title"'),),
    "reviews.yotpo": ((b'"reviews"',),),
    "reviews.okendo": ((b'"reviews"',),),
    "reviews.stamped": ((b'"data"',),),
    "reviews.junip": ((b'"product_reviews"',),),
    "reviews.judgeme": ((b'"html"',),),
    "x.trends_place": ((b'"trends"', b'"as_of"'),),
}  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, -(2**31), 2**31, 2**53 + 1, 2**63, 2**70, 1.5, -0.0, 1e308, "", " ", "0", "-1", "1e9",
    "NaN", "Infinity", "1.2M", "٣", "²", "a" * 5000, "\u0000", "\ud800", "\u202e1", "<script>", "' OR 1=1 --", "$where",
    "=cmd()", "../../etc/passwd", "awesome", [], {}, [None], [[]], {"$gt": ""}, {"a": {"b": {}}}, ["x"] * 50,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    name: str
    page: type[Page]
    url: str
    body: bytes
    fetched_at: datetime
    headers: dict[str, str]
    good: bool
    """Whether the page as saved is ok and gives items."""


@dataclass
class Report:
    mutations: int = 0
    seed: int = 0
    crashes: list[str] = field(default_factory=list)
    """Case, mutation and error of what got out of a page object; only typed errors may, and those are outcomes."""
    broken_items: list[str] = field(default_factory=list)
    """Items that their own model refuses, or items of a page that is not ok."""
    ok_after_loss: list[str] = field(default_factory=list)
    """Pages that lost mandatory data and still said ok, with items."""
    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    losses: int = 0
    """Mutations that took mandatory data away."""
    slowest_ms: float = 0.0
    slowest: str = ""

    @property
    def good(self) -> bool:
        return not (self.crashes or self.broken_items or self.ok_after_loss)

    def __str__(self) -> str:
        lines = [
            f"{self.mutations} mutations (seed {self.seed}), {self.losses} of them took mandatory data away",
            f"  crashes {len(self.crashes)}, broken items {len(self.broken_items)}, "
            f"ok after loss {len(self.ok_after_loss)}",
            f"  outcomes {dict(self.outcomes.most_common())}",
            f"  kinds {dict(self.kinds.most_common())}",
            f"  slowest {self.slowest_ms:.0f} ms: {self.slowest}",
        ]
        return "\n".join([*lines, *self.crashes[:20], *self.broken_items[:20], *self.ok_after_loss[:20]])


def run(mutations: int, seed: int) -> Report:
    chance = random.Random(seed)
    cases = saved()
    good = [case for case in cases if case.good]
    report = Report(seed=seed)
    for _ in range(mutations):
        case = chance.choice(good if chance.random() < 0.75 else cases)  # walls teach little
        kind, mutate = chance.choice(MUTATIONS)
        body, lost = mutate(case, chance)
        if chance.random() < 0.1:
            case = replace(case, url=_address(case.url, chance), good=False)
            lost = False
        report.mutations += 1
        report.kinds[kind] += 1
        report.losses += lost
        judge(case, body, kind, lost, report)
    return report


def saved() -> list[Case]:
    known = pages.load_all()
    cases = []
    for meta_file in sorted(CASES.rglob("meta.json")):
        folder = meta_file.parent
        body = (folder / "body").read_bytes()
        if len(body) > LARGEST_BODY or folder.parent.name not in known:
            continue
        meta = json.loads(meta_file.read_text())
        cls, at = known[folder.parent.name], datetime.fromisoformat(meta["fetched_at"])
        page = cls(meta["url"], body, at, meta.get("headers"), capture="c")
        good = page.outcome is Outcome.OK and any(isinstance(item, Item) for item in page.items())
        name = f"{folder.parent.name}/{folder.name}"
        cases.append(Case(name, cls, meta["url"], body, at, meta.get("headers") or {}, good))
    return cases


def judge(case: Case, body: bytes, kind: str, lost: bool, report: Report) -> None:
    what = f"{case.name} {kind}"
    started = time.perf_counter()
    try:
        pages.choose(case.url, body)
        page = case.page(case.url, body, case.fetched_at, case.headers, capture="c", hash_key="k" * 32)
        outcome, found, follows = page.outcome, list(page.items()), list(page.next())
    except Exception as error:
        report.crashes.append(f"{what}: {type(error).__name__}: {str(error)[:120]}")
        return
    took_ms = (time.perf_counter() - started) * 1000
    if took_ms > report.slowest_ms:
        report.slowest_ms, report.slowest = took_ms, what
    report.outcomes[str(outcome)] += 1
    items = [item for item in found if isinstance(item, Item)]
    if outcome is not Outcome.OK and (items or follows):
        report.broken_items.append(f"{what}: {len(items)} items of a page that is {outcome}")
    for item in items:
        try:
            again = type(item).model_validate(item.model_dump())
        except Exception as error:
            report.broken_items.append(f"{what}: {item.kind}: {type(error).__name__} {str(error)[:120]}")
            continue
        if again != item or item.key != again.natural_key():
            report.broken_items.append(f"{what}: {item.kind} {item.key!r} is not what its model makes of it")
    if lost and outcome is Outcome.OK and items:
        report.ok_after_loss.append(f"{what}: ok with {Counter(item.kind for item in items)}")


def _lose(case: Case, chance: random.Random) -> tuple[bytes, bool]:
    """Every occurrence of one mandatory name is renamed."""
    if case.page.name == "tiktok.saved_posts" and b'"webVideoUrl"' in case.body:
        return _junk(case, chance)  # the number stands twice in these rows
    groups = ([name for name in group if name in case.body] for group in MANDATORY.get(case.page.name, ()))
    names = next(filter(None, groups), None)
    if not names:
        return _junk(case, chance)
    name = chance.choice(names)
    return case.body.replace(name, name.replace(b'"', b'"x', 1) if b'"' in name else b"x" + name), case.good


def _address(url: str, chance: random.Random) -> str:
    """The address a page came from is text from outside, too."""
    odd = (
        "",
        "saved:x",
        "http://[",
        "https://[::1",
        "http://tiktok.com:99999/",
        "//",
        "https://www.tiktok.com/@",
        "a" * 3000,
    )
    if chance.random() < 0.3:
        return chance.choice(odd)
    at = chance.randrange(len(url) + 1)
    return url[:at] + chance.choice(("[", "]", "%", "\x00", "?", "#", "&q=", "//", "é", " ", "%00", "@[")) + url[at:]


def _cut(case: Case, chance: random.Random) -> tuple[bytes, bool]:
    """The body ends early; JSON and a state that end early are lost."""
    at = chance.randrange(len(case.body) + 1)
    body = case.body[:at]
    whole = case.body.rstrip()
    lines = case.page.name == "tiktok.zeeschuimer"  # an export may end after any line
    if whole[:1] in (b"{", b"[") and not lines:
        return body, case.good and at < len(whole) and b"\n" not in whole  # not one document a line
    inside = any(found.start(2) <= at < found.end(2) for found in _STATE.finditer(case.body))
    alone = len(_STATE.findall(case.body)) == 1 and b"data-e2e" not in case.body
    return body, case.good and inside and alone and case.page.name.startswith("tiktok.")


def _junk(case: Case, chance: random.Random) -> tuple[bytes, bool]:
    """Bytes overwritten, inserted, or doubled."""
    body = bytearray(case.body)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(body) + 1)
        noise = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 20)))
        way = chance.randrange(4)
        if way == 0:
            body[at : at + len(noise)] = noise
        elif way == 1:
            body[at:at] = noise
        elif way == 2:
            end = min(len(body), at + chance.randrange(1, 400))
            body[at:at] = body[at:end]
        else:
            del body[at : at + chance.randrange(1, 400)]
    return bytes(body), False


def _tree(change: Callable[[Any, random.Random], None]) -> Callable[[Case, random.Random], tuple[bytes, bool]]:
    """A mutation of the page's JSON, wherever it stands."""

    def mutate(case: Case, chance: random.Random) -> tuple[bytes, bool]:
        scripts = list(_STATE.finditer(case.body))
        script = chance.choice(scripts) if scripts else None
        text = script[2] if script else case.body
        try:
            data = json.loads(text)
        except ValueError:
            return _junk(case, chance)
        for _ in range(chance.randrange(1, 4)):
            change(data, chance)
        new = json.dumps(data, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
        return (case.body[: script.start(2)] + new + case.body[script.end(2) :] if script else new), False

    return mutate


def _places(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    found: list[tuple[Any, Any]] = []
    waiting = [data]
    while waiting:
        each = waiting.pop()
        inside = each.items() if isinstance(each, dict) else enumerate(each) if isinstance(each, list) else ()
        for key, value in inside:
            found.append((each, key))
            waiting.append(value)
    return found


def _drop(data: Any, chance: random.Random) -> None:
    if places := _places(data):
        holder, key = chance.choice(places)
        del holder[key]


def _retype(data: Any, chance: random.Random) -> None:
    if places := _places(data):
        holder, key = chance.choice(places)
        holder[key] = deepcopy(chance.choice(ODD_VALUES))  # later changes must not reach the constants


def _swap(data: Any, chance: random.Random) -> None:
    places = _places(data)
    if len(places) < 2:
        return
    (one, a), (two, b) = chance.sample(places, 2)
    first, second = json.loads(json.dumps(one[a])), json.loads(json.dumps(two[b]))
    two[b] = first  # copies, so that no tree ever holds itself
    if a in one if isinstance(one, dict) else a < len(one):
        one[a] = second


def _rename(data: Any, chance: random.Random) -> None:
    places = [(holder, key) for holder, key in _places(data) if isinstance(holder, dict)]
    if places:
        holder, key = chance.choice(places)
        holder[chance.choice(("x", "", key.upper(), key + "_", "id", "data"))] = holder.pop(key)


def _deepen(data: Any, chance: random.Random) -> None:
    if places := _places(data):
        holder, key = chance.choice(places)
        value: Any = 1
        for _ in range(chance.choice((50, 300))):
            value = [value] if chance.random() < 0.5 else {"a": value}
        holder[key] = value


MUTATIONS: tuple[tuple[str, Callable[[Case, random.Random], tuple[bytes, bool]]], ...] = (
    ("lose", _lose), ("cut", _cut), ("junk", _junk), ("drop", _tree(_drop)), ("retype", _tree(_retype)),
    ("swap", _tree(_swap)), ("rename", _tree(_rename)), ("deepen", _tree(_deepen)),
)  # fmt: skip


if __name__ == "__main__":
    told = run(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    print(told)
    sys.exit(not told.good)
