"""What a place is called by each source."""

from __future__ import annotations

import pytest

from crawler import places
from spiders.boards import PLACE, address_of
from spiders.trends import GetDayTrends, GoogleTrends, XTrends, YouTubeTrending


@pytest.mark.parametrize(
    ("url", "place", "address"),
    [
        (XTrends.url, "br", "https://api.x.com/2/trends/by/woeid/23424768?max_trends=50"),
        (XTrends.url, "us-san-francisco", "https://api.x.com/2/trends/by/woeid/2487956?max_trends=50"),
        (XTrends.url, "woeid-2391279", "https://api.x.com/2/trends/by/woeid/2391279?max_trends=50"),
        (GetDayTrends.url, "world", "https://getdaytrends.com/"),
        (GetDayTrends.url, "gb", "https://getdaytrends.com/united-kingdom/"),
        (GoogleTrends.url, "br", "https://trends.google.com/trending/rss?geo=BR"),
    ],
)
def test_a_place_has_its_name_in_the_address_of_each_source(url: str, place: str, address: str) -> None:
    assert address_of(url, PLACE.canonical(place)) == address


def test_no_key_is_ever_part_of_an_address() -> None:
    assert "key=" not in address_of(YouTubeTrending.url, "br")


def test_every_place_has_one_code_one_woeid_a_zone_and_a_language() -> None:
    assert len({place.code for place in places.PLACES}) == len({place.woeid for place in places.PLACES})
    for place in places.PLACES:
        assert places.of_name(place.names[0]) == places.of_woeid(place.woeid) == place.code
        assert "/" in place.zone or place.code == "world"
        assert PLACE.canonical(place.code) == place.code
        assert len(place.language) == 2


@pytest.mark.parametrize(
    ("name", "code"),
    [("NewZealand", "nz"), ("SanFrancisco", "us-san-francisco"), ("São Paulo", "br-sao-paulo"), ("UK", "gb"),
     ("Worldwide", "world"), ("New Delhi", "in-delhi"), ("Atlantis", None)],
)  # fmt: skip
def test_places_are_known_by_the_names_that_sources_write(name: str, code: str | None) -> None:
    assert places.of_name(name) == code


def test_a_place_nobody_knows_keeps_its_name() -> None:
    assert places.named("Gotham City") == "gotham-city"
    assert places.of_woeid(2391279) == "woeid-2391279"
