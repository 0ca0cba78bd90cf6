"""20,000 mutations of saved pages; the short form is tests/test_fuzz_pages.py."""

from __future__ import annotations

from tests.fuzz_pages import Report, run


def campaign(seed: int) -> tuple[bool, Report]:
    report = run(20_000, seed)
    return not (report.crashes or report.broken_items or report.ok_after_loss), report
