"""`scrapy restore FILE`: what `scrapy backup` wrote, into this server; what is there already stays."""

from __future__ import annotations

import sys
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler import config
from crawler.context import server_name
from crawler.forgetting import Keeper
from crawler.storage import forgotten
from crawler.storage.backup import restore
from crawler.storage.connect import address, connect, plain_errors
from crawler.storage.errors import StorageError
from crawler.storage.history import History


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "FILE.tar.gz"

    def short_desc(self) -> str:
        return "Bring a backup into this server; said twice, nothing changes"

    def run(self, args: list[str], opts: Namespace) -> None:
        if len(args) != 1:
            raise UsageError("name the file that `scrapy backup` wrote", print_help=False)
        settings = config.load()
        try:
            with connect(settings) as client, plain_errors(address(settings)):
                database = client[settings.mongodb_database]
                history = History.of(database, settings)
                done = restore(database, Path(args[0]), history)
                keeper = Keeper(settings.hash_key, forgotten.stones(database))
                gone = forgotten.again(database, keeper, history, datetime.now(UTC))
        except (StorageError, OSError, ValueError) as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = 1
            return
        print(f"{done.total:,} documents brought into {server_name(settings)}, database {settings.mongodb_database}; "
              f"{done.there:,} were there already")  # fmt: skip
        if gone:
            print(f"{gone} documents of people who were forgotten since were left out")
