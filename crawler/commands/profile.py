"""`scrapy profile [SOURCE]`: what the last run's items looked like as a whole, and what was unusual about it."""

from __future__ import annotations

import argparse
import sys

from crawler.command import PlainCommand
from crawler.config import Config
from crawler.lanes import redact
from crawler.storage import run_profiles


class Command(PlainCommand):
    def syntax(self) -> str:
        return "[SPIDER TARGETS]"

    def short_desc(self) -> str:
        return "Fill rates, ranges and repeats of the last run, and what was unusual"

    def long_desc(self) -> str:
        return (
            "SOURCE is a spider and its targets, as in: scrapy profile x_trends br. Without it, the newest run of any."
        )

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        found = run_profiles.last(settings, settings.mongodb_database, " ".join(args) or None)
        if found is None:
            sys.stderr.write(f"no run of {redact.printable(' '.join(args)) or 'anything'} has a profile yet\n")
            return 1
        print(f"{found['source']}, run {found['_id']}")
        ranges = {each["name"]: (each["least"], each["greatest"]) for each in found["ranges"]}
        for each in found["measures"]:
            kind, _, rest = each["name"].partition(" ")
            least, greatest = ranges.get(f"{kind} {rest.removeprefix('median ')}", (None, None))
            bounds = "" if least is None or not rest.startswith("median ") else f"   {least:,.0f} to {greatest:,.0f}"
            print(f"  {each['name']:44} {each['value']:>16,.3f}{bounds}")
        for line in found["alarms"]:
            print(f"  unusual: {line}")
        return 0
