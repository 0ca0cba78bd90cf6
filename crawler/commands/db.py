"""`scrapy db start|stop|status`: the local database server, by hand."""

from __future__ import annotations

import argparse
import sys
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler import config
from crawler.context import catch_up
from crawler.storage import server
from crawler.storage.connect import safe_uri
from crawler.storage.errors import StorageError


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "start|stop|status"

    def short_desc(self) -> str:
        return "Start or stop the local database server, or say whether it runs"

    def long_desc(self) -> str:
        return (
            "A crawl starts the local server by itself and leaves it running. "
            "Exit status of `status`: 0 when it runs, 1 when not."
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1 or args[0] not in ("start", "stop", "status"):
            raise UsageError("say what to do: start, stop or status")
        try:
            self.exitcode = _obey(args[0], config.load())
        except (StorageError, config.ConfigError) as error:
            print(error, file=sys.stderr)
            self.exitcode = 1


def _obey(order: str, settings: config.Config) -> int:
    data_dir = settings.data_dir / "db"
    if settings.mongodb_uri:
        print(f"MONGODB_URI is set: crawls use {safe_uri(settings.mongodb_uri)}, not the local server.")
    if order == "stop":
        print("stopped" if server.stop(data_dir) else f"no local server was running in {data_dir}")
        return 0
    if order == "start":
        server.ensure(data_dir)
        for waiting in sorted({path.parent.name for path in settings.spool_dir.glob("*/*.jsonl")}):
            catch_up(settings, waiting)
    status = server.status(data_dir)
    if not status.running:
        print(f"no local server is running in {data_dir} ({status.size_bytes / 1e6:.0f} MB)")
        return 1
    print(
        f"running: MongoDB {status.version}, process {status.pid}, {data_dir} "
        f"({status.size_bytes / 1e6:.0f} MB), {status.uri}"
    )
    return 0
