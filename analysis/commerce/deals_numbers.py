"""Numerals of the world and their multiples: "1,72,500 crore", "12.990", "7万5千", "23 mil". Pure.

price-parser reads a numeral once its decimal separator is known; which one that is, and the multiple, is decided here.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from price_parser import Price

NUMERAL = (
    r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d{1,2})?(?!\d)"  # 1,299.90 and 1,72,500
    r"|\d{1,3}(?:\.\d{3})+(?:,\d{1,2})?(?!\d)"  # 1.299,90
    r"|\d{1,3}(?:'\d{3})+(?:\.\d{1,2})?(?!\d)"  # 1'299.90
    r"|\d+(?:[.,]\d+)?|(?<!\d)\.\d\d?(?!\d))"
)
SPACED = re.compile(r"\d{1,3}(?: \d{3})+(?:[.,]\d{1,2})?(?!\d|[.,]\d)")
LONGEST = 15  # digits; more is a phone or an id
_SINGLE = re.compile(r"(\d*)[.,](\d+)")

_K, _M, _B, _T = 10**3, 10**6, 10**9, 10**12
SCALES: dict[str, int] = {
    **dict.fromkeys(("k", "thousand", "tsd", "tausend", "rb", "ribu", "rban", "rebu", "ribuan", "тыс", "тысяч",
    "тыщ"), _K),
    **dict.fromkeys(("tys", "nghìn", "ngàn", "mille", "हजार", "हज़ार", "ہزار", "هزار", "ألف", "الف", "آلاف",
    "الاف"), _K),
    **dict.fromkeys(("พัน", "thousands", "χιλιάδες", "elf"), _K),
    **dict.fromkeys(("m", "mm", "mn", "mln", "mio", "mill", "million", "millions", "milion", "milions",
    "millionen"), _M),
    **dict.fromkeys(("millón", "millon", "millones", "milhão", "milhões", "milhao", "milhoes", "mi", "milioni"), _M),
    **dict.fromkeys(("milione", "miljoen", "miljoner", "juta", "jt", "jutaan", "млн", "миллион", "миллиона"), _M),
    **dict.fromkeys(("миллионов", "milyon", "triệu", "มิลเลี่ยน", "ล้าน", "مليون", "ملايين", "میلیون", "میلیو"), _M),
    **dict.fromkeys(("εκατ", "εκατομμύρια", "miljoonaa", "milj", "milionów", "milijuna"), _M),
    **dict.fromkeys(("b", "bn", "billion", "billions", "billon", "bilhão", "bilhões", "milliard", "milliards"), _B),
    **dict.fromkeys(("md", "mds", "mrd", "milliarden", "miliardi", "mld", "млрд", "миллиард", "миллиарда"), _B),
    **dict.fromkeys(("миллиардов", "milyar", "miliar", "tỷ", "tỉ", "مليار", "مليارات", "میلیارد", "میلیار",
    "mrd."), _B),
    **dict.fromkeys(("trillion", "trillions", "tn", "trilyun", "trilhão", "trilhões", "triliun", "تريليون"), _T),
    **dict.fromkeys(("crore", "crores", "cr", "करोड़", "कोटी", "کروڑ"), 10**7),
    **dict.fromkeys(("lakh", "lakhs", "lac", "lacs", "लाख", "لاکھ", "แสน"), 10**5),
    "ร้อย": 100, "หมื่น": 10**4, "hundred": 100, "mil millones": _B, "mil milhões": _B, "bln": _B,
}  # fmt: skip
_BY_LANGUAGE = {
    "mil": {"es": _K, "pt": _K, "it": _K, "en": _M, "und": _K, "ca": _K, "gl": _K},
    "bin": {"tr": _K},
    "tr": {"vi": _M},
}
LOOSE = frozenset(("k", "m", "b", "mm", "mn", "mi", "md", "cr", "tr", "mil", "t"))
"""So short that without a currency beside them they may mean anything."""
HOMES = {"crore": "INR", "crores": "INR", "cr": "INR", "lakh": "INR", "lakhs": "INR", "lac": "INR", "lacs": "INR",
         "rb": "IDR", "ribu": "IDR", "jt": "IDR", "juta": "IDR", "พัน": "THB", "ล้าน": "THB", "แสน": "THB",
         "หมื่น": "THB",
         "triệu": "VND", "करोड़": "INR", "लाख": "INR", "हजार": "INR"}  # fmt: skip
"""Multiples of one country."""
_THAI = "[\u0e01-\u0e5b]"


def _scale_pattern() -> str:
    forms = sorted((*SCALES, *_BY_LANGUAGE), key=len, reverse=True)
    ends = (re.escape(each) + ("" if re.match(_THAI, each) else r"(?![^\W\d_]|\d)") for each in forms)
    return rf"(?:\s?-?(?P<scale>{'|'.join(ends)})\.?)"


SCALE_RE = re.compile(_scale_pattern(), re.I)

_EAST = {"兆": 10**12, "億": 10**8, "亿": 10**8, "万": 10**4, "萬": 10**4, "千": 10**3, "百": 100, "조": 10**12,
         "억": 10**8, "만": 10**4, "천": 10**3, "백": 100, "十": 10, "仟": 10**3}  # fmt: skip
_KANJI = {each: value for value, each in enumerate("〇一二三四五六七八九")} | {"两": 2, "兩": 2}
EAST_RE = re.compile(
    r"(?:\d[\d,]*(?:\.\d+)?\s?[兆億亿万萬千仟百조억만천백]\s?)+(?:\d[\d,]*(?![\d,]*[兆億亿万萬千百조억만천백]))?"
    r"|[一二三四五六七八九十百千两兩][一二三四五六七八九十百千万億兆两兩亿萬]*(?=[円元块塊])"
)
_EAST_PART = re.compile(r"(\d[\d,]*(?:\.\d+)?|[一二三四五六七八九两兩]?)\s?([兆億亿万萬千仟百十조억만천백]?)")


def scale_of(word: str, language: str) -> int | None:
    """The multiple that a word stands for; None where it is no multiple in that language."""
    low = word.lower()
    if low in _BY_LANGUAGE:
        return _BY_LANGUAGE[low].get(language)
    return SCALES.get(low)


def numeral(shown: str, scaled: bool = False) -> Decimal | None:
    """Value of a numeral. A lone separator before three digits groups thousands, but not where a multiple follows."""
    if sum(map(str.isdigit, shown)) > LONGEST:
        return None
    shown = shown.replace("'", "").replace(" ", "")
    single = _SINGLE.fullmatch(shown)
    separator: str | None = None
    if single:
        by_dot = shown[len(single[1])] == "."
        grouped = len(single[2]) == 3 and single[1] not in ("", "0") and not (scaled and by_dot)
        separator = {".": ",", ",": "."}[shown[len(single[1])]] if grouped else shown[len(single[1])]
    elif "," in shown and "." in shown:
        separator = max(",.", key=shown.rfind)
    elif "," in shown or "." in shown:
        separator = "." if "," in shown else ","
    if separator is None or separator not in shown:
        plain = shown.replace(",", "").replace(".", "")
        return Decimal(plain) if plain.isdecimal() else None
    return Price.fromstring(shown if shown[0].isdigit() else f"0{shown}", decimal_separator=separator).amount


def east(shown: str) -> Decimal | None:
    """Value of "5億9,500万", "2千", "二千万"."""
    total, group = Decimal(0), Decimal(0)  # the group is what the next 万 or 億 multiplies
    for digits, unit in _EAST_PART.findall(shown):
        if not digits and not unit:
            continue
        try:
            number = Decimal(_KANJI[digits]) if digits in _KANJI else Decimal(digits.replace(",", "") or 1)
        except InvalidOperation:
            return None
        factor = _EAST.get(unit, 1)
        if factor >= 10**4:
            base = group + (number if digits else (0 if group else 1))
            total, group = total + base * factor, Decimal(0)
        else:
            group += number * factor
    return total + group
