"""`python -m analysis products`, from its arguments to what it prints, on a real database."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from analysis.cli import main
from crawler.config import ROOT
from crawler.items import Item
from crawler.pages import load_all
from crawler.storage.store import Store

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARDS = "https://socks.example/collections/all"
LAMP = "https://lampenhaus.example/leuchten/moewe-tischleuchte.html"
SAVED = ROOT / "tests" / "pages"


def take(store: Store, page: str, case: str, url: str, at: datetime, swap: tuple[bytes, bytes] = (b"", b"")) -> None:
    body = (SAVED / page / case / "body").read_bytes()
    made = load_all()[page](url, body.replace(*swap) if swap[0] else body, at)
    store.save([item for item in made.items() if isinstance(item, Item)])


@pytest.fixture
def run(database, capsys):
    store = Store(database)
    store.prepare()
    for day in range(4):
        cheaper = (b'"price":3399', b'"price":2899') if day > 1 else (b"", b"")
        take(store, "shopify.html", "cards", CARDS, AT + timedelta(days=day), cheaper)
    take(store, "store.product", "visible_only", LAMP, AT)
    store.close()

    def call(*arguments: str) -> tuple[int, str, str]:
        status = main(["products", *arguments, "--database", database.name], lambda _: nullcontext(database.client))
        return status, *capsys.readouterr()

    return call


def test_shared_ratings_are_counted_once_and_prices_stand_beside(run):
    status, out, _ = run()
    assert status == 0
    assert "4,843 ratings, shown as 9,686" in out
    assert "the same 4,843 ratings as" in out
    assert "Möwe Tischleuchte" in out and "89.95" in out


def test_a_catalogue_without_a_currency_takes_the_only_one_of_its_store(run, database, tmp_path):
    store = Store(database)
    take(store, "shopify.catalogue", "collection", "https://socks.example/collections/all/products.json", AT)
    store.close()
    assert run("--host", "socks.example", "-o", str(tmp_path / "p.csv"))[0] == 0
    found = pd.read_csv(tmp_path / "p.csv").set_index("title")
    assert found.loc["Pier Lamp", "currency"] == "USD"


def test_one_store_can_be_asked_for_and_an_unknown_one_is_told(run):
    status, out, _ = run("--host", "www.lampenhaus.example")
    assert status == 0 and "Wave Socks" not in out
    status, _, err = run("--host", "nowhere.example")
    assert status == 2 and "there are lampenhaus.example, socks.example" in err


def test_a_change_of_price_is_told_with_both_prices(run, tmp_path):
    assert run("--events", "-o", str(tmp_path / "e.csv"))[0] == 0
    events = pd.read_csv(tmp_path / "e.csv")
    assert set(events["event"]) == {"price_down"}
    assert set(zip(events["before"], events["after"], strict=True)) == {(33.99, 28.99)}


def test_all_candidates_of_a_general_reader_are_explained(run):
    status, out, _ = run("--explain", "lampenhaus.example:product:leuchten/moewe-tischleuchte.html")
    assert status == 0
    assert "89.95" in out and "129.00" in out and "80-2214" in out
    status, _, err = run("--explain", "socks.example:product:7")
    assert status == 2 and "no evidence" in err


def test_orders_meet_their_products_and_bad_rows_are_listed(run, tmp_path: Path):
    (tmp_path / "o.csv").write_text(
        "order_id,product_id,date,units,customer_email\n1,7,2026-01-02,2,x\n2,kit,2026-01-03,1,x\n3,99,2026-01-04,4,x\n4,7,,1,x\n"
    )
    status, out, _ = run("--orders", str(tmp_path / "o.csv"))
    assert status == 0
    assert "row 5 rejected: date" in out
    assert "columns not read: customer_email" in out
    assert "together 7 units, as in the orders" in out
    status, _, err = run("--orders", str(tmp_path / "none.csv"))
    assert status == 2 and "cannot be read" in err


def test_an_empty_database_says_what_to_do(database, capsys):
    assert main(["products", "--database", database.name], lambda _: nullcontext(database.client)) == 2
    assert "scrapy crawl shopify_store" in capsys.readouterr().err


def test_a_product_of_which_only_ratings_are_known_is_shown(database, capsys):
    store = Store(database)
    store.prepare()
    url = (
        "https://api-cdn.yotpo.com/v1/widget/MadeUpKeyOfLampShop0001/products/7700123/reviews.json?store=lamps.example"
    )
    take(store, "reviews.yotpo", "first_page", url, AT)
    store.close()
    for more in ((), ("--events",)):
        assert main(["products", "--database", database.name, *more], lambda _: nullcontext(database.client)) == 0
    assert "lamps.example:product:7700123" in capsys.readouterr().out
