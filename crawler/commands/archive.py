"""`scrapy archive push|pull`: the capture archive to and from the object store of ARCHIVE_URL, by hand."""

from __future__ import annotations

import argparse
import sys
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from crawler import config
from crawler.shipping import ShippingError, pull, push


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        return "push|pull"

    def short_desc(self) -> str:
        return "Copy the capture archive to the object store, or back"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args not in (["push"], ["pull"]):
            raise UsageError("say what to do: push or pull", print_help=False)
        settings = config.load()
        if not settings.archive_url:
            raise UsageError("ARCHIVE_URL is not set; see .env.example", print_help=False)
        url = f"{settings.archive_url.rstrip('/')}/{settings.mongodb_database}"
        directory = settings.archive_dir / settings.mongodb_database
        try:
            done = push(directory, url) if args == ["push"] else pull(url, directory)
        except ShippingError as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = 1
            return
        print(f"{done.files} files, {done.bytes / 1e6:.1f} MB copied; {done.there} were there already")
