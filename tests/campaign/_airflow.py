"""The DAG of deploy/airflow by Airflow itself, on the simulated web: all tasks green; then its crawl is killed in the
middle, Airflow tries it again, and nothing is lost or doubled. `make airflow`, or with an Airflow of your own:

    python -m tests.campaign._airflow /path/to/airflow
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pymongo.database import Database

from crawler.config import ROOT
from crawler.storage import server
from crawler.storage.reads import Reader
from demo.check import check
from demo.site import running
from demo.world import World
from tests.campaign.watchlist import WholeMs
from tests.campaign.workers import _client, _watch
from tests.shell import Shell

TASKS = ("crawl", "analyse", "export", "report")
POSTS = 15


def main(airflow: str) -> int:
    with tempfile.TemporaryDirectory(prefix="tidemark-airflow-", ignore_cleanup_errors=True) as name:
        folder, wrong = Path(name), list[str]()
        shell = Shell("", "tidemark_airflow", folder / "data")
        shell.environ |= _environ(folder)
        now = datetime.now(UTC)
        world = World(3, now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2))
        try:
            _airflow(airflow, shell, "db", "migrate")
            told = _airflow(airflow, shell, "dags", "list-import-errors")
            wrong += [] if "No data found" in told.stdout else [f"import errors: {told.stdout}"]
            with running(world) as site, _client(shell) as client:
                site.clock = WholeMs(now, rate=1.0)
                shell.environ |= {**site.proxies(), "no_proxy": "127.0.0.1"}
                database = client[shell.environ["MONGODB_DATABASE"]]
                targets = _watch(database, world, now, POSTS)
                wrong += _run(airflow, shell, database, kill=False)
                _again(database, targets)
                wrong += _run(airflow, shell, database, kill=True)
                wrong += _judged(database, world, targets, folder)
        finally:
            server.stop(folder / "data" / "db")
    print("\n".join(wrong or [f"{targets} targets twice; 0 lost, 0 doubled, 0 false"]))
    return 1 if wrong else 0


def _environ(folder: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(folder / "airflow"), "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "deploy" / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "10",
        "TIDEMARK_HOME": str(ROOT), "TIDEMARK_EXPORT": f"sqlite {folder / 'out.sqlite'}", "TIDEMARK_LEASE_S": "6",
        "TIDEMARK_REPORT": str(folder / "report.html"), "SCRAPY_SETTINGS_MODULE": "tests.campaign._settings",
        "PYTHONWARNINGS": "ignore",
    }  # fmt: skip


def _airflow(airflow: str, shell: Shell, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([airflow, *arguments], env=shell.environ, capture_output=True, text=True, check=False)


def _run(airflow: str, shell: Shell, database: Database[Any], *, kill: bool) -> list[str]:
    """What went wrong in one run of the DAG; kill: its crawl, once some of its targets have come."""
    before = database["fetches"].count_documents({"outcome": "ok"})
    folder = Path(shell.environ["TIDEMARK_DATA"]).parent
    log = folder / f"run-{kill}.log"
    with log.open("w") as out, subprocess.Popen(
        [airflow, "dags", "test", "tidemark"], env=shell.environ, stdout=out, stderr=subprocess.STDOUT
    ) as process:  # fmt: skip
        killed = False
        while process.poll() is None:
            if kill and not killed and database["fetches"].count_documents({"outcome": "ok"}) >= before + 3:
                killed = _kill_crawl(process.pid)
            time.sleep(0.1)
    tries = _tries(folder)
    print(f"{'its crawl killed' if kill else 'undisturbed'}: {tries}")
    wanted = {name: ("success", 2 if kill and name == "crawl" else 1) for name in TASKS}
    wrong = [] if killed == kill else ["the crawl was quicker than the hunter"]
    if process.returncode or tries != wanted:
        wrong.append(f"exit {process.returncode}, {tries}; the log ends: {log.read_text()[-2000:]}")
    return wrong


def _tries(folder: Path) -> dict[str, tuple[str, int]]:
    """State and number of tries of each task of the newest run, by Airflow's own account."""
    newest = "(select run_id from dag_run order by id desc)"
    asked = f"select task_id, state, try_number from task_instance where run_id = {newest}"
    with contextlib.closing(sqlite3.connect(folder / "airflow" / "airflow.db")) as kept:
        return {task: (state, tries) for task, state, tries in kept.execute(asked)}


def _kill_crawl(root: int) -> bool:
    """Ends `scrapy due`, and all below it, without a word."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, parent = int(entry.parent.name), int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        below.setdefault(parent, []).append(pid)
    family = [root]
    for each in family:
        family += below.get(each, [])
    doomed = [pid for pid in family if b"scrapy" in _command(pid)]
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)
    return bool(doomed)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _again(database: Database[Any], targets: int) -> None:
    """The next slot, which is years away: what was taken becomes due again, and its fetches lie in the slot before."""
    assert database["slots"].count_documents({"status": "taken"}) == targets
    database["slots"].delete_many({})
    for row in list(database["fetches"].find()):
        database["fetches"].update_one({"_id": row["_id"]}, {"$set": {"spider": f"{row['spider']}, the first time"}})


def _judged(database: Database[Any], world: World, targets: int, folder: Path) -> list[str]:
    wrong = []
    rows = Counter(
        (row["spider"], row["target"]) for row in database["fetches"].find({"outcome": "ok", "lane": "http"})
    )
    wrong += [f"{spider} {target}: {n} times" for (spider, target), n in rows.items() if n != 1]
    if len(rows) != 2 * targets or database["slots"].count_documents({"status": "taken"}) != targets:
        wrong.append(f"{len(rows)} fetches of {2 * targets}; slots: "
                     f"{Counter(row['status'] for row in database['slots'].find())}")  # fmt: skip
    wrong += [f"false: {each}" for each in check(Reader(database), world).false[:5]]
    wrong += [f"{name}: not written" for name in ("out.sqlite", "report.html") if not (folder / name).is_file()]
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
