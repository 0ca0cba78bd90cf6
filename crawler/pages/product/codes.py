"""The shop's own number of a product: beside its label, in data, in the address. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, unquote

from crawler.fields import address
from crawler.pages.product.document import Document, names_of, text_of
from crawler.pages.product.found import Candidate, Stated

# A label says whose number follows: the shop's. "Model" and "MPN" are the maker's, so they are none.
_LABEL = re.compile(
    r"(?<![^\W_])(?:"
    r"sku|asin|tcin|dpci|(?:internet|walmart)\s*#|(?:product|item|article|stock|style|catalog(?:ue)?|reference|listing|lot|order)\s*"
    r"(?:code|id|no\.?|nr\.?|number|num\.?|#|ref\.?)|item\s*#|ebay item number"
    r"|(?:artikel|bestell|produkt|teile|art|best|prod)[-.\s]{0,2}(?:nummer|nr|no|num)\.?|artikelnummer|artikelcode"
    r"|r[ée]f(?:[ée]rence)?(?:\s+(?:produit|article|fabricant))?\.?|refer[êe]ncia|referencia|riferimento"
    r"|c[óo]d(?:igo|ice|ul)?\.?(?:\s+(?:do|del|de|di)?\s*(?:produto|producto|art[ií]culo|prodotto|articolo|produs"
    r"|refer[êe]ncia))?|(?:obj(?:ednac[íi]|\.)?\s*)?(?:k[óo]d|č[íi]slo)\s*(?:produktu|zbož[íi]|tovaru|výrobku|towaru)?"
    r"|objednávac[íi] (?:k[óo]d|číslo)|šifra(?:\s*(?:artikla|izdelka|proizvoda))?|cikksz[áa]m|term[ée]kk[óo]d"
    r"|артикул|код(?:\s*товара)?|ürün kodu|stok kodu|tuote(?:numero|koodi)|vare(?:nummer|nr)\.?"
    r"|preces kods|prekės kodas|tootekood|κωδικός(?:\s+προϊόντος)?"
    r"|(?:id|n[º°]|num[eé]ro)\s*(?:de |do |del )?(?:produto|producto|prodotto|produit)"
    r"|商品[編编番][號号]|商品代[號号码碼]|商品コード|品番|货号|貨號|(?:상품|딜)\s?(?:번호|코드)"
    r"|מק[\"״]ט|קוד(?: מוצר)?|رمز المنتج"
    r")(?:(?<=#)|(?![^\W_]))\s{0,3}[:#№.]{0,2}(?:-(?=\s))?\s{0,3}",
    re.I,
)
_WEAK = re.compile(r"^(?:k[óo]d|č[íi]slo|код|קוד|c[óo]d|style|order|lot)", re.I)
_CODE = re.compile(r"[^\W_][\w./-]{1,39}(?<![./-])")
_IN_QUERY = re.compile(
    r"^(?:(?:child|product|item|variant|goods|prod|article|selected)?_?(?:sku|id|no|code|num|number)(?:_?id)?"
    r"|pid|prod|product|item|goods|style|productid|skuid)$",
    re.I,
)
_PATH_TOKEN = re.compile(r"[A-Za-z]{0,3}\d{4,}|[A-Z0-9]{8,14}(?![a-z])|(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{8,16}")
_NOT_A_CODE = re.compile(
    r"^(?:19|20)\d\d$|^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}$|^(?:http|www)|^\d+(?:cm|mm|kg|gb|ml|x\d+)$", re.I
)
_STATE_NAMES = ("sku", "productcode", "product_code", "productid", "product_id", "itemnumber", "articlenumber")
_SET_TO = re.compile(r"""(?:id|code)?\\?["']?\s{0,3}[:=]\s{0,3}\\?["']([\w./-]{3,40})\\?["']""", re.I)
NEAR = 20_000
LONGEST_SCRIPT = 200_000
LONGEST_LINE = 160
_DIGIT = re.compile(r"\d")


def codes(document: Document, near: str, stated: list[Stated]) -> Iterator[Candidate]:
    """Candidates for the shop's number; *near* is the text from a little before the heading on.

    What stands in the page's title is part of the name, so the maker's number: no shop can rely on it.
    """
    title = (document.title or "").lower()
    for each in _all(document, near, stated):
        if each.source in ("label", "named") and str(each.value).lower() in title:
            yield replace(each, weight=each.weight - 5.5, why=f"{each.why}; part of the name")
        else:
            yield each


def _all(document: Document, near: str, stated: list[Stated]) -> Iterator[Candidate]:
    parts = address(document.url)
    in_url = unquote(f"{parts.path}?{parts.query}#{parts.fragment}").lower()
    labelled = list(_labelled(near, in_url))
    yield from labelled
    yield from _named(document, in_url)
    for block in stated:
        yield from _of_data(block, in_url, near)
    yield from _of_address(document.url)
    if not labelled:
        yield from _of_state(document)


def _named(document: Document, in_url: str) -> Iterator[Candidate]:
    """Elements called for it, whose text is a code and nothing else but its label."""
    taken = 0
    for node in document.called["code"]:
        shown = text_of(node)
        if not 3 <= len(shown) <= 60:
            continue
        bare = shown[label.end() :] if (label := _LABEL.match(shown)) else shown.rpartition(":")[2].strip()
        if not _CODE.fullmatch(bare) or not _is_code(bare):
            continue
        weight = 5.8 - 0.4 * taken + (0.8 if bare.lower() in in_url else 0)
        yield Candidate("sku", bare, "named", f"{node.tag} {names_of(node)}"[:80], round(weight, 2), "named for it")
        taken += 1
        if taken == 3:
            return


def _of_state(document: Document) -> Iterator[Candidate]:
    """Scripts that set the product's number: the more of them agree, the likelier."""
    found: Counter[str] = Counter()
    for script in document.scripts:
        if "ld+json" not in script.kind:
            found.update(_set_by(script.text[:LONGEST_SCRIPT]))
    total = found.total()
    for code, times in found.most_common(2):
        weight = 1.0 + 2.5 * times / max(total, 3)
        yield Candidate(
            "sku", code, "state", "script", round(weight, 2), f"{times} of {total} numbers that scripts set"
        )


def _set_by(script: str) -> Iterator[str]:
    lower = script.lower()
    for name in _STATE_NAMES if len(lower) == len(script) else ():
        at = lower.find(name)
        while at >= 0:
            match = _SET_TO.match(script, at + len(name))
            if match and _is_code(match[1]):
                yield match[1]
            at = lower.find(name, at + len(name))


def _labelled(near: str, in_url: str) -> Iterator[Candidate]:
    taken = 0
    near = _short(near[:NEAR])
    for match in _LABEL.finditer(near):
        code = _CODE.match(near, match.end())
        if code is None or not _is_code(code[0]) or near[match.start() - 1 : match.start()] in ("/", "-", "."):
            continue
        label = " ".join(match[0].split()).strip(" :#.")
        if _WEAK.match(label) and not re.search(r"[:#№]", match[0]):
            continue  # "use code SPRING21"
        weight = 8.0 - 0.4 * taken - (1.5 if _WEAK.match(label) else 0) + (0.8 if code[0].lower() in in_url else 0)
        weight -= match.start() / NEAR
        yield Candidate("sku", code[0], "label", f"text: {label}", round(weight, 2), "stands beside its label")
        taken += 1
        if taken == 4:
            return


def _short(near: str) -> str:
    """The lines that may hold a label and a number, or one of both: prose has neither."""
    lines = near.split("\n")
    counted = [len(line) <= LONGEST_LINE and _DIGIT.search(line) is not None for line in lines] + [False, False]
    return "\n".join(
        line for n, line in enumerate(lines) if counted[n] or (len(line) <= 40 and (counted[n + 1] or counted[n + 2]))
    )


def _is_code(shown: str) -> bool:
    return any(char.isdigit() for char in shown) and len(shown) >= 3 and not _NOT_A_CODE.match(shown)


def _of_data(block: Stated, in_url: str, near: str) -> Iterator[Candidate]:
    # A product without a number of its own has those of its variants: what they share is its number.
    own = block.sku
    numbers = (
        (own, 8.0 if block.where == "amazon" else 5.0 if block.source == "family" else 4.5, "sku"),
        (None if block.where == "shopify.meta" else block.product_id, 4.0, "productID"),
        (_shared(block), 3.5, "sku of every offer"),
        (block.gtin, 2.0, "gtin"),
    )
    for value, weight, name in numbers:
        if not value or len(value) > 60 or (name == "productID" and " " in value):
            continue
        if not block.own:
            weight -= 1.5
        why = "stated as data"
        if value.lower() in in_url:
            weight, why = weight + 0.5, "stated as data, and in the address"
        elif value in near:
            weight, why = weight + 0.7, "stated as data, and shown"
        yield Candidate("sku", value, block.source, f"{block.where}.{name}", round(weight, 2), why)


def _shared(block: Stated) -> str | None:
    found = {offer.sku for offer in block.offers if offer.sku}
    return next(iter(found)) if len(found) == 1 else None


def _of_address(url: str) -> Iterator[Candidate]:
    parts = address(url)
    for name, value in parse_qsl(f"{parts.query}&{parts.fragment}"):
        if _IN_QUERY.match(name) and _is_code(value) and _CODE.fullmatch(value):
            yield Candidate("sku", value, "address", f"?{name}=", 3.4, "a parameter named for it")
    segments = [unquote(each) for each in parts.path.split("/") if each]
    for back, segment in enumerate(reversed(segments[-3:])):
        tokens = [token for token in _PATH_TOKEN.findall(segment) if any(map(str.isdigit, token))]
        for token in reversed(tokens[-2:]):
            bare = token[1:] if re.fullmatch(r"[a-zPA]\d{5,}", token) else token
            if _NOT_A_CODE.match(bare):
                continue
            weight = 3.0 - 0.3 * back + (0.3 if segment == token else 0) - (0.4 if token != tokens[-1] else 0)
            yield Candidate("sku", bare, "address", f"/{segment[:60]}", round(weight, 2), "a number in the address")
