"""The filtered stream: rules made, posts stored as they come, trouble waited out, a gap filled after a pause."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spiders.stream import RULE_LENGTH, rules


def line(number: int) -> bytes:
    post = {
        "id": str(number),
        "text": f"Lamp ${number} now, buy here",
        "author_id": "1",
        "created_at": "2026-09-01T09:00:00.000Z",
    }
    made = {"data": post | {"lang": "en"}, "includes": {"users": [{"id": "1", "username": "HomeBarn"}]}}
    return json.dumps(made).encode() + b"\r\n"


class Platform(ThreadingHTTPServer):
    """Says: two posts; 503; a post; then keeps silent for as long as anyone listens."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rules: list[dict[str, str]] = [{"id": "9", "value": "from:old", "tag": "tidemark"}]
        self.connections = 0
        self.searched: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Platform

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        gone = asked.get("delete", {}).get("ids", [])
        self.server.rules = [each for each in self.server.rules if each["id"] not in gone]
        self.server.rules += [{"id": f"n{at}", **each} for at, each in enumerate(asked.get("add", []))]
        self.answer(200, b'{"meta":{}}')

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "Bearer right":
            self.answer(401, b"{}")
        elif self.path.endswith("/rules"):
            self.answer(200, json.dumps({"data": self.server.rules}).encode())
        elif "/search/recent" in self.path:
            self.server.searched.append(self.path)
            self.answer(200, b'{"meta":{"result_count":0}}')
        elif "/search/stream" in self.path:
            self.stream()
        else:
            self.answer(404, b"")

    def stream(self) -> None:
        self.server.connections += 1
        if self.server.connections == 2:
            self.answer(503, b"{}")
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        for number in {1: (1, 2), 3: (3,)}.get(self.server.connections, ()):
            self.wfile.write(line(number))
        while self.server.connections > 3:
            try:
                self.wfile.write(b"\r\n")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.1)

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def platform() -> Iterator[Platform]:
    server = Platform()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def listening(shell, platform, token="right"):
    at = f"127.0.0.1:{platform.server_address[1]}"
    return shell(
        "crawl", "x_stream_here", "-a", f"at={at}", "-a", "targets=@HomeBarn,@pots",
        "-a", "for_s=3", "-a", "backoff_s=0.05",
        "-s", "SPIDER_MODULES=spiders,tests.site", "-s", "DOWNLOAD_DELAY=0", X_BEARER_TOKEN=token,
    )  # fmt: skip


def test_posts_are_stored_as_they_come_and_a_pause_is_made_up_for(shell, database, platform):
    first = listening(shell, platform)

    assert first.returncode == 0, first.stderr
    assert [each["value"] for each in platform.rules] == ["from:homebarn OR from:pots"]
    assert sorted(each["post_id"] for each in database["posts"].find()) == ["1", "2", "3"]
    assert platform.connections >= 4 and platform.searched == []
    platform.connections = 10
    listening(shell, platform)
    assert ["since_id=3&" in each for each in platform.searched] == [True]


def test_a_wrong_token_ends_the_run_and_says_so(shell, database, platform):
    done = listening(shell, platform, token="wrong")

    assert done.returncode != 0
    assert "X_BEARER_TOKEN" in done.stderr and "wrong" not in done.stderr.replace("is wrong", "")
    assert database["posts"].count_documents({}) == 0


def test_many_accounts_make_few_rules_of_allowed_length():
    made = rules([f"@account_{at:03}" for at in range(200)])

    assert max(map(len, made)) <= RULE_LENGTH and len(made) == 8
    assert sum(each.count("from:") for each in made) == 200
