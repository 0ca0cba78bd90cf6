"""Evolution of all topics of a long archive, one more snapshot on top, and growth of many: beside plain pandas.

plain    what a user would write: sort, group by topic, first, last, best and last place, peak, first and last volume,
         snapshots in the top 3, 10 and 50. No gaps, no bounds, no phases, nothing about what is hidden.

The archive is ../shared/beds (eight-hourly Twitter lists of ten places, 537,843 rows); without it, drawn lists of the
same size. Seconds are CPU time on one core, the better of three. Run: python -m benchmarks analysis

--events tests how topics of Weibo 2026 are grouped: links are made by common steps, and names, which those links do not
look at, share a rare word more often where the links are right.
--stored times one step of the collection `trends` on the local mongod, on boards of ever longer past whose topics stay
for good: the worst case. Beside it all rows are read and grouped anew, as by a script without a memory.
"""

from __future__ import annotations

import argparse
import math
import resource
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from analysis.trends import events
from analysis.trends.archives import read_archive
from analysis.trends.carried import carry_on
from analysis.trends.derived import derive
from analysis.trends.entry import Floats
from analysis.trends.evolution import board_clock, board_evolution, default_max_gap
from analysis.trends.life import Window
from analysis.trends.rising import rising
from analysis.trends.streams import EPOCH, Stream, stream
from crawler.config import load
from crawler.storage import schema
from crawler.storage.connect import connect
from crawler.storage.reads import Reader
from crawler.storage.trends import Trends

T = TypeVar("T")
FLOOR = 10_000
TOPS = (3, 10, 50)
LEAST_SNAPSHOTS = 50
BOARD = "made:up"
Frames = tuple[pd.DataFrame, pd.DataFrame]


def drawn(boards: int = 10, snapshots: int = 1000, size: int = 50) -> list[Stream]:
    rng = np.random.default_rng(1)
    made = []
    for board in range(boards):
        topics = rng.integers(0, 30_000, (snapshots, size))
        volumes = np.where(rng.random((snapshots, size)) < 0.5, np.nan, rng.integers(10_000, 10**6, (snapshots, size)))
        taken = [
            (EPOCH + timedelta(hours=8 * i), [(f"t{key}", f"T{key}", volume) for key, volume in zip(*row, strict=True)])
            for i, row in enumerate(zip(topics.tolist(), volumes.tolist(), strict=True))
        ]
        made.append(stream(f"drawn:{board}", taken))
    return made


def frames(whole: Stream) -> Frames:
    """As Reader.boards and Reader.entries give them."""
    rows = [
        (each.at, place, key, None if math.isnan(volume) else int(volume))
        for each in whole.snapshots
        for place, (key, volume) in enumerate(zip(each.keys, each.volumes, strict=True), 1)
    ]
    at, place, key, volume = zip(*rows, strict=True)
    entries = pd.DataFrame({
        "at": pd.Series(at, dtype="datetime64[ms, UTC]"), "at_precision": pd.Series([None] * len(at), dtype="string"),
        "position": pd.Series(place, dtype="Int64"), "topic": pd.Series(key, dtype="string"),
        "topic_key": pd.Series(key, dtype="string"), "volume": pd.Series(volume, dtype="Int64"),
        "volume_floor": pd.Series([FLOOR if each is None else None for each in volume], dtype="Int64"),
        "promoted": pd.Series([False] * len(at), dtype="boolean"),
    })  # fmt: skip
    sizes = pd.Series([len(each.keys) for each in whole.snapshots], dtype="Int64")
    boards = pd.DataFrame({
        "at": pd.Series([each.at for each in whole.snapshots], dtype="datetime64[ms, UTC]"),
        "at_precision": pd.Series([None] * len(sizes), dtype="string"), "size": sizes, "got": sizes,
    })  # fmt: skip
    return boards, entries


def plain(entries: pd.DataFrame) -> pd.DataFrame:
    ordered = entries.sort_values("at").assign(**{f"top{top}": entries["position"] <= top for top in TOPS})
    return ordered.groupby("topic_key").agg(
        first=("at", "min"), last=("at", "max"), snapshots=("at", "size"), best=("position", "min"),
        last_position=("position", "last"), peak=("volume", "max"), first_volume=("volume", "first"),
        last_volume=("volume", "last"), **{f"top{top}": (f"top{top}", "sum") for top in TOPS},
    )  # fmt: skip


def best_of(way: Callable[[], T], rounds: int = 3) -> tuple[float, T]:
    found = []
    for _ in range(rounds):
        started = time.process_time()
        made = way()
        found.append(time.process_time() - started)
    return min(found), made


def one_more(boards: pd.DataFrame, entries: pd.DataFrame) -> tuple[float, int]:
    """Seconds for the newest snapshot on top of all before it, and how many topics it moved."""
    starts = boards["at"].dt.as_unit("ms").astype("int64").tolist()
    gap, newest = default_max_gap(starts), boards["at"].max()
    past = Window(board_clock(boards[boards["at"] < newest], entries[entries["at"] < newest], gap))
    kept = {each["topic_key"]: each for each in carry_on((), entries[entries["at"] < newest], past)}
    last = past.moments[-1]
    rows = entries[entries["at"] == newest]
    window = Window(
        board_clock(boards.tail(2), rows, gap), past.newest, past.whole[-1] - past.clock.whole[-1], past.last_whole
    )
    asked = set(rows["topic_key"])
    stored = [each for key, each in kept.items() if key in asked or each["last_seen"] >= EPOCH + timedelta(
        milliseconds=last.ms)]  # fmt: skip
    seconds, made = best_of(lambda: carry_on(stored, rows, window))
    told = board_evolution(boards, entries, gap).set_index("topic_key")
    for each in made:
        if told.at[each["topic_key"], "snapshots"] != each["snapshots"]:
            raise SystemExit("one more snapshot: not the same as from scratch")
    return seconds, len(made)


def many(rows: int) -> pd.DataFrame:
    """Ten readings each of rows / 10 profiles."""
    rng, count = np.random.default_rng(2), rows // 10
    followers = rng.integers(10, 10**6, (count, 1)) * np.exp(np.cumsum(rng.normal(0.01, 0.01, (count, 10)), axis=1))
    at = [EPOCH + timedelta(days=i) for i in range(10)] * count
    return pd.DataFrame({
        "entity": np.repeat([f"tiktok:profile:p{i}" for i in range(count)], 10),
        "at": pd.Series(at, dtype="datetime64[ms, UTC]"), "at_precision": pd.Series([None] * rows, dtype="string"),
        "capture": "c", "followers": pd.Series(followers.astype(np.int64).ravel(), dtype="Int64"),
        "followers_precision": pd.Series([None] * rows, dtype="Int64"),
    })  # fmt: skip


def archive() -> tuple[Sequence[Stream], str]:
    bed = load().shared_dir / "beds" / "huevi_twitter_trends_india"
    if not bed.exists():
        return drawn(), "drawn lists"
    return [each for each in read_archive(bed) if len(each.snapshots) >= LEAST_SNAPSHOTS], "the Twitter archive"


def run(sizes: Sequence[int]) -> dict[str, Any]:
    streams, source = archive()
    boards = [frames(each) for each in streams]
    rows = sum(len(entries) for _, entries in boards)
    ours_s, made = best_of(lambda: [board_evolution(*each) for each in boards])
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    plain_s, _ = best_of(lambda: [plain(entries) for _, entries in boards])
    topics = sum(map(len, made))
    print(f"analysis: {rows:,} rows of {len(boards)} boards, {topics:,} topics, from {source}")
    print(f"  evolution          {ours_s:6.2f} s   plain {plain_s:6.2f} s   ours / plain: {ours_s / plain_s:5.2f}")
    print(f"  peak memory        {peak_mb:6.0f} MB with the archive in it")
    update_s, moved = one_more(*boards[0])
    print(f"  one more snapshot  {1000 * update_s:6.1f} ms on {len(boards[0][1]):,} rows; {moved} topics moved")
    growth_s = {}
    for size in sizes:
        frame = many(size)
        growth_s[size], _ = best_of(lambda frame=frame: rising(frame, "followers"), 1)
        print(
            f"  growth             {growth_s[size]:6.2f} s for {size:,} rows, "
            f"{1e6 * growth_s[size] / size:.1f} us a row"
        )
    return {"ours / plain": ours_s / plain_s, "update_ms": 1000 * update_s, "growth_s": growth_s, "peak_mb": peak_mb}


def judge_events() -> dict[str, float]:
    bed = load().shared_dir / "beds" / "weibo_hot_2026"
    if not bed.exists():
        raise SystemExit(f"events: needs the archive at {bed}")
    [whole] = read_archive(bed)
    started = time.process_time()
    told = events.events(whole)
    spent = time.process_time() - started
    steps = events.own_steps(told.episodes, len(whole.snapshots))
    judged = [each for each in events.pairs_of(whole, told.episodes, steps) if each.n]
    sure = {(each.one, each.other) for each in told.links if each.sure}
    named = {
        True: [each.word is not None for each in judged if (each.one, each.other) in sure],
        False: [each.word is not None for each in judged if (each.one, each.other) not in sure],
    }
    rng = np.random.default_rng(3)
    turned = [_turned(each, rng) for each in steps]
    by_chance = sum(each.sure for each in events.told_apart(events.pairs_of(whole, told.episodes, turned)))
    shares = {is_sure: sum(each) / max(len(each), 1) for is_sure, each in named.items()}
    sizes = [len(group) for group in told.groups]
    print(f"events: {len(whole.snapshots):,} snapshots, {len(told.episodes):,} stays of topics, {spent:.1f} s")
    print(
        f"  {len(sizes):,} events of {sum(sizes):,} topics, at most {max(sizes, default=0)}; {len(told.links):,} links"
    )
    print(
        f"  {len(judged):,} pairs judged by their steps, {len(sure):,} linked; {by_chance:,} with steps turned in time"
    )
    print(f"  a rare word in both names: {shares[True]:.1%} of the linked, {shares[False]:.1%} of the others")
    return {"linked_named": shares[True], "others_named": shares[False], "turned": by_chance, "links": len(sure)}


def _turned(steps: Floats, rng: np.random.Generator) -> Floats:
    """The same steps, begun elsewhere: what is alike in two of them now is chance."""
    made, known = steps.copy(), np.flatnonzero(~np.isnan(steps))
    if len(known) > 3:
        made[known] = np.roll(steps[known], int(rng.integers(2, len(known) - 1)))
    return made


def stored(sizes: Sequence[int], more: int = 20, stay: int = 50) -> dict[int, float]:
    """Milliseconds of wall time a snapshot, by the length of the board's past."""
    client, took = connect(load()), {}
    for size in sizes:
        database = client[f"benchmark_{uuid.uuid4().hex[:12]}"]
        schema.ensure(database)
        reader, trends = Reader(database), Trends(database)
        _put(database, 0, size, stay)
        derive(BOARD, reader, trends)
        steps = []
        for i in range(size, size + more):
            _put(database, i, 1, stay)
            started = time.perf_counter()
            done = derive(BOARD, reader, trends)
            steps.append(1000 * (time.perf_counter() - started))
            assert done.why is None
        started = time.perf_counter()
        plain(reader.entries(BOARD))
        anew = 1000 * (time.perf_counter() - started)
        step_by_step = trends.all(BOARD)
        derive(BOARD, reader, trends, afresh=True)
        same = "the same as from scratch" if trends.all(BOARD) == step_by_step else "NOT the same as from scratch"
        took[size] = statistics.median(steps)
        print(
            f"stored: {size:6,} snapshots of {stay} rows: one more takes {took[size]:5.1f} ms (median of {more}), "
            f"all anew with plain pandas {anew:7.1f} ms; {same}"
        )
        client.drop_database(database.name)
    return took


def _put(database: Any, start: int, count: int, stay: int) -> None:
    """Every snapshot shows the same topics in another order; the last row changes each time."""
    for first in range(start, start + count, 200):
        snapshots, rows = [], []
        for i in range(first, min(first + 200, start + count)):
            at = EPOCH + timedelta(hours=i)
            head = {"board": BOARD, "at": at, "observed_at": at, "capture": f"c{i}"}
            snapshots.append({"_id": f"{BOARD}@{i}", "size": stay, "got": stay, **head})
            keys = [f"t{(place + i) % (stay - 1)}" for place in range(stay - 1)] + [f"new{i}"]
            rows += [
                {"_id": f"{BOARD}@{i}#{place}", **head, "position": place, "topic": key, "topic_key": key,
                 "volume": 10_000 + 1000 * (i % 7)}
                for place, key in enumerate(keys, 1)
            ]  # fmt: skip
        database["boards"].insert_many(snapshots, bypass_document_validation=True)
        database["board_entries"].insert_many(rows, bypass_document_validation=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks analysis", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[50_000, 500_000], metavar="ROWS")
    parser.add_argument("--events", action="store_true", help="only: are topics grouped rightly?")
    parser.add_argument("--stored", type=int, nargs="*", metavar="SNAPSHOTS", help="only: a step of the collection")
    asked = parser.parse_args(arguments)
    if asked.stored is not None:
        stored(asked.stored or [1_000, 10_000])
    elif asked.events:
        judge_events()
    else:
        run(asked.sizes)
    return 0
