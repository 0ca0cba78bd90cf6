"""How shown numbers and moments read: "1.2M" -> Count(1_200_000, precision=100_000). Pure, no clock.

What cannot be read for sure is an error, never a guess. Prices in running text: crawler.money.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

MAX_INT64 = 2**63 - 1
LONGEST_TEXT = 64  # the longest honest count, "Menos de 1.234.567 visualizações", is half of this


class CountError(ValueError):
    """A text that is no count, or not surely one; names the text and what was expected."""


class MoneyError(ValueError):
    """A price that cannot be read for sure."""


class DateError(ValueError):
    """A moment that cannot be read for sure."""


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number as shown, and how far rounding lets the true one lie from it."""

    value: int | None
    """The number shown; None when only a floor is shown ("Under 10K")."""
    precision: int = 1
    """Rounding step; 1 when exact."""
    floor: int | None = None
    """The number below which the source hides the true one; None when a value is shown."""
    at_least: bool = False
    """Shown as "200K+": value is a lower bound."""

    def __post_init__(self) -> None:
        if self.value is None and self.floor is None:
            raise CountError("Count: expected a value or a floor, found neither")

    @property
    def low(self) -> int | float:
        if self.value is None:
            return 0
        return self.value if self.at_least else self.value - self._half()

    @property
    def high(self) -> int | float:
        """Infinite when only a lower bound is shown."""
        if self.value is None:
            return self.floor or 0
        return math.inf if self.at_least else self.value + self._half()

    def _half(self) -> int | float:
        if self.precision <= 1:
            return 0
        return self.precision / 2 if self.precision % 2 else self.precision // 2


def _plain(text: str) -> str:
    """For comparison: one width, one case, composed letters."""
    return unicodedata.normalize("NFKC", text).casefold()


def _words(table: str) -> list[str]:
    return [_plain(word.strip()) for word in table.split(",") if word.strip()]


# Short and long scale differ from 10^12 on, and "T" is a thousand, 10^9 or 10^12 by country: left out.
_UNITS = {
    word: value
    for value, table in {
        10**3: """k, mil, mila, mille, thousand, tausend, tsd, тыс, тис, тысяч, rb, ribu, tys, tis, dzd,
            nghìn, ngàn, ألف, آلاف, هزار, हज़ार""",
        10**5: "lakh, lakhs, lac, lacs, लाख",
        10**6: """m, mi, mln, mio, million, millions, milhão, milhões, millón, millones, milione, milioni,
            millionen, miljoen, млн, jt, juta, triệu, مليون, ملايين, میلیون""",
        10**7: "crore, crores, करोड़",
        10**9: """b, bi, bn, mrd, mld, md, млрд, billion, bilhão, bilhões, mil m, mil millones, milliard,
            milliards, milliarden, miljard, miliardi, miliar, tỷ, tỉ, مليار, میلیارد""",
    }.items()
    for word in _words(table)
}
_SIGNS = {
    "千": 10**3, "천": 10**3, "万": 10**4, "萬": 10**4, "만": 10**4, "億": 10**8, "亿": 10**8, "억": 10**8,
}  # fmt: skip
# What a unit means in one language only; 0 where that language leaves it open. "mil." with its dot is read
# in these languages alone. A noun tells less than language=: sites that keep K, M and B everywhere
# ("1.3B lượt xem") and sites that translate them (Turkish B is bin, a thousand) show the same noun.
_LOCAL = {
    "cs": {"mil": 10**6},
    "de": {"billion": 10**12},
    "es": {"mil": 10**3},
    "fr": {"billion": 10**12},
    "hr": {"mil": 10**6},
    "id": {"m": 0},
    "pt": {"mil": 10**3},
    "ro": {"mil": 10**6},
    "sk": {"mil": 10**6},
    "tr": {"b": 10**3, "bin": 10**3, "bn": 0, "mn": 10**6, "milyon": 10**6, "mr": 10**9, "milyar": 10**9},
    "tr noun": {"b": 0, "bin": 10**3, "bn": 0, "mn": 10**6, "milyon": 10**6, "milyar": 10**9},
    "vi": {"n": 10**3, "tr": 10**6, "t": 10**9},
}

# Nouns that may follow a count, by the language they give away ("" for none).
_NOUNS = {
    noun: language
    for language, table in {
        "": """view, views, video views, play, plays, follower, followers, following, like, likes, heart,
            hearts, video, videos, post, posts, tweet, tweets, comment, comments, share, shares, save, saves,
            favorite, favorites, favourites, bookmarks, repost, reposts, retweet, retweets, reply, replies,
            quotes, subscriber, subscribers, member, members, search, searches, user, users, people, result,
            results, rating, ratings, global rating, global ratings, review, reviews, customer reviews, sold,
            bought, times, visualização, visualizações, seguidor, seguidores, seguindo, curtida, curtidas,
            vídeo, vídeos, comentário, comentários, publicação, publicações, inscritos, buscas, pesquisas,
            avaliação, avaliações, vendidos, compartilhamentos, visualización, visualizaciones, vistas,
            reproducciones, siguiendo, me gusta, comentarios, publicaciones, suscriptores, búsquedas,
            valoración, valoraciones, vendido, aufruf, aufrufe, abonnenten, gefällt mir, beiträge, kommentare,
            bewertung, bewertungen, suchanfragen, vue, vues, abonné, abonnés, j'aime, vidéo, vidéos,
            commentaires, évaluations, avis, visualizzazione, visualizzazioni, iscritti, commenti, recensioni,
            weergaven, volgers, wyświetleń, просмотр, просмотра, просмотров, подписчик, подписчика,
            подписчиков, видео, مشاهدة, متابع, بازدید, 回視聴, 回再生, 回, 件, 人, フォロワー,
            次观看, 次觀看, 次播放, 播放, 观看, 粉丝, 粉絲, 点赞, 회, 명, 개""",
        "id": "tayangan, ditonton, x ditonton, pengikut, suka",
        "tr noun": "takipçi, görüntüleme, görüntülenme, izlenme, beğeni, abone, yorum, gönderi",
        "vi": "lượt xem, lượt thích, người theo dõi, lượt bình luận, lượt chia sẻ, đã bán",
    }.items()
    for noun in _words(table)
}
_BELOW = frozenset(
    _words("""under, below, less than, fewer than, <, menos de, abaixo de, unter, weniger als, moins de,
        meno di, minder dan, mniej niż, менее, меньше, dưới, kurang dari""")
)
_ABOVE = frozenset(
    _words("over, more than, >, mais de, más de, über, mehr als, plus de, più di, meer dan, более, больше")
)
_BOUNDS = _BELOW | _ABOVE


def _any_of(*words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(set().union(*words), key=len, reverse=True)))


_SHAPE = re.compile(r"(?P<bound>\D*?)(?P<sign>[-+−]?)(?P<number>\d(?:[\d.,'٫ ]*\d)?)(?P<tail>.*)", re.DOTALL)
_TAIL = re.compile(
    rf"(?:(?P<word>{_any_of(_UNITS, *_LOCAL.values())})(?P<dot>\.)?(?![^\W\d_])|(?P<sign>{_any_of(_SIGNS)}))?"
    rf"\s*(?P<plus>\+)?\s*(?:(?:(?:de|di|of) |d')?(?P<noun>{_any_of(_NOUNS)}))?"
)
_GROUPED = re.compile(r"[1-9]\d{0,2}([.,' ])\d{3}(?:\1\d{3})*|[1-9]\d?(,)\d\d(?:,\d\d)*,\d{3}")
_FRACTION = re.compile(r"(?P<whole>.*?)(?P<point>[.,٫])(?P<fraction>\d+)")
# Apostrophes and the Arabic thousands separator only ever group; marks of direction and joining show nothing.
# Overrides of direction (U+202D, U+202E) turn digits round, so they stay in and are refused.
_INVISIBLE = "\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2060\u2066\u2067\u2068\u2069\ufeff"
_FOLD = str.maketrans("’ʼ٬،", "'','", _INVISIBLE)


def _refused(text: object, expected: str) -> CountError:
    cut = text[:60] if isinstance(text, str) else text
    return CountError(f"count {repr(cut)[:60]}: expected {expected}")


def _folded(text: str) -> str:
    """One width, ASCII digits, known separators; refuses what would become a digit it is not (², ½, ①)."""
    if text.isascii():
        return text.strip()
    folded = unicodedata.normalize("NFKC", text.translate(_FOLD)).strip()
    digits = sum(map(str.isdecimal, text))
    if digits != sum(map(str.isdecimal, folded)) or any(unicodedata.category(c) == "Nl" for c in text):
        raise _refused(text, "plain digits, no fractions, superscripts or Roman numerals")
    return "".join(str(int(c)) if c.isdecimal() else c for c in folded)


@lru_cache(maxsize=4096)
def _meaning(tail: str, language: str | None) -> tuple[int, bool] | None:
    """What follows the digits: (unit, "+" shown); unit 0 where none is shown, None where not understood."""
    match = _TAIL.fullmatch(" ".join(tail.casefold().split()))
    if match is None:
        return None
    plus = match["plus"] is not None
    if match["sign"]:
        return _SIGNS[match["sign"]], plus
    word = match["word"]
    if word is None:
        return 0, plus
    spoken = re.split("[-_]", language.lower())[0] if language else _NOUNS.get(match["noun"] or "", "")
    local = _LOCAL.get(spoken, {})
    if match["dot"] and (len(word) == 1 or (word == "mil" and word not in local)):
        return None
    unit = local.get(word, _UNITS.get(word, 0))
    return (unit, plus) if unit else None


def _digits(number: str, decimal: str | None, unit: int, text: str) -> tuple[str, str]:
    """Digits before and after the decimal separator, groups joined."""
    if number.isdigit():
        return number, ""
    grouped = _GROUPED.fullmatch(number)
    separator = (grouped[1] or grouped[2]) if grouped else None
    if separator and separator != decimal:
        if unit and decimal is None and separator in ".," and number.count(separator) == 1:
            raise _refused(text, f"decimal= '.' or ',' to say what {separator!r} before three digits means")
        return number.replace(separator, ""), ""
    parts = _FRACTION.fullmatch(number)
    if parts is None:
        raise _refused(text, "digits in groups of three (or Indian groups)")
    whole, point, fraction = parts.groups()
    if not unit:
        raise _refused(text, "a whole number, or a unit such as K, M, mil after the fraction")
    if decimal not in (point, None) and point != "٫":
        raise _refused(text, f"{decimal!r} before the fraction, as given by decimal=")
    if not whole.isdigit():
        groups = _GROUPED.fullmatch(whole)
        if groups is None or point in whole or (decimal or "\0") in whole:
            raise _refused(text, "digits in groups of three (or Indian groups)")
        whole = whole.replace(groups[1] or groups[2], "")
    return whole, fraction


def _is_text(value: object) -> bool:  # JSON gives numbers and lists where text was promised
    return isinstance(value, str)


def parse_count(
    text: str, *, decimal: str | None = None, decimals: int | None = None, language: str | None = None
) -> Count:
    """Read a count as a page shows it.

    decimal: '.' or ',', where the page's locale is known; only "1.234K" needs it.
    decimals: the source always rounds to this many decimals of its unit and drops zeros, a TikTok
    habit: "4M" is 4.0M.  language: BCP 47; needed for Turkish B and Mn, Vietnamese N, Tr and T.
    Raises CountError.
    """
    if not _is_text(text) or len(text) > LONGEST_TEXT:
        raise _refused(text, f"text of at most {LONGEST_TEXT} characters")
    if decimal not in (None, ".", ","):
        raise _refused(text, f"decimal='.' or decimal=',', found {decimal!r}")
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return Count(int(text))
    shape = _SHAPE.fullmatch(_folded(text))
    if shape is None:
        raise _refused(text, "digits")
    bound, sign, number, tail = shape.groups()
    meaning = _meaning(tail, language)
    if meaning is None:
        raise _refused(text, f"a known unit or noun, found {tail.strip()!r}"[:120])
    unit, at_least = meaning
    whole, fraction = _digits(number, decimal, unit, text)
    value, rest = divmod(int(whole + fraction) * (unit or 1), 10 ** len(fraction))
    if rest or value > MAX_INT64:
        raise _refused(text, "a whole number up to 2^63-1")
    words = " ".join(bound.casefold().split())
    if (words and (at_least or words not in _BOUNDS)) or (sign and (words or at_least)):
        raise _refused(text, "a number, or one bound such as 'Under 10K', '<10K', '200K+'")
    if words in _BELOW:
        if value == 0:
            raise _refused(text, "a bound above 0")
        return Count(None, floor=value)
    precision = max(1, unit // 10 ** max(len(fraction), decimals or 0))
    return Count(value if sign in ("", "+") else -value, precision, None, at_least or words in _ABOVE)


def rounded(value: int) -> int:
    """Rounding step of a whole number that JSON state rounds by one decimal of its shown unit.

    783400 -> 100, shown as 783.4K; 14000000 -> 100000; a number that is no multiple is exact: 1.
    """
    size = abs(value)
    if size >= 10**9 and size % 10**8 == 0:
        return 10**8
    if size >= 10**6:
        return 10**5 if size % 10**5 == 0 else 1
    return 100 if size >= 10**4 and size % 100 == 0 else 1


def json_count(value: object) -> int:
    """A count as JSON sends it: a whole number, or one in a string. Negative ones pass."""
    number = value
    if (isinstance(value, float) and value.is_integer() and abs(value) <= 2**53) or (  # exact up to there
        isinstance(value, str) and len(value) <= 20 and re.fullmatch("-?[0-9]+", value)
    ):
        number = int(value)
    if isinstance(number, int) and not isinstance(number, bool) and abs(number) <= MAX_INT64:
        return number
    raise _refused(value, "a whole number up to 2^63-1, or its digits as text")


def unwrapped(first: int, second: int) -> tuple[int, bool]:
    """The true one of two copies of a number, of which one may have wrapped at 32 bits; was it repaired?

    Either may have been rounded as well: 9200000000 beside 610100000, which is 9.2e9 mod 2^32 rounded.
    Copies that differ in any other way say nothing of a wrap: the first holds.
    """
    small, large = sorted((first, second))
    wraps = (large - small + 2**31) // 2**32
    off = abs(large - small - wraps * 2**32)
    slack = sum(step // 2 for step in (rounded(small), rounded(large)))
    fits_32_bits = -(2**31) - slack <= small <= 2**32 + slack
    if wraps >= 1 and fits_32_bits and off <= slack:
        return large, True
    return first, False


def cents(value: object) -> Decimal:
    """Whole cents -> units of the currency: 6995 -> 69.95. Text is refused: stores write units as text."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INT64:
        raise MoneyError(f"price {repr(value)[:60]}: expected whole cents, not below 0")
    return Decimal(value).scaleb(-2)


def units(value: object) -> Decimal:
    """A price in units of the currency, number or numeric text: "69.95", 69.95, 25."""
    if isinstance(value, str) and len(value) <= 40 and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value.strip()):
        return Decimal(value.strip())
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if amount.is_finite() and amount >= 0:
            return abs(amount)
    raise MoneyError(f"price {repr(value)[:60]}: expected a number or text such as '69.95', not below 0")


_ISO = re.compile(
    r"\s*\d{4}-\d\d-\d\d(?P<time>[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(?P<zone>Z|[+-]\d\d(:?\d\d)?)?)?\s*",
    re.ASCII,
)
_TWITTER = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>[A-Z][a-z]{2}) (?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d)"
    r" (?P<zone>[+-]\d{4}) (?P<year>\d{4})",
    re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_2000_S, _2014_S, _2100_S = 946_684_800, 1_388_534_400, 4_102_444_800  # 1 January, in seconds since 1970


def day_or_moment(text: str, *, assume_utc: bool = False) -> tuple[datetime, Literal["day"] | None]:
    """ISO 8601 -> (moment in UTC, at_precision); a bare date gives its midnight and "day"."""
    match = _ISO.fullmatch(text)
    if match is None:
        raise DateError(f"moment {text[:60]!r}: expected ISO 8601, e.g. 2021-09-19 or 2021-09-19T11:04:28Z")
    if match["time"] and not match["zone"] and not assume_utc:
        raise DateError(f"moment {text[:60]!r}: expected a zone (Z or +00:00), or assume_utc=True")
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise DateError(f"moment {text[:60]!r}: expected a moment that exists: {error}") from None
    return moment, None if match["time"] else "day"


def epoch(value: object) -> datetime:
    """Seconds or milliseconds since 1970, number or digits, between 2000 and 2100: the two never overlap."""
    number = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{9,13}", value) else value
    if isinstance(number, int) and not isinstance(number, bool):
        if _2000_S <= number < _2100_S:
            return _1970 + timedelta(seconds=number)
        if _2000_S * 1000 <= number < _2100_S * 1000:
            return _1970 + timedelta(milliseconds=number)
    raise DateError(f"epoch {repr(value)[:60]}: expected seconds or milliseconds between 2000 and 2100")


def twitter_time(text: str) -> datetime:
    """'Wed Jul 03 06:29:00 +0000 2019', whatever the machine's locale."""
    match = _TWITTER.fullmatch(text)
    if match is None or match["month"] not in _MONTHS:
        raise DateError(f"moment {text[:60]!r}: expected e.g. 'Wed Jul 03 06:29:00 +0000 2019'")
    month = _MONTHS.index(match["month"]) + 1
    return day_or_moment(f"{match['year']}-{month:02}-{match['day']}T{match['time']}{match['zone']}")[0]


def tiktok_time(post_id: str) -> datetime | None:
    """When a post was made, from the upper bits of its id; None for ids that hold no such moment."""
    if not re.fullmatch("[0-9]{1,20}", post_id):
        return None
    seconds = int(post_id) >> 32
    return _1970 + timedelta(seconds=seconds) if _2014_S <= seconds < _2100_S else None
