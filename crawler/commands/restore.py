"""`scrapy restore FILE`: what `scrapy backup` wrote, into this server; what is there already stays."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from scrapy.exceptions import UsageError

from crawler.command import PlainCommand
from crawler.config import Config
from crawler.context import server_name
from crawler.forgetting import Keeper
from crawler.storage import forgotten
from crawler.storage.backup import restore
from crawler.storage.connect import opened
from crawler.storage.errors import StorageError
from crawler.storage.history import History


class Command(PlainCommand):
    refusals = (StorageError, OSError, ValueError)

    def syntax(self) -> str:
        return "FILE.tar.gz"

    def short_desc(self) -> str:
        return "Bring a backup into this server; said twice, nothing changes"

    def obey(self, args: list[str], opts: Namespace, settings: Config) -> int:
        if len(args) != 1:
            raise UsageError("name the file that `scrapy backup` wrote", print_help=False)
        with opened(settings) as database:
            history = History.of(database, settings)
            done = restore(database, Path(args[0]), history)
            keeper = Keeper(settings.hash_key, forgotten.stones(database))
            gone = forgotten.again(database, keeper, history, datetime.now(UTC))
        print(f"{done.total:,} documents brought into {server_name(settings)}, database {settings.mongodb_database}; "
              f"{done.there:,} were there already")  # fmt: skip
        if gone:
            print(f"{gone} documents of people who were forgotten since were left out")
        return 0
