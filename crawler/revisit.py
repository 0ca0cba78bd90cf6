"""When a target is looked at again, within what may be loaded: its looks in, choices out. Pure; time is an argument.

A policy says how urgent a target is, from its rates and the hours e since its last look. Taking the most urgent a page
is the threshold (index) policy that is best under one budget (Azar, Horvitz, Lubetzky, Peres and Shahaf 2018; Kolobov,
Peres, Lu and Horvitz 2019; with time running on, Upadhyay, Busa-Fekete, Kotlowski, Pal and Szorenyi 2020). Three things
are wanted, each with its own index where changes come by chance, r an hour:
- looks that find a change: P(e) − e·P′(e) = 1 − exp(−re)·(1 + re), by the argument of Olston and Pandey 2008;
- changes seen soon: c·e²/2, for c changes an hour that wait since they came;
- numbers close to the true ones: g·e²/2, for numbers that grow by g an hour.
They are added, each divided by what looks at even intervals would come to (Evenly), so that no unit and no size of the
budget is built in. The budget is never exceeded. First comes what was never looked at, then what waits for STARVED even
intervals, or, looked at a few times, for one, two, four: what is new moves fast or not at all, whatever is usual.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol, Self

MEMORY_SLOTS = 100  # what is older than that counts 1/e as much; 50 to 400 do about as well on hourly lists
PRIOR_CHANGES = 0.5  # what is usual for its source weighs as much as half a change of its own
STARVED = 8.0  # even intervals; so an eighth of the budget at most goes to what does not move
LAG = 2.0  # seeing changes soon counts twice; 1 and 1.5 find a few per cent more changes, later
MOST_SURE = 0.99  # that a target changes within a slot
MOST_LOOKS = 60  # of a target, the newest; read anew after each of them
MARK_GROWTH = 0.01  # a list that changed and shows no number: as if its numbers had moved by a hundredth
STEPS = 24  # of the waits tried when an interval is looked for
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Look:
    """What a target showed when it was loaded."""

    at: datetime
    capture: str
    numbers: Mapping[str, tuple[float, float]]
    """By entity and counter: the value, and the step that it is rounded to."""
    mark: str = ""
    """Of what is no number, such as the order of a list: another text is a change."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Between two looks at one target."""

    changed: bool
    steps: float
    """How often its numbers moved by a step of their rounding, at least; 0 where only the mark differs."""
    growth: float
    """Relative change, up or down, on average over its numbers; of the larger value, so 1 at most."""

    @classmethod
    def of(cls, before: Look, look: Look) -> Self:
        steps = growth = 0.0
        both = before.numbers.keys() & look.numbers.keys()
        for name in both:
            (old, _), (new, step) = before.numbers[name], look.numbers[name]
            if moved := abs(new - old):
                steps += max(1.0, moved / max(step, before.numbers[name][1])) if step else 1.0
                growth += moved / max(abs(old), abs(new), step, 1e-9)
        growth /= max(1, len(both))
        marked = bool(before.mark and look.mark and before.mark != look.mark)
        return cls(marked or steps > 0, steps, max(growth, MARK_GROWTH if marked else 0.0))


@dataclass(frozen=True, slots=True)
class Learned:
    """What looks at a target have taught: fading sums, for a target may change its ways."""

    at: datetime
    """Of the newest look."""
    looks: int = 0
    """That had one before them to be compared with."""
    useful: int = 0
    """Of these, how many found a change."""
    changes: float = 0.0
    growth: float = 0.0
    hours: float = 0.0

    def after(self, found: Difference, at: datetime, slot_h: float) -> Learned:
        """With one more look. slot_h: between two looks at least; of changes within it one can be seen."""
        hours = (at - self.at) / _HOUR
        kept = math.exp(-hours / (MEMORY_SLOTS * slot_h))
        changes = min(found.steps or self._hidden(hours), max(1.0, hours / slot_h)) if found.changed else 0.0
        return Learned(
            at, self.looks + 1, self.useful + found.changed, self.changes * kept + changes,
            self.growth * kept + found.growth, self.hours * kept + hours,
        )  # fmt: skip

    def _hidden(self, hours: float) -> float:
        """Changes to be expected in *hours* of which at least one was seen: looks that are far apart see one of many.

        The step of the maximum-likelihood estimate for irregular looks of Cho and Garcia-Molina 2003, who correct
        the same bias.
        """
        expected = hours * self.changes / self.hours if self.hours else 0.0
        return expected / -math.expm1(-expected) if expected > 1e-6 else 1.0

    def found(self) -> str:
        """For a person; empty where there is nothing to tell."""
        return f"{self.useful} of {self.looks} looks found a change" if self.looks else ""

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        return cls(**{each.name: row[each.name] for each in fields(cls)})


NOTHING = Learned(datetime.min.replace(tzinfo=UTC))


def learn(looks: Iterable[Look], slot_h: float) -> Learned | None:
    """From the newest MOST_LOOKS looks, in whatever order they come; None where there is none."""
    by_moment = {each.at: each for each in sorted(looks, key=lambda each: (each.at, each.capture))}
    in_order = list(by_moment.values())[-MOST_LOOKS:]
    if not in_order:
        return None
    learned = Learned(in_order[0].at)
    for before, look in pairwise(in_order):
        learned = learned.after(Difference.of(before, look), look.at, slot_h)
    return learned


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual among the targets of a source; a new one is taken for such a one."""

    changes_per_h: float
    growth_per_h: float

    @classmethod
    def among(cls, learned: Iterable[Learned], slot_h: float) -> Self:
        each = list(learned)
        hours = sum(one.hours for one in each) + 10 * slot_h  # before anything is known: a change in ten slots
        return cls((sum(one.changes for one in each) + 1) / hours, (sum(one.growth for one in each) + 1e-3) / hours)


@dataclass(frozen=True, slots=True)
class Rates:
    """Of one target, drawn towards what is usual as far as its own looks are few."""

    changes_per_h: float
    growth_per_h: float
    slot_h: float

    @classmethod
    def of(cls, learned: Learned, usual: Usual, slot_h: float) -> Self:
        hours = learned.hours + PRIOR_CHANGES / usual.changes_per_h
        growth = learned.growth + PRIOR_CHANGES * usual.growth_per_h / usual.changes_per_h
        return cls(min(1 / slot_h, (learned.changes + PRIOR_CHANGES) / hours), growth / hours, slot_h)

    def expected(self, hours: float) -> float:
        """r·e: by chance in each slot, so that what changes in nearly all of them is nearly sure to have changed."""
        return -math.log1p(-min(MOST_SURE, self.changes_per_h * self.slot_h)) * hours / self.slot_h

    def changed(self, hours: float) -> float:
        """How likely it is to have changed in that time."""
        return -math.expm1(-self.expected(hours))


@dataclass(frozen=True, slots=True)
class Evenly:
    """What a round of looks at even intervals comes to, over all targets: the unit in which a policy counts."""

    every_h: float
    found: float
    """Looks that find a change."""
    changes_per_h: float
    growth_per_h: float

    @classmethod
    def of(cls, rates: Iterable[Rates], every_h: float) -> Self:
        each = list(rates)
        sums = (sum(one.changed(every_h) for one in each), sum(one.changes_per_h for one in each),
                sum(one.growth_per_h for one in each))  # fmt: skip
        return cls(every_h, *(max(one, 1e-9) for one in sums))


class Policy(Protocol):
    """How urgent a look is; it must not fall as the wait becomes longer."""

    @property
    def name(self) -> str: ...

    def urgency(self, rates: Rates, waited_h: float, evenly: Evenly) -> float: ...


class Uniform:
    """All alike: whoever was not looked at for longest."""

    name = "uniform"

    def urgency(self, rates: Rates, waited_h: float, evenly: Evenly) -> float:
        return waited_h**2


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much each of the three counts."""

    name: str
    useful: float
    lag: float
    error: float

    def urgency(self, rates: Rates, waited_h: float, evenly: Evenly) -> float:
        expected, waits = rates.expected(waited_h), (waited_h / evenly.every_h) ** 2
        found = -math.expm1(-expected) - expected * math.exp(-expected)
        return (
            self.useful * found / evenly.found
            + self.lag * waits * rates.changes_per_h / evenly.changes_per_h
            + self.error * waits * rates.growth_per_h / evenly.growth_per_h
        )


POLICIES: Mapping[str, Policy] = {
    each.name: each for each in (Uniform(), Wanted("change", 1, LAG, 0), Wanted("value", 1, LAG, 1))
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target that could be looked at now."""

    id: str
    source: str
    """Its spider: whose usual rates are its own until it is known."""
    slot_h: float
    learned: Learned | None
    pages: float = 1.0
    """That a look takes."""
    host: str = ""
    shown: bool = True
    """Whether a look ever did show something: a wall is not asked again the sooner for it."""

    @property
    def at_most(self) -> float:
        """Even intervals between two looks."""
        return min(STARVED, 2.0 ** min(self.learned.looks, 9)) if self.learned and self.shown else STARVED


@dataclass(frozen=True, slots=True)
class Allowance:
    """Hard limits, in pages. Infinite: none."""

    now: float = math.inf
    """In this round."""
    per_h: float = math.inf
    hosts: Mapping[str, float] = field(default_factory=dict)
    """In this round, by host."""
    host: float = math.inf
    """In this round, of a host that is not named there."""
    host_per_h: float = math.inf

    def of_host(self, name: str) -> float:
        return self.hosts.get(name, self.host) if name else math.inf  # not known yet: the downloader asks again


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of a candidate in this round."""

    id: str
    waited_h: float | None
    """None: never looked at."""
    longest_h: float
    """It never waits longer, whatever its rates."""
    first_h: float
    """It comes before what is merely urgent when it has waited so long: the same, or sooner where looks are few."""
    urgency: float
    rates: Rates
    taken: bool = False

    @property
    def first(self) -> bool:
        return self.waited_h is None or self.waited_h >= self.first_h

    def why(self) -> str:
        if self.waited_h is None:
            return "never looked at"
        if self.first:
            whose = "nothing" if self.first_h >= self.longest_h else "what was looked at so few times never"
            return f"not looked at for {self.waited_h:.1f} h; {whose} waits longer than {self.first_h:.1f} h"
        likely = self.rates.changed(self.waited_h)
        return (
            f"{self.rates.changes_per_h:.3g} changes and {self.rates.growth_per_h:.2%} growth an hour; last look "
            f"{self.waited_h:.1f} h ago: {likely:.0%} likely to have changed"
        )


def plan(policy: Policy, targets: Sequence[Candidate], now: datetime, allowance: Allowance) -> list[Choice]:
    """Every target once, most urgent first: those never looked at, those that wait for too long, then by urgency."""
    rates, evens = rates_of(targets), _even_h(targets, allowance)
    evenly = _evenly(targets, rates, evens)
    ranked = []
    for each in targets:
        even_h = max(each.slot_h, evens[each.host])
        waited_h = None if each.learned is None else max(0.0, (now - each.learned.at) / _HOUR)
        urgency = policy.urgency(rates[each.id], waited_h or 0.0, evenly) / each.pages
        choice = Choice(each.id, waited_h, STARVED * even_h, each.at_most * even_h, urgency, rates[each.id])
        rank = (0, 0.0) if waited_h is None else (1, -waited_h / choice.first_h) if choice.first else (2, -urgency)
        ranked.append((rank, each.id, each, choice))
    ranked.sort(key=lambda one: one[:2])
    return _within(allowance, [(each, choice) for *_, each, choice in ranked])


def intervals_h(policy: Policy, targets: Sequence[Candidate], allowance: Allowance) -> dict[str, float]:
    """How long each target waits between two looks, when all together take what is allowed an hour."""
    rates, evens = rates_of(targets), _even_h(targets, allowance)
    evenly = _evenly(targets, rates, evens)
    waits = {
        each.id: [
            each.slot_h * (each.at_most * max(1.0, evens[each.host] / each.slot_h)) ** (n / STEPS)
            for n in range(STEPS + 1)
        ]
        for each in targets
    }
    urgent = {each.id: [policy.urgency(rates[each.id], one, evenly) / each.pages for one in waits[each.id]]
              for each in targets}  # fmt: skip

    def at(price: float) -> dict[str, float]:
        return {name: _where(price, of, waits[name]) for name, of in urgent.items()}

    low, high = 1e-12, 1e12  # the urgency at which a target is due
    for _ in range(60):
        price = math.sqrt(low * high)
        wait = at(price)
        cost = sum(each.pages / wait[each.id] for each in targets)
        low, high = (price, high) if cost > allowance.per_h else (low, price)
    return at(low)


def _where(price: float, urgent: Sequence[float], waits: Sequence[float]) -> float:
    """The wait at which the urgency comes to *price*; between two that were tried, along a straight line."""
    n = bisect_left(urgent, price)
    if n in (0, len(waits)):
        return waits[min(n, len(waits) - 1)]
    share = (price - urgent[n - 1]) / (urgent[n] - urgent[n - 1])
    return waits[n - 1] + share * (waits[n] - waits[n - 1])


def rates_of(targets: Iterable[Candidate]) -> dict[str, Rates]:
    together: dict[str, list[Candidate]] = defaultdict(list)
    for each in targets:
        together[each.source].append(each)
    found = {}
    for source in together.values():
        slot_h = min(each.slot_h for each in source)
        usual = Usual.among((each.learned for each in source if each.learned), slot_h)
        for each in source:
            found[each.id] = Rates.of(each.learned or NOTHING, usual, each.slot_h)
    return found


def paced(limit: float, spent: float, share_of_day: float) -> float:
    """Whole pages that may be loaded now, when a day's limit is to be spread over the day.

    share_of_day: how much of it is over when this round's slot ends.
    """
    return max(0.0, min(limit, math.floor(limit * share_of_day + 1e-9)) - spent)


def _within(allowance: Allowance, ranked: Sequence[tuple[Candidate, Choice]]) -> list[Choice]:
    left, hosts = allowance.now, {each.host: allowance.of_host(each.host) for each, _ in ranked}
    made = []
    for each, choice in ranked:
        fits_host = each.pages <= hosts[each.host]
        taken = fits_host and each.pages <= left
        if taken:
            left -= each.pages
            hosts[each.host] -= each.pages
        elif choice.first and fits_host:
            left = 0.0  # is saved up for it; else what is cheaper would be taken before it for ever
        elif choice.first:
            hosts[each.host] = 0.0
        made.append(replace(choice, taken=taken))
    return made


def _even_h(targets: Sequence[Candidate], allowance: Allowance) -> dict[str, float]:
    """By host: hours that a look at every target takes."""
    pages: dict[str, float] = defaultdict(float)
    for each in targets:
        pages[each.host] += each.pages
    every_one = sum(pages.values()) / allowance.per_h
    return {host: max(every_one, n / allowance.host_per_h if host else 0.0) for host, n in pages.items()}


def _evenly(targets: Sequence[Candidate], rates: Mapping[str, Rates], evens: Mapping[str, float]) -> Evenly:
    waits = [max(each.slot_h, evens[each.host]) for each in targets]
    return Evenly.of(rates.values(), sum(waits) / max(1, len(waits)) or 1.0)
