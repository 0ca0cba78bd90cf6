"""Posts in files and dumps are read with the names of the crawled catalogue, where the database is there."""

import gzip
import json
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest

from analysis.cli import main
from analysis.commerce.deals_archive import Selection, local
from analysis.commerce.deals_spans import Catalogue
from crawler.items import Product
from crawler.storage.store import Store
from tests.lanes.test_twitterstream import block, tar_of, tweet

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
TEXT = "New at our shop: the brookfern  Copper Kettle for £20, was £35, order now"


@pytest.fixture
def crawled(database, client):
    store = Store(database)
    store.prepare()
    store.save([
        Product(
            platform="barn.example", url="https://barn.example/1", observed_at=NOON, capture="c1",
            parser="shopify.products@1",
            host="barn.example", product_id="1", title="Copper Kettle", vendor="BrookFern",
        )
    ])  # fmt: skip
    store.close()
    return ["--database", database.name], lambda config: nullcontext(client)


def test_lines_are_read_with_the_crawled_names_and_told_so(crawled, tmp_path, capsys):
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": 1, "text": TEXT, "lang": "en"}))
    more, open_client = crawled
    command = ["deals", str(tmp_path / "in.jsonl"), *more]
    assert main(command, open_client) == 0
    told = capsys.readouterr()
    assert main([*command, "--no-catalogue"], open_client) == 0
    without = capsys.readouterr()

    assert "names known: 1 brands and 1 products\n" in told.err
    assert (json.loads(told.out)["brand"], json.loads(told.out)["product"]) == ("BrookFern", "Copper Kettle")
    assert "names known: none" in without.err
    assert json.loads(without.out)["brand"] is None


def test_a_database_that_is_away_is_told_and_stops_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MONGODB_URI", "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100")
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": 1, "text": TEXT, "lang": "en"}))
    assert main(["deals", str(tmp_path / "in.jsonl"), "--brands", "Brookfern, Ashdale"]) == 0
    told = capsys.readouterr()

    assert "names known: 2 brands and 0 products (the crawled catalogue is not used: " in told.err
    assert json.loads(told.out)["brand"] == "Brookfern"


def test_a_dump_is_read_with_the_crawled_names_by_one_process_and_by_several(crawled, tmp_path):
    files = {f"{at}.json.gz": gzip.compress(block(*(tweet(100 * at + n, TEXT) for n in range(9)))) for at in range(3)}
    path, (more, open_client) = tar_of(files, tmp_path / "t.tar"), crawled
    outs = [tmp_path / f"{n}.jsonl" for n in (1, 2)]
    for n, out in enumerate(outs, 1):
        assert main(["deals", str(path), "--processes", str(n), "-o", str(out), *more], open_client) == 0
    rows = [json.loads(line) for line in outs[0].read_text().splitlines()]

    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert len(rows) == 27 and {each["brand"] for each in rows} == {"BrookFern"}


def test_of_two_spellings_every_process_takes_the_same(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(block(tweet(1, TEXT)))
    found = []
    for names in (["BrookFern", "BROOKFERN"], ["BROOKFERN", "BrookFern"]):
        found += [each.rows for each in local([str(path)], Selection(catalogue=Catalogue(names)), 2)]

    assert found[0] == found[1]
