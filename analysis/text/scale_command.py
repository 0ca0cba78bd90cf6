"""`texts`: posts in files read by several processes or by Spark, to a file. Needs no database."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from analysis import cluster
from analysis.command import GOOD, Command, Screen, Session, UsageError, file, positive
from analysis.output import clean
from analysis.text.scale import SCHEMA, cut, locally, spark_frame, table_of
from crawler.lanes.afar import is_afar, shown

ENDINGS = (".parquet", ".jsonl", ".csv")
GROUP = 20_000  # rows of a row group in what is written, whoever read them


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--from", dest="source", nargs="+", required=True, metavar="FILE",
           help="posts: .parquet, .jsonl or .csv with the columns key and caption; also s3://… and gs://…")  # fmt: skip
    option("-o", dest="output", type=file(".parquet"), required=True, metavar="FILE", help="write here (.parquet)")
    option("--engine", choices=("local", "spark"), default="local", help="who reads (default: this machine)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--processes", type=positive, default=1, metavar="N", help="on this machine (default 1)")
    how.add_argument("--spark", nargs="?", const="", metavar="MASTER", help="by Spark, there (default: "
                     "TIDEMARK_SPARK_MASTER, else as it is set up)")  # fmt: skip


def _apart(args: argparse.Namespace, screen: Screen) -> int:
    for each in args.source:
        near = not (is_afar(each) or each.startswith("s3a://"))
        if not each.lower().endswith(ENDINGS) or (near and not Path(each).is_file()):
            raise UsageError(f"{clean(shown(each))}: expected a file of posts, {', '.join(ENDINGS)}")
    begun = time.monotonic()
    by_spark = args.spark is not None or args.engine == "spark"
    count = _written(_by_spark(args) if by_spark else locally(_batches(args.source), args.processes), args.output)
    took_s = time.monotonic() - begun
    screen.say(f"{count:,} posts read in {took_s:.1f} s, {count / max(took_s, 1e-9):,.0f} a second: {args.output}")
    return GOOD


def _written(batches: Iterable[pa.RecordBatch], output: Path) -> int:
    """Rows, in groups of GROUP: the file does not tell how the posts were cut, or who read them."""
    part = output.with_name(f"{output.name}.part")
    count, held, rows = 0, list[pa.RecordBatch](), 0
    try:
        with pa.parquet.ParquetWriter(part, SCHEMA) as out:
            for batch in chain(batches, (None,)):
                if batch is not None:
                    held.append(batch)
                    rows += batch.num_rows
                while rows >= GROUP or (batch is None and rows):
                    table = pa.Table.from_batches(held, SCHEMA).combine_chunks()
                    out.write_table(table.slice(0, GROUP))
                    count += min(rows, GROUP)
                    held = table.slice(GROUP).to_batches()
                    rows = max(0, rows - GROUP)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return count


def _batches(paths: list[str]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        try:
            table = table_of(path)
        except (pa.ArrowInvalid, OSError) as error:
            said = f"{clean(shown(path))}: cannot be read as {Path(path).suffix} ({type(error).__name__})"
            raise UsageError(said) from None
        _must_have(set(table.column_names), path)
        yield from cut(table)


def _must_have(columns: set[str], path: str) -> None:
    if missing := {"key", "caption"} - columns:
        raise UsageError(
            f"{clean(shown(path))}: expected the columns key and caption, missing: {', '.join(sorted(missing))}"
        )


def _by_spark(args: argparse.Namespace) -> Iterator[pa.RecordBatch]:
    if any(each.startswith("s3a://") for each in args.source) and not all(
        each.startswith("s3a://") and each.lower().endswith(".parquet") for each in args.source
    ):
        raise UsageError("texts: s3a:// is read by Spark itself, as .parquet only and not together with others")
    session = cluster.session("texts", args.spark or None)
    try:
        sources = [each if "://" in each else str(Path(each).resolve()) for each in args.source]
        yield from spark_frame(session, sources).toArrow().cast(SCHEMA).to_batches()
    finally:
        session.stop()


def _run(args: argparse.Namespace, session: Session) -> int:
    return _apart(args, session)


TEXTS = Command(
    "Read posts in files: language, terms, sentiment, category; by processes or Spark.", _arguments, _run, _apart,
    lambda args: True,
)  # fmt: skip
