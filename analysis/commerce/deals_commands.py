"""`deals`: what posts offer. From files, dumps or standard input without a database; or from stored posts."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import orjson

from analysis.command import AWAY, GOOD, Apart, Command, Session, UsageError, file, positive
from analysis.commerce.deals import read
from analysis.commerce.deals_archive import Found, Joined, Selection, local, spark
from analysis.commerce.deals_catalogue import brands_of, catalogue_for
from analysis.commerce.deals_kafka import consume
from analysis.commerce.deals_live import live
from analysis.commerce.deals_progress import SAID, Pace, troubles
from analysis.commerce.deals_rows import NotAPost, row, told
from analysis.commerce.deals_spans import Catalogue
from analysis.commerce.deals_store import store
from analysis.commerce.deals_watch import Watched, watch_list
from crawler.lanes import twitterstream
from crawler.lanes.tweets import Account
from crawler.lanes.twitterstream import Damaged


def _arguments(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option(
        "given", nargs="*", metavar="IN",
        help="posts as lines of JSON (.jsonl, .jsonl.gz, - for standard input), or dumps of a tweet stream: .tar .zip "
        ".json .gz .bz2, folders of them, https:// s3:// gs://; without IN: the stored posts that are new",
    )  # fmt: skip
    option("-o", dest="output", type=file(".jsonl"), metavar="FILE", help="lines of JSON (default: standard output)")
    option(
        "--watch", type=Path, metavar="FILE", help="retailers, a line each: handle or id, and a category after a comma"
    )
    option("--only-watched", action="store_true", help="only posts of the accounts of --watch")
    option("--brands", metavar="A,B,…", help="brands to look for; of a dump, only tweets that name one of these")
    option("--no-catalogue", action="store_true", help="do not look for the brands and products that were crawled")
    option(
        "--keep",
        choices=("deals", "amounts", "all"),
        help="which readings to write (default: of lines all, of dumps deals)",
    )
    option(
        "--engine",
        choices=("local", "spark"),
        default="local",
        help="who reads dumps (default: processes of this machine)",
    )
    option("--processes", type=positive, metavar="N", help="of the local engine (default: one a core)")
    option(
        "--store", action="store_true",
        help="store posts of dumps (those that --keep keeps) and their deals; what was deleted leaves or stays out",
    )  # fmt: skip
    option(
        "--withdraw", action="store_true", help="remove from the database what the delete notices of dumps take back"
    )
    option("--resume", action="store_true", help="go on with an interrupted dump, member by member")
    option("--kafka", metavar="SERVERS/TOPIC", help="read a topic: host:port[,host:port]/topic; needs the extra kafka")
    option("--kafka-out", metavar="TOPIC", help="write to this topic, keyed by post, instead of to a file")
    option("--group", default="tidemark-deals", metavar="NAME", help="consumer group (default tidemark-deals)")
    option("--idle-s", type=float, metavar="S", help="end when the topic was silent for so long (default: never)")


def _stored(args: argparse.Namespace, session: Session) -> int:
    return store(args, session) if args.store else live(args, session)


def _apart(args: argparse.Namespace, screen: Apart) -> int:
    watched = watch_list(args.watch) if args.watch else Watched({})
    if args.only_watched and not watched:
        raise UsageError("--only-watched needs --watch FILE with at least one account")
    if args.kafka:
        if args.given:
            raise UsageError("--kafka reads a topic; leave the files out")
        return consume(args, watched, catalogue_for(args, screen.near))
    dumps = [each for each in args.given if not _are_lines(each)]
    if dumps and len(dumps) < len(args.given):
        raise UsageError("lines of JSON and dumps in one call; read them in two")
    if dumps:
        return _dumps(args, watched, screen)
    if args.engine == "spark" or args.resume:
        raise UsageError("--engine and --resume are for dumps; this is lines of JSON")
    return _lines(args, watched, catalogue_for(args, screen.near))


def _are_lines(given: str) -> bool:
    return given == "-" or given.lower().endswith((".jsonl", ".jsonl.gz"))


def _lines(args: argparse.Namespace, watched: Watched, catalogue: Catalogue | None) -> int:
    n = refused = 0
    with ExitStack() as stack:
        out = stack.enter_context(args.output.open("wb")) if args.output else sys.stdout.buffer
        for name, number, line in _given_lines(args.given, stack):
            n += 1
            try:
                key, post = told(_parsed(line), watched.names)
            except NotAPost as error:
                refused += 1
                if refused <= SAID:
                    sys.stderr.write(f"{name}, line {number}: {error}\n")
                continue
            found = read(post, catalogue)
            if _kept(found.is_deal, bool(found.amounts), args.keep or "all"):
                out.write(orjson.dumps(row(key, found) | watched.category_of(post), option=orjson.OPT_APPEND_NEWLINE))
            if name == "standard input":
                out.flush()
    sys.stderr.write(f"{n:,} lines read, {refused:,} of them no posts{f'; {args.output}' if args.output else ''}\n")
    return GOOD if not refused else AWAY


def _kept(is_deal: bool, has_amounts: bool, keep: str) -> bool:
    return keep == "all" or is_deal or (keep == "amounts" and has_amounts)


def _given_lines(given: Iterable[str], stack: ExitStack) -> Iterator[tuple[str, int, bytes]]:
    for each in given:
        if each == "-":
            source: IO[bytes] = sys.stdin.buffer
            name = "standard input"
        else:
            if not Path(each).is_file():
                raise UsageError(f"{each}: no such file")
            opened = gzip.open(each) if each.lower().endswith(".gz") else Path(each).open("rb")  # noqa: SIM115 - the stack closes it
            source, name = cast(IO[bytes], stack.enter_context(opened)), each
        yield from ((name, number, line) for number, line in enumerate(source, 1) if line.strip())


def _parsed(line: bytes) -> dict[str, object]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise NotAPost(f"no JSON ({error})") from None
    if not isinstance(found, dict):
        raise NotAPost(f"expected an object, found {type(found).__name__}")
    return found


@dataclass
class _Progress:
    """What was finished, in a file beside the output: a line for each member, written after its rows.

    A member that is cut is not finished: it is read again, and of its rows only those are written that are new.
    """

    path: Path | None
    done: set[str] = field(default_factory=set)
    out_bytes: int = 0
    written: dict[str, set[str]] = field(default_factory=dict)
    """Of a cut member: the ids of its rows."""

    def load(self) -> None:
        if self.path is None or not self.path.exists():
            return
        whole = []
        for line in self.path.read_text("utf-8").splitlines():
            try:
                kept = json.loads(line)
            except ValueError:
                break  # the line that was being written when it stopped
            if "cut" in kept:
                self.written[kept["member"]] = self.written.get(kept["member"], set()) | set(kept["cut"])
            else:
                self.done.add(kept["member"])
            self.out_bytes = kept["out_bytes"]
            whole.append(f"{line}\n")
        self.path.write_text("".join(whole), "utf-8")

    def finished(self, found: Found, rows: list[dict[str, Any]], out: IO[bytes]) -> None:
        if self.path is None:
            return
        out.flush()
        line: dict[str, Any] = {"member": found.name, "out_bytes": out.tell()}
        if found.problem:
            line["cut"] = [each["id"] for each in rows]
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _dumps(args: argparse.Namespace, watched: Watched, screen: Apart) -> int:
    try:
        sources = [each for given in args.given for each in twitterstream.sources(given) if each != str(args.output)]
    except FileNotFoundError as error:
        raise UsageError(str(error)) from None
    if not sources:
        raise UsageError(f"{', '.join(args.given)}: no .tar, .zip, .json, .gz or .bz2 in it")
    if args.resume and not args.output:
        raise UsageError("--resume needs -o FILE")
    progress = _Progress(args.output.with_suffix(".progress") if args.output else None)
    if args.resume:
        progress.load()
    elif progress.path:
        progress.path.unlink(missing_ok=True)
    catalogue = catalogue_for(args, screen.near)
    selection = Selection(brands_of(args), args.keep or "deals", watched.names, args.only_watched, catalogue)
    done = frozenset(progress.done)
    engine = (
        spark(sources, selection, done) if args.engine == "spark" else local(sources, selection, args.processes, done)
    )
    joined = Joined()
    with ExitStack() as stack:
        out: IO[bytes] = sys.stdout.buffer
        if args.output:
            out = stack.enter_context(args.output.open("r+b" if args.resume and args.output.exists() else "wb"))
            out.truncate(progress.out_bytes)
            out.seek(progress.out_bytes)
        deals = _joined(engine, joined, out, progress, sources)
    return _summary(joined, deals, len(done))


def _joined(
    engine: Iterator[Found | Damaged], joined: Joined, out: IO[bytes], progress: _Progress, sources: list[str]
) -> int:
    deals, pace = 0, Pace(sources)
    for found in engine:
        before = progress.written.get(found.name, ())
        rows = [each for each in joined.take(found) if each["id"] not in before]
        for each in rows:
            out.write(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE))
        deals += len(rows)
        if isinstance(found, Found):
            progress.finished(found, rows, out)
        pace.after(found, joined)
    pace.end()
    return deals


def _summary(joined: Joined, kept: int, before: int) -> int:
    account: Account = joined.account
    notices = ", ".join(f"{n:,} {kind}" for kind, n in sorted(account.notices.items())) or "none"
    say = sys.stderr.write
    again = f", {before:,} were read before" if before else ""
    say(f"{joined.members:,} members read{again}: {account.lines:,} lines\n")
    say(f"  {account.tweets:,} tweets, {account.duplicates:,} of them again, {account.truncated:,} cut by the platform")
    say(f" ({account.lost_text:,} without their full text)\n  notices: {notices}\n")
    if account.damaged or account.other or account.empty:
        say(f"  {account.damaged:,} damaged lines, {account.other:,} of no known kind, {account.empty:,} empty\n")
    say(f"{kept:,} rows written\n")
    wrong = list(troubles(joined))
    say("".join(f"{line}\n" for line in wrong))
    return AWAY if wrong else GOOD


DEALS = Command(
    "What posts offer: amounts with their roles, product, brand, seller.", _arguments, _stored, _apart,
    lambda args: bool(args.given or args.kafka) and not (args.withdraw or args.store),
)  # fmt: skip
