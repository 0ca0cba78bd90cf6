"""What a subcommand of `python -m analysis` is: its arguments, and a run that returns an exit status."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

import pandas as pd

from analysis.output import check_ending, table, write
from crawler.storage.alerts import Alerts
from crawler.storage.creators import Creators
from crawler.storage.deals import Deals
from crawler.storage.exports import Exports
from crawler.storage.reads import Reader
from crawler.storage.texts import Texts
from crawler.storage.trends import Trends

if TYPE_CHECKING:
    from analysis.web.site import Site

GOOD, AWAY, WRONG = 0, 1, 2
Found = TypeVar("Found")
SIMULATED_ENDING = "_demo"
"""Of the name of a database that holds made-up data."""


class UsageError(ValueError):
    """Asked for what is not there; says what is."""


@dataclass(frozen=True)
class Screen:
    """Where one call of a subcommand shows what it found, and whether that is made-up data."""

    simulated: bool

    def say(self, line: str) -> None:
        print(line)

    def show(self, frame: pd.DataFrame, title: str) -> None:
        self.say(table(frame, title, simulated=self.simulated))

    def save(self, frame: pd.DataFrame, path: Path) -> None:
        write(frame, path, simulated=self.simulated)
        self.say(f"{len(frame):,} rows written to {path}{' (simulated)' if self.simulated else ''}")


About: TypeAlias = Callable[[str, Sequence[str]], pd.DataFrame]
"""As Reader.about: what is said of each entity of a kind."""


class Near(Protocol):
    """A look into the database where it is there; it is closed again before this returns. Else, why it was not used."""

    def __call__(self, look: Callable[[About], Found]) -> Found | str: ...


@dataclass(frozen=True)
class Apart(Screen):
    """A screen without a database, but for a look into it by those who can do without."""

    near: Near


@dataclass(frozen=True)
class Session(Screen):
    """A screen with a database to read, a place for alerts and for creators in it, and a folder for trained models."""

    reader: Reader
    alerts: Alerts
    trends: Trends
    creators: Creators
    texts: Texts
    deals: Deals
    exports: Exports
    models_dir: Path
    hash_key: str | None = field(repr=False)
    user_agent: str
    site: Callable[[], Site]
    """The database as dashboard and report see it; opened when asked for."""


@dataclass(frozen=True)
class Command:
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Session], int]
    apart: Callable[[argparse.Namespace, Apart], int] | None = None
    """Runs without a database, where `is_apart` says so."""
    is_apart: Callable[[argparse.Namespace], bool] = lambda args: False


def moment(text: str) -> datetime:
    """`2021-09-24` or `2021-09-24T01:15Z`; UTC where no zone is given."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no moment; write 2021-09-24 or 2021-09-24T01:15Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def until(text: str) -> datetime:
    """As moment; a day alone is meant whole."""
    found = moment(text)
    return found + timedelta(days=1) if len(text) <= len("2021-09-24") else found


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 1")
    return int(text)


def hours(text: str) -> timedelta:
    try:
        found = timedelta(hours=float(text))
    except (ValueError, OverflowError):
        found = timedelta(0)
    if found <= timedelta(0):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of hours above 0")
    return found


def file(*endings: str) -> Callable[[str], Path]:
    """A path with one of *endings* in a folder that exists."""

    def path(text: str) -> Path:
        try:
            return check_ending(Path(text), endings)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return path
