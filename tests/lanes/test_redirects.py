"""Where a redirect may lead: its own site or the spider's list, never a place inside our own network."""

from __future__ import annotations

import asyncio

import pytest

from crawler.lanes.http import is_public, may_follow
from crawler.outcomes import Outcome, of_status

HERE = "https://www.shop.example/products.json"


@pytest.mark.parametrize(
    "there",
    ["https://www.shop.example/login", "https://shop.example/products.json", "https://consent.shop.example/m"],
)
def test_a_redirect_within_its_site_is_followed(there):
    assert may_follow(HERE, there)


@pytest.mark.parametrize(
    "there",
    [
        "https://other.example/", "https://www.shop.example.other.example/", "http://10.0.0.1/", "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:27017/", "http://localhost/", "file:///etc/hosts",
        "ftp://www.shop.example/", "https://co.uk/", "",
    ],
)  # fmt: skip
def test_a_redirect_to_another_site_or_into_our_network_is_not(there):
    assert not may_follow(HERE, there)


def test_two_sites_under_one_public_suffix_are_two():
    assert not may_follow("https://one.co.uk/", "https://two.co.uk/")


def test_a_listed_host_and_the_very_same_address_are_followed():
    assert may_follow(HERE, "https://moved.example/", {"moved.example"})
    assert may_follow("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/b")
    assert not may_follow("http://127.0.0.1:8000/a", "http://127.0.0.1:8001/b")


def test_a_redirect_that_is_not_followed_is_a_wall():
    assert of_status(302) is Outcome.BLOCKED


@pytest.mark.parametrize(
    ("host", "public"),
    [("localhost", False), ("10.1.2.3", False), ("169.254.169.254", False), ("::1", False), ("203.0.114.9", True)],
)
def test_a_name_that_leads_into_our_own_network_is_not_public(host, public):
    assert asyncio.run(is_public(host)) is public


def test_what_is_no_address_is_told_as_such():
    with pytest.raises(ValueError, match="IPv6"):
        may_follow(HERE, "http://[::1")
