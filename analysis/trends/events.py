"""Topics of one list that belong to one event: they stand on it together, and move or are named alike. Never queries.

Two topics can be linked when most snapshots that show one of them show both. They are, when their steps go the same
way more often than those of other such pairs do, with false links kept to a share of those told (Benjamini and
Hochberg); or when their names share a rare word and their steps do not say otherwise. Of a step is taken away what the
whole list does at that moment and what topics of that age usually do, because everything rises when it comes and falls
before it goes. Ranks of steps are compared (Spearman), and what is usual among pairs is taken from the pairs
themselves. Topics are one event as long as half of the pairs are linked: a chain of neighbours is none. Pure.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import rankdata

from analysis.text.words import split_hashtag, words
from analysis.trends.entry import Bools, Floats
from analysis.trends.measures import false_discoveries
from analysis.trends.streams import HOUR, Stream

APART = timedelta(hours=24)  # away for longer, a topic that comes back may be about something else
LEAST_SIGHTS = 3  # of a topic; one that was hardly there belongs to nothing
LEAST_STEPS = 8  # that both took; fewer cannot tell a common way from chance
LEAST_PAIRS = 50  # that tell what is usual among pairs; with fewer, chance alone is the measure
RARE, RARE_SHARE = 5, 0.001  # topics of the list that hold a rare word: so many, or this share of them
TOGETHER = 0.5  # of the snapshots that show either
LEAST_MOVED = 0.5  # correlation: a weaker one is no event, however sure
FALSE_LINKS = 0.05
LEAST_LETTERS = 3
SUREST = 0.999  # correlation of few steps that happen to agree wholly
MAD_TO_SPREAD = 1.4826
OLDEST = 48  # snapshots; topics older than that are of one age

EVENT_COLUMNS = {
    "event": "string", "topics": "Int64", "names": "string", "first_seen": "datetime64[ms, UTC]",
    "last_seen": "datetime64[ms, UTC]", "best_position": "Int64", "best_at": "datetime64[ms, UTC]",
    "peak_volume": "Int64", "why": "string", "together": "Float64", "moved": "Float64", "links": "Int64",
}  # fmt: skip
MEMBER_COLUMNS = {
    "event": "string", "topic": "string", "topic_key": "string", "first_seen": "datetime64[ms, UTC]",
    "last_seen": "datetime64[ms, UTC]", "best_position": "Int64", "peak_volume": "Int64", "links": "Int64",
}  # fmt: skip


@dataclass(frozen=True)
class Episode:
    """A topic from its coming to its going; columns of equal length."""

    topic_key: str
    snapshots: Sequence[int]
    positions: Sequence[int]
    volumes: Sequence[float]


@dataclass(frozen=True)
class Link:
    """Two episodes, by number."""

    one: int
    other: int
    together: float
    """Share of the snapshots with either that show both."""
    moved: float
    """Correlation of their own steps; NaN where they took too few together."""
    sure: bool
    """Linked by their steps."""
    word: str | None
    """A rare word that both names hold."""


@dataclass(frozen=True)
class Told:
    episodes: Sequence[Episode]
    links: Sequence[Link]
    groups: Sequence[Sequence[int]]
    """Numbers of episodes, best place first; most links first."""
    judged: int
    """Pairs that stood together long enough to be judged by their steps."""


def events(whole: Stream) -> Told:
    found = episodes_of(whole)
    pairs = pairs_of(whole, found, own_steps(found, len(whole.snapshots)))
    return Told(found, links := told_apart(pairs), groups(found, links), sum(each.n > 0 for each in pairs))


def pairs_of(whole: Stream, episodes: Sequence[Episode], steps: Sequence[Floats]) -> list[Pair]:
    """All that stand together."""
    rare = rare_words({key: whole.names.get(key, key) for key in {each.topic_key for each in episodes}})
    return [_judged(episodes, steps, rare, *each) for each in _neighbours(episodes)]


def episodes_of(whole: Stream) -> list[Episode]:
    """Of every topic, split where it was away for longer than APART; only those long enough to be judged."""
    sights: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    for i, snapshot in enumerate(whole.snapshots):
        for place, (key, volume) in enumerate(zip(snapshot.keys, snapshot.volumes, strict=True), 1):
            sights[key].append((i, place, volume))
    moments = [each.at_h for each in whole.snapshots]
    found = []
    for key, seen in sights.items():
        cuts = [j for j in range(1, len(seen)) if moments[seen[j][0]] - moments[seen[j - 1][0]] > APART / HOUR]
        for a, b in zip([0, *cuts], [*cuts, len(seen)], strict=True):
            if b - a >= LEAST_SIGHTS:
                found.append(Episode(key, *(list(column) for column in zip(*seen[a:b], strict=True))))
    return found


def own_steps(episodes: Sequence[Episode], snapshots: int) -> list[Floats]:
    """For each episode the step into each of its snapshots that is its own; NaN where it was away just before."""
    raw, ages = [], []
    for each in episodes:
        shown = all(volume == volume for volume in each.volumes)
        height = np.log1p(each.volumes) if shown else -np.log(np.array(each.positions, dtype=np.float64))
        step = np.diff(height, prepend=math.nan)
        step[np.diff(each.snapshots, prepend=-2) != 1] = math.nan
        raw.append(step)
        ages.append(np.minimum(np.array(each.snapshots) - each.snapshots[0], OLDEST))
    if not episodes:
        return []
    at = np.concatenate([np.array(each.snapshots) for each in episodes])
    left = _less_usual(np.concatenate(raw), at, snapshots)
    left = _less_usual(left, np.concatenate(ages), OLDEST + 1)
    return np.split(left, np.cumsum([len(each) for each in raw])[:-1])


def _less_usual(values: Floats, group: np.ndarray[tuple[int], np.dtype[np.int64]], groups: int) -> Floats:
    """Values less the median of their group; NaN stays NaN."""
    known = pd.Series(values)
    usual = known.groupby(group).median().reindex(range(groups)).to_numpy(dtype=np.float64)
    return np.asarray(values - usual[group], dtype=np.float64)


def rare_words(names: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """By topic key: words of its name that few names hold, without numbers and the shortest."""
    said = {
        key: {each.key for each in words(split_hashtag(name.lstrip("#＃"))) if _may_tell(each.key)}
        for key, name in names.items()
    }
    held = Counter(word for each in said.values() for word in each)
    most = max(RARE, int(RARE_SHARE * len(names)))
    return {key: frozenset(word for word in each if held[word] <= most) for key, each in said.items()}


def _may_tell(word: str) -> bool:
    return not word.isdigit() and len(word) >= (LEAST_LETTERS if word.isascii() else 2)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two episodes that stand together, and what their steps and names say."""

    one: int
    other: int
    together: float
    moved: float
    n: int
    """Steps compared; 0 where too few."""
    word: str | None


def _judged(
    episodes: Sequence[Episode], steps: Sequence[Floats], rare: Mapping[str, frozenset[str]],
    one: int, other: int, together: float, common: int,
) -> Pair:  # fmt: skip
    a, b = episodes[one], episodes[other]
    word = min(rare[a.topic_key] & rare[b.topic_key], default=None)
    moved, n = math.nan, 0
    if common > LEAST_STEPS:
        mine, theirs = _shared(a, steps[one], b, steps[other])
        if len(mine) >= LEAST_STEPS:
            moved, n = _correlation(mine, theirs), len(mine)
    return Pair(one, other, together, moved, n, word)


def told_apart(pairs: Sequence[Pair]) -> list[Link]:
    """The pairs that are linked."""
    judged = [each for each in pairs if each.n]
    z = np.array([math.atanh(max(-SUREST, min(SUREST, each.moved))) * math.sqrt(each.n - 3) for each in judged])
    middle, spread = 0.0, 1.0
    if len(z) >= LEAST_PAIRS:
        middle = float(np.median(z))
        spread = max(1.0, MAD_TO_SPREAD * float(np.median(np.abs(z - middle))))
    chance = [0.5 * math.erfc((each - middle) / spread / math.sqrt(2)) for each in z.tolist()]
    sure = {
        (each.one, each.other)
        for each, holds in zip(judged, false_discoveries(chance, FALSE_LINKS).tolist(), strict=True)
        if holds and each.moved >= LEAST_MOVED
    }
    return [
        Link(each.one, each.other, each.together, each.moved, (each.one, each.other) in sure, each.word)
        for each in pairs
        if (each.one, each.other) in sure or (each.word and not each.moved < 0)
    ]


def _neighbours(episodes: Sequence[Episode]) -> Iterable[tuple[int, int, float, int]]:
    """Pairs that share most of their snapshots, with the share and their number."""
    if not episodes:
        return
    sizes = np.array([len(each.snapshots) for each in episodes])
    row = np.repeat(np.arange(len(episodes)), sizes)
    column = np.concatenate([np.array(each.snapshots) for each in episodes])
    shown = csr_array((np.ones(len(row), dtype=np.int32), (row, column)))
    both = (shown @ shown.T).tocoo()
    ahead: Bools = both.row < both.col
    one, other, common = both.row[ahead], both.col[ahead], both.data[ahead]
    share = common / (sizes[one] + sizes[other] - common)
    for i in np.flatnonzero(share >= TOGETHER).tolist():
        yield int(one[i]), int(other[i]), float(share[i]), int(common[i])


def _shared(one: Episode, mine: Floats, other: Episode, theirs: Floats) -> tuple[Floats, Floats]:
    """Steps that both took between the same snapshots."""
    _, here, there = np.intersect1d(one.snapshots, other.snapshots, assume_unique=True, return_indices=True)
    a, b = mine[here], theirs[there]
    known = ~(np.isnan(a) | np.isnan(b))
    return a[known], b[known]


def _correlation(a: Floats, b: Floats) -> float:
    """Spearman's; 0 where one of them never moved."""
    first, second = rankdata(a), rankdata(b)
    first, second = first - first.mean(), second - second.mean()
    spread = math.sqrt(float((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / spread if spread else 0.0


def groups(episodes: Sequence[Episode], links: Sequence[Link]) -> list[list[int]]:
    """Average linkage within each connected part, cut where half of the pairs are linked."""
    if not links:
        return []
    pairs = np.array([(each.one, each.other) for each in links])
    graph = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(episodes), len(episodes)))
    _, part = connected_components(graph, directed=False)
    linked = {(each.one, each.other) for each in links}
    parts = defaultdict(list)
    for number in sorted(set(pairs.ravel().tolist())):
        parts[part[number]].append(number)
    found = [group for members in parts.values() for group in _split(members, linked)]
    best = [sorted(group, key=lambda i: (min(episodes[i].positions), episodes[i].topic_key)) for group in found]
    return sorted(best, key=lambda group: (-len(group), group))


def _split(members: Sequence[int], linked: set[tuple[int, int]]) -> list[list[int]]:
    distances = [0.0 if (one, other) in linked else 1.0 for i, one in enumerate(members) for other in members[i + 1 :]]
    number = fcluster(linkage(np.array(distances), "average"), 0.5, "distance")
    found = defaultdict(list)
    for member, each in zip(members, number.tolist(), strict=True):
        found[each].append(member)
    return [group for group in found.values() if len(group) > 1]


@dataclass(frozen=True)
class Member:
    """Fields as MEMBER_COLUMNS has them, but the event's name."""

    topic: str
    topic_key: str
    first_seen: datetime
    last_seen: datetime
    best_position: int
    peak_volume: int | None
    links: int
    best_at: datetime


def event_frames(whole: Stream, told: Told) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row per event (EVENT_COLUMNS), and a row per topic of each (MEMBER_COLUMNS); named by its best topic.

    Events whose names say it, too, come first: steps alone are a hint (docs/trends.md).
    """
    rows, members = [], []
    of = {number: i for i, group in enumerate(told.groups) for number in group}
    inside: dict[int, list[Link]] = defaultdict(list)
    for each in told.links:
        if each.one in of and of[each.one] == of.get(each.other):
            inside[of[each.one]].append(each)
    for i in sorted(inside, key=lambda i: (not any(each.word for each in inside[i]), i)):
        group, links = told.groups[i], inside[i]
        made = [_member(whole, told.episodes[n], sum(n in (each.one, each.other) for each in links)) for n in group]
        first, best = min(each.first_seen for each in made), made[0]
        name = f"{best.topic} {first:%Y-%m-%d}"
        members += [{"event": name, **asdict(each)} for each in made]
        rows.append({
            "event": name, "topics": len(group), "names": ", ".join(each.topic for each in made),
            "first_seen": first, "last_seen": max(each.last_seen for each in made),
            "best_position": best.best_position, "best_at": best.best_at, "why": _why(links), "links": len(links),
            "peak_volume": max((each.peak_volume for each in made if each.peak_volume is not None), default=None),
            "together": _mean([each.together for each in links]), "moved": _mean([each.moved for each in links]),
        })  # fmt: skip
    return (
        pd.DataFrame(rows, columns=list(EVENT_COLUMNS)).astype(EVENT_COLUMNS),
        pd.DataFrame(members, columns=list(MEMBER_COLUMNS)).astype(MEMBER_COLUMNS),
    )


def _why(links: Sequence[Link]) -> str:
    shared = Counter(each.word for each in links if each.word)
    named = [f"named alike: {word}" for word, _ in shared.most_common(1)]
    return ", ".join([*(["move alike"] if any(each.sure for each in links) else []), *named])


def _mean(values: Sequence[float]) -> float | None:
    known = [each for each in values if each == each]
    return sum(known) / len(known) if known else None


def _member(whole: Stream, each: Episode, links: int) -> Member:
    moments, best = whole.snapshots, min(each.positions)
    shown = [volume for volume in each.volumes if volume == volume]
    return Member(
        whole.names.get(each.topic_key, each.topic_key), each.topic_key, moments[each.snapshots[0]].at,
        moments[each.snapshots[-1]].at, best, int(max(shown)) if shown else None, links,
        moments[each.snapshots[each.positions.index(best)]].at,
    )  # fmt: skip
