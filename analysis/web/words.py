"""The dashboard's words in English, Portuguese and Spanish, and its numbers and moments as each writes them. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

Language: TypeAlias = Literal["en", "pt", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES: Mapping[Language, str] = {"en": "English", "pt": "Português", "es": "Español"}
CATALOGUE = Path(__file__).with_name("words.toml")
MINUS = "\u2212"


@cache
def catalogue() -> dict[str, dict[Language, str]]:
    found: dict[str, dict[Language, str]] = tomllib.loads(CATALOGUE.read_text("utf-8"))
    return found


def chosen(asked: str | None, accepted: str) -> Language:
    """The language of the address, else the first of the browser's that there is, else English."""
    for each in (asked or "", *(part.split(";")[0].strip() for part in accepted[:200].split(","))):
        for language in LANGUAGES:
            if each[:2].lower() == language:
                return language
    return "en"


@dataclass(frozen=True)
class Words:
    language: Language

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of *key*; numbers and moments among the values are written as the language does."""
        text = catalogue()[key][self.language]
        return text.format(**{name: self.shown(value) for name, value in values.items()}) if values else text

    def shown(self, value: Any) -> str:
        match value:
            case None:
                return "·"
            case bool():
                return self("yes" if value else "no")
            case int():
                return self.number(value)
            case Decimal():
                exponent = value.as_tuple().exponent
                return self.number(value, max(2, -exponent) if isinstance(exponent, int) else 2)
            case float():
                return self.number(value, 1 if abs(value) >= 1 else 2)
            case datetime():
                return self.moment(value)
            case timedelta():
                return self.span(value / timedelta(hours=1))
        return str(value)

    def number(self, value: float | Decimal, decimals: int = 0) -> str:
        text = f"{value:,.{decimals}f}"
        if self.language != "en":
            text = text.replace(",", "\x00").replace(".", ",").replace("\x00", ".")
        return text.replace("-", MINUS)

    def short(self, value: float) -> str:
        """1,234,567 -> 1.2 M."""
        for size, unit in ((1e9, "B" if self.language == "en" else "bi"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= size:
                return f"{self.number(value / size, 1)} {unit}"
        return self.number(value)

    def percent(self, share: float | None, decimals: int = 0) -> str:
        return "·" if share is None else f"{self.number(100 * share, decimals)} %"

    def interval_of(self, share: float, low: float, high: float, decimals: int) -> str:
        shown = (self.percent(each, decimals) for each in (share, low, high))
        return self("with_interval", **dict(zip(("value", "low", "high"), shown, strict=True)))

    def interval(self, share: float, low: float, high: float) -> str:
        return self("with_interval", value=self.percent(share), low=self.percent(low), high=self.percent(high))

    def moment(self, at: datetime) -> str:
        return at.strftime("%Y-%m-%d %H:%M" if self.language == "en" else "%d/%m/%Y %H:%M")

    def day(self, at: datetime) -> str:
        return at.strftime("%Y-%m-%d" if self.language == "en" else "%d/%m/%Y")

    def span(self, hours: float) -> str:
        """2.5 h, 3 days."""
        if hours < 1:
            return f"{max(1, round(60 * hours))} min"
        if hours < 48:
            return f"{self.number(hours, 0 if hours >= 10 or hours == round(hours) else 1)} h"
        if hours < 24 * 60:
            return self("days", n=round(hours / 24))
        return self("months", n=round(hours / 24 / 30.4))
