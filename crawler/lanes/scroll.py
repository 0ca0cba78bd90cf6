"""How far to scroll a list: until enough, the end, what is known already, or nothing new. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from crawler.items import Post
from crawler.outcomes import Outcome

Why = Literal["", "asked", "end", "known", "nothing_new", "failed", "budget"]
LEAST_NEW = 0.25  # share of rows not seen before; below it twice in a row, a feed repeats itself


@dataclass
class Scroll:
    """One list of posts, answer by answer."""

    asked: int | None = None
    """Posts wanted; None: all."""
    known_to: str | None = None
    """Id of the newest post when the list was last read to its end; for lists that begin with the newest."""
    ids: dict[str, None] = field(default_factory=dict)
    newest: str | None = None
    stale: int = 0
    """Answers in a row with hardly anything new."""
    stopped: Why = ""

    def heard(self, posts: Sequence[Post], more: bool | None, outcome: Outcome) -> bool:
        """Whether to ask for more. posts: of the answer, in its order; more: as the answer itself says."""
        before = len(self.ids)
        self.ids |= dict.fromkeys(post.post_id for post in posts)
        self.newest = _newest([self.newest, *(post.post_id for post in posts if not post.pinned)])
        few = len(self.ids) - before < LEAST_NEW * max(1, len(posts))
        self.stale = self.stale + 1 if few else 0
        self.stopped = self._why(posts, more, outcome, gained=len(self.ids) - before)
        return not self.stopped

    def _why(self, posts: Sequence[Post], more: bool | None, outcome: Outcome, gained: int) -> Why:
        if outcome is Outcome.EMPTY or (outcome is Outcome.OK and more is False):
            return "end"
        if outcome is not Outcome.OK:
            return "failed"
        if self._reaches_known(posts):
            return "known"
        if self.asked is not None and len(self.ids) >= self.asked:
            return "asked"
        return "nothing_new" if not gained or self.stale > 1 else ""

    def _reaches_known(self, posts: Sequence[Post]) -> bool:
        """By the last row that is not pinned: pinned ones are old and stand first."""
        last = next((post.post_id for post in reversed(posts) if not post.pinned), None)
        return self.known_to is not None and last is not None and int(last) <= int(self.known_to)

    @property
    def complete(self) -> bool:
        """Whether everything newer than what was known has been seen, or all that was asked for."""
        return self.stopped in ("asked", "end", "known")


def _newest(ids: Sequence[str | None]) -> str | None:
    """The first 32 bits of an id are the second of the post."""
    return max((each for each in ids if each), key=int, default=None)
