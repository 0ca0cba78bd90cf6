"""One real MongoDB server for the whole run; a database of its own for each test."""

from __future__ import annotations

import os

# A worker of the suite runs on each core: threads of the learners would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from crawler import config
from crawler.storage import connect, server
from crawler.storage.slots import Slots
from crawler.storage.store import Store
from tests.shell import Shell, serving
from tests.shell import Site as LittleSite

if TYPE_CHECKING:
    from demo.site import Site


LONGEST = (
    "test_faults", "test_tiktok", "test_workers", "test_boards", "test_kills", "test_verify", "test_jobs",
    "test_cluster", "test_drift_crawl", "test_forget_everywhere", "test_doctor", "test_forget", "test_retention",
    "test_targets", "test_deals_kafka", "test_crawl", "test_beds", "test_demo", "test_many_at_once", "test_browser",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: a worker that takes one last works alone, for minutes."""
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    # Not pytest's own folder: that keeps the last three runs, 300 MB of journal each.
    with tempfile.TemporaryDirectory(prefix="tidemark-test-", ignore_cleanup_errors=True) as folder:
        uri = server.ensure(Path(folder) / "db")
        with MongoClient[dict[str, Any]](uri) as admin:  # ledgers of made-up years would be cleared under slow tests
            admin.admin.command("setParameter", 1, ttlMonitorEnabled=False)
        yield uri
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
def slots(database: Database[dict[str, Any]]) -> Slots:
    made = Slots(database)
    made.prepare()
    return made


@pytest.fixture
def store(database: Database[dict[str, Any]]) -> Iterator[Store]:
    made = Store(database)
    made.prepare()
    yield made
    made.close()


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


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a folder in a real S3 server."""
    client = pytest.importorskip("s3fs", reason="the extra `objects` is not installed")
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed").ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()  # what an earlier one kept
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client.S3FileSystem.clear_instance_cache()  # of a server that an earlier test had
    yield "s3://tide/archive"
    server.stop()


@pytest.fixture
def gs(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The same in Google's cloud storage."""
    client = pytest.importorskip("gcsfs", reason="the extra `objects` is not installed")
    emulator = pytest.importorskip("gcp_storage_emulator.server", reason="gcp-storage-emulator is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="tide")
    server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("FSSPEC_GS_TOKEN", "anon")
    client.GCSFileSystem.clear_instance_cache()
    yield "gs://tide/archive"
    server.stop()
