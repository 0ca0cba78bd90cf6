"""Which listings are the same thing: titles of stores and of posts brought to one product identity. Pure.

Candidates come from blocks (a rare word, a model number, a code), never from all pairs. Words count by how rare they
are in the catalogue; what tells two things apart for certain (size, model, kit, for whom, condition) caps the score.
A score in the middle is a question for a person, not an answer.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal, TypeAlias

SAME, ASK = 0.75, 0.5
MARGIN = 0.04  # a second candidate this near makes it a question
BLOCK_WORDS = 4  # the rarest of a listing
MOST_IN_BLOCK = 400  # listings that share a word; above it the word says nothing
CAP_APART, CAP_KIT = 0.3, 0.4
Verdict: TypeAlias = Literal["same", "ask", "apart"]

_TOKEN = re.compile(r"[a-z0-9]+(?:['.][a-z0-9]+)*|[^\W\da-z_]+")
_SIZE = re.compile(
    r"(?<![a-z0-9.])(\d+(?:[.,]\d+)?)\s?(ml|cl|l|litre|liter|fl ?oz|oz|kg|g|gr|gb|tb|mb"
    r"|inch|in|\"|″|cm|mm|w|v|mah|hz|qt|lb|lbs)(?![a-z0-9])",
    re.I,
)
_UNITS = {"cl": ("ml", 10), "l": ("ml", 1000), "litre": ("ml", 1000), "liter": ("ml", 1000), "kg": ("g", 1000),
          "gr": ("g", 1), "tb": ("gb", 1000), '"': ("inch", 1), "″": ("inch", 1), "in": ("inch", 1),
          "lbs": ("lb", 1), "fl oz": ("oz", 1), "floz": ("oz", 1)}  # fmt: skip
_PACK = re.compile(
    r"(?:(?:pack|set|box|lot|case) of (\d+)"
    r"|(\d+)[ -]?(?:pack|pk|pcs|pc|count|ct|stück|pièces|unidades)\b|\b(\d+) ?x(?= ?\d))",
    re.I,
)
_KIT = re.compile(
    r"\b(?:kit|set|bundle|gift set|duo|trio|combo|collection|coffret|lot|paket|conjunto)\b|(?<=\w) \+ (?=\w)", re.I
)
_CONDITIONS = {
    "tester": r"\btester\b", "used": r"\b(?:used|pre-?owned|second hand|gebraucht|usado|occasion)\b",
    "refurbished": r"\b(?:refurb\w*|renewed|reconditionn\w*|generalüberholt|recondicionado)\b",
    "refill": r"\b(?:refill|recharge|nachfüll\w*)\b",
    "case": r"\b(?:case|cover|hülle|capa|coque|funda) (?:for|für|para|pour)\b",
    "small": r"\b(?:travel(?: size)?|mini|sample|miniature|pocket)\b", "gift card": r"\bgift ?card\b",
    "wholesale": r"^\d{2,} [a-z]",
}  # fmt: skip
_WHOM = (
    ("women", re.compile(r"\b(?:women'?s?|woman|femme|ladies|dames|mujer|damen|w(?= \d+ ?ml)|her)\b", re.I)),
    ("men", re.compile(r"\b(?:men'?s?|man|homme|hombre|herren|m(?= \d+ ?ml)|him)\b", re.I)),
    ("kids", re.compile(r"\b(?:kids?|children|boys?|girls?|baby|infant|niños?|kinder|enfants?)\b", re.I)),
)
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        """the a an of for with by and or in on to from new boxed box unboxed original authentic genuine
        official free shipping now only off sale deal was plus de la le les du des el los las der die das
        und et y e con mit avec para pour für com im am made best women womens woman femme men mens man
        homme ml g oz kit set bundle pack pc pcs pk size tester w m edt edp spray cello no cap damaged price
        usd eur gbp today order shop buy link save code""",
    )
)


@dataclass(frozen=True, slots=True)
class Listing:
    """Something for sale, by what is said of it."""

    key: str
    title: str
    brand: str | None = None
    gtin: str | None = None
    mpn: str | None = None
    seller: str | None = None


@dataclass(frozen=True)
class Match:
    left: str
    right: str
    score: float
    verdict: Verdict
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Read:
    """A listing's title, taken apart."""

    listing: Listing

    @cached_property
    def plain(self) -> str:
        folded = unicodedata.normalize("NFKD", f"{self.listing.title}".casefold())
        return "".join(each for each in folded if not unicodedata.combining(each))

    @cached_property
    def sizes(self) -> frozenset[tuple[Decimal, str]]:
        return frozenset(_size(*hit) for hit in _SIZE.findall(self.plain))

    @cached_property
    def pack(self) -> int | None:
        hit = _PACK.search(self.plain)
        return int(next(filter(None, hit.groups()))) if hit else None

    @cached_property
    def kit(self) -> bool:
        return _KIT.search(self.plain) is not None

    @cached_property
    def conditions(self) -> frozenset[str]:
        return frozenset(name for name, words in _CONDITIONS.items() if re.search(words, self.plain))

    @cached_property
    def whom(self) -> str | None:
        found = [name for name, words in _WHOM if words.search(self.plain)]
        return found[0] if len(found) == 1 else None

    @cached_property
    def words(self) -> frozenset[str]:
        bare = _SIZE.sub(" ", self.plain)
        brand = _TOKEN.findall(unicodedata.normalize("NFKD", (self.listing.brand or "").casefold()))
        return frozenset(
            each.replace("'s", "").replace("'", "") for each in (*_TOKEN.findall(bare), *brand) if each not in _EMPTY
        )

    @cached_property
    def models(self) -> frozenset[str]:
        """Words with letters and digits, and numbers by themselves: WH-1000XM4, 212, 70190."""
        return frozenset(each for each in self.words if any(map(str.isdigit, each)))


def _size(number: str, unit: str) -> tuple[Decimal, str]:
    name, factor = _UNITS.get(unit.lower(), (unit.lower(), 1))
    return (Decimal(number.replace(",", ".")) * factor).normalize(), name


class Catalogue:
    """Listings to be matched against."""

    def __init__(self, listings: Iterable[Listing]) -> None:
        self.read = [Read(each) for each in listings]
        counts = Counter(word for each in self.read for word in each.words)
        total = len(self.read) + 1
        self.rarity: Mapping[str, float] = {word: math.log(1 + total / n) for word, n in counts.items()}
        self.unknown = math.log(1 + total) * 0.5
        """Of a word that no listing has: half of the rarest."""
        self.blocks: dict[str, list[int]] = defaultdict(list)
        for at, each in enumerate(self.read):
            for mark in self._marks(each):
                self.blocks[mark].append(at)

    def _marks(self, each: Read) -> set[str]:
        rarest = sorted(each.words & self.rarity.keys(), key=lambda word: (-self.rarity[word], word))[: 2 * BLOCK_WORDS]
        codes = {f"gtin {_code(each.listing.gtin or '')}", f"mpn {(each.listing.mpn or '').casefold()}"} - {
            "gtin ",
            "mpn ",
        }
        return {*rarest, *codes}

    def best(self, listing: Listing, most: int = 3) -> list[Match]:
        """The best candidates, best first; the first is `ask` where the second is as near."""
        asked = Read(listing)
        places = {
            at
            for mark in self._marks(asked)
            if len(self.blocks.get(mark, ())) <= MOST_IN_BLOCK
            for at in self.blocks.get(mark, ())
        }
        found = [self.compare(asked, self.read[at]) for at in places if self.read[at].listing.key != listing.key]
        found.sort(key=lambda each: (-each.score, each.right))
        if (
            len(found) > 1
            and found[0].verdict == "same"
            and found[0].score - found[1].score < MARGIN
            and found[0].score < 1
        ):
            first = found[0]
            found[0] = Match(
                first.left, first.right, first.score, "ask", (*first.evidence, f"as near: {found[1].right}")
            )
        return found[:most]

    def compare(self, one: Read, other: Read) -> Match:
        common = one.words & other.words
        shared = sum(self.rarity.get(word, self.unknown) for word in common)
        of_other = sum(self.rarity.get(word, self.unknown) for word in other.words)
        of_one = sum(self.rarity.get(word, self.unknown * 0.5) for word in one.words)
        score = 2 * shared / (of_one + of_other) if of_one + of_other else 0.0
        evidence = [f"words {', '.join(sorted(common))}"] if common else []
        for why, cap in _apart(one, other):
            if score > cap:
                evidence.append(why)
            score = min(score, cap)
        left, right = one.listing, other.listing
        if left.gtin and right.gtin:
            score, evidence = (
                (1.0, ["the same GTIN"]) if _code(left.gtin) == _code(right.gtin) else (0.0, ["another GTIN"])
            )
        elif left.mpn and right.mpn and left.brand and right.brand and score > CAP_APART:
            same = (left.mpn.casefold(), left.brand.casefold()) == (right.mpn.casefold(), right.brand.casefold())
            if same:
                score, evidence = max(score, 0.97), [*evidence, "the same brand and part number"]
        return Match(left.key, right.key, round(score, 3), verdict(score), tuple(evidence))


def _code(gtin: str) -> str:
    return gtin.strip().lstrip("0")


def _apart(one: Read, other: Read) -> list[tuple[str, float]]:
    """What tells two listings apart, and how high they may still score. Only what both of them say can."""
    found = []
    if one.sizes and other.sizes and not _same_sizes(one.sizes, other.sizes):
        found.append((f"sizes {_shown(one.sizes)} and {_shown(other.sizes)}", CAP_APART))
    if one.models and other.models and not one.models & other.models:
        found.append((f"models {', '.join(sorted(one.models))} and {', '.join(sorted(other.models))}", CAP_APART))
    if (one.pack or 1) != (other.pack or 1) and one.pack and other.pack:
        found.append((f"packs of {one.pack} and {other.pack}", CAP_APART))
    if one.kit != other.kit:
        found.append(("a kit and a single thing", CAP_KIT))
    if one.whom and other.whom and one.whom != other.whom:
        found.append((f"for {one.whom} and for {other.whom}", CAP_APART))
    if one.conditions != other.conditions:
        found.append((f"only one is {', '.join(sorted(one.conditions ^ other.conditions))}", CAP_KIT))
    return found


def _same_sizes(one: frozenset[tuple[Decimal, str]], other: frozenset[tuple[Decimal, str]]) -> bool:
    """Of units that both state, the same amount within 2 % (100 ml is sold as 3.4 oz; those are two units)."""
    shared = {unit for _, unit in one} & {unit for _, unit in other}
    return all(
        any(abs(a - b) <= a * Decimal("0.02") for a, u in one if u == unit for b, v in other if v == unit)
        for unit in shared
    )


def _shown(sizes: frozenset[tuple[Decimal, str]]) -> str:
    return ", ".join(f"{value:f} {unit}" for value, unit in sorted(sizes))


def verdict(score: float) -> Verdict:
    return "same" if score >= SAME else "ask" if score >= ASK else "apart"


def identities(listings: Sequence[Listing]) -> tuple[dict[str, str], list[Match]]:
    """Key of each listing: key of the identity it belongs to (its smallest member); and the questions, best first.

    Two listings of one seller are never joined: a store does not list one thing twice, but it lists what is alike.
    """
    catalogue = Catalogue(listings)
    seller = {each.key: each.seller for each in listings}
    group = {each.key: {each.key} for each in listings}
    questions: list[Match] = []
    found = [match for each in listings for match in catalogue.best(each)]
    for match in sorted(found, key=lambda each: (-each.score, each.left, each.right)):
        one, other = group[match.left], group[match.right]
        sellers = {seller[key] for key in one} & {seller[key] for key in other} - {None}
        if one is other or sellers:
            continue
        if match.verdict == "same":
            joined = one | other
            for key in joined:
                group[key] = joined
        elif match.verdict == "ask":
            questions.append(match)
    return {key: min(members) for key, members in group.items()}, questions
