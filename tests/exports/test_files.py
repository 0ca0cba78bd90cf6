"""Exported files as their readers open them: a spreadsheet, pandas, DuckDB; and the command that writes them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import secrets
import shutil
import subprocess
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import duckdb
import pandas as pd
import pytest

from analysis.cli import main
from analysis.exports.er import diagram
from analysis.exports.files import LOCALES, cell, csv_bytes
from analysis.exports.folder import opened
from analysis.exports.pseudonyms import Pseudonyms, masked
from analysis.exports.schema import BY_NAME
from analysis.output import OutputError
from crawler.config import ROOT
from crawler.items import Profile
from crawler.storage.store import Store

from .scene import FIRST, LATE, NEWER, base, post

KEY = "k" * 32
ID = "7545069539610545430"
EVIL = ['=HYPERLINK("https://evil.example","x")', "+1+1", "@SUM(1)", "-2+3", "\t=1+1", "＝1+1"]


@pytest.fixture(scope="module")
def filled(client):
    name = f"test_{secrets.token_hex(6)}"
    store = Store(client[name])
    store.save([*FIRST, *NEWER, *LATE, Profile(**base(), username="bia", nickname="Bia", bio="oi @ana"),
                *(post(200 + n, author=f"w{n}", caption="com @ana no parque") for n in range(4)),
                *(post(100 + n, caption=text) for n, text in enumerate(EVIL))])  # fmt: skip
    store.close()
    yield name
    client.drop_database(name)


@pytest.fixture
def run(filled, client, capsys, monkeypatch):
    def call(*arguments, key=""):
        monkeypatch.setenv("TIDEMARK_HASH_KEY", key)
        status = main(["export", *map(str, arguments), "--database", filled], open_client=lambda _: nullcontext(client))
        return status, *capsys.readouterr()

    return call


def rows(path, delimiter=","):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig")), delimiter=delimiter))


def test_csv_is_utf_8_and_no_cell_runs(run, tmp_path):
    assert run("--to", "csv", tmp_path)[0] == 0
    assert (tmp_path / "posts.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    found = {row["key"]: row for row in rows(tmp_path / "posts.csv")}
    assert found["tiktok:post:8"]["caption"] == "Olá, ação!"
    for n, text in enumerate(EVIL):
        assert found[f"tiktok:post:{100 + n}"]["caption"] == f"'{text}"
    assert found[f"tiktok:post:{ID}"]["post_id"] == f"'{ID}"


@pytest.mark.parametrize(
    ("value", "plain", "brazilian"),
    [
        (Decimal("1234.50"), "1234.50", "1234,50"), (1e-7, "0.0000001", "0,0000001"), (7, "7", "7"),
        (True, "true", "true"), (None, "", ""), (10**17, f"'{10**17}", f"'{10**17}"),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01 12:00:00", "2026-03-01 12:00:00"),
    ],
)  # fmt: skip
def test_cells_by_country(value, plain, brazilian):
    assert cell(value, LOCALES["C"]) == plain
    assert cell(value, LOCALES["pt-BR"]) == brazilian


def test_a_brazilian_csv_has_semicolons_and_decimal_commas(run, tmp_path):
    assert run("--to", "csv", tmp_path, "--locale", "pt-BR", "--tables", "offers")[0] == 0
    [row] = rows(tmp_path / "offers.csv", ";")
    assert row["price"] == "17,9"


def spreadsheet(path, into, *options):
    """The first sheet as LibreOffice reads it: (text, kind) of each cell, kind float, string, date …"""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("no LibreOffice is installed: apt-get install libreoffice-calc-nogui")
    subprocess.run(
        [office, f"-env:UserInstallation=file://{into}/profile", "--headless", *options, "--convert-to", "fods",
         "--outdir", into, path], check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    from lxml import etree

    tree = etree.parse(into / f"{Path(path).stem}.fods", etree.XMLParser(huge_tree=True))
    office_ns, table_ns, text_ns = (
        f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("office", "table", "text")
    )
    found = []
    for row in next(tree.iter(f"{table_ns}table")).iter(f"{table_ns}table-row"):
        cells = []
        for each in row.iter(f"{table_ns}table-cell"):
            text = "\n".join("".join(p.itertext()) for p in each.iter(f"{text_ns}p"))
            kind = "formula" if each.get(f"{table_ns}formula") else each.get(f"{office_ns}value-type")
            cells += [(text, kind)] * min(int(each.get(f"{table_ns}number-columns-repeated", 1)), 60)
        found.append(cells)
    return found


def opened_rows(sheet):
    names = [text for text, _ in sheet[0]]
    return [dict(zip(names, row, strict=False)) for row in sheet[1:] if row and row[0][0]]


def check(found, lead):
    by_key = {row["key"][0]: row for row in found}
    assert not [cell for row in found for cell in row.values() if cell[1] == "formula"]
    row = by_key[f"tiktok:post:{ID}"]
    assert row["post_id"] == (f"{lead}{ID}", "string")
    assert row["caption"] == ("Olá, ação!", "string")
    assert row["views"][1] == "float"
    assert row["observed_at"][1] == "date"
    assert by_key["tiktok:post:100"]["caption"][0] == f"{lead}{EVIL[0]}"


def test_a_spreadsheet_opens_the_csv_with_ids_accents_and_no_formula(run, tmp_path):
    run("--to", "csv", tmp_path, "--tables", "posts")
    comma_utf8 = "--infilter=CSV:44,34,76,1,,0,false,true,false"
    check(opened_rows(spreadsheet(tmp_path / "posts.csv", tmp_path, comma_utf8)), lead="'")


def test_a_spreadsheet_opens_the_xlsx_with_ids_accents_and_no_formula(run, tmp_path):
    path = tmp_path / "all.xlsx"
    assert run("--to", "xlsx", path, "--tables", "posts")[0] == 0
    check(opened_rows(spreadsheet(path, tmp_path)), lead="")


def test_no_formula_is_written_into_a_workbook(run, tmp_path):
    path = tmp_path / "all.xlsx"
    run("--to", "xlsx", path)
    with ZipFile(path) as book:
        sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) > 20
    assert not [sheet for sheet in sheets if b"<f>" in sheet]


def test_json_lines_hold_one_item_each_with_its_lists(run, tmp_path):
    run("--to", "jsonl", tmp_path)
    found = {row["key"]: row for row in map(json.loads, (tmp_path / "posts.jsonl").read_text().splitlines())}
    assert found[f"tiktok:post:{ID}"]["hashtags"] == ["três"]
    assert "sound_id" not in found["tiktok:post:8"]


def test_parquet_has_the_types_of_the_schema_even_where_a_column_is_empty(run, tmp_path):
    run("--to", "parquet", tmp_path)
    offers = pd.read_parquet(tmp_path / "offers.parquet", dtype_backend="pyarrow")
    assert offers["price"].tolist() == [Decimal("17.9")]
    assert str(offers["list_price"].dtype).startswith("decimal")
    assert str(offers["observed_at"].dtype).startswith("timestamp[ms, tz=UTC]")


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_by_day_only_changed_days_are_written_again(run, tmp_path, ending, client, filled):
    assert run("--to", ending, tmp_path, "--by-day", "--tables", "posts")[0] == 0
    days = sorted(path.parent.name for path in (tmp_path / "posts").glob(f"day=*/posts.{ending}"))
    assert days == ["day=2026-03-01", "day=2026-03-02"]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob(f"*.{ending}")}
    _, out, _ = run("--to", ending, tmp_path, "--by-day", "--tables", "posts")
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob(f"*.{ending}")}
    assert out.splitlines()[3].split()[3:5] == ["0", "0"]


def test_by_day_into_an_object_store(run):
    assert run("--to", "parquet", "memory://bucket/tidemark", "--by-day", "--tables", "offers")[0] == 0
    folder = opened("memory://bucket/tidemark")
    assert folder.read("_tidemark.json")
    assert folder.read("offers/day=2026-03-02/offers.parquet")


def test_duckdb_holds_the_same_rows(run, tmp_path):
    path = tmp_path / "a.duckdb"
    assert run("--to", "duckdb", path)[0] == 0
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT views FROM posts WHERE post_id = ?", [ID]).fetchone() == (250,)
        assert connection.execute('SELECT "last" FROM prices_daily ORDER BY day').fetchall() == [
            (Decimal("19.9"),), (Decimal("17.9"),),
        ]  # fmt: skip


def test_the_checksums_of_a_bundle_verify_and_its_dictionary_names_every_column(run, tmp_path):
    assert run("--to", "bundle", tmp_path)[0] == 0
    for line in (tmp_path / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    package = json.loads((tmp_path / "datapackage.json").read_text())
    for resource in package["resources"]:
        head = (tmp_path / resource["path"]).read_text(encoding="utf-8-sig").splitlines()[0]
        assert [each["name"] for each in resource["schema"]["fields"]] == head.split(",")
        assert all(each["description"] for each in resource["schema"]["fields"])
    assert "posts,2026-03-02" in (tmp_path / "coverage.csv").read_text()
    assert json.loads((tmp_path / "versions.json").read_text())["parsers"] == ["tiktok.test@1"]


def test_in_a_pseudonymised_bundle_nobody_is_named_and_everybody_is_one(run, tmp_path):
    assert run("--to", "bundle", tmp_path, "--pseudonymise", key=KEY)[0] == 0
    texts = {path.name: path.read_text(encoding="utf-8-sig") for path in (tmp_path / "data").glob("*.csv")}
    everything = "\n".join(texts.values()).casefold()
    assert ID not in everything
    assert ":ana" not in everything
    assert "@ana" not in everything
    assert ",bia," not in everything
    assert "www.tiktok.com" not in everything
    ana = Pseudonyms(KEY).of("ana")
    assert ana in {row["author"] for row in rows(tmp_path / "data" / "posts.csv")}
    assert f"tiktok:profile:{ana}" in {row["author_key"] for row in rows(tmp_path / "data" / "posts.csv")}
    assert f"tiktok:profile:{ana}" in {row["key"] for row in rows(tmp_path / "data" / "profiles.csv")}
    assert set(rows(tmp_path / "data" / "post_mentions.csv")[0]["value"][:2]) == set("p_")


@pytest.mark.parametrize(("table", "column"), [("keywords", "key"), ("topics", "topic_key"), ("evolution", "topic")])
def test_a_term_or_topic_that_is_a_name_is_a_pseudonym(table, column):
    names = BY_NAME[table].names()
    [row] = masked(BY_NAME[table], [tuple("@Ana" if name == column else None for name in names)], Pseudonyms(KEY))
    assert row[names.index(column)] == f"@{Pseudonyms(KEY).of('ana')}"


def test_pseudonyms_are_stable_and_others_with_another_key():
    assert Pseudonyms(KEY).of("Ana") == Pseudonyms(KEY).of("ana") != Pseudonyms("j" * 32).of("ana")
    assert "ana" not in Pseudonyms(KEY).of("ana")
    assert KEY not in repr(Pseudonyms(KEY))


def test_without_a_key_nothing_is_written(run, tmp_path):
    status, _, error = run("--to", "bundle", tmp_path / "b", "--pseudonymise", key="short")
    assert (status, (tmp_path / "b").exists()) == (2, False)
    assert "TIDEMARK_HASH_KEY" in error


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--to", "csv", "x", "--by-day"), "goes with --to jsonl"),
        (("--to", "xlsx", "a.csv"), "ends in .xlsx"),
        (("--to", "sqlite", "/nowhere/a.sqlite"), "make it first"),
        (("--to", "csv", "x", "--tables", "nothing"), "there are profiles, posts"),
        (("--to", "parquet", "nosuch://bucket/x"), "pip install"),
        (("--to", "postgres", "host=/nowhere user=nobody"), "cannot connect"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_would_work(run, tmp_path, monkeypatch, asked, told):
    monkeypatch.chdir(tmp_path)
    status, _, error = run(*asked)
    assert status == 2
    assert told in error


def test_sqlite_by_command_reconciles_and_says_so(run, tmp_path):
    status, out, _ = run("--to", "sqlite", tmp_path / "a.sqlite")
    assert status == 0
    assert {line.split()[-1] for line in out.splitlines()[3:]} == {"yes"}


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made a folder"):
        opened(str(tmp_path / "file" / "x"))


def test_the_diagram_is_up_to_date():
    """Made anew by: python -m analysis export --to diagram docs/schema.md"""
    assert (ROOT / "docs" / "schema.md").read_text() == diagram()


def test_an_empty_table_is_a_head_alone():
    assert csv_bytes(BY_NAME["post_hashtags"], []).decode("utf-8-sig") == "post,position,value\r\n"
