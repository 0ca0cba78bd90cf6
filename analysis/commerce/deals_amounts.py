"""Every place in a post that may be an amount of money or a discount, with its value and currency. Pure.

The grammar is generous; analysis.commerce.deals_roles says which candidates are money and what for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from analysis.commerce.deals_candidate import Candidate, How
from analysis.commerce.deals_currency import (
    AFTER,
    AFTER_RE,
    BEFORE,
    LETTER_BEFORE_RE,
    LETTERS,
    OPEN,
    SCALED_RE,
    SCALED_WORDS,
    WHOSE_RE,
    Home,
    means_money,
    sign_before,
    whose,
)
from analysis.commerce.deals_fold import caseless
from analysis.commerce.deals_numbers import EAST_RE, HOMES, LOOSE, NUMERAL, SCALE_RE, SPACED, east, numeral, scale_of
from analysis.commerce.deals_ranges import ranges
from analysis.commerce.deals_worded import worded

_NUMBER = re.compile(NUMERAL)
_TAIL = re.compile(r"\s?(?:[.,]-{1,2}|/[-=])(?![\w])")
_CENTS = re.compile(r"(?P<sign>[€£$])(?P<cents>\d{2})(?!\d)")  # 19€90
_OF = re.compile(r"\s?(?:de |d'|of |del )")
_PERCENT = re.compile(
    r"\s?(?:%|percent\b|per cent\b|por ?ciento\b|por cento\b|prozent\b|pour ?cents?\b|퍼센트|パーセント)", re.I
)
_LABEL = re.compile(
    r"(?:(?<![^\W\d_])(?:price|prices|prize|precio|preço|preco|prix|preis|harga|cena|prezzo|fiyat\w*"
    r"|giá|цена|only|just|srp"
    r"|sai|fica|por|sale|now|was|retail|rrp|mrp|rate|cost|hrg|pricing|at|for|ems|ongkir|shipping|sf|postage|reg)"
    r"|ราคา(?:เดียว|พิเศษ|ปกติ|เพียง|เริ่มต้น|ส่ง|อยู่ที่|แค่|ขาย)?|เหลือ(?:เพียง|แค่)?|เพียง|ลทบ\.?"
    r"|ค่าส่ง|แค่|ขาย|อันละ|ชิ้นละ|ตัวละ"
    r"|ลงทะเบียน|ปกติ|가격|정가|배송비|택배비?|価格|値段|金額|定価|料金|送料|特価|税込|السعر|بسعر|سعر|سعره|التوصيل|قیمت|कीमत)"
    r"(?:\s?(?:is|เป็น|only|just|:|は|が|-|=|>|\(|\)|】|」|\]|💰|\.|nya|الان|كامل)){0,3}\s{0,2}\Z",
    re.I,
)
_STRONG_LABEL = re.compile(
    r"(?:price|precio|preço|harga|hrg|ราคา\S{0,9}|เหลือ\S{0,5}|ลทบ|ems|ค่าส่ง|가격|정가|배송비|価格|値段|金額|定価"
    r"|送料|السعر|سعره?|цена|fiyat\w*|giá)"
    r"\W{0,6}\Z",
    re.I,
)
_UNIT = re.compile(
    r"\s?(?:[a-z]{1,3}\d|(?:kg|g|gr|mg|ml|cl|l|km|cm|mm|m|mins?|minutes|hrs?|hours?|h|hz|gb|tb|mb|go"
    r"|mah|inch|pcs|pc|pack|x|st|nd|rd|th|am|pm"
    r"|years?|yrs|days?|weeks?|months?|times|people|points?|likes?|rts?|views?|followers?|votes?|lb"
    r"|lbs|oz|ft|watt|w|v)\b"
    r"|RT|リツイ|いいね|ポイント|ボルト|フォロワー|再生|文字|字|個|曲|年|円玉|[名人票回本枚個点歳才年月日時分秒位件杯号話巻冊台代倍階度人명개장살년월일시분번위회]"
    r"|คน|วัน|ชิ้น|ตัว|ปี|นาที|เดือน|ครั้ง)",
    re.I,
)
_COUNTED = re.compile(r" (?!de\b|no\b|na\b|en\b|e\b|y\b|a\b|o\b|por\b|para\b|que\b)[a-zà-ÿ]{3,}")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ_]")
_TIME = re.compile(r":\d\d|\d:\Z")
_UP_TO = re.compile(
    r"(?:up to|upto|hasta(?: un)?|até|bis zu|jusqu'à|最大|สูงสุด|до|sampai|hingga|최대|fino al?)\W{0,2}\Z", re.I
)
_MAY_COUNT = re.compile(r"\d|[円元块塊]")


def candidates(masked: str, home: Home) -> list[Candidate]:
    """In order of appearance, none over another. *masked*: as deals_fold.mask gives it."""
    found = [*worded(masked, home)]
    if _MAY_COUNT.search(masked):
        found += _east(masked, home)
        found += _numbers(masked, home, found)
    if not any(each.how in ("sign", "word", "letter", "tail") for each in found):
        found = [each for each in found if each.how != "bare"]  # a fraction alone is a measure
    found.sort(key=lambda each: (each.start, -each.end))
    return _settled(ranges(_apart(found), masked), home)


def _apart(found: list[Candidate]) -> list[Candidate]:
    kept: list[Candidate] = []
    for each in found:
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def _numbers(text: str, home: Home, taken: list[Candidate]) -> Iterator[Candidate]:
    spans = [(each.start, each.end) for each in taken]
    at = 0
    while hit := _NUMBER.search(text, at):
        start, end = hit.span()
        spaced = SPACED.match(text, start)
        if spaced and spaced.end() > end and _groups(text, spaced, home):
            end = spaced.end()
        at = end
        if any(start < until and end > since for since, until in spans):
            continue
        if each := _number(text, start, end, home):
            at = max(at, each.end)
            yield each


def _groups(text: str, spaced: re.Match[str], home: Home) -> bool:
    """Whether groups parted by blanks are one number: "R60 000", "1 600 000"; not "iPhone 13 899 €"."""
    before = text[max(0, spaced.start() - 6) : spaced.start()]
    return (
        spaced[0].count(" ") > 1
        or bool(LETTER_BEFORE_RE.search(before) or sign_before(before))
        or home.language in ("ru", "uk", "pl", "cs", "sv", "no", "fi", "kk")
    )


def _number(text: str, start: int, end: int, home: Home) -> Candidate | None:
    shown = text[start:end]
    if shown.startswith(".") and start and (text[start - 1].isalnum()):
        return None
    before = text[max(0, start - 12) : start]
    how: How
    lead = sign_before(before)
    letter = LETTER_BEFORE_RE.search(before)
    name, length, how = (lead[0], lead[1], "sign") if lead else (None, 0, "sign")
    if letter and _letter_counts(letter[0], shown, text, end):
        name, length, how = LETTERS[letter[0]], 1, "letter"
    sign_start = start - length
    if not name and before and before[-1] == "#":
        return None
    glued = not name and bool(before) and bool(_LATIN.match(before[-1])) and not _STRONG_LABEL.search(before)
    glued = glued or (not name and _joined(before, text, end))
    if (cents := _CENTS.match(text, end)) and not name and shown.isdecimal():
        currency = _named(home, BEFORE[cents["sign"]])
        value = Decimal(f"{shown}.{cents['cents']}")
        return Candidate(start, cents.end(), value, currency, "sign", numeral=shown, open=cents["sign"] == "$")
    if not name and (percent := _PERCENT.match(text, end)):
        return _percent(text, start, percent.end(), shown)
    if not name and before.endswith("%"):  # %50 indirim
        return _percent(text, start - 1, end, shown)
    found = _money(text, start, end, sign_start, name, home, how)
    return None if found and glued and found.how != "word" else found


def _letter_counts(letter: str, shown: str, text: str, end: int) -> bool:
    """R2 and N95 are names of things; R60 000, N35,000 and R450k are money."""
    digits = sum(map(str.isdigit, shown))
    scaled = bool(SCALE_RE.match(text, end))
    if _LATIN.match(text[end : end + 1]) and not scaled:
        return False
    return digits >= (3 if letter == "N" else 2) or scaled or "." in shown


def _joined(before: str, text: str, end: int) -> bool:
    """Part of a date, a time, a version, a phone number."""
    two = before[-2:]
    return bool(
        re.search(r"\d[./:]\Z", two) or re.match(r"[./:]\d", text[end : end + 2]) or (re.search(r"[\w]-\Z|\+\Z", two)
        and not re.search(r"\d-\Z", two))
    )  # fmt: skip


def _percent(text: str, start: int, end: int, shown: str) -> Candidate | None:
    value = numeral(shown, scaled=True)
    if value is None or value > 100:
        return None
    upto = bool(_UP_TO.search(text[max(0, start - 12) : start]))
    return Candidate(start, end, value, None, "percent", numeral=shown, upto=upto)


def _money(
    text: str, start: int, end: int, sign_start: int, name: str | None, home: Home, how: How
) -> Candidate | None:
    shown, tail = text[start:end], None
    scale, at, scale_word = 1, end, ""
    if (hit := SCALE_RE.match(text, at)) and (multiple := scale_of(hit["scale"], home.language)):
        word = hit["scale"].lower()
        gap = text[at] == " "
        if not (
            word in LOOSE and word not in ("mil", "cr", "mi") and gap and not (word == "k" and text[at + 1] == "K")
        ):
            scale, at, scale_word = multiple, hit.end(), word
    if scale == 1 and (tail := _TAIL.match(text, at)):
        at = tail.end()
    behind = _behind(text, at, home, shown)
    if behind and name and behind[0] not in OPEN and name in OPEN:
        name, at = behind[0], behind[2]  # "$3,799 MXN"
    elif behind and name is None:
        name, scale, at = behind[0], scale * behind[1] if behind[1] else scale, behind[2]
        how = "word"
        if behind[1] == 0:
            return _hundredth(text, start, at, shown, behind[0], home)
    elif behind and name == behind[0]:
        at = behind[2]
    if name is None:
        return _unnamed(text, start, end, at, shown, scale, scale_word, tail is not None, home)
    value = numeral(shown, scaled=scale >= 10**5)
    if value is None:
        return None
    currency = _named(home, name, shown, spaced=at > end and text[end] == " ")
    return Candidate(
        sign_start, at, value * scale, currency, how, numeral=shown, scale=scale, open=name in OPEN,
        upto=bool(_UP_TO.search(text[max(0, sign_start - 12) : sign_start])),
    )  # fmt: skip


def _named(home: Home, name: str, shown: str = "", spaced: bool = False) -> str | None:
    if name not in OPEN and name not in home.named:
        home.named.append(name)
    return home.of(name, shown, spaced)


def _behind(text: str, at: int, home: Home, shown: str) -> tuple[str, int, int] | None:
    """Currency behind a number, its own multiple (1; 0 for a hundredth), and where it ends."""
    of = _OF.match(text, at)
    for place in dict.fromkeys((at, of.end() if of else at)):
        if hit := WHOSE_RE.match(text, place):
            return whose(hit["whose"]) or "USD", 1, hit.end()
        if hit := AFTER_RE.match(text, place):
            word = caseless(hit["name"])
            code = AFTER[word]
            if not means_money(word, home.language):
                continue
            if word in ("rp", "rm", "rs", "rs.", "r.", "р", "р.", "$", "ft", "dh", "sol", "bs") and _sign_of_next(
                text, hit
            ):
                continue  # "$5 $10": the sign belongs to the next number
            if hit["whose"] and code in OPEN:
                code = whose(hit["whose"]) or code
            return code, 1, hit.end()
        if (hit := SCALED_RE.match(text, place)) and (hit["name"].lower() != "p" or _pence(text, hit, shown)):
            name, multiple = SCALED_WORDS[caseless(hit["name"])]
            return name, multiple, hit.end()
    return None


def _sign_of_next(text: str, hit: re.Match[str]) -> bool:
    between = text[hit.start() : hit.end()]
    return bool(between[0] == " " and re.match(r" ?\d", text[hit.end() : hit.end() + 2]))


def _pence(text: str, hit: re.Match[str], shown: str) -> bool:
    return hit[0] == "p" and shown.isdecimal() and 1 < len(shown) < 3


def _hundredth(text: str, start: int, end: int, shown: str, name: str, home: Home) -> Candidate | None:
    value = numeral(shown)
    if value is None or value >= 1000:
        return None
    return Candidate(start, end, value / 100, home.of(name), "word", numeral=shown)


def _unnamed(
    text: str, start: int, end: int, at: int, shown: str, scale: int, scale_word: str, tail: bool, home: Home
) -> Candidate | None:
    """No currency beside it: a multiple, a label, a dash for cents, or at least a fraction."""
    before = text[max(0, start - 24) : start]
    value = numeral(shown, scaled=scale >= 10**5)
    if value is None or _TIME.search(text[max(0, start - 2) : start] + text[end : end + 3]):
        return None
    how: How
    if scale > 1:
        if scale_word in LOOSE and scale_word not in ("k", "mil", "cr", "mi"):
            return None
        if scale_word == "k" and home.language in ("ar", "ja", "ko", "th", "zh", "fa", "ur"):
            return None  # a code, a size, a screen
        if home.language in ("es", "pt", "it", "fr") and _COUNTED.match(text, at):
            return None  # "5 mil fotos"
        how = "scale"
        if _UNIT.match(text, at) and scale_word not in ("k", "rb", "jt"):
            return None
    elif tail:
        how = "tail"
    elif (
        (_LABEL.search(before) or _STRONG_LABEL.search(before))
        and not _UNIT.match(text, end)
        and not _LATIN.match(text[end : end + 1])
    ):
        how = "label" if _STRONG_LABEL.search(before) or value >= 10 else "bare"
    else:
        how = "bare"
    if how == "bare" and (not re.search(r"[.,]\d\d\Z|\d[.,]\d{3}\Z", shown) or _UNIT.match(text, end)):
        return None
    return Candidate(
        start, at, value * scale, HOMES.get(scale_word) or home.of("local"), how, numeral=shown, scale=scale
    )


def _east(text: str, home: Home) -> Iterator[Candidate]:
    for hit in EAST_RE.finditer(text):
        end = hit.start() + len(hit[0].rstrip())
        value = east(hit[0])
        behind = _behind(text, end, home, "")
        before = text[max(0, hit.start() - 6) : hit.start()]
        lead = sign_before(before)
        if value is None or (not behind and _UNIT.match(text, end) and not lead):
            continue
        name = behind[0] if behind else lead[0] if lead else "local"
        start = hit.start() - lead[1] if lead and not behind else hit.start()
        how: How = "word" if behind else "sign" if lead else "scale"
        currency = _named(home, name)
        yield Candidate(start, behind[2] if behind else end, value, currency, how, numeral=hit[0], scale=10**4,
                        open=name in OPEN)  # fmt: skip


def _settled(found: list[Candidate], home: Home) -> list[Candidate]:
    """Open signs as the whole post shows them: in "C$24.99 … $4.99" both are Canadian."""
    return [
        replace(each, currency=home.of("$", each.numeral))
        if each.open and each.currency == "USD" and home.named
        else each
        for each in found
    ]
