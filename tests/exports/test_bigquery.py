"""BigQuery's load and MERGE against an emulator that speaks its protocol: late and repeated loads, the same values.

The emulator has pins of its own, so it lives in an environment of its own: `make bqemulator`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from analysis.exports.schema import BY_NAME, children
from analysis.exports.source import Source
from analysis.exports.sync import sync
from analysis.exports.warehouse import BigQueryCopy
from crawler.config import ROOT
from crawler.storage.exports import Exports
from crawler.storage.reads import Reader
from crawler.storage.store import Store

from .scene import FIRST, LATE, NEWER

EMULATOR = Path(os.environ.get("BQEMULATOR") or ROOT / ".bqemulator" / "bin" / "bqemulator")
pytestmark = pytest.mark.skipif(not EMULATOR.exists(), reason=f"no emulator at {EMULATOR}; try: make bqemulator")
TABLES = tuple(BY_NAME[name] for name in ("posts", "boards", "board_entries", "offers", "prices_daily"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("bigquery"), free_port()
    command = [EMULATOR, "start", "--rest-port", str(port), "--grpc-port", str(free_port()), "--project", "p",
               "--log-level", "error"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(port, child)
        with bigquery.Client(
            "p", AnonymousCredentials(), client_options=ClientOptions(api_endpoint=f"http://127.0.0.1:{port}")
        ) as made:
            yield made
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _wait(port, child):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert child.poll() is None, "the emulator ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the emulator did not answer within 60 s")


def test_late_and_repeated_loads_end_in_the_same_counts_and_values(warehouse, database):
    store, copy = Store(database), BigQueryCopy(warehouse, "tide")
    for items in (FIRST, [*NEWER, *LATE], FIRST):
        store.save(items)
        told = sync(Source(Exports(database), Reader(database)), copy, TABLES)
        assert all(each.agrees for each in told)
    assert sum(each.read for each in told) == 0  # the third time nothing was new
    source = Source(Exports(database), Reader(database))
    for table in TABLES:
        assert contents(warehouse, table) == expected(source, table)
    database["posts"].delete_one({"_id": "tiktok:post:8"})
    [posts] = sync(Source(Exports(database), Reader(database)), copy, TABLES[:1])
    assert (posts.deleted, posts.agrees) == (1, True)
    database["posts"].delete_many({})
    store.save([each for each in FIRST if each.kind == "post"])  # a restored backup
    sync(Source(Exports(database), Reader(database)), copy, TABLES[:1])
    [row] = warehouse.query("SELECT views FROM tide.posts").result()
    assert row["views"] == 250
    store.close()


def contents(client, table):
    made = {}
    for each in (table, *children(table)):
        rows = client.query(f"SELECT {names(each)} FROM tide.{each.name}").result()
        made[each.name] = sorted((plain(row.values()) for row in rows), key=repr)
    return made


def names(table):
    return ", ".join(f"`{name}`" for name in table.names())


def expected(source, table):
    made = {each.name: [] for each in (table, *children(table))}
    for day in source.parts(table):
        for batch in source.rows(table, day):
            for name, rows in batch.items():
                made[name] += [plain(row) for row in rows]
    return {name: sorted(rows, key=repr) for name, rows in made.items()}


def plain(row):
    """Moments as text and numbers without trailing zeros, in both."""
    return tuple(
        each.isoformat() if isinstance(each, datetime) else float(each) if hasattr(each, "normalize") else each
        for each in row
    )
