"""A post's text made plain for reading, character by character, so that places in it stay the same. Pure."""

from __future__ import annotations

import re
import unicodedata


def _table() -> dict[int, str]:
    """Full-width and foreign digits, signs and spaces to ASCII; one character each."""
    table: dict[int, str] = {}
    for code in (*range(0xFF01, 0xFF5F), *range(0xFFE0, 0xFFE7), 0x3000, *range(0x2000, 0x200B), 0xA0, 0x202F, 0x205F):
        plain = unicodedata.normalize("NFKC", chr(code))
        table[code] = plain if len(plain) == 1 else " "
    for first in (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50):  # Arabic, Persian, Devanagari, Bengali, Thai digits
        table.update({first + digit: str(digit) for digit in range(10)})
    table.update(
        {ord(odd): plain for odd, plain in zip("’‘´`‐‑−－–—〜～٪٫٬İ﹩，．：", "''''------~~%.,I$,.:", strict=True)}
    )
    table[0xFFE6] = "₩"
    return table


_PLAIN = _table()
_MASKED = re.compile(
    r"https?://\S*|\bwww\.\S+|(?<![\w])@\w+|[#]\w+|\$[A-Za-z][A-Za-z0-9_]{0,9}\b(?!\$)|\b[\w.+-]+@[\w-]+\.\w+", re.I
)
# A cashtag is masked, a currency written as letters behind a dollar sign is not ("$RM5", "$US 20").
_NOT_TAG = re.compile(r"\$(?:RM|US|CAD|AUD|MXN|CLP|ARS|COP)(?=\s?\d|\b)", re.I)
_LANGUAGE_OF = (
    ("ja", re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("th", re.compile(r"[\u0e01-\u0e5b]")),
    ("ru", re.compile(r"[\u0430-\u044f]")),
    ("ar", re.compile(r"[\u0621-\u064a]")),
    ("he", re.compile(r"[\u05d0-\u05ea]")),
    ("hi", re.compile(r"[\u0905-\u0939]")),
    ("el", re.compile(r"[\u03b1-\u03c9]")),
)
_KANA = re.compile(r"[\u3041-\u30fa]")
_PERSIAN, _URDU, _UKRAINIAN = re.compile("[پچژگکی]"), re.compile("[ٹڈڑےں]"), re.compile("[іїєґ]")
LEAST_SHARE = 0.15  # of the letters: a Japanese hashtag does not make an English post Japanese


def fold(text: str) -> str:
    """As long as *text*; digits, signs and blanks of one kind each."""
    return text.translate(_PLAIN)


def small(text: str) -> str:
    """In small letters, as long as *text*: "İ" has no single one and stays."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(each.lower() if len(each.lower()) == 1 else each for each in text)


def caseless(text: str) -> str:
    """The same for all that a pattern without regard to case takes for one another: "ſ" and "s", "İ", "ı" and "i"."""
    return text.casefold().replace("\u0307", "").replace("ı", "i")


def mask(folded: str) -> str:
    """As long as *folded*; addresses, names, tags are blank, because no number in them is an amount."""

    def blank(hit: re.Match[str]) -> str:
        return hit[0] if _NOT_TAG.match(hit[0]) else " " * len(hit[0])

    return _MASKED.sub(blank, folded)


def script_language(text: str) -> str | None:
    """Language told by its script alone; None for Latin letters."""
    letters = sum(map(str.isalpha, text))
    for code, pattern in _LANGUAGE_OF:
        found = pattern.findall(text)
        if len(found) >= 2 and len(found) >= LEAST_SHARE * letters:
            if code == "ja" and len(_KANA.findall(text)) < 2:
                return "zh"
            if code == "ar":
                return "ur" if _URDU.search(text) else "fa" if len(_PERSIAN.findall(text)) > 1 else "ar"
            return "uk" if code == "ru" and _UKRAINIAN.search(text) else code
    return None
