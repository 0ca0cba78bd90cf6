"""`scrapy replay PATH…`: captures, WARC, HAR or saved pages through the same pages and pipelines."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import BaseRunSpiderCommand
from scrapy.exceptions import UsageError

from crawler import differing, pages, reading, repairs, running, shipping, stages
from crawler.archive import Capture
from crawler.counts import day_or_moment
from crawler.items import Vantage
from crawler.lanes.sources import Options, Skipped, read
from crawler.verdict import ALREADY

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.context import Context
    from crawler.storage.store import Store

SAID = 12
FOLLOW_S = 5.0  # between two looks


class Command(BaseRunSpiderCommand):
    requires_project = True

    def syntax(self) -> str:
        return "[options] PATH…"

    def short_desc(self) -> str:
        return "Put captures, WARC, HAR or saved pages through pages and pipelines"

    def long_desc(self) -> str:
        return (
            "PATH is an archive folder, a .warc(.gz), a .har, a saved page (.html .json .csv .txt .oembed, also .gz), "
            "a table of boards (.csv .json .jsonl, also .gz), a tar of pages and tables (.tar.xz .tar.gz .tar.bz2), "
            "read member by member, or a folder of them. URL and moment come from the options, a sidecar "
            "NAME.meta.json, a MANIFEST.tsv, or the file itself; a file without a moment is skipped, and said. "
            "Applying captures in any order, any number of times, gives the same database."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        group = parser.add_argument_group("Replay")
        group.add_argument("--url", help="original address, for a single saved page")
        group.add_argument(
            "--observed-at", metavar="WHEN", help="moment of capture: 2026-01-31 or 2026-01-31T12:00:00Z"
        )
        group.add_argument(
            "--manifest", metavar="FILE", help="TSV with path, url, observed_at (found by itself nearby)"
        )
        group.add_argument("--place", help="place of a board whose file does not say it: br, us, world, …")
        group.add_argument("--country", help="country the page was seen from (ISO code)")
        group.add_argument("--page", metavar="NAME", help="page object to read with, instead of choosing one")
        group.add_argument("--database", metavar="NAME", help="database to write to (default: MONGODB_DATABASE)")
        group.add_argument("--follow", action="store_true", help="captures of another process as they are archived, "
                           "here or in ARCHIVE_URL, until Ctrl-C; takes no PATH")  # fmt: skip
        group.add_argument("--diff", action="store_true", help="print which stored numbers would change, and write "
                           "nothing; without PATH: the whole archive")  # fmt: skip
        group.add_argument("--with", dest="repairs", metavar="FILE", help="with --diff: repairs to try, instead of "
                           "those committed (scrapy drift --propose -o FILE)")  # fmt: skip
        group.add_argument("--json", action="store_true", help="with --diff: one JSON object a number")
        group.add_argument("--confirm", action="store_true", help="with --diff: then store them, by replay of those "
                           "captures")  # fmt: skip
        group.add_argument("--resume", action="store_true", help="skip what an interrupted replay has stored already")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        super().process_options(args, opts)
        if opts.database and self.settings is not None:
            self.settings.set("TIDEMARK_DATABASE", opts.database, priority="cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        running.quieten(opts)
        if not opts.diff and (opts.repairs or opts.confirm or opts.json):
            raise UsageError("--with, --confirm and --json go with --diff", print_help=False)
        if opts.diff and (opts.follow or opts.resume or opts.page):
            raise UsageError("--diff goes with neither --follow, --resume nor --page", print_help=False)
        if bool(args) == opts.follow and not opts.diff:
            raise UsageError("name at least one file or folder, or --follow", print_help=False)
        known = pages.load_all()
        if opts.page and opts.page not in known:
            raise UsageError(f"no page object {opts.page!r}; there are {', '.join(sorted(known))}", print_help=False)
        paths = [Path(each) for each in args]
        if lacking := [str(path) for path in paths if not path.exists()]:
            sys.stderr.write(f"{', '.join(lacking)}: no such file or folder\n")
            self.exitcode = 2
            return
        options = self._options(opts)
        assert self.crawler_process is not None
        crawler = self._create_crawler("replay")
        context = running.ready(crawler)
        if context is None:
            self.exitcode = 1
            return
        if opts.diff:
            self.exitcode = self._diff(crawler, context, paths, options, opts)
            return
        parsers = reading.parsers()
        if opts.follow:
            self.exitcode = self._follow(crawler, context, parsers)
            return
        captures: Iterable[Capture | Skipped] = read(paths, options)
        if opts.resume:
            captures = unapplied(captures, context.store, parsers, crawler)
        skipped: list[Skipped] = []
        spargs = {"captures": captures, "page_name": opts.page, "skipped": skipped}
        self.exitcode = running.run(self.crawler_process, crawler, spargs)
        say_skipped(skipped)
        if crawler.stats is not None and crawler.stats.get_value("finish_reason") != "finished":
            sys.stderr.write("interrupted; go on with: scrapy replay --resume " + " ".join(args) + "\n")

    def _diff(
        self, crawler: Crawler, context: Context, paths: list[Path], options: Options, opts: argparse.Namespace
    ) -> int:
        """0: what there is to differ is told, or stored; without --confirm the database is only read."""
        if opts.repairs and opts.confirm:
            raise UsageError(
                f"--confirm takes the repairs that every crawl takes. Put {opts.repairs} there first: cp "
                f"{opts.repairs} crawler/repairs.toml (or TIDEMARK_REPAIRS); then scrapy replay --diff --confirm",
                print_help=False,
            )
        try:
            mended = repairs.read(Path(opts.repairs)) if opts.repairs else repairs.committed()
        except repairs.RepairsError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        looked = differing.Looked()
        captures: Iterable[Capture | Skipped] = read(paths, options) if paths else context.archive.captures()
        compare = context.differences()
        for each in differing.differences(captures, compare, context.config.hash_key, mended, looked):
            print(differing.as_json(each) if opts.json else differing.line(each))
        said = sys.stderr if opts.json else sys.stdout
        said.write("\n".join(looked.summary()) + "\n")
        if not looked.differing or not opts.confirm:
            said.write("nothing was written" + (
                "; to store them: scrapy replay --diff --confirm\n" if looked.differing else "\n"))  # fmt: skip
            context.close()
            return 0
        wanted = set(looked.differing)
        again = (
            (each for each in read(paths, options) if isinstance(each, Capture) and each.id in wanted)
            if paths else (context.archive.read(each) for each in looked.differing)
        )  # fmt: skip
        assert self.crawler_process is not None
        sys.stdout.flush()
        return running.run(self.crawler_process, crawler, {"captures": again})

    def _follow(self, crawler: Crawler, context: Context, parsers: dict[str, str]) -> int:
        """Ends with Ctrl-C, and well: what was read is stored."""

        def fetch() -> None:
            if context.config.archive_url:
                try:
                    shipping.pull(shipping.address(context), context.archive_dir)
                except shipping.ShippingError as error:
                    sys.stderr.write(f"{error}\n")  # away for a while: the next look tries again

        captures = stages.followed(context.archive_dir, context.store, parsers, fetch, FOLLOW_S, count())
        assert self.crawler_process is not None
        running.run(self.crawler_process, crawler, {"captures": captures})
        fates = context.accounts.fates
        return 1 if fates["unsaved"] or fates["spooled"] else 0

    def _options(self, opts: argparse.Namespace) -> Options:
        try:
            at, precision = day_or_moment(opts.observed_at) if opts.observed_at else (None, None)
        except ValueError as error:
            raise UsageError(f"--observed-at: {error}", print_help=False) from None
        return Options(
            url=opts.url, observed_at=at, at_precision=precision, place=opts.place,
            manifest=Path(opts.manifest) if opts.manifest else None, vantage=Vantage(country=opts.country),
        )  # fmt: skip


def unapplied(
    captures: Iterable[Capture | Skipped], store: Store, parsers: dict[str, str], crawler: Crawler
) -> Iterator[Capture | Skipped]:
    """Captures that no run has stored with today's parsers; asked in batches."""
    source = iter(captures)
    while batch := list(islice(source, 50)):
        done = store.applied([each.id for each in batch if isinstance(each, Capture)], parsers)
        if crawler.stats is not None:  # set when the crawl starts, which is when this is read
            crawler.stats.inc_value(ALREADY, len(done))
        yield from (each for each in batch if isinstance(each, Skipped) or each.id not in done)


def say_skipped(skipped: list[Skipped]) -> None:
    """The first few by name, the rest by reason."""
    for each in skipped[:SAID]:
        sys.stderr.write(f"skipped {each.path}: {each.reason}\n")
    rest = Counter(each.reason.partition(";")[0] for each in skipped[SAID:])
    for reason, n in rest.most_common(8):
        sys.stderr.write(f"skipped {n} more: {reason}\n")
