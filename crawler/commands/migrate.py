"""`scrapy migrate`: the schema brought to this version; the release phase of a deployment."""

from __future__ import annotations

import argparse

from scrapy.exceptions import UsageError

from crawler.command import PlainCommand
from crawler.config import Config
from crawler.storage import migrations
from crawler.storage.connect import opened


class Command(PlainCommand):
    def syntax(self) -> str:
        return "[--dry-run]"

    def short_desc(self) -> str:
        return "Bring collections, validators, indexes and documents to this version"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        if args:
            raise UsageError("migrate takes no argument; see --help", print_help=False)
        with opened(settings) as database:
            lines = [f"{each.what}: {each.count(database):,} documents" for each in migrations.pending(database)]
            lines += migrations.plan(database)
            print("\n".join(lines) or "nothing to do")
            if not opts.dry_run:
                migrations.migrate(database)
                print(f"database {database.name} is at version {migrations.version(database)}")
        return 0
