"""`scrapy drift`: which pages have changed their shape, where the values went, and what a person decides about it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from scrapy.exceptions import UsageError

from crawler import pages, repairs
from crawler.archive import Archive, ArchiveError, Capture, CaptureMissing
from crawler.command import PlainCommand
from crawler.config import Config
from crawler.lanes.redact import printable
from crawler.repair import Moved, Proposal, propose
from crawler.repair_proof import KNOWN
from crawler.storage.connect import opened
from crawler.storage.drift import Break, Drift
from crawler.storage.errors import StorageError

TOLD = 4  # fields of a kind
MOST_CAPTURES = 12  # of each side, of different addresses


class Command(PlainCommand):
    refusals = (StorageError, OSError, repairs.RepairsError)

    def syntax(self) -> str:
        return "[options] [SPIDER]"

    def short_desc(self) -> str:
        return "Changes of shape: list, propose a repair, accept. Exit status 1 while one is open"

    def long_desc(self) -> str:
        return (
            "Without options: what is open. --propose searches the archive for where yesterday's known values went and "
            "tries it by replay; nothing changes. Put what is right into crawler/repairs.toml (or TIDEMARK_REPAIRS), "
            "see what it does to the history: scrapy replay --diff, and do it: scrapy replay --diff --confirm."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        group = parser.add_argument_group("Drift")
        group.add_argument("--propose", action="store_true", help="search the archive for where the values went")
        group.add_argument("-o", dest="file", metavar="FILE", help="with --propose: the repairs as TOML, with those "
                           "committed already")  # fmt: skip
        group.add_argument("--accept", metavar="RUN", help="what this run showed is the usual now")
        group.add_argument("--all", action="store_true", help="those that are over or accepted as well")
        group.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        if opts.file and not opts.propose:
            raise UsageError("-o FILE goes with --propose", print_help=False)
        if len(args) > 1:
            raise UsageError("name one spider, or none for all", print_help=False)
        if opts.file and not Path(opts.file).parent.is_dir():
            raise UsageError(f"-o {opts.file}: no such folder", print_help=False)
        with opened(settings) as database:
            kept = Drift(database)
            if args and args[0] not in (known := kept.spiders()):
                sys.stderr.write(f"{printable(args[0])[:80]}: no crawl of such a spider was judged yet; "
                                 f"there is {', '.join(known) or 'none'}\n")  # fmt: skip
                return 2
            if opts.accept:
                return _accept(kept, opts.accept)
            return _propose(kept, settings, args, opts) if opts.propose else _list(kept, args, opts)


def _accept(kept: Drift, run: str) -> int:
    found = kept.accept(run)
    for each in found:
        print(f"accepted: {_about(each)}; it is learned anew from the next run on")
    if not found:
        sys.stderr.write(f"no open change of shape in run {printable(run)[:80]}; see: scrapy drift\n")
    return 0 if found else 1


def _list(kept: Drift, args: list[str], opts: argparse.Namespace) -> int:
    found = [each for each in kept.breaks(*(() if opts.all else ("open",))) if not args or each.spider == args[0]]
    open_ones = [each for each in found if each.state == "open"]
    if opts.json:
        print(json.dumps([_as_data(each) for each in found], default=str, indent=1))
    else:
        for each in found:
            print(f"{each.state:8} {_about(each)}")
            print(f"         {each.says}")
            runs = f"{each.runs} run{'s' if each.runs > 1 else ''}"
            print(f"         since {each.since:%Y-%m-%d %H:%M} UTC, run {each.since_run}; {runs}, "
                  f"the last {each.last:%Y-%m-%d %H:%M}: {each.last_run}")  # fmt: skip
            if each.proposal:
                print(f"         repair: {each.proposal['state']}")
        if open_ones:
            print("where did the values go: scrapy drift --propose; is it the usual now: scrapy drift --accept RUN")
        elif not found:
            print("no change of shape is open")
    return 1 if open_ones else 0


def _about(each: Break) -> str:
    return f"{each.spider}: {each.group}" + (f", {each.field}" if each.field else "")


def _as_data(each: Break) -> dict[str, Any]:
    return {name: getattr(each, name) for name in Break.__slots__}


def _propose(kept: Drift, settings: Config, args: list[str], opts: argparse.Namespace) -> int:
    """0 where every change has a repair that brings its values back."""
    known = pages.load_all()
    found = [each for each in kept.breaks("open") if not args or each.spider == args[0]]
    if not found:
        print("no change of shape is open")
        return 0
    committed = repairs.committed()
    made: list[Proposal] = []
    told: list[dict[str, Any]] = []
    with Archive(settings.archive_dir / settings.mongodb_database, read_only=True) as archive:
        for spider, page in sorted({(each.spider, each.page) for each in found if each.page in known}):
            mine = [each for each in found if (each.spider, each.page) == (spider, page)]
            since = min(each.since for each in mine)
            old = _captures(archive, kept.captures(spider, page, since, after=False))
            new = _captures(archive, kept.captures(spider, page, since, after=True))
            proposal = propose(page, old, new, settings.hash_key) if old and new else None
            if proposal is not None and proposal.aliases:
                made.append(proposal)
            kept.propose([each.id for each in mine], summary(proposal, len(old), len(new)))
            told.append({"spider": spider, "page": page, **as_data(proposal)})
            if not opts.json:
                print("\n".join(lines(spider, page, proposal, len(old), len(new))))
    if opts.json:
        print(json.dumps(told, default=str, indent=1))
    if made:
        _write(made, committed, opts)
    return 0 if made and all(each.aliases and not each.gone for each in made) else 1


def _write(made: list[Proposal], committed: repairs.Repairs, opts: argparse.Namespace) -> None:
    entries = [each for proposal in made for each in proposal.repairs(committed)]
    text = repairs.as_toml(entries)
    if opts.file:
        before = repairs.as_toml(each for those in committed.values() for each in those)
        Path(opts.file).write_text(f"{before}\n{text}" if before else text, encoding="utf-8")
        said = sys.stderr if opts.json else sys.stdout
        said.write(f"written to {opts.file}; what it would change: scrapy replay --diff --with {opts.file}\n")
    elif not opts.json:
        print(f"\n{text}\nAs a file: scrapy drift --propose -o repairs.toml")


def _captures(archive: Archive, ids: list[str]) -> list[Capture]:
    """The newest of each address; those that are no longer kept are left out."""
    found: dict[str, Capture] = {}
    for each in ids:
        if len(found) >= MOST_CAPTURES:
            break
        try:
            capture = archive.read(each)
        except (CaptureMissing, ArchiveError):
            continue
        found.setdefault(capture.url, capture)
    return list(found.values())


def lines(spider: str, page: str, proposal: Proposal | None, old: int, new: int) -> Iterator[str]:
    yield f"{spider}, {page}: {old} captures from before, {new} since"
    if proposal is None:
        yield "  nothing to search in: captures of both sides are needed. Are they in this archive?"
        return
    for each in proposal.aliases:
        yield f"  {each.read}" + (" is now elsewhere:" if each.read != each.source else " has changed its form:")
        yield (
            f"    {each.source}"
            + (f" times {each.times}" if each.times is not None else "")
            + (', text such as "1.2K"' if each.count else "")
        )
    for kind in dict.fromkeys(each.kind for each in proposal.moved):
        told, rest = _told(proposal, kind)[:TOLD], _told(proposal, kind)[TOLD:]
        for moved in told:
            share = f"{moved.agree_before:.0%} -> {moved.agree_after:.0%} (n={moved.n})"
            yield f"  {_moved(moved)}: " + (share if moved.field == KNOWN else f"agrees with what was known {share}")
            yield from _examples(moved)
        if rest:
            yield f"  and of {kind} as well: {', '.join(each.field for each in rest)}"
    for kind, name in proposal.gone:
        yield f"  {kind}.{name}: the value is gone; it stands nowhere in the new pages"
    if not proposal.aliases and not proposal.gone:
        yield "  no path brings known values back"


def _told(proposal: Proposal, kind: str | None = None) -> list[Moved]:
    """What says most first: things known again, numbers, then the rest."""
    mine = [each for each in proposal.moved if each.n and kind in (None, each.kind)]
    return sorted(mine, key=lambda each: (each.field != KNOWN, not _is_number(each)))


def _is_number(moved: Moved) -> bool:
    values = [each.before for each in moved.examples if not isinstance(each.before, bool)]
    return any(isinstance(each, int | float | Decimal) for each in values)


def _moved(each: Moved) -> str:
    return f"{each.kind}: known again" if each.field == KNOWN else f"{each.kind}.{each.field}"


def _examples(moved: Moved) -> Iterator[str]:
    for each in () if moved.field == KNOWN else moved.examples[:1]:
        values = [printable(str(value))[:40] for value in (each.before, each.now, each.mended)]
        yield (f"    {printable(each.key)[:60]}: before {values[0]} ({each.before_in[:8]}); "
               f"now read as {values[1]}, repaired {values[2]} ({each.now_in[:8]})")  # fmt: skip


def as_data(proposal: Proposal | None) -> dict[str, Any]:
    if proposal is None:
        return {"aliases": [], "gone": [], "moved": [], "old": [], "new": []}
    return {
        "since": proposal.since, "old": proposal.old, "new": proposal.new,
        "aliases": [
            {"read": each.read, "from": each.source, "times": each.times, "count": each.count}
            for each in proposal.aliases
        ],
        "moved": [
            {"kind": each.kind, "field": each.field, "before": each.agree_before, "after": each.agree_after,
             "n": each.n, "examples": [{name: getattr(one, name) for name in one.__slots__} for one in each.examples]}
            for each in proposal.moved
        ],
        "gone": [f"{kind}.{name}" for kind, name in proposal.gone],
    }  # fmt: skip


def summary(proposal: Proposal | None, old: int, new: int) -> dict[str, Any]:
    """For the dashboard: what is proposed and how well it is proved; nobody's name and no text."""
    if proposal is None:
        return {"state": f"nothing to search in ({old} captures from before, {new} since)", "aliases": []}
    if proposal.aliases:
        moved = _told(proposal)
        proved = ", ".join(f"{_moved(each)} {each.agree_after:.0%} (n={each.n})" for each in moved[:TOLD])
        proved += f" and {len(moved) - TOLD} fields more" if len(moved) > TOLD else ""
        state = f"proposed: {proved}" if proved else "proposed"
    elif proposal.gone:
        state = "the value is gone: " + ", ".join(f"{kind}.{name}" for kind, name in proposal.gone)
    else:
        state = "no path brings known values back"
    return {
        "state": state, "old": list(proposal.old), "new": list(proposal.new),
        "aliases": [
            {"read": each.read, "from": each.source, "times": str(each.times or ""), "count": each.count}
            for each in proposal.aliases
        ],
    }  # fmt: skip
