"""`scrapy db start|stop|status`: the local database server, by hand."""

from __future__ import annotations

import argparse

from scrapy.exceptions import UsageError

from crawler.command import PlainCommand
from crawler.config import Config
from crawler.context import catch_up
from crawler.storage import server
from crawler.storage.connect import safe_uri


class Command(PlainCommand):
    def syntax(self) -> str:
        return "start|stop|status"

    def short_desc(self) -> str:
        return "Start or stop the local database server, or say whether it runs"

    def long_desc(self) -> str:
        return (
            "A crawl starts the local server by itself and leaves it running. "
            "Exit status of `status`: 0 when it runs, 1 when not."
        )

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        if len(args) != 1 or args[0] not in ("start", "stop", "status"):
            raise UsageError("say what to do: start, stop or status")
        return _obey(args[0], settings)


def _obey(order: str, settings: Config) -> int:
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
