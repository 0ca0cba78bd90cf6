"""`scrapy backup FILE`: the database, and months that have left it, as one checked file."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from scrapy.exceptions import UsageError

from crawler.command import PlainCommand
from crawler.config import Config
from crawler.storage.backup import backup, check
from crawler.storage.connect import opened
from crawler.storage.errors import StorageError
from crawler.storage.history import History


class Command(PlainCommand):
    refusals = (StorageError, OSError, ValueError)

    def syntax(self) -> str:
        return "FILE.tar.gz"

    def short_desc(self) -> str:
        return "The database as one checked file"

    def long_desc(self) -> str:
        return (
            "Into another server, local or Atlas: MONGODB_URI=… scrapy restore FILE. The archive of captures is a "
            "folder of its own (TIDEMARK_DATA/archive): copy it, or scrapy archive push."
        )

    def obey(self, args: list[str], opts: Namespace, settings: Config) -> int:
        if len(args) != 1:
            raise UsageError("name the file to write, such as tidemark.tar.gz", print_help=False)
        path = Path(args[0])
        if path.exists():
            raise OSError(f"{path} is there already; name another file")
        if not path.absolute().parent.is_dir():
            raise OSError(f"{path.parent}: no such folder")
        with opened(settings) as database:
            done = backup(database, path, datetime.now(UTC), History.of(database, settings))
        check(path)
        print(f"{path}: {done.total:,} documents of {len(done.documents)} collections, {done.bytes / 1e6:.1f} MB; "
              "read back and right")  # fmt: skip
        return 0
