"""`scrapy targets`: the watch list, typed and canonical. Spiders without -a targets= take it."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrapy.exceptions import UsageError

from crawler.command import PlainCommand
from crawler.config import Config
from crawler.storage.connect import opened
from crawler.storage.errors import StorageError
from crawler.storage.looks import Looks
from crawler.storage.targets import OPERATORS, Role, Target, Targets
from crawler.targets import TargetError, TargetForm, typed

CONDITION = re.compile(r"(followers|following|likes|videos)\s*(<=|>=|<|>|=)\s*(\d+(?:\.\d+)?(?:e\d{1,2})?)")
MOST_SAMPLED = 10_000


class Command(PlainCommand):
    requires_crawler_process = True
    refusals = (StorageError, OSError)

    def syntax(self) -> str:
        return "add|list|pause|resume|remove|import [TARGET…]"

    def short_desc(self) -> str:
        return "The watch list: what spiders take when they are started without targets"

    def long_desc(self) -> str:
        return (
            "scrapy targets add @nasa '#booktok' https://shop.example --role competitor; "
            "scrapy targets add skincare --spider tiktok_search; "
            "scrapy targets add --where 'likes<1e9' --where 'followers>10000' --sample 15; "
            "scrapy targets import FILE (one target a line, or CSV with the columns target, spider, role); "
            "scrapy targets list [--spider NAME]; scrapy targets pause|resume|remove TARGET…"
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--spider", metavar="NAME", help="whose target it is, where its form does not tell")
        parser.add_argument("--role", choices=("own", "competitor"))
        parser.add_argument("--where", action="append", default=[], metavar="CONDITION",
                            help="pick known creators by followers, following, likes, videos: likes<1e9")  # fmt: skip
        parser.add_argument("--sample", type=int, metavar="N", help="how many of them, drawn at random")

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        verbs: dict[str, Callable[[Targets, list[str], argparse.Namespace], int]] = {
            "add": self._add, "pause": self._pause, "resume": self._resume,
            "remove": self._remove, "import": self._import,
        }  # fmt: skip
        if not args or args[0] not in (*verbs, "list"):
            raise UsageError(f"say what to do: {', '.join((*verbs, 'list'))}", print_help=False)
        try:
            with opened(settings) as database:
                if args[0] == "list":
                    return _list(Targets(database).listed(opts.spider), Looks(database))
                return verbs[args[0]](Targets(database), args[1:], opts)
        except TargetError as error:
            sys.stderr.write(f"{error}\n")
            return 2

    def _add(self, targets: Targets, written: list[str], opts: argparse.Namespace) -> int:
        if opts.where or opts.sample is not None:
            written = [*written, *self._picked(targets, opts)]
        if not written:
            raise TargetError("targets add: name a target, or --where with --sample")
        return self._put(targets, [self._target(each, opts.spider, opts.role) for each in written])

    def _picked(self, targets: Targets, opts: argparse.Namespace) -> list[str]:
        conditions = []
        for each in opts.where:
            if (found := CONDITION.fullmatch(each.strip())) is None:
                raise TargetError(f"--where {each[:40]!r}: expected a counter, a sign and a number, as in 'likes<1e9'")
            assert found[2] in OPERATORS
            conditions.append((found[1], found[2], int(float(found[3]))))
        if opts.sample is None or not 0 < opts.sample <= MOST_SAMPLED:
            raise TargetError(f"--sample: expected a number from 1 to {MOST_SAMPLED}")
        found_ones = targets.creators(conditions, opts.sample)
        if not found_ones:
            raise TargetError("no known creator meets that; crawl some first: scrapy crawl tiktok_profile -a targets=…")
        return [f"@{each}" for each in found_ones]

    def _import(self, targets: Targets, files: list[str], opts: argparse.Namespace) -> int:
        """A bad line is told with its number, and nothing is added."""
        if len(files) != 1:
            raise TargetError("targets import: name one file")
        made, bad = [], []
        for number, (value, spider, role) in _lines(Path(files[0])):
            try:
                made.append(self._target(value, spider or opts.spider, _role(role) or opts.role))
            except TargetError as error:
                bad.append(f"line {number}: {error}")
        if bad:
            more = f"\nand {len(bad) - 20} more" if len(bad) > 20 else ""
            raise TargetError("\n".join(bad[:20]) + more + "\nnothing was added")
        return self._put(targets, made)

    def _put(self, targets: Targets, wanted: list[Target]) -> int:
        fresh = targets.add(wanted)
        new = {each.id for each in fresh}
        for each in wanted:
            if each.id not in new:
                sys.stderr.write(f"already on the list: {each.spider} {each.value}\n")
        for each in fresh:
            print(f"{each.spider:24} {each.value}")
        return 0 if fresh else 1

    def _pause(self, targets: Targets, written: list[str], opts: argparse.Namespace) -> int:
        return self._changed(written, opts, lambda ids: targets.pause(ids, True))

    def _resume(self, targets: Targets, written: list[str], opts: argparse.Namespace) -> int:
        return self._changed(written, opts, lambda ids: targets.pause(ids, False))

    def _remove(self, targets: Targets, written: list[str], opts: argparse.Namespace) -> int:
        return self._changed(written, opts, targets.remove)

    def _changed(self, written: list[str], opts: argparse.Namespace, change: Callable[[list[str]], int]) -> int:
        if not written:
            raise TargetError("name a target")
        lacking = 0
        for each in written:
            if not change([self._target(each, opts.spider, None).id]):
                sys.stderr.write(f"not on the list: {each[:60]}\n")
                lacking += 1
        return 1 if lacking else 0

    def _target(self, written: str, spider: str | None, role: Role | None) -> Target:
        spider, value = self._typed(written, spider)
        return Target(spider, value, datetime.now(UTC), role)

    def _typed(self, written: str, spider: str | None) -> tuple[str, str]:
        """Whose it is, and its canonical form."""
        assert self.crawler_process is not None
        loader = self.crawler_process.spider_loader
        known: dict[str, tuple[TargetForm, tuple[str, ...]]] = {}
        for name in loader.list():
            cls: Any = loader.load(name)
            if isinstance(getattr(cls, "target", None), TargetForm):
                known[name] = cls.target, cls.hosts
        if spider is None:
            return typed(written, known)
        if spider not in known:
            raise TargetError(f"no spider {spider[:40]!r}; there are {', '.join(sorted(known))}")
        if "," in written:  # the list is given to spiders with commas between
            raise TargetError(f"target {written[:40]!r}: one at a time, without commas")
        return spider, known[spider][0].canonical(written)


def _role(written: str) -> Role | None:
    if written not in ("", "own", "competitor"):
        raise TargetError(f"role {written[:20]!r}: expected own or competitor")
    return written or None  # type: ignore[return-value]


def _lines(path: Path) -> list[tuple[int, tuple[str, str | None, str]]]:
    """Line number, target, spider, role: of a CSV file with a header, or of a file with a target a line."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "target" not in head:
        plain = path.read_text(encoding="utf-8-sig").splitlines()
        return [(n, (line.strip(), None, "")) for n, line in enumerate(plain, 1) if line.strip() and line[0] != "%"]
    found = []
    for n, row in enumerate(rows[1:], 2):
        cells = dict(zip(head, (cell.strip() for cell in row), strict=False))
        if cells.get("target"):
            found.append((n, (cells["target"], cells.get("spider") or None, cells.get("role", ""))))
    return found


def _list(found: list[Target], looks: Looks) -> int:
    known = looks.known(each.id for each in found)
    for each in found:
        learned = known[each.id].learned if each.id in known else None
        told = [each.role or "", "paused" if each.paused else "",
                f"every {each.every_s / 60:g} min" if each.every_s else "",
                f"followed to {each.followed_at[:16].replace('T', ' ')}" if each.followed_at else "",
                learned.found() if learned else ""]  # fmt: skip
        print(f"{each.spider:24} {each.value:40} {', '.join(filter(None, told))}".rstrip())
    if not found:
        sys.stderr.write("nothing is on the list; try: scrapy targets add @nasa\n")
    return 0 if found else 1
