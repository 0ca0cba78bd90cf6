"""What goes wrong around a crawl: a plain message, nothing lost, the state left clean."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from crawler.archive import Archive
from crawler.config import ROOT
from crawler.storage import server
from tests import servers
from tests.shell import Answer, Shell, Site, crawling, ended, facts, good, shop
from tests.wire import Wire

SOON = "&serverSelectionTimeoutMS=300&socketTimeoutMS=400"


@pytest.fixture
def wire(mongo_uri: str) -> Iterator[Wire]:
    with Wire(int(mongo_uri.rpartition(":")[2].partition("/")[0])) as made:
        yield made


def turning(site: Site, page: str, turn: Callable[[], None]) -> Site:
    """*site*, with something happening when *page* is asked for."""

    def turned(path: str) -> Answer:
        if path.endswith(page):
            turn()
        return site(path)

    return turned


def undisturbed(shell: Shell, client: MongoClient[dict[str, Any]]) -> dict[str, list[bytes]]:
    """What the archive of *shell* gives in a database where nothing ever went wrong."""
    name = f"{shell.environ['MONGODB_DATABASE']}_calm"
    try:
        done = shell("replay", "--database", name, str(shell.archive))
        assert done.returncode == 0, done.stderr
        return facts(client[name])
    finally:
        client.drop_database(name)


def spool_files(shell: Shell) -> list[Path]:
    return sorted(Path(shell.environ["TIDEMARK_DATA"]).glob("spool/*/*.jsonl"))


def test_a_database_that_leaves_costs_nothing_and_the_next_start_brings_it_in(
    shell: Shell, serve: Callable[[Site], str], wire: Wire, client: MongoClient[Any], database: Database[Any]
) -> None:
    site = serve(turning(shop(4), "page=2", wire.cut))
    done = shell.crawl(site, MONGODB_URI=wire.uri + SOON)
    assert done.returncode == 1
    assert "MONGODB_URI: cannot reach" in done.stderr
    assert "waits in" in done.stderr
    assert "MB); the next start of anything brings them in" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(spool_files(shell)) == 1
    wire.mend()
    again = shell("verify", MONGODB_URI=wire.uri)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "brought into the database" in again.stderr
    assert "all agree" in again.stdout
    assert spool_files(shell) == []
    assert facts(database) == undisturbed(shell, client)


def test_by_setting_the_crawl_goes_on_without_its_database(
    shell: Shell, serve: Callable[[Site], str], wire: Wire, client: MongoClient[Any], database: Database[Any]
) -> None:
    wire.cut()
    done = shell.crawl(serve(shop(3)), MONGODB_URI=wire.uri + SOON, TIDEMARK_WHEN_AWAY="go_on")
    assert done.returncode == 1
    assert "10 items, 10 spooled" in done.stderr
    assert "the crawl goes on" in done.stderr
    wire.mend()
    assert shell("verify", MONGODB_URI=wire.uri).returncode == 0
    assert database["products"].count_documents({}) == 5
    assert database["runs"].find_one({"spider": "site_store"})["items"]["spooled"] == 10
    assert facts(database) == undisturbed(shell, client)


def test_analysis_brings_in_what_waits_before_it_reads(
    shell: Shell, serve: Callable[[Site], str], wire: Wire, database: Database[Any]
) -> None:
    wire.cut()
    shell.crawl(serve(good), MONGODB_URI=wire.uri + SOON, TIDEMARK_WHEN_AWAY="go_on")
    wire.mend()
    command = [sys.executable, "-m", "analysis", "boards"]
    subprocess.run(command, cwd=ROOT, env={**shell.environ, "MONGODB_URI": wire.uri}, check=False)
    assert database["products"].count_documents({}) == 3
    assert spool_files(shell) == []


def test_a_full_spool_stops_the_crawl_and_replay_of_the_archive_brings_the_rest(
    shell: Shell, serve: Callable[[Site], str], wire: Wire, database: Database[Any]
) -> None:
    wire.cut()
    away = {"MONGODB_URI": wire.uri + SOON, "TIDEMARK_WHEN_AWAY": "go_on", "TIDEMARK_SPOOL_MB": "0"}
    done = shell.crawl(serve(good), **away)
    assert done.returncode == 1
    assert "the spool in" in done.stderr
    assert "is full" in done.stderr
    assert "items not stored" in done.stderr
    wire.mend()
    mended = shell("verify", MONGODB_URI=wire.uri)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "captures are not in the ledger" in mended.stdout
    assert database["products"].count_documents({}) == 3


def test_a_database_that_never_answers_does_not_hold_the_crawl(
    shell: Shell, serve: Callable[[Site], str], wire: Wire, database: Database[Any]
) -> None:
    done = shell.crawl(serve(turning(good, "page=2", wire.hush)), MONGODB_URI=wire.uri + SOON)
    assert done.returncode == 1
    assert "spooled" in done.stderr
    wire.mend()
    assert shell("verify", MONGODB_URI=wire.uri).returncode == 0
    assert database["products"].count_documents({}) == 3


def test_a_slow_database_slows_the_crawl_and_costs_nothing(
    shell: Shell, serve: Callable[[Site], str], wire: Wire, database: Database[Any]
) -> None:
    wire.delay_s = 0.05
    done = shell.crawl(serve(shop(5)), MONGODB_URI=wire.uri)
    assert done.returncode == 0, done.stderr
    assert database["products"].count_documents({}) == 9


def test_a_database_of_a_newer_tidemark_is_left_untouched(
    shell: Shell, serve: Callable[[Site], str], database: Database[Any]
) -> None:
    database["meta"].insert_one({"_id": "schema", "version": 99})
    done = shell.crawl(serve(good))
    assert done.returncode == 1
    assert "its schema is version 99" in done.stderr
    assert "Update Tidemark" in done.stderr
    assert database.list_collection_names() == ["meta"]
    assert not shell.archive.exists()


def test_a_wrong_password_stops_the_crawl_before_its_first_request(
    shell: Shell, serve: Callable[[Site], str], tmp_path: Path
) -> None:
    asked: list[str] = []

    def site(path: str) -> Answer:
        asked.append(path)
        return good(path)

    with servers.guarded() as port:
        uri = f"mongodb://maria:canary-password@127.0.0.1:{port}/?directConnection=true"
        done = shell.crawl(serve(site), MONGODB_URI=uri, TIDEMARK_WHEN_AWAY="go_on")
    assert done.returncode == 1
    assert "refuses the user name or the password" in done.stderr
    assert "canary" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert asked == []


def test_an_expired_certificate_is_named_before_the_first_request(
    shell: Shell, serve: Callable[[Site], str], tmp_path: Path
) -> None:
    with servers.expired() as (port, authority):
        uri = f"mongodb://localhost:{port}/?directConnection=true&tls=true&tlsCAFile={authority}"
        done = shell.crawl(serve(good), MONGODB_URI=uri)
    assert done.returncode == 1
    assert "certificate" in done.stderr
    assert "expired" in done.stderr
    assert "Traceback" not in done.stderr
    assert not shell.archive.exists()


def test_two_first_starts_at_once_share_one_server_and_lose_nothing(tmp_path: Path) -> None:
    case = "tests/pages/x.trends_place"
    shell = Shell("", "tidemark_twice", tmp_path)
    try:
        both = [shell.started("replay", f"{case}/{name}") for name in ("brazil", "stored_document")]
        for done in map(ended, both):
            assert done.returncode == 0, done.stderr
        check = shell("verify", "--check")
        assert check.returncode == 0, check.stdout + check.stderr
        assert check.stdout.startswith("2 captures, 2 of them in the ledger")
    finally:
        server.stop(tmp_path / "db")


def test_ctrl_c_once_ends_in_good_order(shell: Shell, serve: Callable[[Site], str], database: Database[Any]) -> None:
    done = interrupted(shell, serve, times=1)
    assert done.returncode == 1
    assert "stopped early: shutdown" in done.stderr
    assert "Traceback" not in done.stderr
    check = shell("verify", "--check")
    assert check.returncode == 0, check.stdout
    assert database["products"].count_documents({}) >= 2


def test_ctrl_c_twice_ends_at_once_and_verify_brings_in_the_rest(
    shell: Shell, serve: Callable[[Site], str], database: Database[Any]
) -> None:
    done = interrupted(shell, serve, times=2)
    assert done.returncode != 0
    assert "bring the rest in: scrapy verify" in done.stderr
    mended = shell("verify")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert database["products"].count_documents({}) >= 2


def interrupted(shell: Shell, serve: Callable[[Site], str], times: int) -> subprocess.CompletedProcess[str]:
    """A crawl of a site that holds back its second page, told to end while it waits."""
    reached, go_on = threading.Event(), threading.Event()

    def site(path: str) -> Answer:
        if path.endswith("page=2"):
            reached.set()
            go_on.wait(30)
        return shop(3)(path)

    process = shell.started(*crawling(serve(site)))
    assert reached.wait(60)
    heard = threading.Event()
    said: list[str] = []

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if "SIGINT" in line or "Received" in line:
                heard.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    process.send_signal(signal.SIGINT)
    if times > 1:
        heard.wait(5)
        process.send_signal(signal.SIGINT)
    else:
        go_on.set()
    process.wait(60)
    go_on.set()
    listener.join(10)
    for pipe in (process.stdout, process.stderr):
        pipe.close()
    return subprocess.CompletedProcess(process.args, process.returncode, "", "".join(said))


# ---- full disks


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of so many megabytes; the test is skipped where none may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="tidemark-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tidemark-test", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.rmdir()
        pytest.skip("a full disk needs the right to mount a small one (root on Linux)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def fill(folder: Path, but_bytes: int) -> Path:
    """Leave *but_bytes* free."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - but_bytes)
    return ballast


def test_a_full_disk_under_the_archive_stops_the_crawl_with_nothing_half_written(
    mongo_uri: str, database: Database[Any], serve: Callable[[Site], str], client: MongoClient[Any]
) -> None:
    with small_disk(4) as disk:
        shell = Shell(mongo_uri, database.name, disk)
        done = shell.crawl(serve(turning(shop(9), "page=3", lambda: fill(disk, 0) and None)))
        assert done.returncode == 1
        assert "cannot be written (No space left on device). Free space or mend the disk" in done.stderr
        assert "Traceback" not in done.stderr
        assert "network" not in done.stderr
        (disk / "ballast").unlink()
        with Archive(shell.archive, read_only=True) as archive:
            assert archive.problems == []
        mended = shell("verify")
        assert mended.returncode == 0, mended.stdout + mended.stderr
        assert facts(database) == undisturbed(shell, client)
        assert shell.crawl(serve(shop(9))).returncode == 0
        assert database["products"].count_documents({}) == 17


def test_a_full_disk_under_the_database_spools_and_says_what_to_do(
    tmp_path: Path, serve: Callable[[Site], str]
) -> None:
    with small_disk(420) as disk:
        (tmp_path / "db").symlink_to(disk / "db")
        (disk / "db").mkdir()
        shell = Shell("", "tidemark_full", tmp_path)
        try:
            assert shell("db", "start").returncode == 0
            done = shell.crawl(serve(turning(shop(40), "page=2", lambda: fill(disk, 0) and None)))
            (disk / "ballast").unlink()
            after = shell("verify")
            assert after.returncode == 0, after.stdout + after.stderr
            if done.returncode:  # the server may live on what it had set aside
                assert "spool" in done.stderr
                assert "Traceback" not in done.stderr
            with MongoClient(server.ensure(tmp_path / "db")) as client:
                assert client["tidemark_full"]["products"].count_documents({}) in range(2, 80)
                assert facts(client["tidemark_full"]) == undisturbed(shell, client)
        finally:
            server.stop(tmp_path / "db")
