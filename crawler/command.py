"""What commands that crawl nothing have in common."""

from __future__ import annotations

import argparse
import sys
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand

from crawler import config, console
from crawler.config import Config
from crawler.storage.errors import StorageError


class PlainCommand(ScrapyCommand):
    """No log of Scrapy's; what goes wrong in a way that `refusals` name is said in a line, with exit status 1."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}
    refusals: ClassVar[tuple[type[Exception], ...]] = (StorageError,)

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        """The exit status."""
        raise NotImplementedError

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            self.exitcode = self.obey(args, opts, config.load())
            sys.stdout.flush()
        except BrokenPipeError:
            self.exitcode = console.reader_left()
        except KeyboardInterrupt:
            self.exitcode = console.interrupted()
        except self.refusals as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = 1
