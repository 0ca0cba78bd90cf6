"""Does drift see a change of shape on its first run, how often does it cry wolf, and is the proposed repair right?

Sites of the simulated web, drawn by a seed, are crawled in memory for some runs; things go viral, fetches meet walls,
runs are small. Then one change of shape is done to all pages of a site: a field renamed, moved, retyped, rescaled,
swapped or emptied, drawn among all that the pages hold, until one is found that changes a tenth or more of what our
page objects read of some field.
A repair is right when a later run, which the search has not seen, reads with it exactly what the page truly shows
(numbers that the page now rounds: within that rounding). Of an emptied field the right answer is that it is gone.

Run: python -m benchmarks drift   (200 sites, about 4 minutes of CPU; --sites 20 for a look, --misses to read them)
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from benchmarks.drift_changes import KINDS, Change, change_of
from benchmarks.drift_sites import FAMILIES, Site_, growing, items_of, run_of, site
from crawler.drift import examine
from crawler.drift_limits import FEWEST_RUNS
from crawler.drift_seen import Alarm, Memory
from crawler.items import Item
from crawler.reading import page_of
from crawler.repair import propose
from crawler.repairs import Repairs

CLEAN_RUNS = 6  # judged, after the history
LEAST = 0.1  # of a field's values; a change that touches fewer is drawn anew


@dataclass
class Told:
    """What came of the sites."""

    sites: int = 0
    clean_runs: int = 0
    false: list[str] = field(default_factory=list)
    """Alarms of clean runs, a line a run."""
    seen: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    """By kind of change: was it told on the first run?"""
    missed: list[str] = field(default_factory=list)
    by_family: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    without_effect: Counter[str] = field(default_factory=Counter)
    """Changes drawn that change nothing that is read, by kind."""
    repairs: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By kind of change: right, in part, wrong (no nearer to the truth than without), none found."""
    unmended: list[str] = field(default_factory=list)
    relearned: int = 0
    """Sites where the second or third run after the change was taken for normal, although the first was told."""
    silent: int = 0
    """Such runs that tell nothing of what is open, and so neither end it nor are learned from."""


def facts(items: list[Item]) -> dict[str, dict[str, Any]]:
    """What was read, by kind and key, without where it was read."""
    return {f"{each.kind} {each.key}": {name: getattr(each, name) for name in each.facts()} for each in items}


def history(one: Site_, seed: int, runs: int, told: Told) -> tuple[Memory, dict[str, float]]:
    """The memory after clean runs, and by how much things have gone viral; alarms of the last runs count as false."""
    viral: dict[str, float] = {}
    chance, memory = random.Random(f"viral/{seed}"), Memory()
    for number in range(runs + CLEAN_RUNS):
        captures = one.captures(number, seed)
        list(growing(items_of(captures), chance, one.jumps, viral))
        found = examine(run_of(captures, viral), memory)
        memory = found.memory
        if number >= runs:
            told.clean_runs += 1
            if found.alarms:
                told.false.append(f"{one.family.name} (site {seed}, run {number}): {_line(found.alarms)}")
    return memory, viral


def _line(alarms: tuple[Alarm, ...]) -> str:
    return "; ".join(map(str, alarms[:3])) + (f" and {len(alarms) - 3} more" if len(alarms) > 3 else "")


def matters(true: Mapping[str, Any], read: Mapping[str, Any]) -> bool:
    """Whether a tenth of what a field showed reads otherwise, or a tenth of the things have gone or come."""
    if len(true.keys() ^ read.keys()) > LEAST * len(true):
        return True
    shown, changed = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for key in true.keys() & read.keys():
        for name, value in true[key].items():
            about = key.partition(" ")[0], name
            shown[about] += value not in (None, "", ()) or read[key][name] not in (None, "", ())
            changed[about] += value != read[key][name]
    return any(n > LEAST * shown[about] for about, n in changed.items())


def draw(one: Site_, seed: int, kind: str, run: int, told: Told) -> Change | None:
    """A change of this kind that changes what is read."""
    chance = random.Random(f"change/{seed}")
    captures = one.captures(run, seed, walls=False)
    bodies = [each.body for each in captures]
    whole = facts(items_of(captures))
    for _ in range(40):
        change = change_of(kind, bodies, chance)
        if change is not None:
            if matters(whole, facts(items_of(one.captures(run, seed, change=change, walls=False)))):
                return change
            told.without_effect[kind] += 1
    return None


def judged(seed: int, told: Told) -> tuple[Site_, Change, int] | None:
    """One site: history, clean runs, then the change; None where its pages know no change of that kind."""
    one = site(seed)
    kind = KINDS[seed % len(KINDS)]
    runs = random.Random(f"runs/{seed}").randint(FEWEST_RUNS + 1, 16)
    memory, viral = history(one, seed, runs, told)
    told.sites += 1
    later = range(runs + CLEAN_RUNS, runs + CLEAN_RUNS + 20)
    first = next((number for number in later if items_of(one.captures(number, seed))), None)
    if first is None:  # nothing has come through
        return None
    change = draw(one, seed, kind, first, told)
    if change is None:
        return None
    found = examine(run_of(one.captures(first, seed, change=change), viral), memory)
    told.seen[kind].append(bool(found.alarms))
    told.by_family[one.family.name].append(bool(found.alarms))
    if not found.alarms:
        told.missed.append(f"{one.family.name} (site {seed}, {len(one.urls)} pages): {change.what}")
    else:
        for later in (first + 1, first + 2):
            if not items_of(one.captures(later, seed)):
                continue  # a wall before all of it
            again = examine(run_of(one.captures(later, seed, change=change), viral), found.memory)
            told.silent += not again.alarms and bool(again.untold)
            if not again.alarms and not again.untold:
                told.relearned += 1
                told.missed.append(
                    f"then taken for normal: {one.family.name} (site {seed}, run {later}): {change.what}"
                )
                break
            found = again
    return one, change, first


def repaired(one: Site_, change: Change, first: int, seed: int, told: Told) -> None:
    """Search with the last clean run and the first one after the change; judge with the run after that."""
    old, new = one.captures(first - 1, seed, walls=False), one.captures(first, seed, change=change, walls=False)
    names = {each.url: page.name for each in old if (page := page_of(each)) is not None}
    proposals = [
        propose(name, [each for each in old if names.get(each.url) == name],
                [each for each in new if names.get(each.url) == name], "k" * 32)
        for name in sorted(set(names.values()))
    ]  # fmt: skip
    repairs: Repairs = {each.page: each.repairs() for each in proposals if each.aliases}
    truth = facts(items_of(one.captures(first + 1, seed, walls=False)))
    later = one.captures(first + 1, seed, change=change, walls=False)
    mended = facts(items_of(later, repairs))
    if same(truth, mended, rounded=change.kind == "retyped"):
        found = "right"
    elif repairs:
        found = "wrong" if distance(truth, mended) >= distance(truth, facts(items_of(later))) else "in part"
    elif change.kind == "emptied":
        found = "right" if any(each.gone for each in proposals) else "none"
    else:
        found = "none"
    told.repairs[change.kind][found] += 1
    if found != "right":
        aliases = [each for proposal in proposals for each in proposal.aliases]
        told.unmended.append(f"{found}: {one.family.name} (site {seed}): {change.what}; {aliases}")


def same(truth: Mapping[str, Any], read: Mapping[str, Any], *, rounded: bool) -> bool:
    if not rounded:
        return truth == read
    return truth.keys() == read.keys() and all(
        near(value, read[key][name])
        for key, fields in truth.items() for name, value in fields.items() if not name.endswith("_precision")
    )  # fmt: skip


def near(true: Any, read: Any) -> bool:
    if isinstance(true, int | float | Decimal) and isinstance(read, int | float | Decimal):
        return abs(float(true) - float(read)) <= 0.06 * abs(float(true))
    return bool(true == read)


def distance(truth: Mapping[str, Any], read: Mapping[str, Any]) -> int:
    """Values that differ or are not there."""
    return sum(
        value != read.get(key, {}).get(name) for key, fields in truth.items() for name, value in fields.items()
    ) + sum(len(fields) for key, fields in read.items() if key not in truth)


def share(hits: list[bool]) -> str:
    return f"{sum(hits):4} of {len(hits):4}  {sum(hits) / len(hits):6.1%}" if hits else "   0 of    0"


def lines(told: Told, *, misses: bool) -> Iterator[str]:
    per = 1000 * len(told.false) / max(told.clean_runs, 1)
    yield f"clean runs: {told.clean_runs}, with a false alarm: {len(told.false)} ({per:.1f} per 1,000)"
    yield f"changes told on the first run: {share([hit for each in told.seen.values() for hit in each])}"
    for kind in KINDS:
        yield (
            f"  {kind:9} {share(told.seen[kind])}   (drawn without effect on what is read: {told.without_effect[kind]})"
        )
    yield f"  taken for normal within three runs: {told.relearned} (runs that could not tell: {told.silent})"
    for name, hits in sorted(told.by_family.items()):
        yield f"    {name:22} {share(hits)}"
    every = sum(told.repairs.values(), Counter[str]())
    yield f"proposed repairs: {_fates(every)}"
    for kind in KINDS:
        yield f"  {kind:9} {_fates(told.repairs[kind])}"
    if misses:
        yield from told.unmended
        yield from (f"missed: {each}" for each in told.missed)
        yield from (f"false: {each}" for each in told.false)


def _fates(fates: Counter[str]) -> str:
    shown = ", ".join(f"{fates[each]} {each}" for each in ("right", "in part", "wrong", "none"))
    return f"{shown} of {fates.total()}  {fates['right'] / max(fates.total(), 1):6.1%} right"


def run(seeds: Iterable[int]) -> Told:
    told = Told()
    for seed in seeds:
        if (made := judged(seed, told)) is not None:
            repaired(*made, seed, told)
    return told


def figures(told: Told) -> Mapping[str, Any]:
    hits = [hit for each in told.seen.values() for hit in each]
    return {
        "changes": len(hits), "told_on_first_run": sum(hits), "clean_runs": told.clean_runs,
        "false_alarms": len(told.false), "families": len(FAMILIES),
        "repairs": dict(sum(told.repairs.values(), Counter[str]())),
    }  # fmt: skip


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks drift", description=__doc__)
    parser.add_argument("--sites", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="number of the first site")
    parser.add_argument("--misses", action="store_true", help="print what was missed, and every false alarm")
    parser.add_argument("--json", action="store_true", help="figures only, for programs")
    asked = parser.parse_args(arguments)
    told = run(range(asked.seed, asked.seed + asked.sites))
    print(json.dumps(figures(told)) if asked.json else "\n".join(lines(told, misses=asked.misses)))
    return 0
