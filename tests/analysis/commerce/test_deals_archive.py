"""What a dump's quick reading passes over unread, its slow reading would not have selected either."""

import html
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as any_of

from analysis.commerce import deals_archive
from analysis.commerce.deals_archive import Selection, read_member
from crawler.lanes.tweets import Account, parsed
from crawler.lanes.twitterstream import Packed
from tests.lanes.test_twitterstream import delete, tweet

BRANDS = ("Nike", "H&M", "Nestlé", "資生堂", "L'Oréal", "É", "kiss k", "A/B")

words = any_of.sampled_from(
    [*BRANDS, *(each.upper() for each in BRANDS), "nIkE", "ſuper", "$5", "$ 12.50", "{", '"id":7,', '"truncated":true',
     '"extended_tweet":', "retweeted_status", "{x", "<b>", "\\", "\n", "only", "now", "🙂", "Nikes"]
)  # fmt: skip
texts = any_of.lists(words, max_size=9).map(" ".join).map(lambda text: html.escape(text, quote=False))


@any_of.composite
def tweets(draw, number=1, depth=0):
    made = tweet(number, draw(texts), truncated=draw(any_of.booleans()))
    if draw(any_of.booleans()):
        made["extended_tweet"] = {"full_text": draw(texts)}
    for name in ("retweeted_status", "quoted_status") if depth == 0 else ():
        if draw(any_of.booleans()):
            made[name] = draw(tweets(number + 10**6, depth=1))
    if draw(any_of.integers(0, 9)) == 0:
        del made["truncated"]
    return made


@any_of.composite
def dumps(draw):
    rows = [draw(tweets(10**17 + at)) if draw(any_of.integers(0, 3)) else delete(at)
            for at in range(draw(any_of.integers(0, 6)))]  # fmt: skip
    ascii_only, parted = draw(any_of.booleans()), draw(any_of.sampled_from([(",", ":"), (", ", ": ")]))
    lines = [json.dumps(row, ensure_ascii=ascii_only, separators=parted).encode() for row in rows]
    odd = draw(any_of.sampled_from([b"", b'{"created_at":"x"}', b'{"delete":{}}', b'{"delete":{', b"[1]", b"\r"]))
    end = draw(any_of.sampled_from([b"\n", b"\r\n"]))
    return end.join([*lines, odd, *lines[:1]]) + draw(any_of.sampled_from([b"", end]))


@settings(max_examples=250, deadline=None, database=None)
@given(dumps(), any_of.sets(any_of.sampled_from(BRANDS), max_size=3), any_of.booleans())
def test_no_tweet_is_lost_by_looking_at_bytes_first(data, brands, priced):
    selection = Selection(tuple(sorted(brands)), "all", priced=priced, withdrawn=True)
    slow = Account()
    whole = list(parsed(data, slow))
    rows = [deals_archive._row(each, selection) for each in whole if "id_str" in each]
    found = read_member(Packed("a.json", data, 0), selection)

    assert found.account.as_row() == slow.as_row()
    assert [row["id"] for _, row in found.rows] == [row["id"] for row in rows if row is not None]
    assert [row for _, row in found.rows] == [row for row in rows if row is not None]
    assert found.withdrawn == [str(each["delete"]["status"]["id"]) for each in whole if each.get("delete")]


@pytest.mark.parametrize(
    ("brand", "text"),
    [("Nestlé", "NESTLÉ for $5"), ("H&M", "h&amp;m $5 off"), ("資生堂", "資生堂 $5"), ("Nike", "nike shoes $5")],
)
def test_a_brand_is_found_however_the_line_writes_it(brand, text):
    lines = [json.dumps(tweet(10**17, text), ensure_ascii=plain, separators=(",", ":")) for plain in (True, False)]
    found = read_member(Packed("a.json", "\n".join(lines).encode(), 0), Selection((brand,), "all"))

    assert len(found.rows) == 2


def test_a_line_broken_in_its_middle_is_counted_as_damaged_and_does_not_stop_the_rest():
    good = json.dumps(tweet(10**17, "Mug $5 now"), separators=(",", ":"))
    broken = good.replace("Mug", 'M"ug').replace(str(10**17), str(10**17 + 1))
    found = read_member(Packed("a.json", f"{broken}\n{good}\n".encode(), 0), Selection(keep="all"))

    assert (found.account.lines, found.account.tweets, found.account.damaged) == (2, 1, 1)
    assert [row["id"] for _, row in found.rows] == [str(10**17)]
