"""Changes of shape for the drift benchmark: drawn by chance for some pages, and then done to all of a site alike."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from crawler import trees

LARGEST = 1e11  # larger ones are ids, which nobody rescales
KINDS = ("renamed", "moved", "retyped", "rescaled", "swapped", "emptied")


@dataclass(frozen=True)
class Change:
    """What is done to every page of a site. read: the path or name that the page object looks at."""

    kind: str
    what: str
    do: Callable[[bytes], bytes]

    def __call__(self, body: bytes) -> bytes:
        return self.do(body)


def change_of(kind: str, bodies: Sequence[bytes], chance: random.Random) -> Change | None:
    """A change drawn for these pages; None where they hold nothing that it can be done to."""
    if not any(trees.documents(body) for body in bodies):
        return _change_of_markup(kind, bodies, chance)
    leaves: dict[trees.Path, list[Any]] = {}
    for body in bodies:
        for document in trees.documents(body):
            for path, value in trees.nodes(document):
                leaves.setdefault(path, []).append(value)
    paths = sorted(path for path, values in leaves.items() if _fits(kind, path, values))
    if not paths:
        return None
    path = chance.choice(paths)
    other = chance.choice(_partners(path, leaves) or [path]) if kind == "swapped" else path
    if kind == "swapped" and other == path:
        return None
    way = chance.randrange(1 << 30)
    name = f"{kind} {trees.shown(path)}" + (f" with {trees.shown(other)}" if kind == "swapped" else "")
    return Change(kind, f"{name} ({way % 4})", lambda body: _changed(body, kind, path, other, way))


def _is_number(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or (
        isinstance(value, str) and re.fullmatch(r"\d{1,12}(\.\d+)?", value) is not None
    )


def _fits(kind: str, path: trees.Path, values: list[Any]) -> bool:
    if path[-1] == trees.EACH or path[-1].startswith("__"):
        return False
    if kind in ("retyped", "rescaled"):
        return all(map(_is_number, values)) and 0 < max(float(each) for each in values) < LARGEST
    if kind in ("swapped", "moved"):
        return not any(isinstance(each, dict | list) for each in values)
    return True


def _partners(path: trees.Path, leaves: Mapping[trees.Path, list[Any]]) -> list[trees.Path]:
    """Fields of the same object, of the same type, and not the same values."""
    mine = leaves[path]
    return [
        each for each, values in sorted(leaves.items())
        if each != path and each[:-1] == path[:-1] and each[-1] != trees.EACH
        and {type(one) for one in values} == {type(one) for one in mine} and values != mine
        and not isinstance(values[0], dict | list)
    ]  # fmt: skip


def _changed(body: bytes, kind: str, path: trees.Path, other: trees.Path, way: int) -> bytes:
    changed = []
    for document in trees.documents(body):
        if document.name != path[0]:
            continue
        data = deepcopy(document.data)
        for place, _ in list(trees.select(data, path[1:-1])):
            holder = _at(data, place)
            if isinstance(holder, dict) and path[-1] in holder:
                CHANGES[kind](holder, path[-1], other[-1], way)
        changed.append(replace(document, data=data))
    return trees.written(body, changed) if changed else body


def _at(data: Any, place: Iterable[str | int]) -> Any:
    for step in place:
        data = data[step]
    return data


def _rename(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    new = (f"{name}New", f"new_{name}", re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() + "_v3", f"x{way % 997}")[
        way % 4
    ]
    items = [(new if key == name else key, value) for key, value in holder.items()]
    holder.clear()
    holder.update(items)


def _move(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    value = holder.pop(name)
    match way % 3:
        case 0:
            holder["details"] = {name: value}
        case 1:
            holder["data2"] = {"v": {f"{name}_": value}}
        case _:
            holder["extra_info"] = [{"value": value}]


def _retype(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    value = float(holder[name])
    match way % 3:
        case 0:
            holder[name] = _short(value)
        case 1:
            holder[name] = {"value": holder[name], "unit": "1"}
        case _:
            holder[name] = f"{value:,.0f}" if value == int(value) else f"{value} "


def _short(value: float) -> str:
    for unit, sign in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= unit:
            return f"{value / unit:.1f}{sign}"
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


def _rescale(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    """By an exact factor: no digit is lost."""
    value = holder[name]
    number = Decimal(str(value)) * (1000, 100, 60, Decimal("0.001"), Decimal("0.01"))[way % 5]
    made: float = int(number) if number == int(number) else float(number)
    holder[name] = str(made) if isinstance(value, str) else made


def _exchange(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    if other in holder:
        holder[name], holder[other] = holder[other], holder[name]


def _empty(holder: dict[str, Any], name: str, other: str, way: int) -> None:
    value = holder[name]
    blank: Any = (
        "" if isinstance(value, str) else {} if isinstance(value, dict) else [] if isinstance(value, list) else 0
    )
    match way % 3:
        case 0:
            holder[name] = None
        case 1:
            holder[name] = blank
        case _:
            del holder[name]


CHANGES: Mapping[str, Callable[[dict[str, Any], str, str, int], None]] = {
    "renamed": _rename, "moved": _move, "retyped": _retype, "rescaled": _rescale, "swapped": _exchange,
    "emptied": _empty,
}  # fmt: skip


def _change_of_markup(kind: str, bodies: Sequence[bytes], chance: random.Random) -> Change | None:
    """Names of markup are renamed and exchanged, texts of an element with a name are emptied, rescaled, retyped."""
    texts = [body.decode() for body in bodies]
    words = sorted(set.intersection(*(trees.tokens(text) for text in texts)) - {"<html", "<head", "<body", "<script"})
    words = [each for each in words if not re.search(r"=[\d.]+$", each)]  # data, not a name
    if not words:
        return None
    one, other = chance.choice(words), chance.choice(words)
    sort = one.partition("=")[0] if "=" in one else "<"
    way = chance.randrange(1 << 30)
    if kind == "renamed":
        new = one + "-new" if "=" in one else f"{one}x"
        return Change(kind, f"{one} to {new}", lambda body: trees.renamed(body.decode(), {one: new}).encode())
    if kind == "swapped":
        if one == other or (other.partition("=")[0] if "=" in other else "<") != sort:
            return None
        return Change(
            kind, f"{one}, {other}", lambda body: trees.renamed(body.decode(), {one: other, other: one}).encode()
        )
    if kind == "moved":
        return None
    tag = re.compile(_opening(one) + r"([^<]{1,80})(?=<)")

    def text_changed(found: re.Match[str]) -> str:
        text = found[found.lastindex or 0]
        opening = found[0][: len(found[0]) - len(text)]
        number = re.search(r"\d[\d,]*", text)
        if kind == "emptied":
            return opening
        if number is None:
            return found[0]
        value = int(number[0].replace(",", ""))
        made = str(value * 1000) if kind == "rescaled" else f"{value} {'abc'[way % 3]}."
        return opening + text[: number.start()] + made + text[number.end() :]

    return Change(kind, f"text of {one}", lambda body: tag.sub(text_changed, body.decode()).encode())


def _opening(word: str) -> str:
    if word.startswith("<"):
        return rf"{re.escape(word)}(?:\s[^<>]*)?>(?:\s*<a\b[^<>]*>)?"
    name, _, value = word.partition("=")
    return rf"<[^<>]*\b{re.escape(name)}=[\"'][^\"']*(?<![\w-]){re.escape(value)}(?![\w-])[^<>]*>(?:\s*<a\b[^<>]*>)?"
