"""Where have yesterday's known values gone? Archived pages of before and after a change, compared; a proposal. Pure.

Paths that a page has lost are paired with paths that are new or whose values have changed, by what stood there: texts
and ids exactly, counters within what they grow. Each pair is tried by replay: the new captures are read with it, and
what comes out is compared with what the same things showed before. Only what brings known values back is proposed; a
value that is nowhere is said to be gone. A person decides.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from difflib import SequenceMatcher
from fractions import Fraction
from statistics import fmean, median
from typing import Any

from crawler import trees
from crawler.archive import Capture
from crawler.counts import CountError, parse_count
from crawler.items import Board, BoardEntry, Item
from crawler.reading import page_of
from crawler.repairs import NONE, Alias, Repair, Repairs, revision
from crawler.trees import EACH, Path

MOST_TRIED = 60
MOST_STEPS = 4
CAPTURES = 6  # of each side; more prove no more and cost as much again
LEAST_GAIN = 0.3
"""Agreement that a field has to gain, of 1."""
MOST_LOST = 0.1
RIGHT = 0.5
"""Agreement from which a field counts as read right; what moves by itself never agrees wholly."""
NICE = tuple(Fraction(each) ** sign for each in (10, 60, 100, 1000, 3600, 10**6) for sign in (1, -1))
SAME = 3
"""Things seen again, from which they are compared one by one."""
EMPTY: tuple[Any, ...] = (None, "", ())
MOVING = frozenset(("at", "position", "shown_at"))
Known = dict[str, Item]


@dataclass(frozen=True, slots=True)
class Seen:
    """One value, before and after."""

    key: str
    before: Any
    before_in: str
    """Capture."""
    now: Any
    """As the present reader takes it from the new page."""
    mended: Any
    now_in: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A field whose value a repair brings back."""

    kind: str
    field: str
    agree_before: float
    agree_after: float
    n: int
    """Things that showed it before."""
    examples: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    page: str
    since: datetime
    aliases: tuple[Alias, ...]
    moved: tuple[Moved, ...]
    gone: tuple[tuple[str, str], ...]
    """Fields (kind, name) that are broken and for which no place was found."""
    old: tuple[str, ...]
    new: tuple[str, ...]
    """Captures it rests on."""

    def repairs(self, before: Repairs = NONE) -> list[Repair]:
        """As entries of the file of repairs, of the next revision."""
        number = revision(before, self.page) + 1
        return [Repair(self.page, number, self.since, each) for each in self.aliases]


def propose(page: str, old: Sequence[Capture], new: Sequence[Capture], hash_key: str | None = None) -> Proposal:
    """old: good captures of this page object, new: captures since the change, best of the same addresses.

    What is compared are things that both show, so lists that turn over wholly prove nothing.
    """
    old, new = _chosen(old, new)
    search = _Search(page, old, new, hash_key)
    aliases: list[Alias] = []
    for _ in range(MOST_STEPS):
        found = search.step(aliases)
        if found is None:
            break
        aliases += found
    return search.proposal(aliases)


def _chosen(old: Sequence[Capture], new: Sequence[Capture]) -> tuple[list[Capture], list[Capture]]:
    """The newest of each address; those of before that have a partner come first."""
    after = {each.url: each for each in sorted(new, key=lambda one: one.fetched_at, reverse=True)}
    newest: dict[str, Capture] = {each.url: each for each in sorted(old, key=lambda one: one.fetched_at)}
    paired = sorted(newest.values(), key=lambda one: one.url not in after)[:CAPTURES]
    urls = [each.url for each in paired]
    rest = sorted(after.values(), key=lambda one: urls.index(one.url) if one.url in urls else len(urls))
    return paired, rest[:CAPTURES]


class _Search:
    def __init__(self, page: str, old: Sequence[Capture], new: Sequence[Capture], hash_key: str | None) -> None:
        self.page, self.old, self.new, self.hash_key = page, old, new, hash_key
        self.known = self.read(old, ())
        self.now = self.read(new, ())
        names = _entities(self.known.values())
        self.before, self.after = _Shape(old, names), _Shape(new, names)

    def read(self, captures: Iterable[Capture], aliases: Sequence[Alias]) -> Known:
        """Items by what they are of; aliases stand for all of these captures."""
        found: Known = {}
        for each in captures:
            mended: Repairs = {self.page: [Repair(self.page, 1, each.fetched_at, alias) for alias in aliases]}
            page = page_of(each, self.page, self.hash_key, mended)
            for item in page.items() if page is not None else ():
                if isinstance(item, Item):
                    found[_name(item)] = item
        return found

    def step(self, before: Sequence[Alias]) -> list[Alias] | None:
        """The aliases that bring most back in addition to those *before*; None when nothing brings enough."""
        base = agreement(self.known, self.read(self.new, before))
        used = {each.read for each in before}
        best: tuple[float, list[Alias]] | None = None
        for tried, aliases in enumerate(self.candidates()):
            if tried >= MOST_TRIED * 5:
                break
            if used & {each.read for each in aliases}:
                continue
            gained = agreement(self.known, self.read(self.new, [*before, *aliases]))
            gain = fmean(gained.values()) - fmean(base.values()) if base else 0.0
            if gain > (best[0] + 1e-9 if best else 0.0) and _worth(base, gained):
                best = gain, list(aliases)
        return best[1] if best else None

    def candidates(self) -> Iterator[Sequence[Alias]]:
        if not self.before.nodes and not self.after.nodes:
            yield from _of_markup(self.old, self.new)
            return
        yield from self._pairs()
        yield from self._in_place()
        yield from self._exchanges()

    def _pairs(self) -> Iterator[Sequence[Alias]]:
        """Paths that are lost, each with the likeliest new ones, and with twins that always said the same."""
        ranked: list[tuple[float, Alias]] = []
        for lost in self.before.missing_in(self.after):
            values = self.before.nodes[lost]
            for there in self.after.missing_in(self.before):
                if alias := _alias(lost, there, values, self.after.nodes[there]):
                    ranked.append((_likeness(lost, there, values, self.after.nodes[there]), alias))
            if not isinstance(values[0], dict | list):
                for twin in self._twins(lost, values):
                    if alias := _alias(lost, twin, values, self.after.nodes[twin]):
                        ranked.append((1.0, alias))
        ranked.sort(key=lambda pair: -pair[0])
        for _, alias in ranked[:MOST_TRIED]:
            yield (alias,)

    def _twins(self, path: Path, values: list[Any]) -> list[Path]:
        """Paths that always said the same, and still are there."""
        return [
            twin for twin, same in self.before.nodes.items()
            if twin != path and same == values and twin in self.after.nodes
        ]  # fmt: skip

    def _in_place(self) -> Iterator[Sequence[Alias]]:
        """Numbers that have become text or another unit, where they always were."""
        for path, values in self.before.nodes.items():
            now = self.after.nodes.get(path)
            if now is None or not _numbers(values):
                continue
            if not _numbers(now) and _counts(now):
                yield (Alias(trees.shown(path), trees.shown(path), count=True),)
            elif (times := factor(_numbers(values), _numbers(now))) is not None:
                yield (Alias(trees.shown(path), trees.shown(path), times),)

    def _exchanges(self) -> Iterator[Sequence[Alias]]:
        """Two paths of which each now holds what the other did."""
        ranked: list[tuple[float, Sequence[Alias]]] = []
        paths = [path for path in self.before.nodes if path in self.after.nodes and path[-1] != EACH]
        stars = {path: path.count(EACH) for path in paths}
        for i, one in enumerate(paths):
            if isinstance(self.before.nodes[one][0], dict | list):
                continue
            for other in paths[i + 1 :]:
                if stars[one] == stars[other] and one[:-1] == other[:-1]:
                    gain = self._nearer(one, other)
                    if gain > 0:
                        here, there = trees.shown(one), trees.shown(other)
                        ranked.append((gain, (Alias(here, there), Alias(there, here))))
        ranked.sort(key=lambda pair: -pair[0])
        yield from (aliases for _, aliases in ranked[:MOST_TRIED])

    def _nearer(self, one: Path, other: Path) -> float:
        """By how much the new values lie nearer to the other's old ones than to their own."""
        a, b, c, d = (
            *(self.before.nodes[each] for each in (one, other)),
            *(self.after.nodes[each] for each in (one, other)),
        )
        return (closeness(a, d) - closeness(a, c)) + (closeness(b, c) - closeness(b, d))

    def proposal(self, aliases: Sequence[Alias]) -> Proposal:
        mended = self.read(self.new, aliases)
        base, gained = agreement(self.known, self.now), agreement(self.known, mended)
        moved = tuple(
            Moved(*name, base.get(name, 0.0), share, _shown_by(self.known, *name), tuple(self._examples(name, mended)))
            for name, share in sorted(gained.items())
            if share - base.get(name, 0.0) >= LEAST_GAIN
        )
        usual = agreement(self.known, self.known)
        gone = tuple(
            name for name in sorted(usual)
            if gained.get(name, 0.0) < RIGHT and _broken(self.known, mended, *name)
        )  # fmt: skip
        since = min((each.fetched_at for each in self.new), default=datetime.min.replace(tzinfo=UTC))
        return Proposal(
            self.page, since, tuple(aliases), moved, gone, tuple(each.id for each in self.old),
            tuple(each.id for each in self.new),
        )  # fmt: skip

    def _examples(self, name: tuple[str, str], mended: Known) -> Iterator[Seen]:
        kind, field = name
        given = 0
        for key, item in self.known.items():
            then, after = getattr(item, field, None), mended.get(key)
            if item.kind == kind and then not in EMPTY and after is not None and given < 3:
                now = self.now.get(key)
                given += 1
                yield Seen(
                    item.key, then, item.capture, getattr(now, field) if now else None, getattr(after, field),
                    after.capture,
                )  # fmt: skip


class _Shape:
    """Every path of some pages with the values that stand there."""

    def __init__(self, captures: Sequence[Capture], entities: frozenset[str]) -> None:
        self.nodes: dict[Path, list[Any]] = defaultdict(list)
        self.pages: Counter[Path] = Counter()
        self.captures = len(captures)
        for each in captures:
            here: set[Path] = set()
            for document in trees.documents(each.body):
                if document.name:
                    self.nodes[document.name,].append(document.data)
                    here.add((document.name,))
                for path, value in trees.nodes(document, entities):
                    self.nodes[path].append(value)
                    here.add(path)
            self.pages.update(here)

    def missing_in(self, other: _Shape) -> list[Path]:
        """Paths usual here and not to be found there, or emptied there, or of another sort; upper ones first."""
        found = [
            path for path, values in self.nodes.items()
            if self.pages[path] >= 0.3 * self.captures and any(each not in (None, "", [], {}) for each in values)
            and (path not in other.nodes or _sort(other.nodes[path]) != _sort(values))
        ]  # fmt: skip
        return sorted(found, key=len)[:400]


def _sort(values: Sequence[Any]) -> str:
    filled = [each for each in values if each not in (None, "", [], {})]
    return "" if not filled else type(filled[0]).__name__ if isinstance(filled[0], dict | list) else "scalar"


def _alias(lost: Path, there: Path, old: Sequence[Any], new: Sequence[Any]) -> Alias | None:
    """None where the two cannot stand for each other."""
    if _sort(old) != _sort(new) or len(lost) < 1:
        return None
    extra = there.count(EACH) - lost.count(EACH)
    steps = list(there)
    if extra < 0:
        return None
    while extra:  # a list around one value: its first
        at = len(steps) - 1 - steps[::-1].index(EACH)
        steps[at] = "0"
        extra -= 1
    read, source = trees.shown(lost), trees.shown(tuple(steps))
    before, after = _numbers(old), _numbers(new)
    if before and not after:
        return Alias(read, source, count=True) if _counts(new) else None
    times = factor(before, after) if before and after else None
    return Alias(read, source, times)


def _likeness(lost: Path, there: Path, old: Sequence[Any], new: Sequence[Any]) -> float:
    """In which order pairs are tried; proof is by replay."""
    spelt = SequenceMatcher(None, lost[-1].lower(), there[-1].lower()).ratio()
    beside = sum(1 for one, other in zip(lost[:-1], there[:-1], strict=False) if one == other) / max(len(lost) - 1, 1)
    high = 1.0 / len(lost)  # one pair of upper paths explains all below
    return closeness(old, new) + 0.4 * spelt + 0.3 * beside + 0.3 * high


def closeness(old: Sequence[Any], new: Sequence[Any]) -> float:
    """0 to 1: how much two lists of values are of the same things, a little later."""
    before, after = _numbers(old), _numbers(new)
    if before and after:
        ranks = zip(_quantiles(before), _quantiles(after), strict=True)
        exact = len(set(before) & set(after)) / len(set(before))
        apart = fmean(abs(math.log((abs(a) + 5) / (abs(b) + 5))) for a, b in ranks)
        return max(exact, 1 - min(apart / math.log(8), 1.0))
    if isinstance(old[0], dict) and isinstance(new[0], dict):
        one, other = set(old[0]), set(new[0])
        return len(one & other) / max(len(one | other), 1)
    if isinstance(old[0], list) and isinstance(new[0], list):
        return closeness(old[0], new[0]) if old[0] and new[0] else 0.3
    texts, now = {str(each) for each in old if each}, {str(each) for each in new if each}
    return len(texts & now) / len(texts) if texts else 0.0


def _quantiles(numbers: Sequence[float], parts: int = 7) -> list[float]:
    ordered = sorted(numbers)
    return [ordered[round(i * (len(ordered) - 1) / (parts - 1))] for i in range(parts)]


def _numbers(values: Sequence[Any]) -> list[float]:
    """The numbers of a path, digits in text among them; none where anything else stands there."""
    found = []
    for each in values:
        if each is None or each == "":
            continue
        if isinstance(each, bool) or not isinstance(each, int | float | str):
            return []
        try:
            found.append(float(each))
        except ValueError:
            return []
        if isinstance(each, str) and each != each.strip():
            return []
    return found


def _counts(values: Sequence[Any]) -> bool:
    """Whether all of it is text that shows a number, such as "1.2K"."""
    shown = [each for each in values if each not in (None, "")]
    if not shown or not all(isinstance(each, str) and len(each) <= 20 for each in shown):
        return False
    try:
        return all(_number(each) is not None for each in shown)
    except CountError:
        return False


def _number(text: str) -> Decimal | int | None:
    plain = text.strip().replace(",", "")
    return Decimal(plain) if plain.replace(".", "", 1).isdecimal() else parse_count(text).value


def factor(before: Sequence[float], after: Sequence[float]) -> Fraction | None:
    """What the new numbers have to be multiplied with to be those of before; None where they are of one size."""
    a, b = (median(map(abs, each)) if each else 0.0 for each in (before, after))
    if not a or not b or abs(math.log(a / b)) < math.log(4):
        return None
    near = min(NICE, key=lambda each: abs(math.log(float(each) * b / a)))
    return near if abs(math.log(float(near) * b / a)) < math.log(1.6) else None


def _of_markup(old: Sequence[Capture], new: Sequence[Capture]) -> Iterator[Sequence[Alias]]:
    """Names of elements, classes and attributes that have left, with names that have come; then two exchanged."""
    before = [trees.tokens(each.body.decode("utf-8", "replace")) for each in old]
    after = [trees.tokens(each.body.decode("utf-8", "replace")) for each in new]
    if not before or not after:
        return
    usual, now = before[0].intersection(*before), after[0].union(*after)
    lost = sorted(usual - now)
    come = sorted(after[0].intersection(*after) - before[0].union(*before))
    ranked = sorted(
        ((SequenceMatcher(None, one, other).ratio(), one, other) for one in lost for other in come
         if _kind_of(one) == _kind_of(other)), reverse=True,
    )  # fmt: skip
    yield from ((Alias(one, other),) for _, one, other in ranked[:MOST_TRIED])
    both = sorted(usual & after[0].intersection(*after))
    pairs = [(one, other) for i, one in enumerate(both) for other in both[i + 1 :] if _kind_of(one) == _kind_of(other)]
    yield from ((Alias(one, other), Alias(other, one)) for one, other in pairs[: MOST_TRIED * 4])


def _kind_of(token: str) -> str:
    return token.partition("=")[0] if "=" in token else "<"


# What agrees


def _name(item: Item) -> str:
    """What an item is of: rows of a list are known by their topic, not by moment and place."""
    if isinstance(item, BoardEntry):
        return f"{item.kind} {item.board}#{item.topic_key}"
    return f"{item.kind} {item.board if isinstance(item, Board) else item.key}"


def _entities(items: Iterable[Item]) -> frozenset[str]:
    """Names of things, which as members of an object stand for one of many."""
    told = ("username", "author", "handle", "post_id", "user_id", "tag_id", "sound_id", "product_id")
    return frozenset(
        each for item in items for name in told if isinstance(each := getattr(item, name, None), str) and each
    )


def agreement(known: Known, now: Known) -> dict[tuple[str, str], float]:
    """By kind and field: how far what is read now is what the same things showed before, 0 to 1.

    Of lists that have turned over, where hardly a thing is the same: how far it is of the same sort and size.
    """
    found: dict[tuple[str, str], float] = {}
    after: dict[str, list[Item]] = defaultdict(list)
    for item in now.values():
        after[item.kind].append(item)
    kinds: dict[str, list[tuple[str, Item]]] = defaultdict(list)
    for key, item in known.items():
        kinds[item.kind].append((key, item))
    for kind, items in kinds.items():
        same = sum(key in now for key, _ in items)
        turned = same < min(SAME, len(items)) and len(after[kind]) >= SAME
        for name in items[0][1].facts():
            if name not in MOVING:
                shown = [(now.get(key), item, getattr(item, name)) for key, item in items]
                share = (
                    _alike([value for _, _, value in shown], [getattr(each, name) for each in after[kind]])
                    if turned else _agreeing(name, shown)
                )  # fmt: skip
                if share is not None:
                    found[kind, name] = share
    return found


def _agreeing(name: str, shown: Iterable[tuple[Item | None, Item, Any]]) -> float | None:
    """shown: what a thing is now, was before, and its value then."""
    shares = []
    for other, item, then in shown:
        if name.endswith("_precision"):  # exact numbers stay exact
            shares.append(float(other is not None and (getattr(other, name) is None) == (then is None)))
        elif then not in EMPTY:
            moves = name in item.counters or name == "volume"
            shares.append(0.0 if other is None else _agrees(then, getattr(other, name), moves))
    return fmean(shares) if shares else None


def _alike(then: list[Any], now: list[Any]) -> float | None:
    filled, shown = ([each for each in values if each not in EMPTY] for values in (then, now))
    if not filled:
        return None
    share = min(1.0, (len(shown) / len(now)) / (len(filled) / len(then))) if now else 0.0
    if not shown or not isinstance(filled[0], int | float | Decimal) or isinstance(filled[0], bool):
        return share
    numbers = [[float(each) for each in values] for values in (filled, shown)]
    return share * closeness(*numbers)


def _agrees(then: Any, now: Any, moves: bool) -> float:
    if now is None:
        return 0.0
    if moves and isinstance(then, int | float | Decimal) and isinstance(now, int | float | Decimal):
        apart = abs(math.log((abs(float(now)) + 5) / (abs(float(then)) + 5)))
        return max(0.0, 1 - apart / math.log(4))
    return float(then == now)


def _worth(base: Mapping[tuple[str, str], float], gained: Mapping[tuple[str, str], float]) -> bool:
    """Some field comes back, and none is lost for it."""
    changes = [gained.get(name, 0.0) - share for name, share in base.items()]
    return max(changes, default=0.0) >= LEAST_GAIN and min(changes, default=0.0) >= -MOST_LOST


def _shown_by(known: Known, kind: str, field: str) -> int:
    return sum(item.kind == kind and getattr(item, field, None) not in EMPTY for item in known.values())


def _broken(known: Known, now: Known, kind: str, field: str) -> bool:
    """Said something before, and says nothing now of anything: none, nothing, 0, no."""
    before = [getattr(item, field, None) for item in known.values() if item.kind == kind]
    after = [getattr(item, field, None) for item in now.values() if item.kind == kind]
    return any(before) and not any(after)


def with_revision(repairs: Repairs, more: Sequence[Repair]) -> Repairs:
    """Both together; of one page all are of the newest revision."""
    joined: dict[str, Sequence[Repair]] = {page: list(each) for page, each in repairs.items()}
    for each in more:
        joined[each.page] = [*joined.get(each.page, ()), replace(each)]
    return joined
