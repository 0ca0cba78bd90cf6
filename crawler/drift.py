"""Has a page changed its shape? A run's items against what the same spider's runs before it gave. Pure.

Two kinds of evidence. *The same thing seen again*: its counters move a little, its texts and ids stay, what it showed
it shows. *The run as a whole*: shares that are filled, forms of texts, sizes, how many are known. Each measure has a
control chart over the clean runs before (median and median absolute deviation, and their range), with room for chance
where few things were counted. A field with an alarm is not learned from, so that a break never becomes the usual, until
a person accepts it. What is remembered of an entity are its numbers and hashes; no text, and of its key a hash.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from statistics import median

from crawler import drift_open
from crawler.drift_limits import AMOUNTS, FEW, FEWEST_RUNS, MANY, RUNS, SEVERAL, judged
from crawler.drift_seen import (
    ENTITIES,
    PLACES,
    Alarm,
    Measure,
    Memory,
    PageSeen,
    Run,
    Signature,
    Value,
    Values,
    counters_of,
    group_and_field,
    moment_of,
)

YOUNG = timedelta(days=1)  # what is younger multiplies by itself
SAME_PAGE = 0.85  # of a page's usual names: one that seems empty and still has these is no wall
SAME_SITE = 0.5  # the same of a page that could not be read at all


@dataclass(frozen=True, slots=True)
class Finding:
    alarms: tuple[Alarm, ...]
    little: tuple[str, ...]
    """Groups of which too few runs are known to say what is usual."""
    untold: tuple[str, ...]
    """What is open (`group|field`), and this run does not tell."""
    memory: Memory
    """With this run learned, but for what is open."""


def examine(run: Run, memory: Memory) -> Finding:
    """The run judged by the memory, and the memory after it."""
    measures = [*_pages(run, memory), *_groups(run, memory)]
    reshaped = _reshaped(run, memory)
    told = [
        each for measure in measures
        if (each := judged(measure, memory, measure.group.partition(" ")[0] in reshaped)) is not None
    ]  # fmt: skip
    seen = {each.measure.name: each for each, _ in told}
    still, untold = drift_open.again(seen, memory.opened)
    found = [*(each for each, unusual in told if unusual), *still]
    opened = drift_open.opened(memory.opened, found, untold, seen)
    little = sorted(group for group in run.entities if memory.group_runs.get(group, 0) < FEWEST_RUNS)
    silent = untold - {each.measure.about for each in found}
    return Finding(
        tuple(_telling(found)), tuple(little), tuple(sorted(silent)), _learned(run, memory, measures, opened)
    )


def accepted(memory: Memory, alarms: Iterable[tuple[str, str]]) -> Memory:
    """A person says that this is the usual now: what is known of these (group, field) is learned anew."""
    fields = set(alarms)
    whole = {group for group, name in fields if not name}
    charts = {
        name: past for name, past in memory.charts.items()
        if (about := group_and_field(name.rpartition("|")[0]))[0] not in whole and about not in fields
    }  # fmt: skip
    entities = {
        group: {key: {name: value for name, value in values.items() if (group, name) not in fields}
                for key, values in mine.items()}
        for group, mine in memory.entities.items() if group not in whole
    }  # fmt: skip
    runs = {group: n for group, n in memory.group_runs.items() if group not in whole}
    words, links = (
        {name: share for name, share in each.items() if f"{name} page" not in whole}
        for each in (memory.words, memory.links)
    )
    opened = {
        name: each for name, each in memory.opened.items()
        if (about := group_and_field(name))[0] not in whole and about not in fields
    }  # fmt: skip
    return Memory(memory.runs, memory.at, runs, entities, charts, words, links, opened)


# What is measured


def _pages(run: Run, memory: Memory) -> Iterable[Measure]:
    """Pages that are there and whose data is not where it was: said by the page object, or hidden in a list that
    seems empty although the page is made of the same names as ever."""
    by_parser: dict[str, list[PageSeen]] = defaultdict(list)
    for each in run.pages:
        if not each.damaged and each.outcome not in ("network", "robots", "rate_limited"):
            by_parser[each.parser].append(each)
    for parser, seen in by_parser.items():
        broken = _broken(seen, memory.words.get(parser, {}))
        yield Measure(f"{parser} page", "", "broken", broken / len(seen), len(seen))
        good = [each for each in seen if each.outcome == "ok"]
        read = [each for each in seen if each.outcome in ("ok", "empty")]
        if read:
            yield Measure(f"{parser} page", "", "empty", 1 - len(good) / len(read), len(read))
        odd = Counter(name for each in good for name in set(each.odd))
        for name in {*odd, *_open_fields(memory, f"{parser} page")} if good else ():
            yield Measure(f"{parser} page", name, "odd", odd[name] / len(good), len(good))


def _open_fields(memory: Memory, group: str) -> list[str]:
    return [name for where, name in map(group_and_field, memory.opened) if where == group and name]


def _broken(seen: list[PageSeen], names: Mapping[str, float]) -> float:
    """How many of these pages are there and hold their data no longer where it was.

    Of an outcome only some bodies were looked at: the others count as those do.
    """
    usual = {name for name, share in names.items() if share > 0.8}
    if not usual:  # no page was ever good: walls, as far as anybody knows
        return 0.0
    broken = 0.0
    for outcome, least in (("shape_changed", SAME_SITE), ("blocked", SAME_PAGE), ("empty", SAME_PAGE)):
        mine = [each for each in seen if each.outcome == outcome]
        # Of very few names one may have left.
        enough = min(least * len(usual), len(usual) - 1) if len(usual) >= FEW else len(usual)
        looked = [
            len(usual & each.words) >= enough or (outcome == "shape_changed" and _is_rest(each, names))
            for each in mine if each.words
        ]  # fmt: skip
        share = sum(looked) / len(looked) if looked else float(outcome == "shape_changed")
        broken += share * len(mine)
    return broken


def _is_rest(page: PageSeen, names: Mapping[str, float]) -> bool:
    """Data of which little is left, and nothing that such pages do not have: no wall is made so."""
    return bool(page.links) and page.words <= names.keys()


def _reshaped(run: Run, memory: Memory) -> frozenset[str]:
    """Page objects all of whose good pages lack something that such pages have always had, or have something new.

    By itself that is no alarm: sites change much that nobody reads. It is a second witness.
    """
    good: dict[str, list[frozenset[str]]] = defaultdict(list)
    for each in run.pages:
        if each.outcome == "ok" and each.links:
            good[each.parser].append(each.links)
    found = set()
    for parser, seen in good.items():
        usual = memory.links.get(parser, {})
        always = {link for link, share in usual.items() if share > 0.95}
        lost = always.difference(*seen)
        new = frozenset.intersection(*seen).difference(usual) if len(seen) >= FEW else ()
        if usual and (lost or new):
            found.add(parser)
    return frozenset(found)


def _groups(run: Run, memory: Memory) -> Iterable[Measure]:
    good = Counter(each.parser for each in run.pages if each.outcome == "ok")
    for group in sorted(set(run.entities) | set(memory.group_runs)):
        parser = group.partition(" ")[0]
        if good[parser]:
            yield Measure(group, "", "gone", math.log1p(run.counted[group] / good[parser]), run.counted[group])
        if mine := run.entities.get(group):
            yield from _group(group, mine, memory, run)


def _group(group: str, now: dict[str, Values], memory: Memory, run: Run) -> Iterable[Measure]:
    before = memory.entities.get(group, {})
    known = [(before[key], values) for key, values in now.items() if key in before]
    if before:
        yield Measure(group, "", "known", len(known) / len(now), len(now))
    counters, young = counters_of(group), run.at.timestamp() - YOUNG.total_seconds()
    old_enough = [pair for pair in known if (made := moment_of(pair[1].get("created_at"))) is None or made < young]
    rows = list(now.values())
    for name in rows[0]:
        values = [each.get(name) for each in rows]
        if name in PLACES:
            yield from _level(group, name, values)
            continue
        counter = name in counters
        pairs, grown = (
            [(old[name], new.get(name)) for old, new in each if old.get(name) is not None]
            for each in (known, old_enough if counter else known)
        )
        yield from _field(group, name, values, pairs, grown, counter)
    if len(known) < FEW:
        yield from _ratios(group, rows, counters)
    yield from _swaps(group, known, memory)


def _field(
    group: str, name: str, values: list[Value], pairs: list[tuple[Value, Value]], grown: list[tuple[Value, Value]],
    counter: bool,
) -> Iterable[Measure]:  # fmt: skip
    """values: of everything; pairs: of what had a value before, then and now; grown: those that may be compared by
    size."""
    shown = [each for each in values if each is not None]
    yield Measure(group, name, "filled", len(shown) / len(values), len(values))
    if pairs:
        yield Measure(group, name, "lost", sum(new is None for _, new in pairs) / len(pairs), len(pairs))
    both = [(old, new) for old, new in pairs if new is not None]
    numbers = [(old, new) for old, new in grown if isinstance(old, float) and isinstance(new, float)]
    if both and not (counter and numbers):
        yield Measure(group, name, "changed", sum(old != new for old, new in both) / len(both), len(both))
    if numbers:
        damp = 20.0 if counter and name not in AMOUNTS else 0.01  # 3 plays become 300 by themselves
        n = len(set(numbers)) if name.startswith("author_") else len(numbers)  # of one author many posts say the same
        steps = [math.log((max(new, 0) + damp) / (max(old, 0) + damp)) for old, new in numbers]
        yield Measure(group, name, "step", median(steps), n)
        if counter:
            yield Measure(group, name, "still", sum(old == new for old, new in numbers) / len(numbers), n)
    figures: list[Value] = [each for each in shown if isinstance(each, float)]
    if len(figures) >= MANY:
        yield Measure(group, name, "distinct", len(set(figures)) / len(figures), len(figures))
    if figures:
        yield Measure(group, name, "zero", sum(each == 0 for each in figures) / len(figures), len(figures))
        if len(numbers) < FEW:
            yield from _level(group, name, figures)
    forms = Counter(each.partition(" ")[0] for each in shown if isinstance(each, str))
    for form in ("address", "digits", "list", "moment", "flag"):
        if forms:
            yield Measure(group, name, f"form {form}", forms[form] / forms.total(), forms.total())
    texts = [each for each in shown if isinstance(each, str)]
    if len(texts) >= SEVERAL:
        yield Measure(group, name, "distinct", len(set(texts)) / len(texts), len(texts))


def _level(group: str, name: str, values: list[Value]) -> Iterable[Measure]:
    figures = [each for each in values if isinstance(each, float)]
    if figures:
        yield Measure(group, name, "level", math.log1p(max(median(figures), 0)), len(figures))


def _ratios(group: str, rows: list[Values], counters: frozenset[str]) -> Iterable[Measure]:
    """How the counters of things never seen before stand to each other: likes are fewer than views."""
    for one, other in combinations(sorted(counters), 2):
        both = [
            math.log((a + 20) / (b + 20))
            for each in rows
            if isinstance(a := each.get(one), float) and isinstance(b := each.get(other), float) and a >= 0 and b >= 0
        ]
        if both:
            yield Measure(group, one, f"ratio {other}", median(both), len(both))


def _swaps(group: str, known: list[tuple[Values, Values]], memory: Memory) -> Iterable[Measure]:
    """Of things whose two fields differed: how many show each in the place of the other."""
    if not known:
        return
    for one, other in combinations([each for each in known[0][0] if each not in PLACES], 2):
        hits = n = 0
        for old, new in known:
            a, b = old.get(one), old.get(other)
            if a is None or b is None or type(a) is not type(b) or _near(a, b):
                continue
            n += 1
            c, d = new.get(one), new.get(other)
            hits += _near(c, b) and _near(d, a) and not _near(c, a) and not _near(d, b)
        # Without any there is nothing to say: 0 is the usual.
        if hits or (n and f"swap {other}" in memory.opened.get(f"{group}|{one}", ())):
            yield Measure(group, one, f"swap {other}", hits / n, n)


def _near(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(math.log((max(one, 0) + 5) / (max(other, 0) + 5))) < 0.15
    return one == other


def _telling(alarms: list[Alarm]) -> list[Alarm]:
    """One alarm a field, the strongest evidence first; a page that cannot be read says all of its group."""
    order = (
        "broken",
        "gone",
        "empty",
        "swap",
        "odd",
        "lost",
        "step",
        "changed",
        "form",
        "filled",
        "zero",
        "still",
        "known",
        "ratio",
    )
    told: dict[tuple[str, str], Alarm] = {}
    rank = {what: i for i, what in enumerate(order)}
    for each in sorted(alarms, key=lambda one: rank.get(one.measure.what.partition(" ")[0], 99)):
        told.setdefault((each.measure.group, each.measure.field), each)
    return list(told.values())


# What is learned


def _learned(run: Run, memory: Memory, measures: list[Measure], opened: dict[str, Signature]) -> Memory:
    frozen = set(map(group_and_field, opened))
    frozen |= {
        (group_and_field(about)[0], what[5:])
        for about, signature in opened.items() for what in signature if what.startswith("swap ")
    }  # fmt: skip
    pages = {about.partition(" ")[0] for about, signature in opened.items() if "broken" in signature}
    whole = {group for group, name in frozen if not name}
    shut = {group for group in run.entities if group in whole or group.partition(" ")[0] in pages}
    closed = {group.partition(" ")[0] for group, _ in frozen}
    charts = dict(memory.charts)
    for each in measures:
        if each.group not in shut and (each.group, each.field) not in frozen and (each.group, "") not in frozen:
            charts[each.name] = [*charts.get(each.name, []), round(each.value, 4)][-RUNS:]
    entities = dict(memory.entities)
    for group, mine in run.entities.items():
        if group not in shut:
            keep = {name for frozen_group, name in frozen if frozen_group == group}
            entities[group] = _remembered(memory.entities.get(group, {}), mine, keep)
    present = {each.group for each in measures} - shut
    runs = {**memory.group_runs, **{group: memory.group_runs.get(group, 0) + 1 for group in present}}
    words = _shares([(each.parser, each.outcome, each.words) for each in run.pages], memory.words, pages)
    links = _shares([(each.parser, each.outcome, each.links) for each in run.pages], memory.links, pages | closed)
    return Memory(memory.runs + 1, run.at.timestamp(), runs, entities, charts, words, links, opened)


def _remembered(before: dict[str, Values], now: dict[str, Values], closed: set[str]) -> dict[str, Values]:
    """The newest last; a closed field keeps what it was."""
    kept = {key: values for key, values in before.items() if key not in now}
    for key, values in now.items():
        old = before.get(key, {})
        kept[key] = {name: old.get(name) if name in closed else value for name, value in values.items()}
    return dict(list(kept.items())[-ENTITIES:])


def _shares(
    pages: list[tuple[str, str, frozenset[str]]], before: dict[str, dict[str, float]], broken: set[str]
) -> dict[str, dict[str, float]]:
    """Shares of good pages that hold a name, the newer ones weighing more."""
    after = dict(before)
    for parser, outcome, held in pages:
        if outcome == "ok" and held and parser not in broken:
            old = after.get(parser)
            after[parser] = {
                name: share for name in held | set(old or ())
                if (share := _mixed(None if old is None else old.get(name, 0.0), name in held)) > 0.05
            }  # fmt: skip
    return after


def _mixed(share: float | None, there: bool) -> float:
    return float(there) if share is None else round(0.9 * share + 0.1 * there, 3)
