"""The local MongoDB server: found, started once for all processes, attached to, stopped.

It runs on its own, on this machine's loopback only, and outlives the process that started it. Whoever
needs it calls ensure(); nobody else opens the directory. The directory holds, beside the server's own files,
launch.lock (held while starting or stopping), server.json (the port, kept for good) and server.log.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from crawler.storage import mongod
from crawler.storage.errors import StorageAway, StorageRefused

FIRST_PORT = 27117  # MongoDB's own 27017 plus 100, and below the ports systems lend to outgoing connections
PORTS_TRIED = 200
START_S = 90.0  # 3 s is usual; 33 s was seen where a stranger listens on the former port
STOP_S = 60.0  # 1 s is usual; a server on a busy disk writes its cache first
IN_USE_S = 20.0  # how long the directory may be held by a server that is just starting or dying
MIN_FREE_BYTES = 100_000_000  # the first journal file takes as much; with less mongod aborts in mid-write
PAUSE_S = 0.05

NOT_YET_INITIALIZED = 94  # passing, after every start

_Client = MongoClient[dict[str, Any]]


@dataclass(frozen=True)
class Status:
    running: bool
    pid: int | None
    port: int | None
    """The port it listens on, or will when started again; None before the first start."""
    version: str | None
    size_bytes: int
    """All files in its directory."""
    uri: str | None
    """None when it does not run."""


@dataclass(frozen=True)
class _Answer:
    port: int
    pid: int
    version: str
    primary: bool


def uri_of(port: int) -> str:
    return f"mongodb://127.0.0.1:{port}/?directConnection=true&w=majority&journal=true"


def ensure(data_dir: Path) -> str:
    """The URI of the server of *data_dir*, started if it does not run. Raises StorageError."""
    data_dir = data_dir.resolve()
    answer = _ask(data_dir)
    if not (answer and answer.primary):
        _make_directory(data_dir)
        with _locked(data_dir):
            answer = _ask(data_dir)
            if answer is None:
                answer = _start(data_dir)
            elif not answer.primary:  # its launcher was killed half-way, or it has only just started
                answer = _lead(answer.port, data_dir)
    return uri_of(answer.port)


def stop(data_dir: Path) -> bool:
    """True when it ran and has written everything to disk; False when it did not run."""
    data_dir = data_dir.resolve()
    if not data_dir.is_dir():
        return False
    with _locked(data_dir):
        answer = _ask(data_dir)
        if answer is None:
            return False
        # Its answer is to hang up.
        with _client(answer.port) as client, contextlib.suppress(PyMongoError):
            client.admin.command("shutdown", force=True)
        if not _wait(lambda: not _listens(answer.port) and not mongod.holds(data_dir), STOP_S):
            raise StorageAway(
                f"local database: process {answer.pid} has not stopped in {STOP_S:.0f} s; see {data_dir / 'server.log'}"
            )
        if mongod.lock_pid(data_dir) is not None:
            raise StorageRefused(
                f"local database in {data_dir}: it crashed while stopping. What it had confirmed is kept; "
                f"the next start recovers it. Is the disk full? See {data_dir / 'server.log'}"
            )
    return True


def status(data_dir: Path) -> Status:
    data_dir = data_dir.resolve()
    size_bytes = _size_bytes(data_dir)
    answer = _ask(data_dir)
    if answer is None:
        return Status(False, None, _kept_port(data_dir), None, size_bytes, None)
    return Status(True, answer.pid, answer.port, answer.version, size_bytes, uri_of(answer.port))


# ---- starting


def _start(data_dir: Path) -> _Answer:
    """A new server; the lock is held. Tries again while a dying or half-started one holds the directory."""
    program = mongod.find()
    if shutil.disk_usage(data_dir).free < MIN_FREE_BYTES:
        raise _full(data_dir)
    deadline = time.monotonic() + IN_USE_S
    while True:
        kept = _kept_port(data_dir)
        code = _launch(program, data_dir, _free_port(kept))
        if code is not None and kept is not None:
            _keep_port(data_dir, kept)  # whoever holds the directory listens on that one
        if answer := _ask(data_dir):
            return answer if answer.primary else _lead(answer.port, data_dir)
        if code is not None and (not mongod.passing(code, log := _log(data_dir)) or time.monotonic() > deadline):
            if shutil.disk_usage(data_dir).free < MIN_FREE_BYTES:  # its log then lacks the last words
                raise _full(data_dir)
            raise mongod.launch_error(code, log, data_dir)
        time.sleep(PAUSE_S)


def _launch(program: Path, data_dir: Path, port: int) -> int | None:
    """None: it runs and takes writes. Else its exit code. Never leaves a child that does not serve."""
    # Before the start: should this process be killed now, the next one finds the server all the same.
    _keep_port(data_dir, port)
    try:
        child = mongod.spawn(program, data_dir, port)
    except OSError as error:
        raise _unwritable(data_dir, error) from None
    try:
        # Our own must answer: a stranger may have taken the port just before the child could.
        if not _wait(lambda: child.poll() is not None or _ask(data_dir) is not None, START_S):
            raise StorageAway(f"local database: no answer in {START_S:.0f} s; see {data_dir / 'server.log'}")
        if child.poll() is None:
            _lead(port, data_dir)
    except BaseException as error:
        ended = child.poll()
        # An orphan would hold the directory.
        child.kill()
        child.wait()
        if ended is None or not isinstance(error, StorageAway):
            raise
    if child.returncode is None:
        # Collects its exit status for as long as we live: a defunct process looks alive.
        threading.Thread(target=child.wait, name="mongod", daemon=True).start()
    return child.returncode


def _lead(port: int, data_dir: Path) -> _Answer:
    """Make the server a replica set of one that takes writes, and wait until it does."""
    found: list[_Answer] = []

    def leads() -> bool:
        with contextlib.suppress(PyMongoError), _client(port) as client:
            if not client.admin.command("hello")["isWritablePrimary"]:
                _configure(client, port)
            answer = _ask(data_dir)
            if answer and answer.primary:
                found.append(answer)
        return bool(found) or not _listens(port)

    _wait(leads, START_S)
    if not found:
        raise StorageAway(f"local database: it was started but does not take writes; see {data_dir / 'server.log'}")
    return found[0]


def _configure(client: _Client, port: int) -> None:
    """Decided by what is on disk: replSetInitiate on an initialised directory hangs for 30 s."""
    host = f"127.0.0.1:{port}"
    config = client["local"]["system.replset"].find_one()
    try:
        if config is None:
            members = [{"_id": 0, "host": host}]
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        elif config["members"][0]["host"] != host:
            config["members"][0]["host"] = host
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise


# ---- asking


def _ask(data_dir: Path) -> _Answer | None:
    """The answer of our own server on the kept port; None when nobody, or a stranger, answers there."""
    port = _kept_port(data_dir)
    if port is None or not _listens(port):
        return None
    try:
        with _client(port) as client:
            options = client.admin.command("getCmdLineOpts")["parsed"]
            if Path(options["storage"]["dbPath"]).resolve() != data_dir:
                return None
            # Every part that can be left out is: only the process id is wanted.
            state = client.admin.command("serverStatus", repl=0, metrics=0, locks=0, wiredTiger=0, tcmalloc=0)
            primary = client.admin.command("hello")["isWritablePrimary"]
            return _Answer(port, int(state["pid"]), str(state["version"]), bool(primary))
    except (PyMongoError, KeyError, TypeError):
        return None


def _client(port: int) -> _Client:
    return MongoClient(
        "127.0.0.1",
        port,
        directConnection=True,
        serverSelectionTimeoutMS=3000,
        connectTimeoutMS=3000,
        socketTimeoutMS=30000,
        appname="tidemark server",
    )


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _free_port(kept: int | None) -> int:
    """The kept one where it is free: the replica set's configuration names it."""
    ports: list[int] = [kept or FIRST_PORT, *range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)]
    for port in ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            if sys.platform != "win32":  # else a port that was just left looks taken for a minute
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise StorageAway(f"local database: ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are all taken")


# ---- the directory


def _make_directory(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        data_dir.chmod(0o700)
    except OSError as error:
        raise _unwritable(data_dir, error) from None


def _unwritable(data_dir: Path, error: OSError) -> StorageRefused:
    reason = (error.strerror or "unknown reason").lower()
    return StorageRefused(
        f"local database in {data_dir}: cannot be written ({reason}); "
        "mend that, or set TIDEMARK_DATA to another directory"
    )


def _full(data_dir: Path) -> StorageRefused:
    return StorageRefused(
        f"local database in {data_dir}: the disk is full (under {MIN_FREE_BYTES // 1_000_000} MB free); "
        "free some space, or set TIDEMARK_DATA to another disk"
    )


def _kept_port(data_dir: Path) -> int | None:
    """From server.json; None where that is missing or spoilt."""
    try:
        port = json.loads((data_dir / "server.json").read_bytes())["port"]
        return int(port) if 0 < port < 65536 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep_port(data_dir: Path, port: int) -> None:
    fresh = data_dir / "server.json.new"
    try:
        fresh.write_text(json.dumps({"port": port, "uri": uri_of(port)}) + "\n")
        fresh.replace(data_dir / "server.json")
    except OSError as error:
        raise _unwritable(data_dir, error) from None


def _log(data_dir: Path) -> str:
    """What the server said since its last start began, at most 200 kB."""
    with contextlib.suppress(OSError), (data_dir / "server.log").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 200_000))  # a crash prints its stack last, and that is long
        return log.read().decode("utf-8", "replace").rpartition('"MongoDB starting"')[2]
    return ""


def _size_bytes(data_dir: Path) -> int:
    total = 0
    for folder, _, names in os.walk(data_dir):
        for name in names:
            with contextlib.suppress(OSError):  # the server removes files as it likes
                total += (Path(folder) / name).stat().st_size
    return total


# ---- waiting


def _wait(done: Callable[[], bool], limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_S)
    return True


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """One process at a time; the system frees the lock of a process that dies."""
    try:
        file = (data_dir / "launch.lock").open("a+b")
    except OSError as error:
        raise _unwritable(data_dir, error) from None
    with file:
        if not _wait(lambda: _lock(file.fileno()), START_S + IN_USE_S):
            raise StorageAway(f"local database in {data_dir}: another process is still starting or stopping it")
        yield  # closing the file frees the lock


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
