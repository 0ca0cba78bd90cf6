"""How prices in text read: "R$ 1.299,90" -> Money(Decimal("1299.90"), "BRL"). Pure.

The number is read by price-parser; which number it is, and whose money, is decided here.
Prices in data, where the unit is known: crawler.counts.cents and units.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from price_parser import Price

from crawler.counts import MoneyError

LONGEST_TEXT = 300  # a price with words around it; the longest seen in a store is 94


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    """In units of the currency, never cents."""
    currency: str | None
    """ISO 4217; None when the text leaves it open ("$")."""


# Signs that stand for one currency only. "$", "¥", "kr", "Rs" do not, so they leave it open.
_SIGNS = {
    "€": "EUR", "£": "GBP", "R$": "BRL", "US$": "USD", "U$S": "USD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD",
    "NZ$": "NZD", "HK$": "HKD", "NT$": "TWD", "MX$": "MXN", "CN¥": "CNY", "₹": "INR", "₺": "TRY", "TL": "TRY",
    "zł": "PLN", "Zł": "PLN", "Kč": "CZK", "₫": "VND", "₪": "ILS", "₩": "KRW", "₽": "RUB", "₴": "UAH",
    "₱": "PHP", "฿": "THB", "₦": "NGN", "₸": "KZT", "₾": "GEL", "Ft": "HUF", "Rp": "IDR", "RM": "MYR",
    "S/": "PEN", "S/.": "PEN",
}  # fmt: skip
_OPEN = ("$", "¥", "kr", "Rs")
_CODES = frozenset(
    re.findall(
        "[A-Z]{3}",
        """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
        CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
        GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
        LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
        NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
        STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF
        XPF YER ZAR ZMW""",
    )
)
_ALSO_WORDS = frozenset(("ALL", "BAM", "BOB", "COP", "CUP", "GEL", "MOP", "PEN", "SOS", "TOP"))  # "TOP 10"
_OF_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))

_SIGN = "|".join(re.escape(sign) for sign in sorted({*_SIGNS, *_OPEN, *_CODES} - _ALSO_WORDS, key=len, reverse=True))
_NUMBER = r"\.?\d(?:[\d.,' ]*\d)?"
_PRICED = re.compile(
    rf"(?<![^\W\d_])(?P<before>{_SIGN})[\s:]*\$?\s*{_NUMBER}"
    rf"(?:(?:[.,]-)?\s*(?P<behind>{_SIGN})(?![^\W\d_]|[\s:]*\d))?"
    rf"|{_NUMBER}(?:[.,]-)?\s*(?P<after>{_SIGN})(?![^\W\d_])"
)
_RANGE = re.compile(r"\d[^\w]*(?:-|–|—|\b(?:to|a|à|al|até|hasta|bis|до)\b)\s*$")
_MINUS = re.compile(rf"(?:{_SIGN})?[-−](?:{_SIGN})?\d")
_SCALED = re.compile(
    rf"\D*{_NUMBER}(?:\s?(?:k|m|mi|mil|mio|mln|b|bn|bi|thousand|million|milhões|millones|тыс|млн)(?![\w/])"
    r"|\s?[千万萬億亿만억]|e\d)",
    re.IGNORECASE,
)
# Of two kinds of separators the last is the decimal one.
_TWO_SEPARATORS = re.compile(r"\d{1,3}(?:(?:,\d{2,3})*,\d{3}\.|(?:\.\d{3})+,|(?: \d{3})+[.,])\d+")

_TWO_NUMBERS = re.compile(r"[.,]\d+ +\d|\d +(?!\d{3}(?!\d))\d")  # "19.99 24.99", "5 10"; not "1 299,90"


def parse_money(text: str, *, currency: str | None = None, decimal: str | None = None) -> Money:
    """Read the first price in a text; of a range, its lower end.

    currency: ISO code, where the page states it; a sign of another currency in the text is an error.
    decimal: '.', ',' (or '€', "35€990"), where the page's locale is known; without it a lone
    separator before three digits groups thousands, as in nearly every price.  Raises MoneyError.
    """
    if decimal not in (None, ".", ",", "€"):
        raise _refused(text, f"decimal='.' or decimal=',', found {decimal[:10]!r}")
    if currency is not None and currency not in _CODES:
        raise MoneyError(f"currency {currency[:10]!r}: expected an ISO 4217 code such as BRL")
    folded = _folded(text)
    if folded.strip(" !.").lower() == "free":
        return Money(Decimal(0), currency)
    priced = _PRICED.search(folded)
    if priced:
        lead = folded[: priced.start()]
        # "3 issues for 14,85 EUR": the number beside the sign is the price, unless both make a range.
        folded = folded if priced["after"] and _RANGE.search(lead) else folded[priced.start() :]
        named = {_iso(priced[name]) for name in ("before", "behind", "after")} | {currency}
        named.discard(None)
        if len(named) > 1:
            raise _refused(text, f"one currency, found {' and '.join(sorted(map(str, named)))}")
        currency = next(iter(named), None)
    return Money(_amount(folded, currency, decimal, text), currency)


def _refused(text: object, expected: str) -> MoneyError:
    cut = text[:60] if isinstance(text, str) else text
    return MoneyError(f"price {repr(cut)[:60]}: expected {expected}")


def _folded(text: object) -> str:
    """One width; superscripts go, but not where they are cents ("19⁹⁹")."""
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise _refused(text, f"text of at most {LONGEST_TEXT} characters")
    odd = {each for each in text if unicodedata.category(each) in ("No", "Nl")}
    if any(here.isdecimal() and after in odd for here, after in pairwise(text)):
        raise _refused(text, "plain digits, no fractions or superscripts")
    kept = "".join(each for each in text if each not in odd) if odd else text
    folded = unicodedata.normalize("NFKC", kept).strip()
    if _MINUS.match(folded):
        raise _refused(text, "a price not below 0")
    return folded


def _iso(sign: str | None) -> str | None:
    return sign if sign in _CODES else _SIGNS.get(sign or "")


def _amount(folded: str, currency: str | None, decimal: str | None, text: str) -> Decimal:
    found = Price.fromstring(folded) if any(map(str.isdecimal, folded)) else None
    shown = found.amount_text if found else None
    if not shown:
        raise _refused(text, "a number that is not a percentage")
    if _SCALED.match(folded):
        raise _refused(text, "a price written out, not shortened by a unit such as K or mil")
    if _TWO_NUMBERS.search(shown):
        raise _refused(text, "one number, not several in a row")
    if decimal is None and currency in _OF_THREE_DECIMALS and re.fullmatch(r"\d{1,3}[.,]\d{3}", shown):
        raise _refused(text, f"decimal='.' or decimal=',', as {currency} has three decimals")
    if decimal is None and _TWO_SEPARATORS.fullmatch(shown):
        decimal = max(".,", key=shown.rfind)
    if decimal in (".", ",") and "€" not in shown:  # "35€99" has its own
        if re.search(r",(?!\d\d,|\d{3}(?!\d))" if decimal == "." else r"\.(?!\d{3}(?!\d))", shown.lstrip(".,")):
            raise _refused(text, f"{decimal!r} before the fraction and groups of three before it")
        found = Price.fromstring(folded, decimal_separator=decimal)
    elif decimal == "€":
        found = Price.fromstring(folded, decimal_separator=decimal if decimal in shown else None)
    if found is None or found.amount is None or found.amount.adjusted() >= 16:
        raise _refused(text, "one number below 10^16")
    return Decimal(found.amount)
