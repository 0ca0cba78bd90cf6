"""One process captures, another reads: nothing is read twice, nothing is left out."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from pymongo.database import Database

from tests.shell import Shell, ended, good


def test_captures_of_one_process_are_read_by_another_as_they_appear(
    shell: Shell, database: Database[Any], serve: Any, tmp_path: Path
) -> None:
    site = serve(good)
    shell.environ["ARCHIVE_URL"] = f"file://{tmp_path}/store"
    only = ("-s", "TIDEMARK_CAPTURE_ONLY=1")
    first = shell.crawl(site, *only)
    assert first.returncode == 0, first.stderr
    assert "items: 0 items" in first.stderr
    assert database["products"].count_documents({}) == 0
    assert {row["outcome"] for row in database["fetches"].find()} == {"ok"}
    # Another machine: its own disk, the same database and object store.
    elsewhere = Shell(shell.environ["MONGODB_URI"], database.name, tmp_path / "elsewhere")
    elsewhere.environ["ARCHIVE_URL"] = shell.environ["ARCHIVE_URL"]
    with elsewhere.started("replay", "--follow") as reader:
        wait_for(database, "products", 3)
        second = shell.crawl(site, *only)
        assert second.returncode == 0, second.stderr
        wait_for(database, "observations", 6)
        reader.send_signal(signal.SIGINT)
        done = ended(reader)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert database["observations"].count_documents({}) == 6  # offers of two crawls, each once


def wait_for(database: Database[Any], name: str, documents: int) -> None:
    """Until the other process has stored as many; its changes are watched, not slept for."""
    with database[name].watch(max_await_time_ms=1000) as changes:
        for _ in range(90):
            if database[name].count_documents({}) >= documents:
                return
            changes.try_next()
    raise AssertionError(f"{name}: {database[name].count_documents({})} documents, {documents} expected")
