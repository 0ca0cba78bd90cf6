"""Amounts in words: "twenty bucks", "mil pesos", "half price", "半額", "3割引". Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from analysis.commerce.deals_candidate import Candidate
from analysis.commerce.deals_currency import AFTER, Home
from analysis.commerce.deals_fold import caseless
from analysis.commerce.deals_numbers import scale_of

_WORDS = (
    (["a", "an", "one", "un", "una", "um", "uma", "une", "ein", "eine", "eine", "einen", "bir"], 1),
    *((each.split(), value) for each, value in (
        ("two dos dois deux zwei", 2), ("three tres três trois drei", 3), ("four quatro cuatro quatre vier", 4),
        ("five cinco cinq fünf", 5), ("six seis sechs", 6), ("seven siete sete sept sieben", 7), (
        "eight ocho oito huit acht", 8),
        ("nine nueve nove neuf neun", 9), ("ten diez dez dix zehn", 10), ("fifteen quince quinze fünfzehn", 15),
        ("twenty veinte vinte vingt zwanzig", 20), ("thirty treinta trinta trente dreißig", 30), ("forty", 40),
        ("fifty cincuenta cinquenta cinquante fünfzig", 50), ("hundred cien cem cent hundert", 100),
        ("thousand mil mille tausend bin", 1000),
    )),
)  # fmt: skip
_WORD_VALUES = {caseless(word): value for words, value in _WORDS for word in words}
_WORD_MONEY = (
    "dollars? bucks? euros? pounds? quid pesos? reais dólares dolares naira cedis? rupees? rand yen liras? soles"
)
_WORDED = re.compile(
    rf"(?<![^\W\d_])(?P<number>{'|'.join(sorted(_WORD_VALUES, key=len, reverse=True))})"
    r"(?:[ -](?P<scale>hundred|thousand|million|millions|billion|trillion|mil|mille|millón|millones"
    r"|milhão|milhões|million|millionen|milliards?))?"
    rf"[ -](?:de |d')?(?P<money>{'|'.join(_WORD_MONEY.split())})(?![^\W\d_])",
    re.I,
)
_THAI_WORDS = {"สิบ": 10, "ยี่สิบ": 20, "สามสิบ": 30, "สี่สิบ": 40, "ห้าสิบ": 50, "ร้อย": 100, "พัน": 1000, "หมื่น": 10**4,
               "แสน": 10**5, "ล้าน": 10**6, "ห้า": 5}  # fmt: skip
_THAI_WORDED = re.compile(rf"(?<!\d)(?<!\d )(?P<number>{'|'.join(sorted(_THAI_WORDS, key=len, reverse=True))})บาท")
_HALF = re.compile(
    r"(?<![^\W\d_])(?:half[ -]price|half off|(?:a )?mitad de precio|metade do preço|moitié prix"
    r"|(?:zum )?halbe[nr]? preis"
    r"|setengah harga|yarı fiyatına|метade|metà prezzo|полцены|пол цены)(?![^\W\d_])"
    r"|半額|반값|半价|半價|ครึ่งราคา|نصف السعر",
    re.I,
)
_TENTHS = re.compile(r"(?P<tenths>\d(?:\.\d)?|[一二三四五六七八九])割(?:引き?|オフ|OFF|off|安|増し)")
_FOLDS = re.compile(r"(?P<left>\d(?:\.\d)?)折")
# Quick to look for; without one of them the patterns cannot match.
_MONEY_STEMS = ("doll", "buck", "euro", "pound", "quid", "peso", "rea", "dólar", "dolar", "nair", "cedi", "rupe",
                "rand", "yen", "lira", "sole")  # fmt: skip
_HALF_STEMS = ("half", "mitad", "metad", "moiti", "halb", "setengah", "yarı", "metà", "пол", "半", "반", "ครึ่ง", "نصف")
_KANJI_DIGITS = {each: value for value, each in enumerate("〇一二三四五六七八九")}


def worded(text: str, home: Home) -> Iterator[Candidate]:
    low = caseless(text)
    spoken = any(each in low for each in _MONEY_STEMS)
    for hit in _WORDED.finditer(text) if spoken else ():
        value = _WORD_VALUES[caseless(hit["number"])]
        multiple = (scale_of(hit["scale"], home.language) or 1) if hit["scale"] else 1
        code = AFTER.get(caseless(hit["money"]))
        if code is None:
            continue
        yield Candidate(*hit.span(), Decimal(value * multiple), home.of(code), "words", scale=multiple)
    for hit in _THAI_WORDED.finditer(text) if "บาท" in text else ():
        yield Candidate(*hit.span(), Decimal(_THAI_WORDS[hit["number"]]), "THB", "words")
    for hit in _HALF.finditer(text) if any(each in low for each in _HALF_STEMS) else ():
        yield Candidate(*hit.span(), Decimal(50), None, "words")
    for hit in _TENTHS.finditer(text) if "割" in text else ():
        tenths = _KANJI_DIGITS.get(hit["tenths"]) or Decimal(hit["tenths"])
        yield Candidate(*hit.span(), Decimal(tenths) * 10, None, "words")
    if home.language == "zh":
        for hit in _FOLDS.finditer(text):
            yield Candidate(*hit.span(), 100 - Decimal(hit["left"]) * 10, None, "words")
