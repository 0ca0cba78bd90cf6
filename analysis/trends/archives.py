"""Archives of trending lists, straight from files: what `backtest --from` reads. Never queries, never writes.

Files are read as `scrapy replay` reads them, by the same page objects, so that a number is the same whether it was
imported first or not. A moment of which only the day is known is left out, as on boards of the database.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

from analysis.trends.streams import Row, Stream, stream
from crawler.items import BoardEntry
from crawler.lanes.sources import Options, Skipped, read
from crawler.reading import page_of

REASONS_TOLD = 3
Taken = dict[str, dict[datetime, list[Row]]]


class ArchiveError(ValueError):
    """A path that holds no list we can read; says what was found."""


def read_archive(path: Path) -> list[Stream]:
    """Every board in *path* (a file, a tar or a folder), by name. Raises ArchiveError where there is none."""
    taken: Taken = defaultdict(dict)
    reasons: Counter[str] = Counter()
    for each in read([path], Options()):
        if isinstance(each, Skipped):
            reasons[each.reason] += 1
            continue
        page = page_of(each)
        if page is None:
            reasons["a page that nobody here knows"] += 1
            continue
        entries = [item for item in page.items() if isinstance(item, BoardEntry)]
        if not entries:
            reasons[f"{page.name}: {page.outcome}, no list in it"] += 1
        for board, rows in _lists(entries).items():
            for at, found in rows.items():
                # Two files of one moment: the fuller list stands, as in stream.
                taken[board][at] = max(taken[board].get(at, []), found, key=len)
    if not taken:
        told = "; ".join(f"{reason} ({n})" for reason, n in reasons.most_common(REASONS_TOLD)) or "nothing"
        raise ArchiveError(
            f"{path}: expected trending lists in a form that scrapy replay reads (docs/history.md); found {told}"
        )
    return [stream(board, taken[board].items()) for board in sorted(taken)]


def _lists(entries: list[BoardEntry]) -> Taken:
    """Earned rows by place. The moment that a list states of itself is exact, whatever is known of the capture."""
    found: Taken = defaultdict(lambda: defaultdict(list))
    for each in sorted(entries, key=lambda entry: entry.position):
        if each.promoted or (each.at_precision and each.at == each.observed_at):
            continue
        volume = math.nan if each.volume is None else float(each.volume)
        found[each.board][each.at].append((each.topic_key, each.topic, volume))
    return found
