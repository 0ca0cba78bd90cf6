"""One real MongoDB server for the whole run; a database of its own for each test."""

from __future__ import annotations

import os

# A worker of the suite runs on each core: threads of the learners would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from crawler import config
from crawler.storage import connect, server
from tests.shell import Shell, serving
from tests.shell import Site as LittleSite

if TYPE_CHECKING:
    from demo.site import Site


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    # Not pytest's own folder: that keeps the last three runs, 300 MB of journal each.
    with tempfile.TemporaryDirectory(prefix="tidemark-test-", ignore_cleanup_errors=True) as folder:
        yield server.ensure(Path(folder) / "db")
        server.stop(Path(folder) / "db")


@pytest.fixture(scope="session")
def client(mongo_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    with connect.connect(config.load({"MONGODB_URI": mongo_uri})) as opened:
        yield opened


@pytest.fixture
def database(client: MongoClient[dict[str, Any]]) -> Iterator[Database[dict[str, Any]]]:
    name = f"test_{secrets.token_hex(6)}"
    yield client[name]
    client.drop_database(name)


@pytest.fixture
def living_site() -> Iterator[Site]:
    """The simulated web on a free port of this machine; its clock stands still at the world's start."""
    from demo.site import running

    with running() as site:
        yield site


@pytest.fixture
def serve() -> Iterator[Callable[[LittleSite], str]]:
    """Start a little site; its host:port."""
    with ExitStack() as stack:
        yield lambda site: stack.enter_context(serving(site))


@pytest.fixture
def shell(mongo_uri: str, database: Database[dict[str, Any]], tmp_path: Path) -> Shell:
    return Shell(mongo_uri, database.name, tmp_path)
