"""Which topics of the list come and go with one: together more often than their own times on it would bring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from analysis.output import clean, fit
from analysis.trends.streams import Snapshot
from analysis.web.figure import Figure
from analysis.web.filters import Filters
from analysis.web.site import Site
from analysis.web.topic import seen
from analysis.web.words import Words

LEAST_TOGETHER = 5  # snapshots; fewer are soon met by chance
LEAST_ABOVE = 0.1  # of the share, above what chance brings


class Alike(NamedTuple):
    topic_key: str
    together: int
    share: float
    """Of the snapshots that hold either, those that hold both."""
    by_chance: float
    """The share that two topics as often on the list would have if neither knew of the other."""


def alike(snapshots: Sequence[Snapshot], topic_key: str) -> list[Alike]:
    """Strongest first, by the share above chance; none of too few snapshots."""
    n = len(snapshots)
    times = Counter(key for snapshot in snapshots for key in set(snapshot.keys))
    mine = [set(snapshot.keys) for snapshot in snapshots if topic_key in snapshot.keys]
    found = []
    for key, together in Counter(key for keys in mine for key in keys if key != topic_key).items():
        either = len(mine) + times[key] - together
        both = len(mine) * times[key] / n
        each = Alike(key, together, together / either, both / (len(mine) + times[key] - both))
        if together >= LEAST_TOGETHER and each.share - each.by_chance >= LEAST_ABOVE:
            found.append(each)
    return sorted(found, key=lambda row: (row.by_chance - row.share, row.topic_key))


def figure(site: Site, say: Words, filters: Filters) -> Figure:
    found = seen(site, say, filters)
    title = say("topic_alike_title")
    rows = alike(found.whole.snapshots, str(found.told["topic_key"]))[: max(filters.top, 10)]
    if not rows:
        return Figure("topic_alike", title, "", missing=say("topic_alike_missing", n=len(found.whole.snapshots)))
    table = pd.DataFrame({
        say("topic"): [fit(clean(found.whole.names.get(row.topic_key, row.topic_key)), 60) or "·" for row in rows],
        say("snapshots"): [row.together for row in rows], say("share"): [say.percent(row.share) for row in rows],
        say("by_chance"): [say.percent(row.by_chance) for row in rows],
    })  # fmt: skip
    links = [filters.address("/topic", board=found.board, topic=row.topic_key) for row in rows]
    says = say("topic_alike_says", n=len(rows), snapshots=len(found.whole.snapshots))
    return Figure("topic_alike", title, says, table, note=say("topic_alike_note"), links=links)


FIGURES = {"topic_alike": figure}
