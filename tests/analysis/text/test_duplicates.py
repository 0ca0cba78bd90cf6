"""Copies of a post are found whatever was changed on the way; different posts stay apart."""

from __future__ import annotations

import pytest

from analysis.text.duplicates import folded, groups

TEXT = "The new market hall opens on Saturday with 30 stands and free coffee for everyone"


@pytest.mark.parametrize(
    "copy",
    [
        f"RT @someone: {TEXT}",
        f"{TEXT} 😍🔥",
        TEXT.upper(),
        TEXT.replace("30", "45"),
        TEXT.replace("free ", ""),
        f"{TEXT} https://a.example/b",
        f"{TEXT} @ana @bea",
    ],
)
def test_a_changed_copy_is_folded_into_the_first(copy: str) -> None:
    assert groups(["Something else is going on in this town today", TEXT, copy]) == [0, 1, 1]


def test_other_posts_and_posts_of_emoji_alone_stay_apart() -> None:
    texts = [
        TEXT,
        "The old market hall closes on Monday, what a pity for all of us",
        "🔥🔥",
        "🔥🔥",
        "bom dia",
        "bom dia!",
    ]
    assert groups(texts) == [0, 1, 2, 3, 4, 4]


def test_chains_of_copies_end_at_the_first() -> None:
    found = groups([TEXT, TEXT + " now", "RT @a: " + TEXT + " now ok"])
    assert found == [0, 0, 0]


def test_the_order_of_groups_is_the_same_every_time() -> None:
    texts = [f"{TEXT} {n % 7}{' and more words here' * (n % 3)}" for n in range(60)]
    assert groups(texts) == groups(texts)


def test_numbers_links_and_handles_do_not_count() -> None:
    assert folded("RT @a: Custa R$ 1.299,90 https://a.example 😍") == "custa r 0"
