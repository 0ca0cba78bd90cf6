"""The entity-relationship diagram of the schema, in Mermaid, which GitHub and many editors draw. Pure."""

from __future__ import annotations

from analysis.exports.schema import TABLES, Table

HEAD = """# The relational schema

Made by `python -m analysis export --to diagram docs/schema.md`; a test compares it with the models.
A full line is a reference that the database enforces, a dotted one may lead to a row that was never seen.

"""


def diagram() -> str:
    lines = ["erDiagram"]
    for table in TABLES:
        for each in table.references:
            sort = "||--o{" if each.enforced else "|o..o{"
            lines.append(f'  {each.table} {sort} {table.name} : "{each.column}"')
    for table in TABLES:
        lines.append(f"  {table.name} {{")
        for column in table.columns:
            lines.append(f"    {column.type} {column.name}{_mark(table, column.name)}")
        lines.append("  }")
    return HEAD + "```mermaid\n" + "\n".join(lines) + "\n```\n"


def _mark(table: Table, column: str) -> str:
    marks = [mark for mark, is_it in (
        ("PK", column in table.key), ("FK", any(each.column == column for each in table.references))
    ) if is_it]  # fmt: skip
    return f" {', '.join(marks)}" if marks else ""
