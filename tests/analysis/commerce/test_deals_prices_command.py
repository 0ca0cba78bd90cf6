"""`prices` over a real database: offers of two stores and the posts of one of them."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analysis.cli import main
from analysis.commerce.campaigns import effects
from crawler.items import Offer, Post, Product
from crawler.storage.deals import Deals
from crawler.storage.reads import Reader
from crawler.storage.store import Store

START = datetime(2026, 9, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def told(host: str, at: datetime, capture: str) -> dict[str, object]:
    return {
        "platform": "store",
        "url": f"https://{host}/",
        "observed_at": at,
        "capture": capture,
        "parser": "shop.page@1",
    }


@pytest.fixture
def stocked(database):
    """Two stores with the same kettle over 40 days, a lamp in one; the first one also posts."""
    store = Store(database)
    store.prepare()
    items = []
    for host, title in (("homebarn.example", "Acme Kettle Steel 1.7 L"), ("pots.example", "ACME steel kettle 1700 ml")):
        items.append(Product(**told(host, START, "p"), host=host, product_id="1", title=title, brand="Acme"))
        for day in range(40):
            price = Decimal("39.00") if host.startswith("home") else Decimal("42.00") if day < 20 else Decimal("35.50")
            items.append(Offer(**told(host, START + day * DAY, f"{host}{day}"), product=f"{host}:product:1",
                               price=price,
                               currency="USD", available=True))  # fmt: skip
    items.append(
        Product(**told("pots.example", START, "p"), host="pots.example", product_id="2", title="Nova Desk Lamp")
    )
    items.append(
        Offer(**told("pots.example", START, "l"), product="pots.example:product:2", price=Decimal(12), currency="USD")
    )
    posts = [
        Post(platform="x", url="https://x.example/1", observed_at=START + day * DAY, capture=f"x{day}",
             parser="x.search@1", post_id=str(day),
             author="HomeBarn", created_at=START + day * DAY, language="en", likes=40 if day % 3 == 0 else 10,
             caption="Acme Kettle Steel 1.7 L now $29.00, was $39.00, buy now"
             if day % 3 == 0 else "Good morning from the shop")
        for day in range(40)
    ]  # fmt: skip
    store.save([*items, *posts])
    store.fetches([{"_id": f"x{day}", "url": "u", "outcome": "ok"} for day in range(40)], START + 40 * DAY)
    yield database
    store.close()


@pytest.fixture
def analysis(stocked, client, capsys):
    def run(*arguments: str) -> str:
        assert main([arguments[0], "--database", stocked.name, *arguments[1:]], lambda config: nullcontext(client)) == 0
        return str(capsys.readouterr().out)

    run("deals")
    return run


def test_stores_and_posts_make_one_history(analysis, tmp_path):
    roles = tmp_path / "roles.csv"
    roles.write_text("homebarn.example,own\npots.example,competitor\n")
    now = analysis("prices")
    steps = analysis("prices", "steps", "--product", "acme")
    under = analysis("prices", "undercuts", "--role", str(roles))
    index = analysis("prices", "index", "--role", str(roles))

    assert "4 prices" in now and "deal" in now and "offer" in now and "pots" in now
    assert "35.5" in steps and "42" in steps and "29" in steps
    assert "35.5" in under and "pots" in under
    assert "81.7" in index  # 29.00 in a post against 35.50


def test_a_chart_of_one_product_is_drawn(analysis, tmp_path):
    said = analysis("prices", "--product", "acme", "--plot", str(tmp_path / "kettle.png"))

    assert "3 lines drawn" in said
    assert (tmp_path / "kettle.png").read_bytes()[:4] == b"\x89PNG"


def test_what_deals_did_is_told_with_controls_and_n(analysis, stocked, tmp_path):
    analysis("prices", "campaigns", "-o", str(tmp_path / "effect.csv"))
    found = {(each.by, each.group): each for each in effects(Deals(stocked).all(), Reader(stocked).posts())}
    whole = found["all", "all deals"]

    assert (whole.n, whole.authors) == (14, 1)
    assert whole.ratio is not None and 3.5 < whole.ratio < 4.0  # planted: 40 likes over 10
    assert found["depth", "25 to 49 %"].n == 14
    assert "25 to 49 %" in (tmp_path / "effect.csv").read_text()


def test_nothing_is_claimed_from_few_deals(stocked):
    posts = Reader(stocked).posts()
    (first, *_) = effects([{"post": "x:post:0", "amounts": []}], posts)

    assert (first.n, first.ratio, first.note) == (1, None, "too few (under 10)")


def test_prices_ask_for_what_they_lack(stocked, client, capsys):
    for arguments, said in ((["undercuts"], "needs --role FILE"), (["--product", "nothing"], "no product stored"),
                            (["--plot", "x.png"], "draws one product")):  # fmt: skip
        assert main(["prices", "--database", stocked.name, *arguments], lambda config: nullcontext(client)) == 2
        assert said in capsys.readouterr().err
