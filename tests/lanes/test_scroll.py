"""How far a list is scrolled."""

from __future__ import annotations

from datetime import UTC, datetime

from crawler.items import Post
from crawler.lanes.scroll import Scroll
from crawler.outcomes import Outcome

AT = datetime(2026, 3, 1, tzinfo=UTC)


def posts(*numbers, pinned=()):
    return [
        Post(platform="tiktok", url="https://a.example", observed_at=AT, capture="c" * 32, parser="t@1",
             post_id=str(n), pinned=n in pinned)
        for n in numbers
    ]  # fmt: skip


def heard(scroll, *numbers, more=True, outcome=Outcome.OK, pinned=()):
    return scroll.heard(posts(*numbers, pinned=pinned), more, outcome)


def test_it_goes_on_until_as_many_as_asked_for():
    scroll = Scroll(asked=5)
    assert heard(scroll, 9, 8, 7)
    assert not heard(scroll, 6, 5, 4)
    assert (scroll.stopped, scroll.complete, scroll.newest) == ("asked", True, "9")


def test_the_lists_own_word_is_its_end():
    scroll = Scroll()
    assert heard(scroll, 9, 8)
    assert not heard(scroll, 7, more=False)
    assert scroll.stopped == "end"


def test_what_is_known_ends_it_and_pinned_posts_do_not():
    scroll = Scroll(known_to="5")
    assert heard(scroll, 1, 9, 8, pinned=(1,))
    assert not heard(scroll, 7, 6, 5, 4)
    assert (scroll.stopped, scroll.newest) == ("known", "9")


def test_a_first_answer_that_is_all_pinned_does_not_end_it():
    assert heard(Scroll(known_to="5"), 1, 2, 3, pinned=(1, 2, 3))


def test_a_feed_that_only_repeats_itself_ends():
    scroll = Scroll()
    assert heard(scroll, 9, 8, 7, 6)
    assert not heard(scroll, 9, 8, 7, 6)
    assert (scroll.stopped, scroll.complete) == ("nothing_new", False)


def test_a_feed_with_hardly_anything_new_twice_ends():
    scroll = Scroll()
    assert heard(scroll, *range(100, 110))
    assert heard(scroll, *range(100, 109), 50)
    assert not heard(scroll, *range(100, 109), 51)


def test_a_wall_ends_it_and_leaves_it_incomplete():
    scroll = Scroll()
    assert heard(scroll, 9)
    assert not heard(scroll, outcome=Outcome.BLOCKED, more=None)
    assert (scroll.stopped, scroll.complete) == ("failed", False)
