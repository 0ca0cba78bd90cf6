"""The relational schema, made from the item models: tables, keys, references. Pure.

A list inside an item becomes a table of its own, one row an element, with the key of its item and the position. A
reference is enforced where the referred row is sure to be there; others (an offer whose product page was never seen)
are columns with an index.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from analysis.creators.table import ACCOUNT_COLUMNS, GROWTH_COLUMNS, RATE_COLUMNS
from analysis.text.keywords import COLUMNS as KEYWORD_COLUMNS
from analysis.trends.evolution import BOARD_EVOLUTION_COLUMNS
from crawler.items import KINDS, Item

Type = Literal["text", "integer", "double", "numeric", "boolean", "moment"]
_OF_PYTHON: dict[Any, Type] = {
    str: "text", int: "integer", float: "double", Decimal: "numeric", bool: "boolean", datetime: "moment",
}  # fmt: skip
_OF_FRAME: dict[str, Type] = {"string": "text", "Int64": "integer", "Float64": "double", "boolean": "boolean"}


@dataclass(frozen=True)
class Column:
    name: str
    type: Type
    meaning: str
    needed: bool = False


@dataclass(frozen=True)
class Reference:
    column: str
    table: str
    enforced: bool = False


@dataclass(frozen=True)
class Table:
    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("key",)
    references: tuple[Reference, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    collection: str | None = None
    """Where its rows are read; None: they are made from others."""
    moment: str | None = None
    """Field by whose day the collection is read in parts; None: as a whole."""
    newest_wins: bool = False
    """Rows carry (observed_at, capture), and one with a smaller pair never replaces one with a greater."""
    parent: str | None = None
    """Table that this one holds the lists of."""
    field: str = ""
    """The list's field in the document."""

    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


_CREATOR = {**ACCOUNT_COLUMNS, **RATE_COLUMNS, "coverage": "Float64", **GROWTH_COLUMNS}
CREATOR_COLUMNS = {name: kind for name, kind in _CREATOR.items() if name not in ("creator", "size")}
ETAG = Column("etag", "text", "Hash of the document: equal where nothing changed.", needed=True)
REFERENCES: Mapping[str, tuple[Reference, ...]] = {
    "posts": (Reference("author_key", "profiles"), Reference("repost_of", "posts")),
    "board_entries": (Reference("snapshot", "boards", enforced=True), Reference("topic_key", "topics")),
    "offers": (Reference("product", "products"),),
    "comments": (Reference("post", "posts"),),
    "deals": (Reference("post", "posts"),),
    "reviews": (Reference("product", "products"),),
}
EXTRA: Mapping[str, tuple[Column, ...]] = {
    "posts": (Column("author_key", "text", "Key of the author's profile."),),
    "board_entries": (Column("snapshot", "text", "Key of the board at that moment.", needed=True),),
}


def type_of(annotation: Any) -> Type | None:
    """None for a list or an object."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return type_of(next(each for each in get_args(annotation) if each is not type(None)))
    if origin is Literal:
        return "text"
    if origin is not None and hasattr(annotation, "__metadata__"):
        return type_of(get_args(annotation)[0])
    return _OF_PYTHON.get(annotation)


def element_of(annotation: Any) -> Any:
    """What a list holds; None where the field is no list."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return element_of(next(each for each in get_args(annotation) if each is not type(None)))
    return get_args(annotation)[0] if origin is tuple else None


def of_model(model: type[Item]) -> list[Table]:
    """The table of an item, and one for each of its lists."""
    columns, children = [], []
    for name, field in model.model_fields.items():
        kind = type_of(field.annotation)
        meaning = field.description or name
        if kind is not None:
            columns.append(Column(name, kind, meaning, needed=field.is_required() or name in ("kind", "key")))
        elif name == "vantage":
            columns += [
                Column(f"vantage_{part}", "text", said.description or part)
                for part, said in field.annotation.model_fields.items()  # type: ignore[union-attr]
            ]
        else:
            children.append(_child(model, name, element_of(field.annotation), meaning))
    moment = "at" if "at" in model.model_fields else "observed_at"
    name = model.collection
    tail = () if moment == "at" else (Column("first_seen", "moment", "Moment of the oldest capture.", needed=True),)
    references = REFERENCES.get(name, ())
    made = Table(
        name, model.__doc__ or name, (*columns, *EXTRA.get(name, ()), *tail, ETAG), references=references,
        indexes=(*((each.column,) for each in references), (moment,)), collection=name, moment=moment, newest_wins=True,
    )  # fmt: skip
    return [made, *children]


def _child(model: type[Item], field: str, element: Any, meaning: str) -> Table:
    parent = str(model.model_fields["kind"].default)
    own: tuple[Column, ...] = (Column("value", "text", meaning, needed=True),)
    if isinstance(element, type) and issubclass(element, BaseModel):
        own = tuple(
            Column(name, type_of(said.annotation) or "text", said.description or name)
            for name, said in element.model_fields.items()
        )
    columns = (
        Column(parent, "text", f"Key of the {parent}.", needed=True),
        Column("position", "integer", "Place in the list, from 1.", needed=True), *own,
    )  # fmt: skip
    return Table(
        f"{parent}_{field}", meaning, columns, key=(parent, "position"),
        references=(Reference(parent, model.collection, enforced=True),),
        indexes=(("value",),) if own[0].name == "value" else (), parent=model.collection, field=field,
    )  # fmt: skip


def _observations() -> Table:
    counters: dict[str, Column] = {}
    for model in KINDS.values():
        for name in (each for counter in model.counters for each in (counter, f"{counter}_precision")):
            if name in model.model_fields:
                said = model.model_fields[name]
                counters.setdefault(name, Column(name, type_of(said.annotation) or "text", said.description or name))
    head = [
        Column("key", "text", "Entity, moment and capture.", needed=True),
        Column("entity", "text", "Key of what was observed.", needed=True),
        Column("kind", "text", "Its kind.", needed=True),
        Column("platform", "text", "Where it lives.", needed=True),
        Column("at", "moment", "Moment of the capture (UTC).", needed=True),
        Column("at_precision", "text", "day where only the day is known."),
        Column("capture", "text", "Id of the archived response.", needed=True),
        Column("parser", "text", "Page object and its version.", needed=True),
    ]
    return Table(
        "observations", "Every accepted capture of an entity: its counters then.", (*head, *counters.values(), ETAG),
        key=("key", "at"),  # the moment is in it because TimescaleDB asks for that
        indexes=(("entity", "at"), ("at",)), collection="observations", moment="at",
    )  # fmt: skip


def _from_frame(name: str, meaning: str, kinds: Mapping[str, str], key: tuple[str, ...], **other: Any) -> Table:
    columns = tuple(
        Column(each, _OF_FRAME.get(kind, "moment"), each.replace("_", " "), needed=each in key)
        for each, kind in kinds.items()
    )
    return Table(name, meaning, (*columns, ETAG), key=key, **other)


DERIVED = (
    Table("topics", "Every topic that a board ever showed.", (
        Column("topic_key", "text", "Topic folded for comparison.", needed=True),
        Column("topic", "text", "Its newest spelling.", needed=True),
        Column("first_seen", "moment", "First moment on any board.", needed=True),
        Column("last_seen", "moment", "Last moment on any board.", needed=True),
        Column("rows", "integer", "Rows of boards that show it.", needed=True),
        Column("boards", "integer", "Boards that show it.", needed=True),
        Column("best_position", "integer", "Least position."),
        Column("peak_volume", "integer", "Greatest volume shown; none where always hidden."), ETAG,
    ), key=("topic_key",)),
    _from_frame("evolution", "A topic's life on a board, as `python -m analysis trends` keeps it.",
                {"board": "string", **BOARD_EVOLUTION_COLUMNS}, ("board", "topic_key"),
                references=(Reference("topic_key", "topics"),), indexes=(("topic_key",), ("last_seen",))),
    Table("alerts", "What was told ahead of time, and whether it came true.", (
        Column("key", "text", "Rule, moment and topic.", needed=True),
        Column("rule", "text", "Which rule."), Column("board", "text", "Which list."),
        Column("at", "moment", "When it was told."), Column("topic_key", "text", "Topic folded for comparison."),
        Column("topic", "text", "Text as shown."), Column("probability", "double", "Said to come true so likely."),
        Column("until", "moment", "By when."), Column("top", "integer", "Into the top so many."),
        Column("came_true", "boolean", "None where it is not settled yet."),
        Column("settled_at", "moment", "When known."),
        Column("evidence", "text", "What spoke for it, as JSON."), ETAG,
    ), references=(Reference("topic_key", "topics"),), indexes=(("at",),)),
    _from_frame("creators", "Accounts with their shrunk engagement rate and growth, as `creators --update` keeps them.",
                {"key": "string", **CREATOR_COLUMNS}, ("key",),
                references=(Reference("key", "profiles"),)),
    _from_frame("keywords", "Terms that posts hold, ranked by the rise over their own past.",
                {**KEYWORD_COLUMNS}, ("key",)),
    Table("sentiment", "How each post feels, as a model reads it: single posts are often wrong, shares less so.", (
        Column("post", "text", "Key of the post.", needed=True),
        Column("label", "text", "negative, neutral, positive; none where the language is not read."),
        Column("confidence", "double", "Probability of the label, as the model says."),
        Column("language", "text", "Language it was read in."),
        Column("model", "text", "Which model.", needed=True), ETAG,
    ), key=("post",), references=(Reference("post", "posts"),)),
    Table("prices_daily", "What an offer cost on each day it was seen.", (
        Column("offer", "text", "Key of the offer.", needed=True), Column("day", "moment", "Day (UTC).", needed=True),
        Column("currency", "text", "ISO 4217; empty where the page does not state it.", needed=True),
        Column("first", "numeric", "First price of the day."), Column("last", "numeric", "Last price of the day."),
        Column("least", "numeric", "Lowest."), Column("greatest", "numeric", "Highest."),
        Column("list_price", "numeric", "Last struck-through price."),
        Column("available", "boolean", "Could be ordered at the last reading."),
        Column("readings", "integer", "Captures that day.", needed=True), ETAG,
    ), key=("offer", "day", "currency"), references=(Reference("offer", "offers"),), indexes=(("day",),)),
)  # fmt: skip

TABLES: tuple[Table, ...] = (
    *(table for model in KINDS.values() for table in of_model(model)), _observations(), *DERIVED,
)  # fmt: skip
BY_NAME = {table.name: table for table in TABLES}


def children(table: Table) -> tuple[Table, ...]:
    return tuple(each for each in TABLES if each.parent == table.name)
