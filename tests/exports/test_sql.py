"""Relational copies: exported twice, late and replayed; the same counts and values, older facts never win."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from analysis.exports.rows import rows_of
from analysis.exports.schema import BY_NAME, TABLES, children
from analysis.exports.source import Source
from analysis.exports.sqlcopy import PostgresCopy, SqliteCopy
from analysis.exports.sync import sync
from analysis.output import OutputError
from crawler.storage.exports import Exports
from crawler.storage.reads import Reader

from .scene import FIRST, LATE, NEWER, READ, post


@pytest.fixture
def source(database):
    """Anew each time: a source reads its database once."""
    return lambda: Source(Exports(database), Reader(database))


@pytest.fixture(scope="session")
def postgres():
    """A real server of Debian's package on a socket in a folder of its own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(p) for p in [shutil.which("initdb")] if p]
    if not found:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    binaries = found[-1].parent
    with tempfile.TemporaryDirectory(prefix="tidemark-test-", ignore_cleanup_errors=True) as folder:
        as_user = _unprivileged(Path(folder))
        data = Path(folder) / "data"
        run = {"check": True, "capture_output": True, "timeout": 120, **as_user}
        subprocess.run([binaries / "initdb", "-D", data, "-U", "tidemark", "-A", "trust", "--no-sync"], **run)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        subprocess.run([binaries / "pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start"], **run)
        try:
            yield f"host={folder} user=tidemark dbname=postgres"
        finally:
            subprocess.run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)


def _unprivileged(folder: Path) -> dict[str, str]:
    """The server refuses to run as root."""
    import os
    import pwd

    if os.getuid():
        return {}
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": "postgres", "cwd": str(folder)}


@pytest.fixture(params=["sqlite", "postgres"])
def copy(request, tmp_path):
    if request.param == "sqlite":
        made = SqliteCopy(tmp_path / "copy.sqlite")
        yield made
        made.close()
        return
    connection = psycopg.connect(request.getfixturevalue("postgres"), autocommit=True)
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    made = PostgresCopy(connection)
    yield made
    made.close()


def contents(copy, table):
    """Rows of the copy by key, as the source would give them."""
    with copy.transaction() as cursor:
        cursor.execute(f'SELECT * FROM "{table.name}"')
        names = [each[0] for each in cursor.description]
        return sorted((dict(zip(names, row, strict=True)) for row in cursor.fetchall()), key=repr)


def expected(copy, source, table):
    made = {name: [] for name in (table.name, *(c.name for c in children(table)))}
    for day in source.parts(table):
        for batch in source.rows(table, day):
            for name, rows in batch.items():
                made[name] += rows
    return {
        name: sorted((dict(zip(BY_NAME[name].names(), map(copy.written, row), strict=True)) for row in rows), key=repr)
        for name, rows in made.items()
    }


def same(copy, source):
    """Every value of every table, lists included."""
    for table in source.tables():
        for name, rows in expected(copy, source, table).items():
            found = contents(copy, BY_NAME[name])
            if isinstance(copy, SqliteCopy):
                found, rows = (sorted(map(_loose, each), key=repr) for each in (found, rows))
            assert found == rows, name


def _loose(row):
    """SQLite keeps truth values and prices as numbers."""
    return {name: float(v) if isinstance(v, (bool, int)) or _numeric(v, name) else v for name, v in row.items()}


def _numeric(value, name):
    return name in ("price", "first", "last", "least", "greatest", "list_price") and value is not None


def test_the_copy_holds_every_value_of_the_database(store, source, copy):
    store.save(FIRST)
    told = sync(source(), copy)
    assert all(each.agrees for each in told)
    assert {each.table: each.copied for each in told if each.copied} == {
        "profiles": 1, "posts": 1, "boards": 1, "board_entries": 2, "products": 1, "offers": 1, "comments": 1,
        "observations": 5, "topics": 2, "sentiment": 1, "prices_daily": 1,
    }  # fmt: skip
    same(copy, source())


def test_exported_twice_nothing_is_read_again(store, source, copy):
    store.save(FIRST)
    sync(source(), copy)
    again = sync(source(), copy)
    assert sum(each.read + each.written + each.deleted for each in again) == 0
    same(copy, source())


def test_after_newer_late_and_replayed_captures_the_copy_is_the_database(store, source, copy):
    for items in (FIRST, NEWER, LATE, FIRST, NEWER):
        store.save(items)
        assert all(each.agrees for each in sync(source(), copy))
        same(copy, source())
    with copy.transaction() as cursor:
        cursor.execute('SELECT "views" FROM "posts" WHERE "post_id" = \'7545069539610545430\'')
        assert cursor.fetchall()[0][0] == 250
        cursor.execute('SELECT "value" FROM "post_hashtags" WHERE "post" = \'tiktok:post:7545069539610545430\'')
        assert [row[0] for row in cursor.fetchall()] == ["três"]


def test_an_older_database_never_takes_back_a_newer_fact(store, source, copy, database):
    """A restored backup is exported into a copy that is ahead of it."""
    store.save([*FIRST, *NEWER])
    sync(source(), copy)
    for name in ("posts", "offers"):
        database[name].delete_many({})
    store.save(FIRST)
    sync(source(), copy)
    with copy.transaction() as cursor:
        cursor.execute('SELECT "views" FROM "posts"')
        assert cursor.fetchall()[0][0] == 250
        cursor.execute('SELECT "value" FROM "post_hashtags"')
        assert [row[0] for row in cursor.fetchall()] == ["três"]


def test_a_copy_belongs_to_one_database_and_an_empty_one_takes_nothing_away(store, source, copy, database):
    store.save(FIRST)
    sync(source(), copy)
    other = Source(Exports(database.client["test_other"]), Reader(database))
    with pytest.raises(OutputError, match="holds database"):
        sync(other, copy)
    for name in database.list_collection_names():
        database[name].delete_many({})
    with pytest.raises(OutputError, match="is empty"):
        sync(source(), copy)
    assert copy.count(BY_NAME["posts"]) == 1


def test_only_days_that_changed_are_read(store, source, copy):
    store.save([post(n, READ - timedelta(days=n)) for n in range(1, 9)])
    sync(source(), copy)
    store.save([post(3, READ, views=500)])
    told = {each.table: each.read for each in sync(source(), copy)}
    assert told["posts"] == 1  # the day it left has nothing more to give
    assert told["profiles"] == 0


def test_what_was_removed_from_the_database_leaves_the_copy_with_its_lists(store, source, copy, database):
    store.save([*FIRST, post(8)])
    sync(source(), copy)
    database["posts"].delete_one({"_id": "tiktok:post:8"})
    told = {each.table: each.deleted for each in sync(source(), copy)}
    assert told["posts"] == 1
    same(copy, source())


def test_an_entry_whose_board_has_not_come_waits_for_it(store, source, copy, database):
    store.save(FIRST)
    kept = database["boards"].find_one()
    database["boards"].delete_one({})
    told = {each.table: each for each in sync(source(), copy)}
    assert (told["board_entries"].kept, told["board_entries"].copied) == (2, 0)
    database["boards"].insert_one(kept)
    assert all(each.agrees for each in sync(source(), copy))


def test_a_column_that_a_newer_version_has_is_added_and_filled(store, source, copy):
    store.save(FIRST)
    sync(source(), copy)
    with copy.transaction() as cursor:
        cursor.execute('ALTER TABLE "products" DROP COLUMN "title"')
    sync(source(), copy)
    same(copy, source())


def test_references_hold(store, source, copy):
    store.save(FIRST)
    sync(source(), copy)
    broken = sqlite3.IntegrityError if isinstance(copy, SqliteCopy) else psycopg.errors.ForeignKeyViolation
    with pytest.raises(broken), copy.transaction() as cursor:
        cursor.execute("INSERT INTO post_hashtags VALUES ('nobody', 1, 'x')")


def test_every_field_of_every_item_is_in_the_schema():
    from crawler.items import KINDS

    for model in KINDS.values():
        own = set(BY_NAME[model.collection].names())
        lists = {table.field for table in TABLES if table.parent == model.collection}
        assert set(model.model_fields) - own - lists == {"vantage"}


def test_rows_of_a_document_without_optional_fields_are_as_wide_as_the_table():
    table = BY_NAME["posts"]
    [row] = rows_of(table, [{"_id": "tiktok:post:1", "platform": "tiktok", "etag": "e"}])["posts"]
    assert len(row) == len(table.columns)


def test_counters_by_the_hour_are_the_last_shown_in_it(store, source, postgres):
    store.save([post(1, READ, views=10), post(1, READ + timedelta(minutes=20), views=12, likes=None),
                post(1, READ + timedelta(hours=2), views=15)])  # fmt: skip
    connection = psycopg.connect(postgres, autocommit=True)
    connection.execute("DROP SCHEMA public CASCADE")
    connection.execute("CREATE SCHEMA public")
    copy = PostgresCopy(connection)
    sync(source(), copy)
    found = connection.execute("SELECT hour, readings, views, likes FROM observations_hourly ORDER BY hour").fetchall()
    assert found == [(READ, 2, 12, 7), (READ + timedelta(hours=2), 1, 15, 7)]
    copy.close()
