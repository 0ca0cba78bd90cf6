"""What has broken stays open until it reads as before; a run that cannot tell ends nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crawler.drift_seen import Alarm, Signature

HALFWAY = 0.5  # of the way to an alarm: from there on a measure tells the break from what was before
SIZES = ("step", "level", "ratio")
"""Measures of the same: which one is taken depends on how many things are seen again."""


def again(seen: Mapping[str, Alarm], opened: Mapping[str, Signature]) -> tuple[list[Alarm], frozenset[str]]:
    """Of what is open: measures that lie nearer to the break than to what was before, although within the limits;
    and fields (`group|field`) of which this run tells nothing.

    seen: every measure of the run that could be judged, by name.
    """
    still: list[Alarm] = []
    untold = set()
    for about, signature in opened.items():
        mine = [(seen[name], *values) for what, values in signature.items() if (name := f"{about}|{what}") in seen]
        nearer = [
            each for each, broken, usual in mine if abs(each.measure.value - broken) < abs(each.measure.value - usual)
        ]
        still += nearer
        if not mine and not _sized_otherwise(about, signature, seen):
            untold.add(about)
    return still, frozenset(untold)


def _sized_otherwise(about: str, signature: Signature, seen: Mapping[str, Alarm]) -> bool:
    was_size = any(what.startswith(SIZES) for what in signature)
    return was_size and any(name.startswith(tuple(f"{about}|{what}" for what in SIZES)) for name in seen)


def opened(
    before: Mapping[str, Signature], alarms: Iterable[Alarm], untold: frozenset[str], seen: Mapping[str, Alarm]
) -> dict[str, Signature]:
    """What is open after a run: by `group|field` the measures by which the break is known from what was before."""
    after = {about: before[about] for about in before if about in untold}
    for each in alarms:
        about = each.measure.about
        known = after.setdefault(about, dict(before.get(about, {})))
        known.setdefault(each.measure.what, (each.measure.value, each.usual))
    for each in seen.values():
        if (about := each.measure.about) in after and about not in before and _is_halfway(each):
            after[about].setdefault(each.measure.what, (each.measure.value, each.usual))
    return after


def _is_halfway(each: Alarm) -> bool:
    off, room = each.measure.value - each.usual, (each.low if each.measure.value < each.usual else each.high)
    return abs(off) > HALFWAY * abs(room - each.usual)
