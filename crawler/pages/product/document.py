"""A store's HTML, parsed once: scripts, head, and the tree. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from selectolax.lexbor import LexborHTMLParser, LexborNode

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset=["']?\s*([\w-]{2,30})""", re.I)
_IN_HEADER = re.compile(r"charset=[\"']?([\w-]{2,30})", re.I)
_OF_TEXT = re.compile(  # encodings that pages have; Python knows others, some of them slow
    r"utf|iso|latin|windows|cp\d|gb|big5|euc|shift|sjis|koi8|us-ascii|ascii|tis|mac|ks_c", re.I
)
_NOT_SHOWN = re.compile(  # "hidden-xs" and "overflow: hidden" are shown
    r"(?<![\w-])(?:is-|u-)?(?:hidden|hide|d-none)(?![\w-])|display:\s*none|visibility:\s*hidden|pop-?up|modal|overlay"
    r"|dialog|layer\b|expander|tooltip",
    re.I,
)
_NAMES = ("class", "id", "data-test", "data-testid", "data-automation", "data-qa", "data-qa-qualifier")
_CALLED = {
    # Fragments of class and id names, not words of the page: shops write them in English or in their own language.
    "price": re.compile("price|preis|prix|precio|prezzo|preco|cena|fiyat|pris|hinta|amount"),
    "code": re.compile("sku|product-?code|article-n|item-?n|artnr|product-?id|product-?number|referenc"),
    "stock": re.compile("stock|availab|disponib|sold"),
}
_ANY_CALLED = re.compile("|".join(words.pattern for words in _CALLED.values()))
_SAYING = frozenset(_NAMES)
_NO_TEXT = ["script", "style", "noscript", "svg", "template"]
_CAPTCHA = re.compile(rb"<form[^>]{0,300}captcha|captcha-delivery|cf-challenge|g-recaptcha|px-captcha", re.I)
MOST_ABOVE = 100
MOST_CALLED = 3000
SMALL_PAGE = 60_000  # bytes; walls are small, products are not
Attributes = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Script:
    kind: str
    """Its type, lower case; '' for JavaScript."""
    id: str
    text: str


def decoded(body: bytes, headers: Mapping[str, str]) -> str:
    """The text of a page by its byte order mark, header, or own statement; UTF-8 with '�' where that fails."""
    if body.startswith(b"\xef\xbb\xbf"):
        return body[3:].decode("utf-8", "replace")
    stated = _IN_HEADER.search(next((v for k, v in headers.items() if k.lower() == "content-type"), ""))
    found = _CHARSET.search(body, 0, 4096)
    name = stated[1] if stated else found[1].decode("ascii") if found else "utf-8"
    try:
        return body.decode(name if _OF_TEXT.match(name) else "utf-8")
    except (LookupError, UnicodeDecodeError):
        return body.decode("utf-8", "replace")


def challenges(body: bytes) -> bool:
    """Whether a page asks to prove that one is a person, and has room for little else."""
    return len(body) < SMALL_PAGE and _CAPTCHA.search(body) is not None


class Document:
    """Scripts and head are read first; then scripts and styles leave the tree, so that its text is what people see."""

    def __init__(self, text: str, url: str) -> None:
        self.raw = text
        self.url = url
        self.tree = LexborHTMLParser(text)
        self.scripts = [
            Script((node.attributes.get("type") or "").lower(), node.attributes.get("id") or "", node.text())
            for node in self.tree.css("script")
        ]
        self.tree.strip_tags(_NO_TEXT)

    @cached_property
    def meta(self) -> dict[str, str]:
        """The head's statements: property, name or itemprop in lower case, the first of each."""
        made: dict[str, str] = {}
        for node in self.tree.css("meta"):
            attributes = node.attributes
            key = attributes.get("property") or attributes.get("name")
            content = attributes.get("content")
            if key and content:
                made.setdefault(key.lower(), content)
        return made

    @cached_property
    def canonical(self) -> str | None:
        node = self.tree.css_first("link[rel=canonical]")
        return node.attributes.get("href") if node else None

    @cached_property
    def language(self) -> str:
        node = self.tree.css_first("html")
        return ((node.attributes.get("lang") or "") if node else "").lower()

    @cached_property
    def heading(self) -> LexborNode | None:
        """The product's name: the heading that says most of what the page's title says; of equal ones the first h1."""
        title = words_of(f"{self.title or ''} {self.meta.get('og:title', '')}")
        best: tuple[float, LexborNode] | None = None
        for tag in ("h1", "[itemprop=name],h2", "h3,[class*=title i],[class*=name i]"):
            for node in self.tree.css(tag)[:40]:
                said = words_of(text_of(node)[:300])
                if not said:
                    continue
                fit = len(said & title) / (len(said) + 1)
                if best is None or fit > best[0] + 0.05:
                    best = (fit, node)
            if best is not None and best[0] >= 0.3:
                break
        return best[1] if best else None

    @cached_property
    def title(self) -> str | None:
        node = self.tree.css_first("title")
        return (text_of(node) if node else "") or None

    @cached_property
    def called(self) -> dict[str, list[LexborNode]]:
        """Elements called after a price, a code or stock, in order of the page; the heading is among the prices."""
        made: dict[str, list[LexborNode]] = {"price": [], "code": [], "stock": []}
        known: dict[str, tuple[str, ...]] = {"": ()}  # the elements of a page share few classes
        heading = self.heading.mem_id if self.heading else None
        for node in self.tree.body.traverse(include_text=False) if self.tree.body else ():
            attributes = node.attributes
            if node.mem_id == heading:
                made["price"].append(node)
                continue
            if not attributes:
                continue
            said = attributes.get("class") or ""
            if (kinds := known.get(said)) is None:
                kinds = known[said] = _kinds(said)
            if len(attributes) > 1 or not said:
                rest = [value for name, value in attributes.items() if name in _SAYING and value and name != "class"]
                if rest:
                    kinds = (*kinds, *(kind for kind in _kinds(" ".join(rest)) if kind not in kinds))
                if "price" not in kinds and (attributes.get("itemprop") == "price" or "data-price" in attributes):
                    kinds = (*kinds, "price")
            for kind in kinds:
                if len(made[kind]) < MOST_CALLED:
                    made[kind].append(node)
        return made

    @cached_property
    def text(self) -> str:
        """What stands on the page, a line for each piece of text."""
        return lines_of(self.tree.body) if self.tree.body else ""


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def text_of(node: LexborNode) -> str:
    return " ".join(node.text(separator=" ").split())


def lines_of(node: LexborNode) -> str:
    """Its text, a line for each piece that has any."""
    return "\n".join(line for piece in node.text(separator="\n").split("\n") if (line := piece.strip()))


def names_of(node: LexborNode) -> str:
    """Class, id and test ids of an element, lower case: what its author calls it."""
    return _names(node.attributes)


def _names(attributes: Attributes) -> str:
    said = [value for name in _NAMES if (value := attributes.get(name))]
    return " ".join(said).lower() if said else ""


def _kinds(names: str) -> tuple[str, ...]:
    lower = names.lower()
    if not _ANY_CALLED.search(lower):
        return ()
    return tuple(kind for kind, words in _CALLED.items() if words.search(lower))


def ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """From the parent up to the body, a bounded number: pages are 30 deep, mischief is deeper."""
    above = node.parent
    for _ in range(MOST_ABOVE):
        if above is None or above.tag in ("body", "html", "-undef"):
            return
        yield above
        above = above.parent


def unseen(node: LexborNode) -> bool:
    """Whether it, or what holds it, is kept from view until something happens."""
    for each in (node, *ancestors(node)):
        attributes = each.attributes
        style = (attributes.get("style") or "").replace("overflow: hidden", "").replace("overflow:hidden", "")
        said = f"{attributes.get('class') or ''} {attributes.get('id') or ''} {style}"
        if "hidden" in attributes or attributes.get("aria-hidden") == "true" or _NOT_SHOWN.search(said):
            return True
    return False
