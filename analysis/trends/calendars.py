"""Calendars of programmes and other events, from CSV or ICS files: when what was on. Reads files, never queries.

CSV: columns start, end (or minutes), title and, where given, words (separated by ;): names that tell a topic belongs to
it. ICS: events with their repetitions. A time without a zone is meant in the clock of the place.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from crawler.topics import topic_key

LARGEST_BYTES = 20_000_000
MOST_SHOWINGS = 100_000
LEAST_LETTERS, LEAST_SIGNS = 4, 2  # of a name, in Latin and other scripts; a shorter one stands in too many others


class CalendarError(ValueError):
    """A file that is no calendar we can read; says where and what was expected."""


@dataclass(frozen=True)
class Showing:
    title: str
    start: datetime
    end: datetime
    names: frozenset[str]
    """Folded names; a topic whose key holds one is named after it."""


def read_calendar(path: Path, zone: str, since: datetime, until: datetime) -> list[Showing]:
    """What was on between two moments, by start. Raises CalendarError."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise CalendarError(f"{path}: larger than {LARGEST_BYTES // 1_000_000} MB; is this a calendar?")
        body = path.read_bytes()
    except OSError as error:
        raise CalendarError(f"{path}: cannot be read: {error.strerror or error}") from None
    clock = ZoneInfo(zone)
    read = _from_ics if body.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"BEGIN:VCALENDAR") else _from_csv
    found = [each for each in read(path, body, clock, since, until) if each.end > since and each.start < until]
    if not found:
        raise CalendarError(f"{path}: nothing in it lies between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC")
    return sorted(found, key=lambda each: (each.start, each.title))


def _from_csv(path: Path, body: bytes, clock: ZoneInfo, since: datetime, until: datetime) -> Iterator[Showing]:
    rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig", "replace"), newline=""))
    heads = {(name or "").strip().lower() for name in rows.fieldnames or ()}
    if not {"start", "title"} <= heads or not heads & {"end", "minutes"}:
        raise CalendarError(
            f"{path}: expected the columns start, end (or minutes), title, or an ICS file; "
            f"found {', '.join(sorted(heads)) or 'nothing'}"
        )
    for number, row in enumerate(rows, 2):
        cells = {(name or "").strip().lower(): value for name, value in row.items() if isinstance(value, str)}
        try:
            start = _in_zone(datetime.fromisoformat(cells["start"].strip()), clock)
            ending = cells.get("end", "").strip()
            long = None if ending else timedelta(minutes=float(cells.get("minutes", "")))
            end = _in_zone(datetime.fromisoformat(ending), clock) if ending else start + (long or timedelta())
        except (ValueError, OverflowError, KeyError):
            raise CalendarError(
                f"{path} line {number}: expected start and end as 2026-03-01 20:30, or minutes as a number"
            ) from None
        yield _showing(f"{path} line {number}", cells["title"], start, end, cells.get("words", ""))


def _from_ics(path: Path, body: bytes, clock: ZoneInfo, since: datetime, until: datetime) -> Iterator[Showing]:
    import recurring_ical_events
    from icalendar import Calendar

    try:
        query = recurring_ical_events.of(Calendar.from_ical(body), skip_bad_series=True)
        shown: list[Any] = list(islice(query.between(since, until), MOST_SHOWINGS + 1))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise CalendarError(f"{path}: a damaged calendar ({type(error).__name__}); does it open elsewhere?") from None
    if len(shown) > MOST_SHOWINGS:
        raise CalendarError(f"{path}: more than {MOST_SHOWINGS:,} events in that time; cut it with --since and --until")
    for each in shown:
        start, end = (_moment(each[name].dt, clock) for name in ("DTSTART", "DTEND"))
        title = str(each.get("SUMMARY", "")).strip() or "(no title)"
        yield _showing(f"{path}: {title[:40]}", title, start, end, "")


def _moment(told: date | datetime, clock: ZoneInfo) -> datetime:
    """A day alone begins at midnight of the place."""
    whole = told if isinstance(told, datetime) else datetime(told.year, told.month, told.day, tzinfo=clock)
    return _in_zone(whole, clock)


def _in_zone(told: datetime, clock: ZoneInfo) -> datetime:
    return told if told.tzinfo else told.replace(tzinfo=clock)


def _showing(where: str, title: str, start: datetime, end: datetime, words: str) -> Showing:
    if end <= start:
        raise CalendarError(f"{where}: expected an end behind the start, found {start:%H:%M} to {end:%H:%M}")
    names = frozenset(filter(_tells, (topic_key(each.strip()) for each in words.split(";"))))
    return Showing(title.strip(), start, end, names or frozenset(filter(_tells, [topic_key(title.strip())])))


def _tells(key: str) -> bool:
    return len(key) >= (LEAST_LETTERS if key.isascii() else LEAST_SIGNS)
