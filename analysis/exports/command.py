"""`export`: the database out to files, SQL databases, a warehouse or a bundle. Opens the target, says what agrees."""

from __future__ import annotations

import argparse
import importlib
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from analysis.command import GOOD, WRONG, Command, Session, UsageError
from analysis.exports.bundle import read_table, write_bundle
from analysis.exports.charts import as_file
from analysis.exports.er import diagram
from analysis.exports.files import LOCALES, csv_bytes, jsonl_bytes, parquet_bytes, write_xlsx
from analysis.exports.folder import Folder, opened
from analysis.exports.partitions import write_partitions
from analysis.exports.pseudonyms import Pseudonyms
from analysis.exports.schema import Table, children
from analysis.exports.source import Source
from analysis.exports.sqlcopy import PostgresCopy, SqliteCopy
from analysis.exports.sync import Synced, Target, sync
from analysis.output import OutputError

FOLDERS = ("csv", "jsonl", "parquet")
COPIES = ("sqlite", "postgres", "bigquery")
KINDS = (*FOLDERS, "xlsx", "duckdb", *COPIES, "bundle", "charts", "diagram")
WHERE = {
    "csv": "FOLDER", "jsonl": "FOLDER or s3://…, gs://…", "parquet": "FOLDER or s3://…, gs://…", "xlsx": "FILE.xlsx",
    "sqlite": "FILE.sqlite", "duckdb": "FILE.duckdb", "postgres": "a libpq address without the password (~/.pgpass)",
    "bigquery": "PROJECT.DATASET", "bundle": "FOLDER",
    "charts": "FILE.charts", "diagram": "FILE.md",
}  # fmt: skip
SHORTEST_KEY = 16


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--to", required=True, choices=KINDS, help="what to write")
    option("where", help="; ".join(f"{kind}: {place}" for kind, place in WHERE.items()))
    option("--tables", metavar="A,B", help="only these (default all); their lists come with them")
    option("--by-day", action="store_true", help="jsonl, parquet: a file a day, and later only the days that changed")
    option("--locale", choices=tuple(LOCALES), default="C", help="csv: pt-BR has semicolons and decimal commas")
    option("--pseudonymise", action="store_true", help="bundle: people as keyed hashes (TIDEMARK_HASH_KEY)")
    option("--anew", action="store_true", help="write every day again and leave nothing of what was removed; "
           "scrapy forget does so with every export it knows")  # fmt: skip


def _export(args: argparse.Namespace, session: Session) -> int:
    if args.known_at:
        raise UsageError("export: what is known now; leave out --known-at")
    _check(args)
    if args.to in ("diagram", "charts"):
        body = diagram().encode() if args.to == "diagram" else as_file(session.exports.name)
        opened(str(Path(args.where).parent)).write(Path(args.where).name, body)
        session.say(f"written to {args.where}")
        return GOOD
    source = Source(session.exports, session.reader)
    tables = _tables(args.tables, source)
    _note(args, session)
    if args.to in COPIES:
        with_target = {"sqlite": _sqlite, "postgres": _postgres, "bigquery": _bigquery}[args.to]
        work = partial(sync, source, tables=tables, say=session.say, anew=args.anew)
        return _say(with_target(args.where, work), session)
    if args.by_day:
        folder = opened(args.where)
        return _say(write_partitions(source, folder, args.to, tables, session.say, anew=args.anew), session)
    counts = _files(args, session, source, tables)
    for name, rows in counts.items():
        session.say(f"{name}: {rows:,} rows")
    session.say(f"written to {args.where}{' (simulated)' if session.simulated else ''}")
    return GOOD


def _note(args: argparse.Namespace, session: Session) -> None:
    """Before the first byte: what was cut off is known, too. Leftovers of such a one go."""
    is_here = "://" not in args.where and args.to not in ("postgres", "bigquery")
    place = str(Path(args.where).resolve()) if is_here else args.where
    words = ["--to", args.to, place]
    words += ["--tables", args.tables] if args.tables else []
    words += ["--locale", args.locale] if args.locale != "C" else []
    words += [f"--{name.replace('_', '-')}" for name in ("by_day", "pseudonymise") if getattr(args, name)]
    session.exports.note(place, platform.node() if is_here else None, words, datetime.now(UTC))
    if args.anew and is_here:
        path = Path(place)
        for part in path.rglob("*.part") if path.is_dir() else path.parent.glob(f"{path.name}.part"):
            part.unlink(missing_ok=True)


def _check(args: argparse.Namespace) -> None:
    if args.by_day and args.to not in ("jsonl", "parquet"):
        raise UsageError("--by-day: goes with --to jsonl or --to parquet")
    if args.locale != "C" and args.to != "csv":
        raise UsageError(
            "--locale: goes with --to csv; a spreadsheet (--to xlsx) shows numbers as its reader's country does"
        )
    if args.pseudonymise and args.to != "bundle":
        raise UsageError("--pseudonymise: goes with --to bundle")


def _tables(asked: str | None, source: Source) -> tuple[Table, ...]:
    if asked is None:
        return source.tables()
    names = [each.strip() for each in asked.split(",")]
    known = {table.name: table for table in source.tables()}
    if missing := [name for name in names if name not in known]:
        raise UsageError(f"--tables: no table {missing[0]!r}; there are {', '.join(known)}")
    return tuple(table for table in source.tables() if table.name in names)


def _files(args: argparse.Namespace, session: Session, source: Source, tables: Sequence[Table]) -> dict[str, int]:
    if args.to == "bundle":
        names = _pseudonyms(session) if args.pseudonymise else None
        return write_bundle(source, opened(args.where), names, simulated=session.simulated, tables=tables)
    held = [(table, read_table(source, table)) for table in tables]
    flat = [(each, rows[each.name]) for table, rows in held for each in (table, *children(table))]
    match args.to:
        case "xlsx":
            write_xlsx(_file(args.where, ".xlsx"), flat, simulated=session.simulated)
        case "duckdb":
            _duckdb(_file(args.where, ".duckdb"), flat)
        case "csv":
            _write(
                opened(args.where), "csv", [(t, csv_bytes(t, rows, LOCALES[args.locale])) for t, rows in flat], session
            )
        case "parquet":
            _write(opened(args.where), "parquet", [(t, parquet_bytes(t, rows)) for t, rows in flat], session)
        case _:
            _write(opened(args.where), "jsonl", [(t, jsonl_bytes(t, rows)) for t, rows in held], session)
    return {table.name: len(rows) for table, rows in flat}


def _write(folder: Folder, ending: str, files: Sequence[tuple[Table, bytes]], session: Session) -> None:
    for table, body in files:
        folder.write(f"{table.name}.{ending}", body)
    if session.simulated:
        folder.write("SIMULATED.txt", b"All numbers in these files are made up by the demo.\n")


def _file(where: str, ending: str) -> Path:
    path = Path(where)
    if path.suffix != ending:
        raise UsageError(f"{where}: expected a file whose name ends in {ending}")
    if not path.parent.is_dir():
        raise UsageError(f"{where}: there is no folder {path.parent}; make it first")
    return path


def _pseudonyms(session: Session) -> Pseudonyms:
    if not session.hash_key or len(session.hash_key) < SHORTEST_KEY:
        raise UsageError(
            f"TIDEMARK_HASH_KEY: needed for --pseudonymise, {SHORTEST_KEY} characters or more that nobody guesses; "
            "keep it, another key gives other pseudonyms. See .env.example."
        )
    return Pseudonyms(session.hash_key)


Work = Callable[[Target], list[Synced]]


def _sqlite(where: str, work: Work) -> list[Synced]:
    path = Path(where)
    if not path.parent.is_dir():
        raise UsageError(f"{where}: there is no folder {path.parent}; make it first")
    copy = SqliteCopy(path)
    try:
        return work(copy)
    finally:
        copy.close()


def _postgres(where: str, work: Work) -> list[Synced]:
    psycopg = _needed("psycopg", "postgres")
    try:
        connection = psycopg.connect(where, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise OutputError(
            f"postgres: cannot connect: {str(error).splitlines()[0]}; password: ~/.pgpass or PGPASSWORD"
        ) from None
    with connection:
        try:
            return work(PostgresCopy(connection))
        except psycopg.Error as error:
            raise OutputError(f"postgres: refuses ({type(error).__name__}): {str(error).splitlines()[0]}") from None


def _bigquery(where: str, work: Work) -> list[Synced]:
    bigquery = _needed("google.cloud.bigquery", "bigquery")
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    from analysis.exports.warehouse import BigQueryCopy

    project, _, dataset = where.rpartition(".")
    try:
        return work(BigQueryCopy(bigquery.Client(project=project or None), dataset))
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        first = (str(error).splitlines() or [""])[0][:200]
        raise OutputError(
            f"bigquery: refuses ({type(error).__name__}): {first}; try: gcloud auth application-default login"
        ) from None


def _duckdb(path: Path, tables: Sequence[tuple[Table, Sequence[Any]]]) -> None:
    """Anew each time, whole or not at all: it is read from columns in seconds."""
    import io

    import pyarrow.parquet as pq

    duckdb = _needed("duckdb", "duckdb")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(part)) as connection:
            for table, rows in tables:
                connection.register("rows", pq.read_table(io.BytesIO(parquet_bytes(table, rows))))
                connection.execute(f'CREATE TABLE "{table.name}" AS SELECT * FROM rows')
                connection.unregister("rows")
        part.replace(path)
    except duckdb.Error as error:
        raise OutputError(f"{path}: cannot be written: {str(error).splitlines()[0]}") from None
    finally:
        part.unlink(missing_ok=True)


def _needed(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise OutputError(f"{extra}: needs a package that is not installed: pip install 'tidemark[{extra}]'") from None


def _say(told: Sequence[Synced], session: Session) -> int:
    import pandas as pd

    frame = pd.DataFrame({
        "table": [each.table for each in told], "in database": [each.kept for each in told],
        "in copy": [each.copied for each in told], "read": [each.read for each in told],
        "written": [each.written for each in told], "removed": [each.deleted for each in told],
        "agrees": [each.agrees for each in told],
    })  # fmt: skip
    session.show(frame, "Rows, reconciled")
    wrong = [each.table for each in told if not each.agrees]
    if wrong:
        session.say(f"not the same: {', '.join(wrong)}; rows that wait for others come with the next export")
    return WRONG if wrong else GOOD


EXPORT = Command("The database as files, SQL, warehouse or a bundle for researchers.", _arguments, _export)
