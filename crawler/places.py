"""Places that boards are for: code, WOEID, names. ISO 3166-1 alpha-2 in lower case, or `world`."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    code: str
    woeid: int
    names: tuple[str, ...]


# WOEIDs as in the public tables of the v1.1 trends API.
PLACES = (
    Place("world", 1, ("worldwide", "world")),
    Place("ar", 23424747, ("argentina",)),
    Place("at", 23424750, ("austria",)),
    Place("au", 23424748, ("australia",)),
    Place("be", 23424757, ("belgium",)),
    Place("br", 23424768, ("brazil", "brasil")),
    Place("by", 23424765, ("belarus",)),
    Place("ca", 23424775, ("canada",)),
    Place("ch", 23424957, ("switzerland",)),
    Place("cl", 23424782, ("chile",)),
    Place("co", 23424787, ("colombia",)),
    Place("de", 23424829, ("germany", "deutschland")),
    Place("dk", 23424796, ("denmark",)),
    Place("do", 23424800, ("dominican republic",)),
    Place("ec", 23424801, ("ecuador",)),
    Place("es", 23424950, ("spain", "españa")),
    Place("fr", 23424819, ("france",)),
    Place("gb", 23424975, ("united kingdom", "great britain", "uk")),
    Place("gr", 23424833, ("greece",)),
    Place("gt", 23424834, ("guatemala",)),
    Place("ie", 23424803, ("ireland",)),
    Place("in", 23424848, ("india",)),
    Place("it", 23424853, ("italy", "italia")),
    Place("jp", 23424856, ("japan",)),
    Place("lv", 23424874, ("latvia",)),
    Place("mx", 23424900, ("mexico", "méxico")),
    Place("nl", 23424909, ("netherlands",)),
    Place("no", 23424910, ("norway",)),
    Place("pa", 23424924, ("panama",)),
    Place("pe", 23424919, ("peru", "perú")),
    Place("pl", 23424923, ("poland",)),
    Place("pr", 23424935, ("puerto rico",)),
    Place("pt", 23424925, ("portugal",)),
    Place("se", 23424954, ("sweden",)),
    Place("ua", 23424976, ("ukraine",)),
    Place("us", 23424977, ("united states", "usa")),
    Place("ve", 23424982, ("venezuela",)),
)
_BY_WOEID = {place.woeid: place for place in PLACES}
_BY_NAME = {name: place for place in PLACES for name in place.names}
_BY_CODE = {place.code: place for place in PLACES}


def of_woeid(woeid: int) -> str:
    """Code of a WOEID; `woeid-455819` for one that the table does not hold (cities, mostly)."""
    place = _BY_WOEID.get(woeid)
    return place.code if place else f"woeid-{woeid}"


def of_name(name: str) -> str | None:
    """Code of a place named or coded in full ('Brazil', 'br'); None when the table lacks it."""
    folded = name.strip().lower()
    place = _BY_NAME.get(folded) or _BY_CODE.get(folded)
    return place.code if place else None


def find(text: str) -> str | None:
    """Code of the one country whose name stands as a whole word in *text*; None when none or two.

    Names only: two-letter codes are also words ('in', 'it', 'no').
    """
    words = " " + re.sub(r"[\W_]+", " ", text.lower()) + " "
    found = {place.code for name, place in _BY_NAME.items() if f" {name} " in words}
    return found.pop() if len(found) == 1 else None
