"""The short form of the campaign of kills; the long one is `make campaign`."""

from __future__ import annotations

from tests.campaign.kills import run


def test_whatever_is_killed_nothing_is_lost_and_nothing_doubled() -> None:
    report = run(kills=4, seed=3, captures_a_round=120)
    assert report.differences == []
    assert report.kills.total() >= 4
    assert report.documents > 0
