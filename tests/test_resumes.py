"""The short form of `python -m tests.campaign resumes`."""

from __future__ import annotations

from tests.campaign.resumes import run
from tests.demo.test_browser import WITHOUT


@WITHOUT
def test_a_crawl_killed_at_random_points_goes_on_without_loss_and_without_fetching_twice():
    report = run(2, 3, ("coral.cooks", "small.fry", "odd_one"), most_requests=9)
    assert report.kills == 2
    assert report.wrong == []
