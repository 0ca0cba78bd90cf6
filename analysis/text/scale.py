"""The reading of many posts: one pure function of a batch, run here, in several processes, or by Spark.

A batch in, a batch out, row by row and in order, so how the posts are cut and who runs it changes nothing. What
needs all posts at once (copies, rises, topics) works on the rows that come out.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from hashlib import blake2b
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from analysis.text.categories import UNKNOWN, seed_scores
from analysis.text.duplicates import folded
from analysis.text.language import identify
from analysis.text.posts import PostText, from_row
from analysis.text.sentiment import classify
from analysis.text.terms import terms
from crawler.lanes.afar import opened

BATCH = 2000  # posts
COLUMNS = ("key", "caption", "language", "author", "hashtags", "mentions", "sound_id", "sound_title")
"""Read of each post where the file has them; a post's key and caption are needed."""
SCHEMA = pa.schema([
    ("key", pa.string()), ("language", pa.string()), ("language_confidence", pa.float64()),
    ("terms", pa.list_(pa.string())), ("term_kinds", pa.list_(pa.string())), ("sentiment", pa.string()),
    ("negative", pa.float64()), ("neutral", pa.float64()), ("positive", pa.float64()), ("category", pa.string()),
    ("copy_key", pa.string()),
])  # fmt: skip
"""`copy_key`: alike for posts that say the very same but for marks, links, handles and numbers."""
SPARK = """key string, language string, language_confidence double, terms array<string>, term_kinds array<string>,
 sentiment string, negative double, neutral double, positive double, category string, copy_key string"""


def read_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """One row for each post of *batch* (columns as COLUMNS), in its order; columns as SCHEMA."""
    posts = [from_row(row) for row in batch.to_pylist()]
    codes = [identify(post.caption, post.stated_language) for post in posts]
    feelings = classify([post.caption for post in posts], [each.code for each in codes], "small")
    rows = []
    for post, code, feeling in zip(posts, codes, feelings, strict=True):
        found = terms(post)
        rows.append({
            "key": post.key, "language": code.code, "language_confidence": code.confidence,
            "terms": [term.key for term in found], "term_kinds": [term.kind for term in found],
            "sentiment": feeling.label if feeling else None, **_shares(feeling), "category": _category(post),
            "copy_key": blake2b(folded(post.caption).encode(), digest_size=8).hexdigest(),
        })  # fmt: skip
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def _shares(feeling: Any) -> dict[str, float | None]:
    """Rounded: the last digits of a sum depend on how the texts are cut into batches."""
    if feeling is None:
        return dict.fromkeys(("negative", "neutral", "positive"))
    return {name: round(value, 4) for name, value in feeling._asdict().items()}


def _category(post: PostText) -> str:
    scores = seed_scores(post.said)
    return max(sorted(scores), key=scores.__getitem__) if scores else UNKNOWN


def read_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What Spark's `mapInArrow` runs in each of its tasks."""
    for batch in batches:
        yield read_batch(batch)


def cut(table: pa.Table) -> list[pa.RecordBatch]:
    """Only the columns that are read, BATCH posts each."""
    named = table.select([name for name in COLUMNS if name in table.column_names])
    return list(named.combine_chunks().to_batches(max_chunksize=BATCH))


def locally(batches: Iterable[pa.RecordBatch], processes: int) -> Iterator[pa.RecordBatch]:
    """In order; no more than two batches wait for each process, so the posts need not fit into memory."""
    if processes == 1:
        yield from read_batches(batches)
        return
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    if os.name == "posix":
        context.set_forkserver_preload([__name__])
    coming = iter(batches)
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        waiting = [pool.submit(read_batch, each) for each in islice(coming, 2 * processes)]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(read_batch, each) for each in islice(coming, 1)]


def table_of(path: str, row_group: int | None = None) -> pa.Table:
    """Posts of a file here or in an object store; of Parquet, also a part. Raises OSError, pa.ArrowInvalid."""
    ending = path.rpartition(".")[2].lower()
    with opened(path) as file:
        if ending == "parquet":
            found = pa.parquet.ParquetFile(file)
            return found.read() if row_group is None else found.read_row_group(row_group)
        return pa.json.read_json(file) if ending == "jsonl" else pa.csv.read_csv(file)


def tasks(paths: Iterable[str]) -> Iterator[tuple[str, int]]:
    """What Spark reads in parallel, in order: the row groups of Parquet, of others whole files (-1)."""
    for path in paths:
        groups = 0
        if path.lower().endswith(".parquet"):
            with opened(path) as file:
                groups = pa.parquet.ParquetFile(file).num_row_groups
        yield from ((path, group) for group in (range(groups) if groups else (-1,)))


def read_tasks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What Spark's `mapInArrow` runs where each row names a task."""
    for batch in batches:
        for row in batch.to_pylist():
            group = None if row["row_group"] < 0 else row["row_group"]
            yield from read_batches(cut(table_of(row["path"], group)))


def spark_frame(session: Any, paths: list[str]) -> Any:
    """A Spark DataFrame of what is read of the posts in *paths*, in their order, to write wherever Spark can.

    Files are read by the workers themselves, s3:// and gs:// too (extra `objects` there). s3a:// is read by Spark,
    which needs hadoop-aws and keeps no order; of a DataFrame of your own: `posts.mapInArrow(read_batches, SPARK)`.
    """
    if all(path.startswith("s3a://") for path in paths):
        posts = session.read.parquet(*paths)
        return posts.select(*[name for name in COLUMNS if name in posts.columns]).mapInArrow(read_batches, SPARK)
    rows = list(tasks(paths))
    named = session.sparkContext.parallelize(rows, max(1, len(rows)))
    return session.createDataFrame(named, "path string, row_group int").mapInArrow(read_tasks, SPARK)
