"""What a response turned out to be, on a simulated site that misbehaves: every TikTok page, and no false number."""

from __future__ import annotations

import pytest

from benchmarks.outcomes import Table, living_site
from demo.site import Look

LOOKS = (Look(), Look(exact=False, rendered=True), Look(era="sigi"), Look(era="node"))


@pytest.fixture(scope="module")
def judged() -> Table:
    return living_site(5, LOOKS)


def test_every_fault_of_a_tiktok_page_is_called_by_its_name(judged):
    assert sum(judged.said.values()) > 2_000
    assert [line for line in judged.wrong if " store " not in line] == []


def test_every_outcome_that_a_response_can_show_was_met(judged):
    assert {truth for truth, _ in judged.said} == {
        "ok", "empty", "missing", "private", "blocked", "login_wall", "consent", "geo", "rate_limited",
        "shape_changed", "network",
    }  # fmt: skip


def test_no_false_number_is_written_from_any_of_them(judged):
    assert judged.numbers > 5_000
    assert judged.false == []
