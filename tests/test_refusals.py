"""What an API's status means, in an outcome and in words: pure, so every case is cheap."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from crawler.outcomes import Outcome, of_status
from crawler.pages.x import SearchPage, TrendsByWoeidPage, XPage
from crawler.pages.youtube import MostPopularPage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("page", [TrendsByWoeidPage, SearchPage])
@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        (401, Outcome.LOGIN_WALL, "expired"), (403, Outcome.BLOCKED, "plan"), (400, Outcome.SHAPE_CHANGED, "400"),
        (429, Outcome.RATE_LIMITED, "until 2026-03-01T12:15:00Z"), (503, Outcome.NETWORK, "503"),
    ],
)  # fmt: skip
def test_what_a_status_of_the_x_api_means(page: type[XPage], status: int, outcome: Outcome, words: str) -> None:
    reset = str(int(NOON.timestamp()) + 900)
    made = page("https://api.x.com/2/x", b"<html>sorry</html>", NOON, {"x-rate-limit-reset": reset})
    first = of_status(status)
    assert first is not None
    said, why = made.refused(status, first)
    assert said is outcome
    assert words in why


@pytest.mark.parametrize("reset", ["", "soon", "-1", "9" * 40])
def test_a_limit_without_a_readable_end_is_still_a_limit(reset: str) -> None:
    made = TrendsByWoeidPage("https://api.x.com/2/x", b"", NOON, {"x-rate-limit-reset": reset})
    assert made.refused(429, Outcome.RATE_LIMITED) == (
        Outcome.RATE_LIMITED, "X API: 429, the limit of this window is used up"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("quotaExceeded", Outcome.RATE_LIMITED), ("keyInvalid", Outcome.LOGIN_WALL), ("forbidden", Outcome.LOGIN_WALL),
        ("somethingNew", Outcome.BLOCKED),
    ],
)  # fmt: skip
def test_youtube_says_why_in_the_body_not_in_the_status(reason: str, outcome: Outcome) -> None:
    body = json.dumps({"error": {"code": 403, "message": "m", "errors": [{"reason": reason}]}}).encode()
    made = MostPopularPage("https://www.googleapis.com/youtube/v3/videos?x", body, NOON)
    assert made.refused(403, Outcome.BLOCKED)[0] is outcome


def test_an_error_page_that_is_no_json_keeps_what_its_status_means() -> None:
    made = MostPopularPage("https://www.googleapis.com/youtube/v3/videos?x", b"<html>", NOON)
    assert made.refused(502, Outcome.NETWORK)[0] is Outcome.NETWORK
