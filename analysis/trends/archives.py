"""Archives of trending lists, straight from files: what `backtest --from` reads. Never queries, never writes.

A folder, a table (.csv, .csv.gz) or a packed folder (.tar, .tar.gz, .tar.xz, .tgz). Known are: a heat table
(snapshot_utc, term, count), hourly JSON lists (title, hot, ads), tables of one snapshot a file (name,
tweet_volume, location), half-hourly tables (Date, Hour, Rank, Topic, Volume) and TikTok discover lists.
Anything else is told, never guessed at.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from analysis.trends.streams import Row, Stream, stream
from crawler.topics import topic_key

Taken = dict[str, list[tuple[datetime, list[Row]]]]
"""By board: moment and rows by place."""
Told = tuple[str, datetime, list[Row]]

PACKED = (".tar", ".tar.gz", ".tgz", ".tar.xz")
CHINA = timezone(timedelta(hours=8))  # hourly Weibo files are named by Peking time
LARGEST_FILE = 200_000_000  # bytes unpacked; a longer one is a bomb or no list
_DAY_HOUR = re.compile(r"(\d{4}-\d{2}-\d{2})/(\d{2})\.json$")
_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2})(\d{2})(\d{2})Z")


class ArchiveError(ValueError):
    """A path that holds no list we can read; says what was found."""


def read_archive(path: Path) -> list[Stream]:
    """Every board in *path*, by name. Raises ArchiveError where there is none."""
    taken: Taken = defaultdict(list)
    unread: dict[str, int] = defaultdict(int)
    for name, body in _files(path):
        before = sum(map(len, taken.values()))
        for board, at, rows in _lists(name, body):
            taken[board].append((at, rows))
        if sum(map(len, taken.values())) == before:
            unread[PurePosixPath(name).suffix or "(no ending)"] += 1
    if not taken:
        found = ", ".join(f"{count} {ending}" for ending, count in sorted(unread.items())) or "nothing"
        raise ArchiveError(
            f"{path}: no trending list in a known form; found {found}. Known: {__doc__.split('Known are: ')[1]}"
        )
    return [stream(board, taken[board]) for board in sorted(taken)]


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for each in sorted(path.rglob("*")):
            if each.is_file():
                yield from _files(each)
    elif path.name.endswith(PACKED):
        with tarfile.open(path) as packed:
            for member in packed:
                content = packed.extractfile(member) if member.isfile() and member.size <= LARGEST_FILE else None
                if content:
                    yield f"{path.name}/{member.name}", content.read()
    elif path.name.endswith(".gz"):
        with gzip.open(path) as packed_file:
            yield path.as_posix().removesuffix(".gz"), packed_file.read(LARGEST_FILE)
    elif path.is_file():
        yield path.as_posix(), path.read_bytes()
    else:
        raise ArchiveError(f"{path}: there is no such file or folder")


def _lists(name: str, body: bytes) -> Iterator[Told]:
    if name.endswith(".csv"):
        yield from _tables(body)
    elif name.endswith(".json"):
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            return
        if isinstance(found, list) and (when := _DAY_HOUR.search(name)):
            yield from _hourly(found, f"{when[1]}T{when[2]}")
        elif isinstance(found, dict) and (when := _STAMP.search(name)):
            at = datetime.fromisoformat(f"{when[1]}T{when[2]}:{when[3]}:{when[4]}+00:00")
            yield from _discover(found, name, at)


def _tables(body: bytes) -> Iterator[Told]:
    reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig", "replace"), newline=""))
    names = {(name or "").strip().lower() for name in reader.fieldnames or ()}
    for columns, read in _TABLES.items():
        if columns <= names:
            grouped: dict[tuple[str, datetime], list[tuple[int, Row]]] = defaultdict(list)
            for line in reader:
                told = read(
                    {(key or "").strip().lower(): value for key, value in line.items() if isinstance(value, str)}
                )
                if told:
                    board, at, rank, row = told
                    grouped[board, at].append((rank, row))
            for (board, at), rows in grouped.items():
                yield board, at, [row for _, row in sorted(rows, key=lambda each: each[0])]
            return


Line = tuple[str, datetime, int, Row] | None


def _heat(cells: dict[str, str]) -> Line:
    at = _moment(cells["snapshot_utc"])
    rank = _number(cells.get("rank_by_count", ""))
    volume = _number(cells["count"])
    order = int(rank) if rank == rank else -int(volume if volume == volume else 0)
    return ("weibo:hot", at, order, _row(cells["term"], volume)) if at and cells["term"] else None


def _twitter(cells: dict[str, str]) -> Line:
    at = _moment(cells.get("as_of", ""))
    place = (cells.get("location") or "unknown").strip().casefold()
    rank = _number(cells.get("", ""))
    if not at or not cells["name"] or cells.get("promoted_content"):
        return None
    return (
        f"x:trends:{place}",
        at,
        int(rank) if rank == rank else 0,
        _row(cells["name"], _number(cells["tweet_volume"])),
    )


def _half_hours(cells: dict[str, str]) -> Line:
    at = _moment(f"{cells['date']}T{cells['hour']}")
    rank, volume = _number(cells["rank"]), _number(cells["volume"].replace(".", ""))
    if not at or rank != rank or not cells["topic"]:
        return None
    return "x:trends:us", at, int(rank), _row(cells["topic"], volume or math.nan)  # 0: hidden


_TABLES: dict[frozenset[str], Callable[[dict[str, str]], Line]] = {
    frozenset(("snapshot_utc", "term", "count")): _heat,
    frozenset(("name", "tweet_volume", "as_of")): _twitter,
    frozenset(("date", "hour", "rank", "topic", "volume")): _half_hours,
}


def _hourly(rows: list[Any], hour: str) -> Iterator[Told]:
    earned = [each for each in rows if isinstance(each, dict) and each.get("title") and not each.get("ads")]
    if earned:
        at = datetime.fromisoformat(f"{hour}:00:00").replace(tzinfo=CHINA).astimezone(UTC)
        yield "weibo:hot", at, [_row(str(each["title"]), _number(str(each.get("hot", "")))) for each in earned]


def _discover(lists: dict[str, Any], name: str, at: datetime) -> Iterator[Told]:
    host = PurePosixPath(name).parent.name
    for kind, volume in (("user", "followers"), ("hashtag", "views"), ("music", "posts")):
        rows = [each for each in lists.get(kind) or () if isinstance(each, dict)]
        named = [(str(each.get("id") or each.get("name") or ""), each) for each in rows]
        found = [
            (topic, str(each.get("name") or topic), _number(str((each.get("stats") or {}).get(volume, ""))))
            for topic, each in named if topic
        ]  # fmt: skip
        if found:
            yield f"tiktok:discover:{kind}:{host}", at, found


def _row(topic: str, volume: float) -> Row:
    return topic_key(topic), topic, volume


def _number(text: str) -> float:
    """NaN where there is none; no count and no place is below zero."""
    try:
        found = float(text)
    except ValueError:
        return math.nan
    return found if math.isfinite(found) and found >= 0 else math.nan


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
