"""The data that a body carries, as trees: found, walked by path, changed and written back. Pure; knows no page.

A body is JSON as a whole, or a web page whose script elements hold JSON. A path is the document's name and its steps,
`#SIGI_STATE/ItemModule/*/stats/diggCount`; `*` stands for every member of a list, and of an object whose members are
entities. What is no JSON has names instead of paths: elements, classes and `data-` attributes of its markup.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from crawler.fields import load_json

EACH = "*"
MOST_NODES = 60_000
Path = tuple[str, ...]
"""The document's name, then the steps."""
Place = tuple[str | int, ...]
"""Steps as they are in one tree, without the document's name."""

_SCRIPT = re.compile(rb"<script\b([^>]*)>(.*?)</script", re.S | re.I)
_ID = re.compile(rb"""\bid=["']?([\w:.-]+)""", re.I)
_TYPE = re.compile(rb"""\btype=["']?([\w/+.-]*json)""", re.I)
_ENTITY = re.compile(r"\d{6,}")
_ELEMENT = re.compile(r"<([a-zA-Z][\w:.-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_ATTRIBUTE = re.compile(r"""\b(class|id|itemprop|property|data-[\w-]+)\s*=\s*("[^"]*"|'[^']*')""")
_NUMBER = re.compile(r"[\d.,:+-]*")  # data, not a name
_WORD = re.compile(r"[A-Za-z_][\w:.-]{0,60}")


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    """Empty: the body itself; `#id` of a script element; `#json/0`: the first one without an id."""
    start: int
    end: int
    """Bytes of the body that hold it."""
    data: Any


def documents(body: bytes) -> list[Document]:
    """Every JSON document of a body; what cannot be decoded is left out."""
    if body[:200].lstrip()[:1] in (b"{", b"["):
        try:
            return [Document("", 0, len(body), load_json(body))]
        except ValueError:
            return []
    found: list[Document] = []
    nameless = 0
    for script in _SCRIPT.finditer(body):
        given = _ID.search(script[1])
        if given is None and _TYPE.search(script[1]) is None:
            continue
        name = f"#{given[1].decode()}" if given else f"#json/{nameless}"
        nameless += given is None
        start = script.start(2)
        opening = re.match(rb"[^{\[]{0,200}?=\s*(?={)|\s*(?=[{\[])", script[2])  # window['SIGI_STATE']={…};…
        if opening is None:
            continue
        try:
            text = script[2][opening.end() :]
            data, used = json.JSONDecoder(strict=False).raw_decode(text.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        start += opening.end()
        size = len(text.decode("utf-8", "replace")[:used].encode())
        found.append(Document(name, start, start + size, data))
    return found


def torn(body: bytes) -> bool:
    """Whether data is in it that ends early or cannot be decoded: harm on the way, not another shape."""
    if not body.strip():
        return True
    if body[:200].lstrip()[:1] in (b"{", b"["):
        return not documents(body)
    return b"<script" in body and (b"</html" not in body[-2000:].lower() or len(documents(body)) < _promised(body))


def _promised(body: bytes) -> int:
    """Script elements that begin as JSON does."""
    return sum(
        (_ID.search(each[1]) or _TYPE.search(each[1])) is not None and each[2][:200].lstrip()[:1] in (b"{", b"[")
        for each in _SCRIPT.finditer(body)
    )


def written(body: bytes, changed: Collection[Document]) -> bytes:
    """The body with these documents in the places of those they came from; one of no place becomes a script element."""
    for each in sorted(changed, key=lambda document: -document.start):
        text = json.dumps(each.data, ensure_ascii=False, separators=(",", ":"))
        if each.name:
            text = text.replace("<", "\\u003C")  # nothing in it ends the element
        raw = text.encode("utf-8", "replace")
        if each.start < 0:
            body += b'<script id="' + each.name[1:].encode() + b'" type="application/json">' + raw + b"</script>"
        else:
            body = body[: each.start] + raw + body[each.end :]
    return body


def nodes(document: Document, entities: Collection[str] = ()) -> Iterator[tuple[Path, Any]]:
    """Every node below the root with its path, parents first; entities: names that stand for one of many, not for a
    field. Deep or endless documents end at MOST_NODES."""
    waiting: list[tuple[Path, Any]] = [((document.name,), document.data)]
    given = 0
    while waiting and given < MOST_NODES:
        path, value = waiting.pop()
        if len(path) > 1:
            yield path, value
            given += 1
        if len(path) > 40:
            continue
        if isinstance(value, dict):
            inside = [((*path, _step(name, entities)), each) for name, each in value.items()]
        elif isinstance(value, list):
            inside = [((*path, EACH), each) for each in value]
        else:
            continue
        waiting.extend(reversed(inside))


def _step(name: str, entities: Collection[str]) -> str:
    return EACH if name in entities or _ENTITY.fullmatch(name) else name


def select(data: Any, steps: Path) -> Iterator[tuple[Place, Any]]:
    """Every node of a tree that lies on *steps* (without the document's name), with its place."""
    waiting: list[tuple[Place, Any]] = [((), data)]
    for step in steps:
        waiting = [((*place, key), each) for place, value in waiting for key, each in _below(value, step)]
    return iter(waiting)


def _below(value: Any, step: str) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        if step == EACH:
            yield from value.items()
        elif step in value:
            yield step, value[step]
    elif isinstance(value, list):
        if step == EACH:
            yield from enumerate(value)
        elif step.isdecimal() and int(step) < len(value):
            yield int(step), value[int(step)]


def put(data: Any, place: Place, value: Any) -> bool:
    """Set a node, with the objects it lacks on the way; False where something else stands in the way."""
    for step in place[:-1]:
        if isinstance(data, dict):
            data = data.setdefault(step, {})
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return False
    last = place[-1]
    fits = isinstance(last, int) and last < len(data) if isinstance(data, list) else isinstance(data, dict)
    if not fits:
        return False
    data[last] = deepcopy(value)
    return True


def bound(steps: Path, place: Place, source: Path) -> Place | None:
    """Where *steps* leads for the entity at *place*, which lies on *source*: its `*` are those of the source, in order.

    None where *steps* has more of them.
    """
    stars = iter([key for key, step in zip(place, source, strict=True) if step == EACH])
    made: list[str | int] = []
    for step in steps:
        key: str | int | None = next(stars, None) if step == EACH else step
        if key is None:
            return None
        made.append(key)
    return tuple(made)


def vocabulary(body: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """What a page is made of: names, and which stands within which. Of JSON its members, else elements, classes and
    attributes of the markup."""
    found = documents(body)
    if not found:
        return frozenset(tokens(body.decode("utf-8", "replace"))), frozenset()
    names, links = set[str](), set[str]()
    for each in found:
        for path, _ in nodes(each):
            inner = [step for step in path[1:] if step != EACH][-2:]
            if path[-1] != EACH and _WORD.fullmatch(path[-1]):
                names.add(path[-1])
                links.add("/".join(inner))
    return frozenset(names), frozenset(links)


def tokens(text: str) -> set[str]:
    """`<td`, `class=trends`, `data-e2e=like-count`: what selectors can name."""
    return {token for element in _ELEMENT.finditer(text) for token in _tokens(element)}


def _tokens(element: re.Match[str]) -> Iterator[str]:
    yield f"<{element[1].lower()}"
    for attribute in _ATTRIBUTE.finditer(element[2]):
        name, value = attribute[1].lower(), attribute[2][1:-1]
        words = value.split() if name == "class" else [value]
        yield from (f"{name}={word}" for word in words if len(word) <= 60 and not _NUMBER.fullmatch(word))


def looks(text: str) -> dict[str, tuple[float, ...]]:
    """By token: elements that have it, those with a text, with a text that begins as a number, and how long their
    texts are; all as logarithms."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for element in _ELEMENT.finditer(text):
        said = text[element.end() : text.find("<", element.end())].strip()
        for token in _tokens(element):
            about = found[token]
            about[0] += 1
            about[1] += bool(said)
            about[2] += said[:1].isdigit()
            about[3] += len(said)
    return {token: tuple(map(math.log1p, about)) for token, about in found.items()}


def numbers_at(text: str, token: str) -> list[float]:
    """The first number of each text directly in an element that has this token."""
    return [float(each[3].replace(",", "")) for each in _numbered(token).finditer(text)]


def beside_numbers(text: str, token: str) -> bool:
    """Whether all of those texts say more than the number."""
    found = [bool((each[2] + each[4]).strip()) for each in _numbered(token).finditer(text)]
    return bool(found) and all(found)


def rescaled(text: str, token: str, times: Fraction | None) -> str:
    """Markup with those numbers multiplied; None: with them alone, and nothing beside them."""

    def made(found: re.Match[str]) -> str:
        opening, before, shown, after = found.groups()
        if times is None:
            return f"{opening}{shown}"
        number = Fraction(shown.replace(",", "")) * times
        plain = str(number) if number.denominator == 1 else f"{float(number):.8f}".rstrip("0")
        return f"{opening}{before}{plain}{after}"

    return _numbered(token).sub(made, text)


@cache
def _numbered(token: str) -> re.Pattern[str]:
    name, _, value = token.partition("=")
    opening = (
        rf"{re.escape(token)}(?:\s[^<>]*)?>" if not value
        else rf"<[^<>]*\b{re.escape(name)}=[\"'](?:[^\"']*\s)?{re.escape(value)}(?:\s[^\"']*)?[\"'][^<>]*>"
    )  # fmt: skip
    return re.compile(rf"({opening})([^<\d]*)(\d[\d,]*(?:\.\d+)?)([^<]*)")


def renamed(text: str, changes: dict[str, str]) -> str:
    """Markup with tokens of the one name under the other, all at once; both of a pair are of one sort."""

    def element(found: re.Match[str]) -> str:
        name = changes.get(f"<{found[1].lower()}", f"<{found[1]}")[1:]
        return f"<{name}{_ATTRIBUTE.sub(attribute, found[2])}>"

    def attribute(found: re.Match[str]) -> str:
        name, quote, value = found[1].lower(), found[2][0], found[2][1:-1]
        words = value.split() if name == "class" else [value]
        made = [changes.get(f"{name}={word}", f"{name}={word}").partition("=")[2] for word in words]
        return f"{found[1]}={quote}{' '.join(made)}{quote}" if made != words else found[0]

    text = _ELEMENT.sub(element, text)
    ends = {old[1:]: new[1:] for old, new in changes.items() if old.startswith("<")}
    for old, new in ends.items():
        text = re.sub(rf"</{re.escape(old)}\s*>", f"</{new}\0>", text, flags=re.I)  # marked, so that no other takes it
    return text.replace("\0", "")


def shown(path: Path) -> str:
    return "/".join([path[0], *(step.replace("~", "~0").replace("/", "~1") for step in path[1:])])


def path_of(text: str) -> Path:
    """From its written form. Raises ValueError."""
    name, *steps = text.split("/")
    if name.startswith("#json") and steps:  # the number belongs to the name
        name, steps = f"{name}/{steps[0]}", steps[1:]
    if name and not name.startswith("#"):
        raise ValueError(f"path {text[:60]!r}: expected /steps of the body, or #script/steps")
    return name, *(step.replace("~1", "/").replace("~0", "~") for step in steps)
