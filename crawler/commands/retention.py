"""`scrapy retention`: rollups, room in the database, old captures; and the size report."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from scrapy.exceptions import UsageError

from crawler.archive.expiry import expire, gone_path
from crawler.command import PlainCommand
from crawler.commands.forget import sweep
from crawler.config import Config
from crawler.shipping import ShippingError, push, put_file, remove_file
from crawler.storage import retention, rollups, schema
from crawler.storage.connect import opened
from crawler.storage.errors import StorageError
from crawler.storage.history import History


class Command(PlainCommand):
    refusals = (StorageError, ShippingError, OSError)

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Rollups, room in the database, old captures; says what takes how much"

    def long_desc(self) -> str:
        return (
            "Makes hourly and daily rollups of observations. With TIDEMARK_PLAN_MB: at 80 % of it the oldest months "
            "move to verified Parquet files. With TIDEMARK_ARCHIVE_DAYS or TIDEMARK_ARCHIVE_MB: the oldest captures "
            "go. Without those nothing is ever moved or removed. Exit status 1 when the plan is 95 % full at the end."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        group = parser.add_argument_group("Retention").add_mutually_exclusive_group()
        group.add_argument("--check", action="store_true", help="only the size report; change nothing")
        group.add_argument("--rebuild", action="store_true", help="all rollups anew")
        group.add_argument("--bring-back", metavar="COLLECTION@MONTH", help="a month into the database again")

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        if args:
            raise UsageError("retention takes no argument; see --help", print_help=False)
        now = datetime.now(UTC)
        with opened(settings) as database:
            schema.ensure(database)
            history = History.of(database, settings)
            if opts.bring_back:
                return _brought_back(database, history, opts.bring_back)
            if not opts.check:
                self._keep(settings, database, history, now, rebuild=opts.rebuild)
            room = retention.room(database, settings.plan_bytes, now)
            print(report(room, history))
        return 1 if room.share is not None and room.share >= retention.FULL else 0

    def _keep(self, settings: Config, database: Any, history: History, now: datetime, *, rebuild: bool) -> None:
        print(f"rollups: {rollups.refresh(database, now, rebuild=rebuild)} days made or made anew")
        if settings.plan_bytes is not None:
            if settings.dyno and not settings.archive_url:
                sys.stderr.write("nothing is moved: on a dyno the files would be lost; set ARCHIVE_URL\n")
            else:
                for month in retention.make_room(database, history, settings.plan_bytes, now):
                    print(
                        f"moved {month.id}: {month.rows:,} documents, {month.bytes / 1e6:.1f} MB of Parquet, verified"
                    )
        if n := sweep(database, settings):
            print(f"captures: {n} that showed forgotten people left the archive")
        old_captures(settings, now)


def old_captures(settings: Config, now: datetime) -> None:
    """By age here and in the object store, by size only here."""
    if settings.archive_days is None and settings.archive_bytes is None:
        return
    directory = settings.archive_dir / settings.mongodb_database
    before = None if settings.archive_days is None else now - timedelta(days=settings.archive_days)
    url = f"{settings.archive_url.rstrip('/')}/{settings.mongodb_database}" if settings.archive_url else None
    there = None
    if url is not None:
        push(directory, url)
        there = {path.name for path in directory.glob("*.warc.gz")}
    done = expire(directory, before=before, most_bytes=None)
    for name in done.segments if url is not None else ():
        remove_file(f"{url}/{name}")
        remove_file(f"{url}/{name}.idx")
        put_file(gone_path(directory / name), f"{url}/{name}.gone")
    small = expire(directory, before=None, most_bytes=settings.archive_bytes, only=there)
    freed = (done.bytes + small.bytes) / 1e6
    print(f"captures: {len(done.segments)} segments expired, {len(small.segments)} left this disk for their size; "
          f"{freed:.1f} MB freed, {done.kept_for_others} kept for bodies that younger captures share")  # fmt: skip


def report(room: retention.Room, history: History) -> str:
    lines = [f"{'collection':18} {'documents':>12} {'MB':>9} {'MB a day':>9}"]
    lines += [
        f"{each.collection:18} {each.documents:>12,} {each.bytes / 1e6:>9.1f} {each.per_day / 1e6:>9.2f}"
        for each in room.sizes
        if each.documents
    ]
    lines.append(f"{'all':18} {'':>12} {room.bytes / 1e6:>9.1f} {room.per_day / 1e6:>9.2f}")
    if room.share is not None and room.plan_bytes:
        lines.append(f"{room.share:.0%} of the {room.plan_bytes / 1e6:.0f} MB of TIDEMARK_PLAN_MB; " + _forecast(room))
    if months := history.months():
        out = sum(each.bytes for each in months) / 1e6
        lines.append(f"{len(months)} files of old months hold {sum(each.rows for each in months):,} documents in "
                     f"{out:.1f} MB of Parquet: {history.folder}")  # fmt: skip
    return "\n".join(lines)


def _forecast(room: retention.Room) -> str:
    days = room.days_until(retention.TIGHT)
    if days is None:
        return "it does not grow"
    if days == 0:
        return "months older than 35 days move out at 80 %"
    return f"at last week's pace 80 % are reached in {days:,.0f} days; then the oldest months move out"


def _brought_back(database: Any, history: History, wanted: str) -> int:
    months = {each.id: each for each in history.months()}
    if wanted not in months:
        sys.stderr.write(f"no such month; there are {', '.join(months) or 'none'}\n")
        return 2
    print(f"{retention.bring_back(database, history, months[wanted]):,} documents are in the database again")
    return 0
