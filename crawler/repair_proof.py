"""Whether what is read is what was known: values of paths compared, items compared. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from statistics import fmean
from typing import Any

from crawler.counts import CountError, parse_count
from crawler.drift_seen import PARTS
from crawler.items import Board, BoardEntry, Item

LEAST_GAIN = 0.3
"""Agreement that a field has to gain, of 1."""
LEAST_GAIN_IN_PLACE = 0.05
MOST_LOST = 0.1
NICE = tuple(Fraction(each) ** sign for each in (10, 60, 100, 1000, 3600, 10**6) for sign in (1, -1))
SAME = 3
"""Things seen again, from which they are compared one by one."""
EMPTY: tuple[Any, ...] = (None, "", ())
KNOWN = "(known)"
"""In the place of a field: how many of the things are there again."""
LISTED = frozenset(("position",))
"""Things exchange these by nature: they are compared as a whole."""
SAID = ("_precision", "shown_at")
"""Of these it matters whether they are said; how much follows from others."""
Known = dict[str, Item]
"""Items by what they are of."""
Agreement = dict[tuple[str, str], float]
"""By kind and field, 0 to 1."""


def name_of(item: Item) -> str:
    """What an item is of: rows of a list are known by their topic, not by moment and place."""
    if isinstance(item, BoardEntry):
        return f"{item.kind} {item.board}#{item.topic_key}"
    return f"{item.kind} {item.board if isinstance(item, Board) else item.key}"


def entities_of(items: Iterable[Item]) -> frozenset[str]:
    """Names of things, which as members of an object stand for one of many."""
    told = ("username", "author", "handle", "post_id", "user_id", "tag_id", "sound_id", "product_id")
    return frozenset(
        each for item in items for name in told if isinstance(each := getattr(item, name, None), str) and each
    )


def turned_over(known: Known, now: Known) -> frozenset[str]:
    """Kinds of which hardly a thing is the same."""
    shown, after = (Counter(item.kind for item in each.values()) for each in (known, now))
    same = Counter(item.kind for key, item in known.items() if key in now)
    return frozenset(kind for kind, n in shown.items() if same[kind] < min(SAME, n) and after[kind] >= SAME)


def agreement(known: Known, now: Known, lists: frozenset[str] | None = None) -> Agreement:
    """By kind and field: how far what is read now is what the same things showed before, 0 to 1.

    Of lists that have turned over (*lists*: these kinds at least), where hardly a thing is the same: how far it is of
    the same sort and size.
    """
    found: Agreement = {}
    after: dict[str, list[Item]] = defaultdict(list)
    for item in now.values():
        after[item.kind].append(item)
    kinds: dict[str, list[tuple[str, Item]]] = defaultdict(list)
    for key, item in known.items():
        kinds[item.kind].append((key, item))
    lists = (lists or frozenset()) | turned_over(known, now)
    for kind, items in kinds.items():
        found[kind, KNOWN] = sum(key in now for key, _ in items) / len(items)
        again = [(now[key], item) for key, item in items if key in now]
        for name in items[0][1].facts():
            share = (
                _alike(name, [_shown(item, name) for _, item in items], [_shown(each, name) for each in after[kind]])
                if kind in lists or name in LISTED else _agreeing(name, again)
            )  # fmt: skip
            if share is not None:
                found[kind, name] = share
    return found


def _shown(item: Item, name: str) -> Any:
    """Of a list's moment, how many minutes old it says it is."""
    if name != "at":
        return getattr(item, name)
    return round((item.observed_at - item.at).total_seconds() / 60) if isinstance(item, Board) else None


def _agreeing(name: str, again: Iterable[tuple[Item, Item]]) -> float | None:
    """again: what a thing is now, and was before."""
    shares = []
    for other, item in again:
        then, now = _shown(item, name), _shown(other, name)
        if name.endswith(SAID):  # exact numbers stay exact
            shares.append(float((now is None) == (then is None)))
        elif then not in EMPTY:
            moves = name in item.counters or name == "volume"
            shares.append(_agrees(then, now, moves))
    return fmean(shares) if shares else None


def _alike(name: str, then: list[Any], now: list[Any]) -> float | None:
    filled, shown = ([each for each in values if each not in EMPTY] for values in (then, now))
    if name.endswith(SAID) and now:
        return 1 - abs(len(filled) / len(then) - len(shown) / len(now))
    if not filled:
        return None
    share = min(1.0, (len(shown) / len(now)) / (len(filled) / len(then))) if now else 0.0
    if not shown or isinstance(filled[0], bool):
        return share
    if isinstance(filled[0], str):
        then_unlike, now_unlike = (len(set(values)) / len(values) for values in (filled, shown))
        return share * (1 - abs(then_unlike - now_unlike))
    if not isinstance(filled[0], int | float | Decimal):
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


def are_strange(known: Known, now: Known) -> bool:
    """Lists, and none of them known: of the same addresses, a number of the place was read wrongly."""
    then, after = (
        {key for key, item in each.items() if isinstance(item, Board)} for each in (known, now)
    )  # fmt: skip
    return bool(then and after) and not then & after


def compared(known: Known, one: Known, other: Known) -> tuple[Agreement, Agreement]:
    """Two readings, by the same measure: things that only the one knows again are compared as lists in both."""
    lists = turned_over(known, one) | turned_over(known, other)
    return agreement(known, one, lists), agreement(known, other, lists)


def is_worth(
    base: Mapping[tuple[str, str], float], gained: Mapping[tuple[str, str], float], same_place: bool = False
) -> bool:
    """Some field comes back, and none is lost for it. same_place: only in the form of a value, so that less is enough:
    of a few the text may have been readable as it was."""
    changes = [gained.get(name, 0.0) - share for name, share in base.items()]
    least = LEAST_GAIN_IN_PLACE if same_place else LEAST_GAIN
    return max(changes, default=0.0) >= least and min(changes, default=0.0) >= -MOST_LOST


def shown_by(known: Known, kind: str, field: str) -> int:
    if field == KNOWN:
        return sum(item.kind == kind for item in known.values())
    return sum(item.kind == kind and getattr(item, field, None) not in EMPTY for item in known.values())


def gone_of(known: Known, now: Known, kind: str, field: str) -> Iterator[str]:
    """The field, or parts of it, that said something before and say nothing now of anything: none, nothing, 0, no."""
    before, after = (
        [getattr(item, field, None) for item in each.values() if item.kind == kind] for each in (known, now)
    )
    shown = [each for each in after if each is not None]
    if not any(shown) and (any(before) or (shown and all(each is None for each in before))):
        yield field
        return
    for part in PARTS.get(field, ()):
        said, says = ([getattr(one, part) for each in values for one in each or ()] for values in (before, after))
        if any(said) and not any(says):
            yield f"{field}.{part}"


def closeness(old: Sequence[Any], new: Sequence[Any]) -> float:
    """0 to 1: how much two lists of values are of the same things, a little later."""
    before, after = numbers_in(old), numbers_in(new)
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


def numbers_in(values: Sequence[Any]) -> list[float]:
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


def are_counts(values: Sequence[Any]) -> bool:
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


def _apart(before: Sequence[float], after: Sequence[float]) -> float | None:
    """By which factor the old numbers are larger, as a logarithm; zeros aside, of which counters have many."""
    a, b = (sorted(abs(each) for each in numbers if each) for numbers in (before, after))
    if not a or not b:
        return None
    return fmean(math.log(one / other) for one, other in zip(_quantiles(a)[2:], _quantiles(b)[2:], strict=True))


def factor(before: Sequence[float], after: Sequence[float]) -> Fraction | None:
    """What the new numbers have to be multiplied with to be those of before; None where they are of one size."""
    apart = _apart(before, after)
    if apart is None or abs(apart) < math.log(4):
        return None
    near = min(NICE, key=lambda each: abs(math.log(each) - apart))
    return near if abs(math.log(near) - apart) < math.log(1.6) else None
