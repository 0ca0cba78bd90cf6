"""Changes of what is stored, by version of the schema: each told before it is done, safe to do twice or to cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from crawler.storage import schema
from crawler.storage.errors import StorageRefused

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Migration:
    """From the version before to `to`. Idempotent: a migration that was cut off is simply done again."""

    to: int
    what: str
    count: Callable[[Database[Document]], int]
    """Documents that it would change; reads only."""
    run: Callable[[Database[Document]], int]
    """Documents that it changed."""


MIGRATIONS: tuple[Migration, ...] = ()
"""In order. A change of fields needs none where parsers are: raise the page's version and replay the archive."""


def version(database: Database[Document]) -> int:
    """0: nothing is stored yet."""
    known = database["meta"].find_one({"_id": "schema"})
    return int(known["version"]) if known else 0


def pending(
    database: Database[Document], migrations: Sequence[Migration] = MIGRATIONS, newest: int = schema.VERSION
) -> list[Migration]:
    """Raises StorageRefused when the database was written by a newer Tidemark."""
    found = version(database)
    if found > newest:
        raise StorageRefused(
            f"database {database.name}: its schema is version {found}, this Tidemark knows {newest}. Update Tidemark, "
            "or set MONGODB_DATABASE to another database."
        )
    return [each for each in migrations if found < each.to <= newest] if found else []


def migrate(
    database: Database[Document], migrations: Sequence[Migration] = MIGRATIONS, newest: int = schema.VERSION
) -> list[tuple[Migration, int]]:
    """Everything pending, in order, each noted when it is done; then collections, validators and indexes."""
    done = []
    for each in pending(database, migrations, newest):
        done.append((each, each.run(database)))
        database["meta"].update_one({"_id": "schema"}, {"$set": {"version": each.to}, "$unset": {"plan": ""}})
    if version(database):
        database["meta"].update_one({"_id": "schema"}, {"$set": {"version": newest}})
    schema.ensure(database)
    return done


def plan(database: Database[Document]) -> list[str]:
    """What `schema.ensure` would make or change, a line each; reads only."""
    present = {row["name"]: row.get("options", {}) for row in database.list_collections()}
    lines = []
    for name, (rule, indexes) in schema.plan().items():
        if name not in present:
            lines.append(f"collection {name}: made")
            continue
        if rule is not None and present[name].get("validator") != rule:
            lines.append(f"collection {name}: new validator")
        known = set(database[name].index_information())
        lines += [f"index {name}.{each.document['name']}: made" for each in indexes
                  if each.document["name"] not in known]  # fmt: skip
    return lines
