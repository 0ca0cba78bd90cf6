"""Shown counts, JSON counts and moments: read for sure, or refused."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.counts import (
    MAX_INT64,
    Count,
    CountError,
    DateError,
    day_or_moment,
    epoch,
    json_count,
    parse_count,
    rounded,
    tiktok_time,
    twitter_time,
    unwrapped,
)

MILLION = 10**6


@pytest.mark.parametrize(
    ("shown", "value"),
    [("0", 0), ("999", 999), (" 9005\n", 9005), ("1,234", 1234), ("518.784", 518_784),
     ("1.035.140", 1_035_140), ("1 234 567", 1_234_567), ("1\xa0234", 1234), ("1\u2009234", 1234),
     ("1\u202f234", 1234), ("1'234", 1234), ("1’234’567", 1_234_567), ("12,34,567", 1_234_567),
     ("1,23,45,678", 12_345_678), ("９９９", 999), ("１，２３４", 1234), ("١٢٣", 123), ("١٬٢٣٤", 1234),
     ("۱۲۳", 123), ("१,२३४", 1234), ("+5", 5), ("-5", -5), ("−1,234", -1234), ("\u200e1,234\u200f", 1234),
     (str(MAX_INT64), MAX_INT64)],
)  # fmt: skip
def test_a_number_without_a_unit_is_exact(shown, value):
    assert parse_count(shown) == Count(value)


@pytest.mark.parametrize(
    ("shown", "value", "precision"),
    [("1.2M", 1_200_000, 100_000), ("14M", 14_000_000, MILLION), ("14.7m", 14_700_000, 100_000),
     ("783.4K", 783_400, 100), ("783.4k", 783_400, 100), ("1.3B", 1_300_000_000, 10**8),
     ("-1.2K", -1200, 100), ("0.5K", 500, 100), ("0.123M", 123_000, 1000), ("1,2 mil", 1200, 100),
     ("1 234,5 mil", 1_234_500, 100), ("1.234,5 mil", 1_234_500, 100), ("1,234.5K", 1_234_500, 100),
     ("1 234K", 1_234_000, 1000), ("1.5 mi", 1_500_000, 100_000), ("1,5 mi.", 1_500_000, 100_000),
     ("2 bi", 2 * 10**9, 10**9), ("3,4 mln", 3_400_000, 100_000), ("1,2 Mio.", 1_200_000, 100_000),
     ("1,2 Mio", 1_200_000, 100_000), ("2 Mrd", 2 * 10**9, 10**9), ("5 Tsd.", 5000, 1000),
     ("1,2 тыс.", 1200, 100), ("3 млн", 3 * MILLION, MILLION), ("2 млрд", 2 * 10**9, 10**9),
     ("12,3 rb", 12_300, 100), ("1,1 jt", 1_100_000, 100_000),
     ("1,5 mil M de visualizaciones", 1_500_000_000, 10**8), ("1.2万", 12_000, 1000),
     ("3億", 300_000_000, 10**8), ("2亿", 200_000_000, 10**8), ("5.6만", 56_000, 1000),
     ("1.1억", 110_000_000, 10**7), ("7천", 7000, 1000), ("1.5 lakh", 150_000, 10_000),
     ("2 crore", 20_000_000, 10**7), ("1.2 करोड़", 12_000_000, MILLION), ("１．２Ｍ", 1_200_000, 100_000),
     ("١٫٢ مليون", 1_200_000, 100_000), ("١٫٢٣٤ مليون", 1_234_000, 1000), ("1.2000K", 1200, 1)],
)  # fmt: skip
def test_a_unit_multiplies_and_its_digits_give_the_precision(shown, value, precision):
    assert parse_count(shown) == Count(value, precision)


@pytest.mark.parametrize(
    ("shown", "count"),
    [("20.2M videos", Count(20_200_000, 100_000)), ("228.6M lượt xem", Count(228_600_000, 100_000)),
     ("1.3B lượt xem", Count(1_300_000_000, 10**8)), ("783.4k Followers", Count(783_400, 100)),
     ("1,2 mil visualizações", Count(1200, 100)), ("1,2 mi de visualizações", Count(1_200_000, 100_000)),
     ("3 M d’abonnés", Count(3 * MILLION, MILLION)), ("1,5 Mio. Aufrufe", Count(1_500_000, 100_000)),
     ("12 vues", Count(12)), ("1.035.140 seguidores", Count(1_035_140)),
     ("9,079 global ratings", Count(9079)), ("5.182 valoraciones", Count(5182)),
     ("1.2M\n   views", Count(1_200_000, 100_000)), ("1.2万回視聴", Count(12_000, 1000)),
     ("1.2万次观看", Count(12_000, 1000)), ("5천명", Count(5000, 1000))],
)  # fmt: skip
def test_known_nouns_after_a_count_are_ignored(shown, count):
    assert parse_count(shown) == count


REFUSED = {
    "unknown words and signs": [
        "5 apples", "5 days ago", "12:30", "50%", "$5", "#1", "1/2", "1e5", "0x10", "5G", "5KB",
        "1.2Mviews", "1M2", "4.7 out of 5 stars", "4,3 de 5", "3 of 5 views", "~1M", "(12)", "1.2M.", "1-2",
        "10 - 20", "1K-2K", "1億2345万", "5兆", "Views: 5", "about 5", "up to 5K",
    ],
    "no number": [
        "", " ", "-", "+", "N/A", "NaN", "∞", "K", "views", ".", ",", "--5", "- 5", ".5M", "5.K", "1_000",
    ],
    "bare fraction": ["1.5", "1 234,5", "1,234.56", "1,234.567", "5.0", "12,34", "0.123", "0,123", "١٫٢٣٤"],
    "malformed groups": [
        "1.23.456", "1,2345", "1234,567,890", "1,234.567.890", "12 34", "1  234", "1\n234", "1,,234",
        "1.234 567", "012,345", "1,234,56", "1.234.5M", "1,23,456.7.8K", "1 2M",
    ],
    "characters that only resemble digits": ["10²", "1½", "½", "①", "⑩", "5Ⅿ", "㋀", "1\u202e23", "1²K"],
    "contradiction": ["Under 10K+", "Under -5", "Under 0", "-200K+", "+5+", "under over 5", "<<5", "5++"],
}  # fmt: skip


@pytest.mark.parametrize(("why", "shown"), [(why, shown) for why in REFUSED for shown in REFUSED[why]])
def test_what_is_not_surely_a_count_is_refused(why, shown):
    with pytest.raises(CountError, match="expected"):
        parse_count(shown)


@pytest.mark.parametrize("shown", ["9223372036854775808", "9223372036854775.808K", "9" * 60, "1.2345K"])
def test_results_that_are_no_whole_number_of_64_bits_are_refused(shown):
    with pytest.raises(CountError, match="whole number"):
        parse_count(shown)


@pytest.mark.parametrize(
    ("shown", "decimal", "count"),
    [("1.234K", ".", Count(1234)), ("1.234K", ",", Count(1_234_000, 1000)), ("1,234K", ",", Count(1234)),
     ("1,234K", ".", Count(1_234_000, 1000)), ("1,234", ".", Count(1234)),
     ("1234.567K", None, Count(1_234_567)), ("1,234.567K", None, Count(1_234_567)),
     ("1.234.567K", None, Count(1_234_567_000, 1000))],
)  # fmt: skip
def test_the_decimal_separator_decides_what_three_digits_before_a_unit_mean(shown, decimal, count):
    assert parse_count(shown, decimal=decimal) == count


@pytest.mark.parametrize(
    ("shown", "decimal"),
    [("1.234K", None), ("1,234K", None), ("1.234 mil", None), ("518.784", "."), ("1,2M", "."),
     ("1.234,5K", "."), ("1.234.567K", "."), ("1.2M", ";")],
)  # fmt: skip
def test_an_ambiguous_or_contradicted_separator_is_refused(shown, decimal):
    with pytest.raises(CountError, match=r"decimal|groups|unit"):
        parse_count(shown, decimal=decimal)


@pytest.mark.parametrize(
    ("shown", "floor"),
    [("Under 10K", 10_000), ("Under 10K tweets", 10_000), ("Less than 1,000", 1000), ("<10K", 10_000),
     ("< 10K", 10_000), ("＜10K", 10_000), ("Menos de 10 mil", 10_000), ("Unter 10.000", 10_000)],
)  # fmt: skip
def test_a_hidden_count_keeps_its_floor_and_is_not_zero(shown, floor):
    count = parse_count(shown)
    assert count == Count(None, floor=floor)
    assert (count.low, count.high) == (0, floor)


@pytest.mark.parametrize(
    ("shown", "value"),
    [("200K+", 200_000), ("200 mil+", 200_000), ("200K+ searches", 200_000), ("1,000+", 1000),
     ("Mais de 2 mil", 2000), (">10K", 10_000)],
)  # fmt: skip
def test_a_lower_bound_has_no_upper_end(shown, value):
    count = parse_count(shown)
    assert (count.value, count.at_least) == (value, True)
    assert (count.low, count.high) == (value, math.inf)


@pytest.mark.parametrize(
    ("shown", "decimals", "precision"),
    [("4M", 1, 100_000), ("4M", None, MILLION), ("14.7M", 1, 100_000), ("1.25M", 1, 10_000), ("999", 1, 1),
     ("1K", 5, 1)],
)  # fmt: skip
def test_a_source_that_drops_zero_decimals_is_as_precise_as_it_always_is(shown, decimals, precision):
    assert parse_count(shown, decimals=decimals).precision == precision


@pytest.mark.parametrize(
    ("shown", "language", "value"),
    [("1,2 B", "tr", 1200), ("1,2 B görüntüleme", "tr-TR", 1200), ("3 Mn", "tr", 3 * MILLION),
     ("3 Mn takipçi", None, 3 * MILLION), ("5 bin", "tr", 5000), ("1.2B", "en", 1_200_000_000),
     ("1,2 N", "vi", 1200), ("1,2 Tr", "vi", 1_200_000), ("1,2 T", "vi", 1_200_000_000),
     ("1,2 Tr lượt xem", None, 1_200_000), ("1,2 mil.", "es", 1200), ("1,2 mil.", "cs", 1_200_000)],
)  # fmt: skip
def test_a_unit_means_what_its_language_says(shown, language, value):
    assert parse_count(shown, language=language).value == value


@pytest.mark.parametrize(
    ("shown", "language"),
    [("1,2 N", None), ("1,2 T", None), ("1,2 Tr", None), ("1.2T", "en"), ("3 Mn", None), ("1,2 mil.", None),
     ("1,2 B görüntüleme", None), ("1,2 M pengikut", None), ("1,2 M", "id"), ("5 bn", "tr")],
)  # fmt: skip
def test_a_unit_that_differs_by_language_is_refused_without_it(shown, language):
    with pytest.raises(CountError):
        parse_count(shown, language=language)


@pytest.mark.parametrize("shown", [None, 5, 1.5, b"5", ["5"], True])
def test_what_is_no_text_is_refused(shown):
    with pytest.raises(CountError):
        parse_count(shown)


def test_a_refusal_names_the_text_cut_and_what_was_expected():
    with pytest.raises(CountError, match=r"count '5 apples': expected a known unit or noun, found 'apples'"):
        parse_count("5 apples")
    with pytest.raises(CountError) as refused:
        parse_count("x" * 1000)
    assert "x" * 59 in str(refused.value)
    assert "x" * 60 not in str(refused.value)


def test_text_over_64_characters_is_refused():
    assert parse_count("5".rjust(64)) == Count(5)
    with pytest.raises(CountError, match="64 characters"):
        parse_count("5".rjust(65))


def test_rounding_bounds_lie_half_a_step_around_the_value():
    assert (Count(1_200_000, 100_000).low, Count(1_200_000, 100_000).high) == (1_150_000, 1_250_000)
    assert (Count(999).low, Count(999).high) == (999, 999)
    assert (Count(10, 5).low, Count(10, 5).high) == (7.5, 12.5)


def test_a_count_has_a_value_or_a_floor():
    with pytest.raises(CountError):
        Count(None)


GROUPINGS = {
    "plain": str,
    "english": lambda n: f"{n:,}",
    "german": lambda n: f"{n:,}".replace(",", "."),
    "french": lambda n: f"{n:,}".replace(",", "\u202f"),
    "swedish": lambda n: f"{n:,}".replace(",", "\xa0"),
    "spanish": lambda n: f"{n:,}".replace(",", "\u2009"),
    "swiss": lambda n: f"{n:,}".replace(",", "’"),
    "indian": lambda n: indian(n),
    "arabic": lambda n: f"{n:,}".replace(",", "٬").translate({48 + d: 0x660 + d for d in range(10)}),
    "full width": lambda n: f"{n:,}".translate({c: c + 0xFEE0 for c in b"0123456789,-"}),
}


def indian(number: int) -> str:
    sign, digits = ("-" if number < 0 else ""), str(abs(number))
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return sign + ",".join([*reversed(pairs), tail])


@pytest.mark.parametrize("grouping", GROUPINGS)
@settings(deadline=None)
@given(number=st.integers(-MAX_INT64, MAX_INT64) | st.integers(-(10**7), 10**7))
def test_whole_numbers_grouped_in_any_locale_read_back_exactly(grouping, number):
    assert parse_count(GROUPINGS[grouping](number)) == Count(number)


@settings(deadline=None)
@given(number=st.integers(1000, 999_949_999_999), point=st.sampled_from(".,"))
def test_the_true_number_lies_within_the_bounds_of_its_shortened_form(number, point):
    unit, letter = next((u, x) for u, x in ((10**9, "B"), (10**6, "M"), (10**3, "K")) if number >= u)
    count = parse_count(f"{(number * 10 + unit // 2) // unit / 10:.1f}{letter}".replace(".", point))
    assert count.low <= number <= count.high


@settings(deadline=None)
@given(
    shown=st.text(max_size=80) | st.text("0123456789.,'’ \xa0+-−<KkMmBb万億mil²½٫٬٣", max_size=24),
    decimal=st.sampled_from([None, ".", ","]),
    language=st.sampled_from([None, "tr", "vi", "pt-BR", ""]),
)
@example("1\x002", None, None)
def test_any_text_is_a_count_or_a_count_error(shown, decimal, language):
    try:
        count = parse_count(shown, decimal=decimal, language=language)
    except CountError:
        return
    assert count.low <= count.high
    assert abs(count.value or 0) <= MAX_INT64


@pytest.mark.parametrize(
    ("value", "step"),
    [(0, 1), (9999, 1), (9900, 1), (10_000, 100), (783_400, 100), (783_427, 1), (14_000_000, 100_000),
     (587_500_000, 100_000), (40_421_477, 1), (40_421_400, 1), (9_200_000_000, 10**8),
     (1_234_500_000, 100_000), (1_234_567_000, 1), (-783_400, 100)],
)  # fmt: skip
def test_a_rounded_number_in_json_is_rounded_by_one_decimal_of_its_unit(value, step):
    assert rounded(value) == step


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), (0, 0), (-3, -3), ("2426012173", 2_426_012_173), ("-3", -3), (1608396.0, 1_608_396),
     (MAX_INT64, MAX_INT64)],
)  # fmt: skip
def test_json_counts_are_whole_numbers_or_digits(value, number):
    read = json_count(value)
    assert (read, type(read)) == (number, int)


@pytest.mark.parametrize(
    "value",
    [True, False, None, 1.5, float("nan"), float("inf"), 1e17, "", " 5", "5.0", "1,234", "1K", "+5", "٣",
     "9" * 19, "9" * 5000, MAX_INT64 + 1, [], {}, b"5"],
)  # fmt: skip
def test_other_json_is_no_count(value):
    with pytest.raises(CountError):
        json_count(value)


@pytest.mark.parametrize(
    ("first", "second", "true"),
    [(9_200_000_000, 9_200_000_000 % 2**32, 9_200_000_000), (9_200_000_000, 610_100_000, 9_200_000_000),
     (610_100_000, 9_200_000_000, 9_200_000_000), (9_234_567_890, 644_600_000, 9_234_567_890),
     (9_200_000_000, 9_234_567_890 % 2**32, 9_200_000_000),
     (3_000_000_000, 3_000_000_000 - 2**32, 3_000_000_000)],
)  # fmt: skip
def test_a_number_wrapped_at_32_bits_is_repaired_also_when_rounded(first, second, true):
    assert unwrapped(first, second) == (true, True)


@pytest.mark.parametrize(
    ("first", "second"),
    [(5, 5), (783_400, 783_427), (9_200_000_000, 700_000_000), (9_200_000_000, 9_200_000_000), (5, 7),
     (9_200_000_001, 9_200_000_001 + 2**32), (4_000_000_000, 100)],
)  # fmt: skip
def test_copies_that_differ_otherwise_are_not_repaired(first, second):
    assert unwrapped(first, second) == (first, False)


@settings(deadline=None)
@given(true=st.integers(2**31, 2**40))
def test_any_wrapped_copy_gives_back_the_true_number(true):
    wrapped = true % 2**32
    expected = (true, wrapped != true)
    assert unwrapped(true, wrapped) == expected
    assert unwrapped(wrapped, true) == expected


@pytest.mark.parametrize(
    ("text", "moment", "precision"),
    [("2021-09-19", datetime(2021, 9, 19, tzinfo=UTC), "day"),
     ("2021-09-19T11:04:28Z", datetime(2021, 9, 19, 11, 4, 28, tzinfo=UTC), None),
     ("2021-09-19 11:04:28+00:00", datetime(2021, 9, 19, 11, 4, 28, tzinfo=UTC), None),
     ("2021-09-19T11:04:28.250-03:00", datetime(2021, 9, 19, 14, 4, 28, 250_000, tzinfo=UTC), None),
     ("2021-09-19T11:04+0530", datetime(2021, 9, 19, 5, 34, tzinfo=UTC), None),
     ("2020-08-12T00:00:00Z\n", datetime(2020, 8, 12, tzinfo=UTC), None)],
)  # fmt: skip
def test_a_day_stays_a_day_and_a_moment_becomes_utc(text, moment, precision):
    found, at_precision = day_or_moment(text)
    assert (found, found.tzinfo, at_precision) == (moment, UTC, precision)


def test_a_moment_without_zone_is_utc_only_when_told_so():
    with pytest.raises(DateError, match="assume_utc"):
        day_or_moment("2021-09-19T11:04:28")
    assert day_or_moment("2021-09-19T11:04:28", assume_utc=True)[0] == datetime(2021, 9, 19, 11, 4, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "2021", "2021-09", "19/09/2021", "20210919", "2021-W38-7", "2021-13-01", "2021-02-30",
     "2021-09-19T25:00Z", "2021-09-19T11Z", "2021-09-19Tnoon", "٢٠٢١-٠٩-١٩", "0001-01-01T00:00:00+05:00",
     "yesterday"],
)  # fmt: skip
def test_what_is_no_iso_moment_is_refused(text):
    with pytest.raises(DateError):
        day_or_moment(text)


@pytest.mark.parametrize(("value", "ms"), [(1_562_135_340, 0), ("1562135340", 0), ("1562135340123", 123)])
def test_epochs_in_seconds_and_milliseconds_are_told_apart(value, ms):
    assert epoch(value) == datetime(2019, 7, 3, 6, 29, microsecond=ms * 1000, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [0, "0", -1, 946_684_799, 4_102_444_800, 1_562_135_340_000_000, True, 1_562_135_340.5, 1_562_135_340.0,
     None, "", "soon", "1562135340.0", "١٥٦٢١٣٥٣٤٠"],
)  # fmt: skip
def test_what_is_no_epoch_between_2000_and_2100_is_refused(value):
    with pytest.raises(DateError):
        epoch(value)


def test_twitter_time_reads_without_locale_and_heeds_the_zone():
    assert twitter_time("Wed Jul 03 06:29:00 +0000 2019") == datetime(2019, 7, 3, 6, 29, tzinfo=UTC)
    assert twitter_time("Tue Jul 02 23:29:00 -0700 2019") == datetime(2019, 7, 3, 6, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "Wed Jul 03 06:29:00 2019", "Mit Jul 03 06:29:00 +0000 2019", "Wed Xyz 03 06:29:00 +0000 2019",
     "Wed Feb 30 06:29:00 +0000 2019", "2019-07-03T06:29:00Z"],
)  # fmt: skip
def test_what_is_no_twitter_time_is_refused(text):
    with pytest.raises(DateError):
        twitter_time(text)


def test_the_moment_of_a_tiktok_post_is_in_its_id():
    seconds = 1_562_135_340
    assert tiktok_time(str((seconds << 32) + 12_345)) == datetime(2019, 7, 3, 6, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    "post_id",
    ["", "awesome", "12345", str(2**64), str(-5), "9" * 30, str(1_300_000_000 << 32)],
)  # fmt: skip
def test_an_id_without_a_moment_gives_none(post_id):
    assert tiktok_time(post_id) is None
