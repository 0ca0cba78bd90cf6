"""Where have yesterday's known values gone? Archived pages of before and after a change, compared; a proposal. Pure.

Paths that a page has lost are paired with paths that are new or whose values have changed, by what stood there: texts
and ids exactly, counters within what they grow. Each pair is tried by replay: the new captures are read with it, and
what comes out is compared with what the same things showed before. Only what brings known values back is proposed; a
value that is nowhere is said to be gone. A person decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import SequenceMatcher
from statistics import fmean
from typing import Any

from crawler import trees
from crawler.archive import Capture
from crawler.items import Item
from crawler.reading import page_of
from crawler.repair_proof import (
    EMPTY,
    LEAST_GAIN,
    Known,
    agreement,
    are_counts,
    are_strange,
    closeness,
    compared,
    entities_of,
    factor,
    gone_of,
    is_worth,
    name_of,
    numbers_in,
    shown_by,
    turned_over,
)  # fmt: skip
from crawler.repairs import NONE, Alias, Repair, Repairs, revision
from crawler.trees import EACH, Path

MOST_TRIED = 60
MOST_STEPS = 4
MOST_BYTES = 12_000_000  # read anew in a step: seconds of markup
CAPTURES = 6  # of each side; more prove no more and cost as much again
SURELY = 0.9
RIGHT = 0.5
"""Agreement from which a field counts as read right; what moves by itself never agrees wholly."""


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
        self.paired = bool({each.url for each in old} & {each.url for each in new})
        size = sum(len(each.body) for each in new)
        self.most = max(MOST_TRIED // 2, min(MOST_TRIED * 5, MOST_BYTES // (size + 1)))
        self.known = self.read(old, ())
        self.now = self.read(new, ())
        names = entities_of(self.known.values())
        self.before, self.after = _Shape(old, names), _Shape(new, names)

    def read(self, captures: Iterable[Capture], aliases: Sequence[Alias]) -> Known:
        """Items by what they are of; aliases stand for all of these captures."""
        found: Known = {}
        for each in captures:
            mended: Repairs = {self.page: [Repair(self.page, 1, each.fetched_at, alias) for alias in aliases]}
            page = page_of(each, self.page, self.hash_key, mended)
            for item in page.items() if page is not None else ():
                if isinstance(item, Item):
                    found[name_of(item)] = item
        return found

    def step(self, before: Sequence[Alias]) -> list[Alias] | None:
        """The aliases that bring most back in addition to those *before*; None when nothing brings enough."""
        present = self.read(self.new, before)
        used = {each.read for each in before}
        best: tuple[float, list[Alias]] | None = None
        for tried, aliases in enumerate(self.candidates(first=not before)):
            if tried >= self.most:
                break
            if used & {each.read for each in aliases}:
                continue
            after = self.read(self.new, [*before, *aliases])
            base, gained = compared(self.known, present, after)
            if self.paired and are_strange(self.known, after):
                continue
            if aliases[0].in_markup and len(aliases) > 1 and turned_over(self.known, after):
                continue  # of names that are both still there, only things known again tell which is which
            gain = fmean(gained.values()) - fmean(base.values()) if base else 0.0
            if gain > (best[0] + 1e-9 if best else 0.0) and is_worth(base, gained, _same_place(aliases)):
                best = gain, list(aliases)
                if all(gained.get(name, 0.0) >= SURELY for name, share in base.items() if share < RIGHT):
                    break  # nothing is left to be brought back
        return best[1] if best else None

    def candidates(self, *, first: bool) -> Iterator[Sequence[Alias]]:
        """Likeliest first. What has changed places is looked for in the first step only."""
        if not self.before.nodes and not self.after.nodes:
            yield from _of_markup(self.old, self.new)
            return
        yield from self._pairs()
        exchanges = self._exchanges() if first else []
        yield from (aliases for nearer, aliases in exchanges if nearer > 1)
        yield from self._in_place()
        yield from (aliases for nearer, aliases in exchanges if nearer <= 1)

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
            if now is None or not numbers_in(values):
                continue
            if not numbers_in(now) and are_counts(now):
                yield (Alias(trees.shown(path), trees.shown(path), count=True),)
            elif (times := factor(numbers_in(values), numbers_in(now))) is not None:
                yield (Alias(trees.shown(path), trees.shown(path), times),)

    def _exchanges(self) -> list[tuple[float, Sequence[Alias]]]:
        """Two paths of which each now holds what the other did; the likeliest first."""
        ranked: list[tuple[float, Sequence[Alias]]] = []
        paths = [path for path in self.before.nodes if path in self.after.nodes and path[-1] != EACH]
        stars = {path: path.count(EACH) for path in paths}
        for i, one in enumerate(paths):
            if isinstance(self.before.nodes[one][0], dict | list):
                continue
            for other in paths[i + 1 :]:
                if stars[one] == stars[other] and one[:-1] == other[:-1]:
                    gain = self._nearer(one, other)
                    if gain >= 0:  # 0: of moments, neither says today what either said before
                        here, there = trees.shown(one), trees.shown(other)
                        ranked.append((gain, (Alias(here, there), Alias(there, here))))
        ranked.sort(key=lambda pair: -pair[0])
        return ranked[:MOST_TRIED]

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
            Moved(*name, base.get(name, 0.0), share, shown_by(self.known, *name), tuple(self._examples(name, mended)))
            for name, share in sorted(gained.items())
            if share - base.get(name, 0.0) >= LEAST_GAIN
        )
        usual = agreement(self.known, self.known)
        gone = tuple(
            (kind, each) for kind, name in sorted(usual) if gained.get((kind, name), 0.0) < SURELY
            for each in gone_of(self.known, mended, kind, name)
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
    before, after = numbers_in(old), numbers_in(new)
    if before and not after:
        return Alias(read, source, count=True) if are_counts(new) else None
    times = factor(before, after) if before and after else None
    return Alias(read, source, times)


def _likeness(lost: Path, there: Path, old: Sequence[Any], new: Sequence[Any]) -> float:
    """In which order pairs are tried; proof is by replay."""
    spelt = SequenceMatcher(None, lost[-1].lower(), there[-1].lower()).ratio()
    beside = sum(1 for one, other in zip(lost[:-1], there[:-1], strict=False) if one == other) / max(len(lost) - 1, 1)
    high = 1.0 / len(lost)  # one pair of upper paths explains all below
    return closeness(old, new) + 0.4 * spelt + 0.3 * beside + 0.3 * high


def _of_markup(old: Sequence[Capture], new: Sequence[Capture]) -> Iterator[Sequence[Alias]]:
    """Names of elements, classes and attributes that have left, with names that have come; numbers in their texts that
    are of another size; then two names exchanged."""
    texts, now = ([each.body.decode("utf-8", "replace") for each in captures] for captures in (old, new))
    before, after = ([trees.tokens(each) for each in bodies] for bodies in (texts, now))
    if not before or not after:
        return
    usual, there = before[0].intersection(*before), after[0].union(*after)
    come = sorted(after[0].intersection(*after) - before[0].union(*before))
    yield from ((each,) for each in _renamed(sorted(usual - there), come))
    # What else is called so is still there: of a list's titles that have another name, the page's own title.
    yield from ((each,) for each in _renamed(sorted(usual & there), come))
    both = sorted(usual.intersection(*after), key=lambda token: (token.startswith("<"), token))  # the narrower first
    for each in both:
        numbers = ([n for text in bodies for n in trees.numbers_at(text, each)] for bodies in (texts, now))
        if (times := factor(*numbers)) is not None:
            yield (Alias(each, each, times),)
        elif all(trees.beside_numbers(text, each) for text in now) and not all(
            trees.beside_numbers(text, each) for text in texts
        ):
            yield (Alias(each, each, count=True),)
    then, later = trees.looks("".join(texts)), trees.looks("".join(now))
    pairs = [(one, other) for i, one in enumerate(both) for other in both[i + 1 :] if _kind_of(one) == _kind_of(other)]
    ranked = sorted(((_exchanged(*pair, then, later), *pair) for pair in pairs), reverse=True)
    likely = [(one, other) for nearer, one, other in ranked if nearer >= 0]
    yield from ((Alias(one, other), Alias(other, one)) for one, other in likely[: MOST_TRIED * 4])


def _renamed(gone: Sequence[str], come: Sequence[str]) -> list[Alias]:
    ranked = sorted(
        ((SequenceMatcher(None, one, other).ratio(), one, other) for one in gone for other in come
         if _kind_of(one) == _kind_of(other)), reverse=True,
    )  # fmt: skip
    return [Alias(one, other) for _, one, other in ranked[:MOST_TRIED]]


def _exchanged(
    one: str, other: str, before: Mapping[str, tuple[float, ...]], after: Mapping[str, tuple[float, ...]]
) -> float:
    """By how much each looks more as the other did than as itself."""

    def apart(then: str, now: str) -> float:
        return sum(abs(a - b) for a, b in zip(before[then], after[now], strict=True))

    return apart(one, one) + apart(other, other) - apart(one, other) - apart(other, one)


def _same_place(aliases: Sequence[Alias]) -> bool:
    """Text that shows a number is read as one: nothing else is put in a value's place."""
    return all(each.count and each.read == each.source for each in aliases)


def _kind_of(token: str) -> str:
    return token.partition("=")[0] if "=" in token else "<"
