"""What machines ask: does it live, and crawl this at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database
from starlette.testclient import TestClient

from analysis.web.app import create_app
from analysis.web.site import Site
from crawler.storage.jobs import Queue

TOKEN = "t" * 40
SENT = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


@pytest.fixture
def asked(site: Site, database: Database[Any]) -> TestClient:
    return TestClient(create_app(site, TOKEN, 0, Queue(database)), raise_server_exceptions=False)


def test_healthz_says_yes_without_a_token_and_nothing_else(asked: TestClient) -> None:
    answer = asked.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert asked.get("/api/boards").status_code == 401


def test_a_posted_message_waits_for_the_worker_once(asked: TestClient, database: Database[Any]) -> None:
    message = '{"url": "https://www.tiktok.com/@nasa"}'
    assert [asked.post("/targets", content=message, headers=SENT).json()["data"] for _ in range(2)] == [
        {"asked": True}, {"asked": False}
    ]  # fmt: skip
    queue = Queue(database)
    assert queue.waiting() == 1
    now = database["asked"].find_one()["asked_at"]  # type: ignore[index]
    assert queue.read_messages(lambda text: ("tiktok_profile", "nasa"), now) == {"read": 1}
    found = queue.next(now, "me")
    assert found is not None
    assert (found.spider, found.value) == ("tiktok_profile", "nasa")


def test_a_message_nobody_understands_is_refused_with_its_reason(database: Database[Any]) -> None:
    queue, now = Queue(database), datetime.now(UTC)
    queue.message("nonsense", now)

    def wanted(text: str) -> tuple[str, str]:
        raise ValueError("expected JSON")

    assert queue.read_messages(wanted, now) == {"refused": 1}
    assert database["asked"].find_one({}, {"_id": 0, "reason": 1}) == {"reason": "expected JSON"}
    assert queue.next(now, "me") is None


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({}, "{}", 401),
        ({"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"}, "{}", 415),
        ({"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/x-www-form-urlencoded"}, "a=b", 415),
        (SENT, "x" * 10_000_000, 413),
        (SENT, "nonsense", 400),
        (SENT, '{"spider": "x_trends", "target": 1}', 400),
        ({"Authorization": "Bearer wrong", "Content-Type": "application/json"}, "{}", 401),
    ],
)
def test_only_json_with_the_token_is_taken(
    asked: TestClient, headers: dict[str, str], content: str, status: int
) -> None:
    answer = asked.post("/targets", content=content, headers=headers)
    assert (answer.status_code, answer.json()["ok"]) == (status, False)


def test_without_a_token_nothing_can_be_asked_for(site: Site, database: Database[Any]) -> None:
    web = TestClient(create_app(site, None, 0, Queue(database)), raise_server_exceptions=False)
    assert web.post("/targets", content="{}", headers={"Content-Type": "application/json"}).status_code == 403
