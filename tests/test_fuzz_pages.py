"""Whatever a page is given, it gives a typed outcome; the long form is `python -m tests.fuzz_pages 20000`."""

from __future__ import annotations

import pytest

from tests.fuzz_pages import Report, run


@pytest.fixture(scope="module")
def report() -> Report:
    return run(2_000, seed=20261121)


def test_no_mutation_of_a_saved_page_gets_an_error_out_of_its_page_object(report):
    assert report.crashes == []


def test_no_mutation_makes_an_item_that_its_model_refuses(report):
    assert report.broken_items == []


def test_a_page_that_lost_its_mandatory_data_is_never_ok(report):
    assert report.losses > report.mutations // 20
    assert report.ok_after_loss == []


def test_the_same_seed_gives_the_same_mutations(report):
    again, first = run(100, seed=7), run(100, seed=7)
    assert (again.outcomes, again.kinds) == (first.outcomes, first.kinds)
