"""`scrapy verify`: archive, database and ledger agree; what is missing is brought in by replay."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from scrapy.commands import BaseRunSpiderCommand
from scrapy.exceptions import UsageError

from crawler import pages, running
from crawler.archive import Archive
from crawler.config import load
from crawler.context import now, open_store
from crawler.repairs import RepairsError
from crawler.storage.connect import address, connect, plain_errors
from crawler.storage.errors import StorageError
from crawler.storage.evidence import Evidence
from crawler.storage.schema import FETCHES_KEPT_DAYS
from crawler.verify import Findings, captures_of, examine

LEDGER_KEPT = timedelta(days=FETCHES_KEPT_DAYS)


class Command(BaseRunSpiderCommand):
    requires_project = True

    def syntax(self) -> str:
        return "[options]"

    def short_desc(self) -> str:
        return "Check that archive, database and ledger agree; repair by replay"

    def long_desc(self) -> str:
        return (
            "Every number must have its capture in the archive, every capture its row in the ledger and its items in "
            "the database. What a crash, a kill or a restored backup left out is brought in by replay of the archive. "
            "Exit status: 0 when all agree at the end."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        group = parser.add_argument_group("Verify")
        group.add_argument("--check", action="store_true", help="only say what is missing; change nothing")
        group.add_argument("--deep", action="store_true", help="read every capture anew and look for each of its items")
        group.add_argument("--database", metavar="NAME", help="database to check (default: MONGODB_DATABASE)")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        if opts.database and self.settings is not None:
            self.settings.set("TIDEMARK_DATABASE", opts.database, priority="cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args:
            raise UsageError("verify takes no file; bring captures in with: scrapy replay PATH")
        running.quieten(opts)
        pages.load_all()
        self.exitcode = 1
        try:
            found = self._examined(mend=not opts.check, deep=opts.deep)
            print(found)
            if found.repairable and not opts.check:
                print(f"replaying {len(found.repairable)} captures")
                sys.stdout.flush()
                self._replay(found.repairable)
                found = self._examined(mend=False, deep=opts.deep)
                print(found)
        except (StorageError, OSError, RepairsError) as error:
            sys.stderr.write(f"{error}\n")
            return
        if found.repairable and not opts.check:
            print(
                f"{len(found.repairable)} captures could not be mended; look into quarantine, or at a parser's change"
            )
        self.exitcode = 0 if found.agree else 1

    def _examined(self, *, mend: bool, deep: bool) -> Findings:
        """mend: the spool is brought in and torn ends of the archive are cut first."""
        assert self.settings is not None
        config = load()
        database: str = self.settings["TIDEMARK_DATABASE"]
        folder = config.archive_dir / database
        with ExitStack() as stack:
            if mend:
                client, store = open_store(config, database)
                stack.callback(store.close)
            else:
                client = connect(config)
            stack.callback(client.close)
            archive = stack.enter_context(Archive(folder, read_only=not mend))
            with plain_errors(address(config)):
                return examine(archive, Evidence(client[database]), deep=deep, ledger_since=now() - LEDGER_KEPT)

    def _replay(self, ids: list[str]) -> None:
        assert self.crawler_process is not None
        crawler = self._create_crawler("replay")
        context = running.ready(crawler)
        if context is not None:
            spargs: dict[str, Any] = {"captures": captures_of(context.archive, ids)}
            running.run(self.crawler_process, crawler, spargs)
