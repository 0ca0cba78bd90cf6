"""`texts`: posts in files read by several processes or by Spark, to a file. Needs no database."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from analysis.command import GOOD, Command, Screen, Session, UsageError, file, positive
from analysis.output import clean
from analysis.text.scale import SCHEMA, cut, locally, spark_frame, spark_session

READERS = {
    ".parquet": lambda path: pa.parquet.read_table(path),
    ".jsonl": lambda path: pa.json.read_json(path),
    ".csv": lambda path: pa.csv.read_csv(path),
}


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--from", dest="source", type=Path, nargs="+", required=True, metavar="FILE",
           help="posts: .parquet, .jsonl or .csv with the columns key and caption")  # fmt: skip
    option("-o", dest="output", type=file(".parquet"), required=True, metavar="FILE", help="write here (.parquet)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--processes", type=positive, default=1, metavar="N", help="on this machine (default 1)")
    how.add_argument("--spark", nargs="?", const="", metavar="MASTER", help="by Spark; default: as it is set up")


def _apart(args: argparse.Namespace, screen: Screen) -> int:
    for each in args.source:
        if each.suffix.lower() not in READERS or not each.is_file():
            raise UsageError(f"{clean(str(each))}: expected a file of posts, {', '.join(READERS)}")
    begun = time.monotonic()
    count = _by_spark(args) if args.spark is not None else _here(args)
    took_s = time.monotonic() - begun
    screen.say(f"{count:,} posts read in {took_s:.1f} s, {count / max(took_s, 1e-9):,.0f} a second: {args.output}")
    return GOOD


def _here(args: argparse.Namespace) -> int:
    part = args.output.with_name(f"{args.output.name}.part")
    count = 0
    try:
        with pa.parquet.ParquetWriter(part, SCHEMA) as out:
            for batch in locally(_batches(args.source), args.processes):
                out.write_batch(batch)
                count += batch.num_rows
        part.replace(args.output)
    finally:
        part.unlink(missing_ok=True)
    return count


def _batches(paths: list[Path]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        try:
            table = READERS[path.suffix.lower()](path)
        except (pa.ArrowInvalid, OSError) as error:
            raise UsageError(f"{clean(str(path))}: cannot be read as {path.suffix} ({type(error).__name__})") from None
        if missing := {"key", "caption"} - set(table.column_names):
            raise UsageError(f"{clean(str(path))}: expected the columns key and caption, missing: {', '.join(missing)}")
        yield from cut(table)


def _by_spark(args: argparse.Namespace) -> int:
    if find_spec("pyspark") is None:
        raise UsageError("texts: --spark needs the extra `spark` and Java 17; try: pip install pyspark")
    if len({path.suffix.lower() for path in args.source}) > 1 or args.source[0].suffix.lower() == ".csv":
        raise UsageError("texts: --spark reads .parquet or .jsonl, one kind at a time")
    session = spark_session(args.spark or None)
    try:
        rows = spark_frame(session, [str(path.resolve()) for path in args.source]).toArrow()
    finally:
        session.stop()
    pa.parquet.write_table(rows.cast(SCHEMA), args.output)
    return int(rows.num_rows)


def _run(args: argparse.Namespace, session: Session) -> int:
    return _apart(args, session)


TEXTS = Command(
    "Read posts in files: language, terms, sentiment, category; by processes or Spark.", _arguments, _run, _apart,
    lambda args: True,
)  # fmt: skip
