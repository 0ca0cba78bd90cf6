"""Captures made here, and a check by two programs of others."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from warcio.checker import Checker

from crawler.archive import Capture
from crawler.items import Vantage

NOON = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)


def made(number: int = 0, body: bytes | None = None, **given: object) -> Capture:
    capture = Capture(
        url=f"https://waves.example/@tide{number}?lang=en",
        fetched_at=NOON + timedelta(seconds=number),
        status=200,
        headers={"content-type": "text/html; charset=utf-8", "server": "waves"},
        body=b"<html>%d</html>" % number if body is None else body,
        lane="http",
        vantage=Vantage(country="br", language="pt-BR"),
        target="@tide",
        spider="tiktok_profile",
    )
    return replace(capture, **given)  # type: ignore[arg-type]


def segments_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.warc.gz"))


def sound(folder: Path) -> None:
    """Two programs by others read every file, and every digest is right."""
    for segment in segments_of(folder):
        with segment.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=False):
                assert record.verify_block_digest(), (segment.name, record.record_id)
        with segment.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=True):
                if record.record_type == WarcRecordType.response:
                    assert record.verify_payload_digest(), (segment.name, record.record_id)
    said = io.StringIO()
    checker = Checker(type("Command", (), {"inputs": [str(s) for s in segments_of(folder)], "verbose": False}))
    with redirect_stdout(said):
        checker.process_all()
    assert (checker.exit_value, said.getvalue()) == (0, "")


@pytest.fixture
def page() -> Callable[..., Capture]:
    return made


@pytest.fixture
def segments() -> Callable[[Path], list[Path]]:
    return segments_of


@pytest.fixture
def assert_sound() -> Callable[[Path], None]:
    return sound
