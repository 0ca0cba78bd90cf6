"""`scrapy archive push|pull`: the capture archive to and from the object store of ARCHIVE_URL, by hand."""

from __future__ import annotations

import argparse

from scrapy.exceptions import UsageError

from crawler.command import PlainCommand
from crawler.config import Config
from crawler.shipping import ShippingError, pull, push


class Command(PlainCommand):
    refusals = (ShippingError,)

    def syntax(self) -> str:
        return "push|pull"

    def short_desc(self) -> str:
        return "Copy the capture archive to the object store, or back"

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        if args not in (["push"], ["pull"]):
            raise UsageError("say what to do: push or pull", print_help=False)
        if not settings.archive_url:
            raise UsageError("ARCHIVE_URL is not set; see .env.example", print_help=False)
        url = f"{settings.archive_url.rstrip('/')}/{settings.mongodb_database}"
        directory = settings.archive_dir / settings.mongodb_database
        done = push(directory, url) if args == ["push"] else pull(url, directory)
        print(f"{done.files} files, {done.bytes / 1e6:.1f} MB copied; {done.there} were there already")
        return 0
