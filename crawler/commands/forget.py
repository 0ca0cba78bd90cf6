"""`scrapy forget NAME`: a person out of database, old months, archive, object store and exports, and kept out."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrapy.exceptions import UsageError

from crawler import leftovers
from crawler.archive import Archive, ArchiveError, rewrite
from crawler.archive.expiry import FORGOTTEN
from crawler.command import PlainCommand
from crawler.config import Config
from crawler.context import open_store
from crawler.forgetting import HANDLE
from crawler.shipping import ShippingError, push, put_file, remove_file
from crawler.storage import forgotten, outlets
from crawler.storage.connect import address, plain_errors
from crawler.storage.errors import StorageError
from crawler.storage.forgotten import Person
from crawler.storage.history import History
from crawler.storage.traces import Traces


class Command(PlainCommand):
    refusals = (StorageError, ArchiveError, ShippingError, OSError)

    def syntax(self) -> str:
        return "NAME [--platform tiktok] --yes"

    def short_desc(self) -> str:
        return "Remove a person from database, archive, object store and exports, and keep them out"

    def long_desc(self) -> str:
        return (
            "By handle; other handles and the numbers of the same account are found. Every capture that shows the "
            "person leaves the archive, whose segments are written anew: numbers of others from those pages stay, "
            "without their proof. Exports are made anew where they lie. Needs TIDEMARK_HASH_KEY: what keeps the person "
            "out is a hash with that key."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--platform", default="tiktok", help="tiktok (default), x, …")
        parser.add_argument("--yes", action="store_true", help="do it; without this, only say what would go")

    def obey(self, args: list[str], opts: argparse.Namespace, settings: Config) -> int:
        name = args[0].lstrip("@") if len(args) == 1 else ""
        if not HANDLE.fullmatch(name):
            raise UsageError("name one person, as on the profile: scrapy forget NAME --yes", print_help=False)
        if not settings.hash_key:
            sys.stderr.write("TIDEMARK_HASH_KEY: not set; it is what keeps a person out. See .env.example\n")
            return 1
        client, store = open_store(settings, settings.mongodb_database)  # what waits in the spool comes in first
        with client, closing(store), plain_errors(address(settings)):
            database = client[settings.mongodb_database]
            person = forgotten.known_as(database, opts.platform.lower(), name)
            if opts.yes:
                return 0 if _forget(database, settings, settings.hash_key, person) else 1
            _preview(database, settings, person)
        return 0


def _preview(database: Any, settings: Config, person: Person) -> None:
    print(f"{len(person.names)} handles, {len(person.numbers)} numbers and {len(person.posts)} posts are known")
    with Archive(_folder(settings), read_only=True) as archive:
        n = sum(forgotten.shows(capture, person) for capture in archive.captures())
        print(f"{n} of {len(archive)} captures show this person and would leave the archive")
    for each in outlets.all_of(database):
        print(f"the export in {each.place} would be made anew without this person")
    print("nothing was changed; to do it: --yes")


def _forget(database: Any, settings: Config, key: str, person: Person) -> bool:
    """From the outside to the inside, so that a run that was cut off still finds who is meant. False: say it again."""
    now = datetime.now(UTC)
    folder = _folder(settings)
    rewrite.free(folder)
    forgotten.bury(database, person, key, now)
    ids, gone, came = rewrite.without(folder, lambda capture: forgotten.shows(capture, person))
    shipped(settings, folder, gone)
    files = leftovers.remove(settings, folder, Traces(person))
    old = forgotten.remove_from_history(History.of(database, settings), person, now)
    done = forgotten.remove(database, person)
    print(f"database: {done.total()} documents ({', '.join(f'{n} {name}' for name, n in sorted(done.items()))})")
    print(f"old months: {old} documents; {files} files of interrupted runs and of vectors")
    print(f"archive: {len(ids)} captures, {len(gone)} segments written anew as {len(came)}")
    whole = leftovers.export_anew(database, Traces(person), print)
    print("kept out by a keyed tombstone. Out of reach: backups (restore leaves the person out), what you copied or "
          "sent on, tables and reports in files, the database server's own log of changes")  # fmt: skip
    return whole


def shipped(settings: Config, folder: Path, gone: list[str]) -> None:
    """The object store follows: what came first, then what went."""
    if not settings.archive_url or not gone:
        return
    url = f"{settings.archive_url.rstrip('/')}/{settings.mongodb_database}"
    push(folder, url)
    put_file(folder / FORGOTTEN, f"{url}/{FORGOTTEN}")
    for name in gone:
        remove_file(f"{url}/{name}")
        remove_file(f"{url}/{name}.idx")


def _folder(settings: Config) -> Path:
    return settings.archive_dir / settings.mongodb_database


def sweep(database: Any, settings: Config) -> int:
    """Captures that showed forgotten people again leave the archive; how many. Called by `scrapy retention`."""
    wanted = forgotten.noted_captures(database)
    if not wanted:
        return 0
    folder = _folder(settings)
    gone, _ = rewrite.remove(folder, wanted)
    shipped(settings, folder, gone)
    forgotten.drop_notes(database, wanted)
    return len(wanted)
