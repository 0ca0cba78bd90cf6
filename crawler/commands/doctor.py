"""`scrapy doctor`: what is wrong with this installation, and the command that mends it."""

from __future__ import annotations

import argparse
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand

from crawler import health
from crawler.context import now


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def short_desc(self) -> str:
        return "Check Python, packages, settings, database, disk, archive, browser and clock"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        for check in health.examine(now):
            print(check.line(), flush=True)
            if check.state == "fail":
                self.exitcode = 1
