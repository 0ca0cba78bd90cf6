"""`scrapy migrate`: the schema brought to this version; the release phase of a deployment."""

from __future__ import annotations

import argparse
import sys
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler import config
from crawler.storage import migrations
from crawler.storage.connect import address, connect, plain_errors
from crawler.storage.errors import StorageError


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "[--dry-run]"

    def short_desc(self) -> str:
        return "Bring collections, validators, indexes and documents to this version"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args:
            raise UsageError("migrate takes no argument; see --help", print_help=False)
        settings = config.load()
        try:
            with connect(settings) as client, plain_errors(address(settings)):
                database = client[settings.mongodb_database]
                lines = [f"{each.what}: {each.count(database):,} documents" for each in migrations.pending(database)]
                lines += migrations.plan(database)
                print("\n".join(lines) or "nothing to do")
                if not opts.dry_run:
                    migrations.migrate(database)
                    print(f"database {database.name} is at version {migrations.version(database)}")
        except StorageError as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = 1
