"""Collections, validators and indexes, made from the item models. Idempotent; run at every start."""

from __future__ import annotations

import contextlib
import types
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, OperationFailure

from crawler.items import KINDS, Item
from crawler.storage.errors import StorageRefused

VERSION = 1
FETCHES_KEPT_DAYS = 90
RETIRED = {"observations": ("kind_-at",)}
"""Indexes of older versions that newer ones hold within; dropped where they still are."""
APPEND_ONLY = frozenset({"boards", "board_entries"})

_BSON = {str: "string", bool: "bool", float: "double", Decimal: "decimal", datetime: "date", int: "long"}


def bson_type(annotation: Any) -> dict[str, Any]:
    """The $jsonSchema of a field's annotation; None is never stored, so it is left out."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return bson_type(next(each for each in get_args(annotation) if each is not type(None)))
    if origin is Literal:
        return {"enum": list(get_args(annotation))}
    if origin is tuple:
        return {"bsonType": "array", "items": bson_type(get_args(annotation)[0])}
    if origin is not None and hasattr(annotation, "__metadata__"):
        return bson_type(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {name: bson_type(field.annotation) for name, field in annotation.model_fields.items()}
        return {"bsonType": "object", "properties": fields}
    return {"bsonType": _BSON[annotation]}


def validator(model: type[Item]) -> dict[str, Any]:
    """$jsonSchema of a latest-state or append-only collection."""
    properties = {
        name: {**bson_type(field.annotation), "description": (field.description or name)}
        for name, field in model.model_fields.items()
        if name != "key"
    }
    needed = [name for name, field in model.model_fields.items() if field.is_required() or name == "kind"]
    properties["_id"] = {"bsonType": "string", "description": "Natural key."}
    return {"$jsonSchema": {"bsonType": "object", "required": ["_id", *needed], "properties": properties}}


def index(fields: tuple[str, ...]) -> IndexModel:
    keys = [(name.removeprefix("-"), DESCENDING if name.startswith("-") else ASCENDING) for name in fields]
    return IndexModel(keys, name="_".join(fields))


def plan() -> dict[str, tuple[dict[str, Any] | None, list[IndexModel]]]:
    """Every collection with its validator and indexes."""
    made: dict[str, tuple[dict[str, Any] | None, list[IndexModel]]] = {
        model.collection: (validator(model), [index(fields) for fields in model.indexes]) for model in KINDS.values()
    }
    made["observations"] = (
        {"$jsonSchema": {"bsonType": "object", "required": ["_id", "entity", "kind", "at", "capture", "parser"]}},
        # The last with _id: pages of a kind stand in one order, however many entities were seen at once.
        [index(("entity", "at")), index(("kind", "-at", "_id"))],
    )
    ttl = IndexModel([("recorded_at", ASCENDING)], name="ttl", expireAfterSeconds=FETCHES_KEPT_DAYS * 86_400)
    made["fetches"] = (None, [ttl, index(("run",)), index(("target", "-at")), index(("outcome", "-at"))])
    made["runs"] = (None, [index(("spider", "-started_at"))])
    made["quarantine"] = (None, [index(("reason", "-observed_at")), index(("capture",))])
    made["targets"] = (None, [index(("spider", "value"))])
    made["creators"] = (None, [index(("user_id",)), index(("-followers",)), index(("-rate_low",))])
    made["trends"] = (None, [index(("board", "topic_key")), index(("board", "-last_seen"))])
    made["links"] = (None, [index(("topic", "kind")), index(("target",))])
    made["heard"] = (None, [index(("post",)), index(("content",))])
    made["withdrawn"] = (None, [])  # a tweet's number each: taken back, whether or not it ever was here
    made["dumps"] = (None, [])  # a member of a dump each, by name, that was stored whole
    made["alerts"] = (None, [index(("rule", "-at")), index(("-at",))])
    return made


def ensure(database: Database[Any]) -> None:
    """Make or mend collections, validators and indexes; safe to run at once from many processes.

    Raises StorageRefused when the database was written by a newer Tidemark.
    """
    known = database["meta"].find_one({"_id": "schema"})
    if known and known["version"] > VERSION:
        raise StorageRefused(
            f"database {database.name}: its schema is version {known['version']}, this Tidemark knows {VERSION}. "
            "Update Tidemark, or set MONGODB_DATABASE to another database."
        )
    if known and known["version"] < VERSION:
        raise StorageRefused(
            f"database {database.name}: its schema is version {known['version']}, this Tidemark has {VERSION}. "
            "See what would change: scrapy migrate --dry-run; then: scrapy migrate"
        )
    if known and known.get("plan") == fingerprint():
        return
    present = set(database.list_collection_names())
    for name, (rule, indexes) in plan().items():
        if name not in present:
            _create(database, name)
        if rule is not None:
            database.command("collMod", name, validator=rule, validationLevel="strict", validationAction="error")
        if indexes:
            database[name].create_indexes(indexes)
        for old in RETIRED.get(name, ()):
            with contextlib.suppress(OperationFailure):  # not there, or another process was first
                database[name].drop_index(old)
    database["meta"].replace_one(
        {"_id": "schema"}, {"_id": "schema", "version": VERSION, "plan": fingerprint()}, upsert=True
    )


def fingerprint() -> str:
    """Changes when any validator or index does."""
    import hashlib

    text = repr([(name, rule, [each.document for each in indexes]) for name, (rule, indexes) in plan().items()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _create(database: Database[Any], name: str) -> None:
    try:
        database.create_collection(name)
    except (CollectionInvalid, OperationFailure) as error:
        if isinstance(error, OperationFailure) and error.code != 48:  # another process was first
            raise
