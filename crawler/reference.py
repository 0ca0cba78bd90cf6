"""docs/items.md from the item models: `python -m crawler.reference`. A test fails on drift."""

from __future__ import annotations

import sys
from pathlib import Path

from crawler.config import ROOT
from crawler.items import ENVELOPE, KINDS, Item
from crawler.storage.schema import APPEND_ONLY, bson_type

DOC = ROOT / "docs" / "items.md"
HEAD = """# Items

Made from `crawler/items.py` by `python -m crawler.reference`; do not edit by hand.

`None` (absent in MongoDB) means that the page does not show it; `0` means shown as zero. A count has a
`…_precision` beside it when the source rounds: 22.1M is 22100000 with precision 100000, so the truth lies
within half a step. Moments are UTC with milliseconds, money is decimal, counts are 64-bit whole numbers.

In MongoDB, a latest-state document also holds `first_seen`, `etag` (a hash that guards writes) and, where a
value is older than the document, `older.<field>` with the moment, capture and parser of that value. Every
accepted capture of an entity also leaves one document in `observations`, with its counters:
`_id` = `<key>@<moment>~<capture>`.
"""


def shown_type(annotation: object) -> str:
    rule = bson_type(annotation)
    if "enum" in rule:
        return " or ".join(f"`{each}`" for each in rule["enum"])
    if rule["bsonType"] == "array":
        return f"list of {rule['items']['bsonType']}"
    return str(rule["bsonType"])


def table(model: type[Item], names: list[str]) -> str:
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for name in names:
        field = model.model_fields[name]
        mark = " (always)" if field.is_required() else ""
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{name}`{mark} | {shown_type(field.annotation)} | {meaning} |")
    return "\n".join(rows)


def reference() -> str:
    parts = [HEAD, "## Every item\n", table(Item, [*ENVELOPE_ORDER]), ""]
    for kind, model in KINDS.items():
        rule = "append-only" if model.collection in APPEND_ONLY else "latest state"
        parts.append(f"## {model.__name__} (`{kind}`)\n")
        parts.append(f"{' '.join((model.__doc__ or '').split())} Collection `{model.collection}`, {rule}.\n")
        parts.append(table(model, [name for name in model.model_fields if name not in ENVELOPE]))
        parts.append("")
    return "\n".join(parts)


ENVELOPE_ORDER = tuple(Item.model_fields)


def main(path: Path = DOC) -> int:
    path.parent.mkdir(exist_ok=True)
    path.write_text(reference(), encoding="utf-8")
    print(f"{path}: {len(KINDS)} items")
    return 0


if __name__ == "__main__":
    sys.exit(main())
