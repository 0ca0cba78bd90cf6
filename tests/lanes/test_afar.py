"""Dumps that lie elsewhere: behind http and https, in S3, in Google's cloud storage. What is cut on the way is told."""

import bz2
import gzip
import json
import re
import ssl
import threading
import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from analysis.cli import main
from analysis.commerce.deals_archive import Joined, Selection, local
from crawler.lanes import afar
from crawler.lanes.twitterstream import Damaged, members, text_of
from tests.lanes.test_twitterstream import minute, tar_of
from tests.servers import certified

TAG = '"tide-1"'


class Store:
    """A site of one file. The first *cuts* answers end early, *after* bytes."""

    def __init__(self, data: bytes, *, cuts: int = 0, after: int = 0, ranges: bool = True, tag: str = TAG) -> None:
        self.data, self.cuts, self.after, self.ranges, self.tag = data, cuts, after, ranges, tag
        self.asked: list[str | None] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        given = handler.headers.get("Range") if self.ranges else None
        self.asked.append(given)
        since = int(re.fullmatch(r"bytes=(\d+)-", given)[1]) if given and handler.headers["If-Range"] == self.tag else 0
        body = self.data[since:]
        handler.send_response(206 if since else 200)
        if since:
            handler.send_header("Content-Range", f"bytes {since}-{len(self.data) - 1}/{len(self.data)}")
        handler.send_header("ETag", self.tag)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if len(self.asked) <= self.cuts:
            body = body[: self.after]
        handler.wfile.write(body)
        handler.close_connection = True


@contextmanager
def behind(store, pem=None):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            store.answer(self)

        def log_message(self, *args):
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{'https://localhost' if pem else 'http://127.0.0.1'}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(afar, "WAITS_S", (0.0, 0.0))


@pytest.fixture
def dump(tmp_path):
    files = {f"{at:02}.json.bz2": bz2.compress(minute(1000 * at)) for at in range(4)}
    return tar_of(files, tmp_path / "hour.tar")


def joined(*given):
    found = Joined()
    for each in local(given, Selection(keep="all"), 1):
        found.take(each)
    return found


def put(path, address):
    import fsspec

    with fsspec.open(address, "wb") as file:
        file.write(path.read_bytes())
    return address


@pytest.mark.filterwarnings("default")  # their warnings are not ours to mend
@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_dump_in_an_object_store_reads_as_the_file_does(request, tmp_path, dump, kind, capsys):
    store = request.getfixturevalue(kind)
    if kind == "s3":
        import fsspec

        fsspec.filesystem("s3").mkdir("tide")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as file:
        file.writestr("04.json.gz", gzip.compress(minute(9000)))
    (tmp_path / "05.json").write_bytes(minute(7000))
    paths = [dump, tmp_path / "more.zip", tmp_path / "05.json"]
    there = [put(path, f"{store}/{path.name}") for path in paths]
    near, far = joined(*map(str, paths)), joined(*there)
    out = tmp_path / "out.jsonl"

    assert far.account == near.account and far.members == 6 and not far.problems
    assert main(["deals", there[0], "--processes", "2", "-o", str(out)]) == 0
    assert main(["deals", there[0], "--processes", "1", "-o", str(out), "--resume"]) == 0
    assert "0 members read, 4 were read before" in capsys.readouterr().err
    assert isinstance(next(members(f"{store}/none.tar")), Damaged)


def test_a_dump_behind_https_reads_as_the_file_does_and_a_signature_in_its_address_is_told_to_nobody(
    tmp_path, dump, monkeypatch, capsys
):
    authority, pem = certified(tmp_path, datetime.now(UTC) + timedelta(days=9))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    out = tmp_path / "out.jsonl"
    with behind(Store(dump.read_bytes()), pem) as site:
        far = joined(f"{site}/hour.tar")
        status = main(["deals", f"{site}/hour.tar?signature=canary", "--processes", "1", "-o", str(out)])

    assert far.account == joined(str(dump)).account and not far.problems
    assert status == 0
    assert "canary" not in capsys.readouterr().err + out.with_suffix(".progress").read_text()


def test_a_connection_that_breaks_goes_on_where_it_broke(dump):
    store = Store(dump.read_bytes(), cuts=3, after=700)
    with behind(store) as site:
        found = joined(f"{site}/hour.tar")

    assert found.account == joined(str(dump)).account and not found.problems
    assert store.asked == [None, "bytes=700-", "bytes=1400-", "bytes=2100-"]


@pytest.mark.parametrize("how", [{"ranges": False}, {"tag": ""}])
@pytest.mark.parametrize("ending", [".tar", ".json", ".json.gz", ".json.bz2"])
def test_a_connection_cut_for_good_loses_only_what_is_cut_and_says_so(dump, ending, how):
    pack = {".json.gz": gzip.compress, ".json.bz2": bz2.compress}.get(ending, bytes)
    data = dump.read_bytes() if ending == ".tar" else pack(minute(100))
    keep = {".tar": 4000, ".json": len(data) // 2}.get(ending, len(data) - 20)
    with behind(Store(data, cuts=99, after=keep, **how)) as site:
        found = joined(f"{site}/all{ending}")

    assert any("cut" in each.reason for each in found.problems)
    assert any(f"{keep:,} of {len(data):,} bytes" in each.reason for each in found.problems)
    if ending in (".tar", ".json"):  # a block of the packing that is not whole holds nothing
        assert 10 < found.account.tweets < 160


def test_what_was_cut_is_read_when_the_dump_is_resumed_and_no_row_comes_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(afar, "WAITS_S", ())
    data, whole, out = minute(100), tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    with behind(Store(data, cuts=1, after=len(data) // 2, ranges=False)) as site:
        command = ["deals", f"{site}/all.json", "--processes", "1", "--keep", "all", "-o"]
        first = main([*command, str(out)])
        halfway = out.read_text().splitlines()
        second = main([*command, str(out), "--resume"])
        main([*command, str(whole)])

    assert (first, second) == (1, 0)
    assert 10 < len(halfway) < 30
    assert out.read_text() == whole.read_text()


def test_files_of_one_name_in_several_folders_are_all_read_after_a_resume(tmp_path):
    for hour in ("01", "02"):
        (tmp_path / "in" / hour).mkdir(parents=True)
        (tmp_path / "in" / hour / "00.json").write_bytes(minute(1000 * int(hour)))
    out = tmp_path / "out.jsonl"
    main(["deals", str(tmp_path / "in" / "01"), "--processes", "1", "--keep", "all", "-o", str(out)])
    main(["deals", str(tmp_path / "in"), "--processes", "1", "--keep", "all", "-o", str(out), "--resume"])

    assert len({json.loads(line)["id"] for line in out.read_text().splitlines()}) == 80


def test_a_cut_member_holds_the_lines_before_the_cut(tmp_path):
    data = minute(100)
    with behind(Store(data, cuts=99, after=500, tag="")) as site:
        first, *rest = members(f"{site}/all.json")

    assert text_of(first) == (data[:500], rest[0].reason)
