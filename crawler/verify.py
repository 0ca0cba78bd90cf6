"""Do archive, database and ledger agree? Every number has its capture, every ok capture its items.

One pass over each; its cost is linear in captures and documents. Bodies are read only of captures that
the ledger does not know or whose documents are too few. What leaves no document of its own for a capture
(reviews, deals) is looked for by `deep` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from crawler.archive import Archive, ArchiveError, Capture, CaptureMissing
from crawler.archive.expiry import gone
from crawler.outcomes import Outcome, of_status
from crawler.reading import is_redirect, page_of
from crawler.storage.evidence import Evidence


@dataclass
class Findings:
    """Lists of capture ids, in the order of time where the archive has them."""

    captures: int = 0
    fetches: int = 0
    documents: int = 0
    """Observations, boards and entries."""
    unledgered: list[str] = field(default_factory=list)
    """Pages that were archived and of which the ledger knows nothing: a crash came before their items were stored."""
    short: list[str] = field(default_factory=list)
    """Pages that the ledger knows, some of whose items are not in the database."""
    unarchived: dict[str, int] = field(default_factory=dict)
    """Captures that numbers stem from and that are not in the archive, with how many numbers."""
    damaged: list[str] = field(default_factory=list)
    """What cannot be read in the archive, a line each."""
    other: int = 0
    """Archived responses that are no pages of ours: robots.txt, redirects."""
    expired: int = 0
    """Captures that numbers stem from and that were removed for their age."""

    @property
    def repairable(self) -> list[str]:
        return [*self.unledgered, *self.short]

    @property
    def agree(self) -> bool:
        return not (self.repairable or self.unarchived or self.damaged)

    def __str__(self) -> str:
        lines = [f"{self.captures} captures, {self.fetches} of them in the ledger, {self.documents} documents"]
        if self.unledgered:
            lines.append(f"{len(self.unledgered)} captures are not in the ledger: a run was cut off before their items "
                         "were stored")  # fmt: skip
        if self.short:
            lines.append(f"{len(self.short)} captures lack items in the database")
        if self.unarchived:
            numbers = sum(self.unarchived.values())
            lines.append(f"{numbers} documents stem from {len(self.unarchived)} captures that are not in the archive; "
                         "bring them in: scrapy replay PATH")  # fmt: skip
        if self.expired:
            lines.append(f"{self.expired} captures have expired (TIDEMARK_ARCHIVE_DAYS): their numbers stay, unproved")
        lines += [f"archive: {each}" for each in self.damaged]
        if self.agree:
            lines.append("all agree: every number has its capture, every capture its items")
        return "\n".join(lines)


def examine(
    archive: Archive, evidence: Evidence, *, deep: bool = False, ledger_since: datetime | None = None
) -> Findings:
    """Raises what the database raises; a damaged record is a finding.

    deep: read every capture anew and look for each of its items, instead of counting.
    ledger_since: earlier rows have left the ledger by its TTL; of what was archived before, a capture that left
    documents, or was no page of numbers, is taken as stored.
    """
    found = Findings(captures=len(archive), damaged=list(archive.problems))
    traces = evidence.traces()
    found.documents = traces.total()
    known: set[str] = set()
    few = evidence.stateless()
    for row in evidence.ledger():
        found.fetches += 1
        known.add(row.capture)
        if row.traces > traces[row.capture]:
            few.add(row.capture)
    numbers = traces + evidence.stamps()
    lacking = [each for each in sorted(known | set(numbers)) if each not in archive]
    expired = gone(archive.directory) if lacking else set()
    found.expired = len(expired.intersection(lacking))
    found.unarchived = {each: numbers[each] for each in lacking if each not in expired}
    past = set(archive.written_before(ledger_since)) - known if ledger_since and not deep else set()
    known |= {each for each in past if traces[each] or archive.outcome(each) not in (None, str(Outcome.OK))}
    for capture_id in archive.ids():
        if capture_id in known and capture_id not in few and not deep:
            continue
        try:
            capture = archive.read(capture_id)
        except (ArchiveError, CaptureMissing) as error:
            found.damaged.append(str(error))
            continue
        if capture_id in known:
            if _lacking(capture, evidence):
                found.short.append(capture_id)
        elif is_redirect(capture) or page_of(capture) is None:
            found.other += 1
        else:
            found.unledgered.append(capture_id)
    return found


def _lacking(capture: Capture, evidence: Evidence) -> list[str]:
    """Keys of items of a capture that are nowhere: read anew, for a board may rightly have been overruled."""
    page = page_of(capture)
    if page is None or of_status(capture.status) is not None:
        return []
    items = [each for each in page.items() if not hasattr(each, "reason")]
    return evidence.untraced(items)


def captures_of(archive: Archive, ids: list[str]) -> Iterator[Capture]:
    """In order of time, one body in memory at a time."""
    for capture_id in ids:
        yield archive.read(capture_id)
