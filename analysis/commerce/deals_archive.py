"""Deals in dumps of a tweet stream: members read by several processes, their findings joined in the dump's order.

The same function reads a member on one machine and on a cluster; only who calls it differs. What is joined never
grows with the dump: rows go to the caller as they come, and of ids only the last WINDOW are remembered.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
import threading
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import orjson

from analysis.commerce.deals import read
from analysis.commerce.deals_rows import row, told
from analysis.commerce.deals_spans import Catalogue
from crawler.lanes import afar, tweets, twitterstream
from crawler.lanes.twitterstream import Damaged, Packed

if TYPE_CHECKING:
    from crawler.items import Post

WINDOW = 300_000  # tweet ids; a stream repeats within minutes, and two hours of it fit in 30 MB
Keep = Literal["deals", "amounts", "all"]


@dataclass(frozen=True)
class Selection:
    """Which tweets are read for deals, and which readings are kept."""

    brands: tuple[str, ...] = ()
    """Only tweets that name one of them; empty: all."""
    keep: Keep = "deals"
    watched: frozenset[str] = frozenset()
    """Handles and account ids of retailers, lower case."""
    only_watched: bool = False
    catalogue: Catalogue | None = None
    """Names to find; a process gets it once."""
    priced: bool = False
    """Only tweets with a "$" beside a number: the selection that the benchmark shares with other engines."""

    withdrawn: bool = False
    """Whether the ids of delete notices are wanted."""
    posts: bool = False
    """Whether what is kept is wanted as posts, too."""

    @cached_property
    def needles(self) -> tuple[bytes, ...]:
        """Of these one stands in the lower-case line of every tweet that names a brand; empty where nothing is sure."""
        found = [_needles(each) for each in self.brands]
        return tuple(sorted({needle for each in found for needle in each})) if all(found) else ()

    @cached_property
    def brand(self) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{'|'.join(map(_any_case, self.brands))})\b")


_PLAIN = re.compile(r"[A-Za-z0-9 .!?,:;_+*()-]+")  # what neither JSON nor HTML writes in another way


def _needles(brand: str) -> tuple[bytes, ...]:
    """What stands in the lower-case bytes of a line of JSON that holds *brand* in a text."""
    if plain := max(_PLAIN.findall(brand), key=len, default=""):
        return (plain.lower().encode(),)
    if any(ord(each) < 128 or each.lower() != each.upper() for each in brand):
        return ()
    return brand.encode(), json.dumps(brand).strip('"').encode()


def _any_case(brand: str) -> str:
    """A pattern of the letters as written, small or capital, and of no other: "ſ" is no "s" in a name."""
    forms = ({each, each.lower(), each.upper()} for each in brand)
    return "".join(f"[{''.join(map(re.escape, sorted(form for form in each if len(form) == 1)))}]" for each in forms)


@dataclass(frozen=True)
class Found:
    """What one member gave."""

    name: str
    at: int
    account: tweets.Account
    problem: str = ""
    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Tweet id and row, in the member's order."""
    ids: bytes = b""
    """Of all tweets, as array('q')."""
    withdrawn: list[str] = field(default_factory=list)
    bytes: int = 0
    """Unpacked."""
    posts: list[Post] = field(default_factory=list)


_PRICED = re.compile(r"\$ ?\d")


def read_member(member: Packed, selection: Selection) -> Found:
    """Pure but for the memory it takes; runs in any process."""
    block, problem = twitterstream.text_of(member)
    account, found_ids = tweets.Account(), array("q")
    withdrawn: list[str] | None = [] if selection.withdrawn else None
    numbers: list[int] = []
    rows = []
    lines: list[bytes] = []
    for line in tweets.skim(block, account, numbers, withdrawn, b"$" if selection.priced else b""):
        if may_hold(line, selection):
            try:
                found = _row(orjson.loads(line), selection)
            except orjson.JSONDecodeError:  # whole by its beginning and end, but not between them
                account.tweets, account.damaged = account.tweets - 1, account.damaged + 1
                numbers.pop()
                continue
            if found is not None:
                rows.append((numbers[-1] if numbers else 0, found))
                lines += [line] if selection.posts else []
    found_ids.extend(each for each in numbers if each < 1 << 63)
    posts = _posts(member.name, block, lines, [row for _, row in rows]) if selection.posts else []
    return Found(
        member.name, member.at, account, problem, rows, found_ids.tobytes(), withdrawn or [], len(block), posts
    )


def _posts(name: str, block: bytes, lines: list[bytes], rows: list[dict[str, Any]]) -> list[Post]:
    from analysis.commerce.deals_posts import posts_of  # pages and items take as long to load as a minute to read

    return posts_of(name, block, lines, {str(row["repost_of"] or row["id"]) for row in rows})


def may_hold(line: bytes, selection: Selection) -> bool:
    """Cheap and never wrong: a line it drops could not have been selected."""
    if selection.only_watched and not selection.watched:
        return False
    if not selection.needles:
        return True
    lowered = line.lower()
    return any(each in lowered for each in selection.needles)


def _row(tweet: dict[str, Any], selection: Selection) -> dict[str, Any] | None:
    whole = tweets.original(tweet)
    text = tweets.full_text(whole)
    if selection.brands and not selection.brand.search(text):
        return None
    if selection.priced and not _PRICED.search(text):
        return None
    name, post = told(tweet, selection.watched)
    if selection.only_watched and not post.author_sells:
        return None
    found = read(post, selection.catalogue)
    if not (selection.keep == "all" or found.is_deal or (selection.keep == "amounts" and found.amounts)):
        return None
    counts = {each: whole.get(f"{each}_count") for each in ("favorite", "retweet", "reply", "quote")}
    return row(name, found) | {
        "created_at": tweet.get("created_at"), "author": post.author, "repost_of": _other(whole, tweet), "text": text,
        "lang": tweet.get("lang"), "likes": counts["favorite"], "reposts": counts["retweet"],
        "comments": counts["reply"], "shares": counts["quote"],
    }  # fmt: skip


def _other(whole: dict[str, Any], tweet: dict[str, Any]) -> str | None:
    return None if whole is tweet else str(whole["id_str"])


class Joined:
    """Findings of members in order: duplicates counted over members, rows once per tweet."""

    def __init__(self) -> None:
        self.account = tweets.Account()
        self.members = 0
        self.problems: list[Damaged] = []
        self.bytes = 0
        self._seen: set[int] = set()
        self._order: deque[int] = deque()

    def take(self, found: Found | Damaged) -> list[dict[str, Any]]:
        """The rows that are new."""
        if isinstance(found, Damaged):
            self.problems.append(found)
            return []
        if found.problem:
            self.problems.append(
                Damaged(found.name, f"{found.problem}; {found.account.lines:,} lines before that are read")
            )
        self.members += 1
        self.bytes += found.bytes
        self.account.add(found.account)
        rows = dict(reversed(found.rows))  # of the same tweet twice in a member, the first
        new = []
        for number in memoryview(found.ids).cast("q"):
            if number in self._seen:
                self.account.duplicates += 1
                continue
            self._seen.add(number)
            self._order.append(number)
            if (kept := rows.get(number)) is not None:
                new.append(kept)
        while len(self._order) > WINDOW:
            self._seen.discard(self._order.popleft())
        return new


def local(
    given: Iterable[str], selection: Selection, processes: int | None = None, done: frozenset[str] = frozenset()
) -> Iterator[Found | Damaged]:
    """In order; a few members at a time are in memory. One process reads the sources, the others unpack and read."""
    packed = (each for source in given for each in twitterstream.members(source, done, afar.shown(source)))
    n = processes or max(1, os.cpu_count() or 1)
    if n == 1:
        for each in packed:
            yield each if isinstance(each, Damaged) else read_member(each, selection)
        return
    # A copy of a process without threads is safe, and starts at once; elsewhere the words are read anew.
    copied = sys.platform == "linux" and threading.active_count() == 1
    with ProcessPoolExecutor(
        n, multiprocessing.get_context("fork" if copied else "spawn"), _begin, (selection,)
    ) as pool:
        pool.submit(int).result()  # the copies are there before a client of an object store starts threads
        waiting: deque[Future[Found] | Damaged] = deque()
        for each in packed:
            waiting.append(each if isinstance(each, Damaged) else pool.submit(_read_member, each))
            if len(waiting) > 2 * n:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())


_selected: list[Selection] = []
"""Of a process that reads members."""


def _begin(selection: Selection) -> None:
    _selected[:] = [selection]


def _read_member(member: Packed) -> Found:
    return read_member(member, _selected[0])


def _result(waiting: Future[Found] | Damaged) -> Found | Damaged:
    return waiting if isinstance(waiting, Damaged) else waiting.result()


def spark(given: Iterable[str], selection: Selection, done: frozenset[str] = frozenset()) -> Iterator[Found | Damaged]:
    """The same over a Spark cluster (TIDEMARK_SPARK_MASTER): a source is a task, so name many.

    Sources must be readable from every worker. The order is that of *given*. Raises UsageError where Spark is not.
    """
    from analysis import cluster  # and with it pandas; a start of ours must not wait for that

    session = cluster.session("deals")
    try:
        names = list(given)

        def task(source: str) -> Iterator[Found | Damaged]:
            for each in twitterstream.members(source, done, afar.shown(source)):
                yield each if isinstance(each, Damaged) else read_member(each, selection)

        if names:
            yield from session.sparkContext.parallelize(names, len(names)).flatMap(task).toLocalIterator()
    finally:
        session.stop()
