"""What is told about an amount, and about a whole post, to the two linear models of deals. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from analysis.commerce.deals_candidate import Candidate
from analysis.commerce.deals_cues import Cue
from analysis.commerce.deals_currency import about_dollars

TOUCHING, NEAR, SAME = 3, 16, 45  # characters between a cue and an amount
_BREAK = re.compile(r"\n|[.!?。！？]\s|\|")
_ARROW = re.compile(r"→|->|=>|➡|⇒|➜|~~|>>")
_GROUPS = {
    "en": "en", "und": "en", "ja": "ja", "zh": "ja", "th": "th", "ko": "ko", "ar": "ar", "fa": "ar", "ur": "ar",
    "in": "id", "id": "id", "ms": "id", "tl": "id", "vi": "id", "es": "rom", "pt": "rom", "fr": "rom", "it": "rom",
    "de": "de", "ru": "ru", "uk": "ru", "hi": "hi",
}  # fmt: skip
_LINK = re.compile(r"https?://|www\.", re.I)
_PHONE = re.compile(r"(?<![\d.,])\+?\d[\d -]{7,14}\d(?![\d.,])")
_PERSON = re.compile(r"\b(?:i|i'm|i'll|my|me|we|he|she|they|yo|eu|je|ich|mi|minha|meu|mon|gua|aku|ku|я|мне)\b", re.I)
PRICED = ("price", "was_price", "discount_amount", "discount_percent", "threshold", "shipping")


class PostView:
    """One post with its candidates and cues; what the features of each are taken from."""

    def __init__(self, folded: str, language: str, found: Sequence[Candidate], heard: Sequence[Cue]) -> None:
        self.text, self.language, self.found, self.cues = folded, language, found, heard
        self.group = _GROUPS.get(language, "other")
        self.kinds = Counter(cue.kind for cue in heard)
        self.breaks = [hit.start() for hit in _BREAK.finditer(folded)]
        self.money = [each for each in found if not each.percent]
        self.link = bool(_LINK.search(folded))
        self.reply = folded.startswith("@")
        self.tags = folded.count("#")

    def amount(self, at: int) -> list[str]:
        """Names of what holds for candidate *at*."""
        each = self.found[at]
        out = ["bias", f"how={each.how}", f"group={self.group}", f"how+group={each.how}+{self.group}"]
        out += self._size(each)
        out += self._around(each)
        out += self._beside(at)
        out += [f"post:{kind}" for kind in self.kinds]
        out += self._shape(each)
        return out

    def _size(self, each: Candidate) -> Iterator[str]:
        value = float(each.value)
        if each.percent:
            yield f"percent={'round' if value % 5 == 0 else 'odd'}"
            yield f"percent={min(int(value) // 25, 4)}"
            return
        usd = about_dollars(value, each.currency)
        yield f"size={min(max(round(math.log10(usd) * 1.5) if usd > 0 else -3, -3), 14)}"
        yield f"size<100={usd < 100}"
        yield f"size>100k={usd > 1e5}"
        yield f"scale={'none' if each.scale == 1 else 'k' if each.scale <= 10**4 else 'big'}+{each.how}"
        if each.currency is None:
            yield "currency=none"
        if each.value != each.value.to_integral_value():
            yield f"cents={str(each.value)[-1] in '95'}"
        elif value >= 1000 and value % 1000 == 0:
            yield "round"
        if each.value_max is not None:
            yield "range"

    def _around(self, each: Candidate) -> Iterator[str]:
        nearest: tuple[int, str] | None = None
        for cue in self.cues:
            if cue.end <= each.start:
                gap, side = each.start - cue.end, "L"
                parted = self._parted(cue.end, each.start)
                if not parted and (nearest is None or gap <= nearest[0]) and gap <= NEAR:
                    nearest = (gap, cue.kind)
            elif cue.start >= each.end:
                gap, side = cue.start - each.end, "R"
                parted = self._parted(each.end, cue.start)
            else:
                yield f"in:{cue.kind}"
                continue
            if gap <= TOUCHING and not parted:
                yield f"{side}0:{cue.kind}"
            if gap <= NEAR and not parted:
                yield f"{side}1:{cue.kind}"
            if gap <= SAME:
                yield f"{side}{'2' if not parted else '3'}:{cue.kind}"
        near = nearest[1] if nearest else "none"
        yield f"nearest={near}"
        for kind in ("prize", "sell", "income", "public"):
            if kind in self.kinds:
                yield f"nearest={near}+{kind}"

    def _parted(self, since: int, until: int) -> bool:
        return any(since <= place < until for place in self.breaks)

    def _beside(self, at: int) -> Iterator[str]:
        each = self.found[at]
        money = self.money
        yield f"n={min(len(money), 4)}"
        if any(other.percent for other in self.found if other is not each):
            yield "percent too"
        if each.percent:
            yield f"money too={bool(money)}"
            return
        here = money.index(each)
        yield f"place={'first' if here == 0 else 'last' if here == len(money) - 1 else 'middle'}+{min(len(money), 3)}"
        for name, other in (("prev", money[here - 1] if here else None),
                            ("next", money[here + 1] if here + 1 < len(money) else None)):  # fmt: skip
            if other is None or other.currency != each.currency:
                continue
            low, high = sorted((each, other), key=lambda one: one.start)
            gap = self.text[low.end : high.start]
            size = "more" if other.value > each.value else "less"
            yield f"{name}={size}"
            if len(gap) <= 25 and "\n" not in gap:
                yield f"{name}={size}+close"
            if _ARROW.search(gap):
                yield f"{name}={size}+arrow"

    def _shape(self, each: Candidate) -> Iterator[str]:
        before, after = self.text[: each.start], self.text[each.end :]
        if before.rstrip(" ")[-1:] in ("-", "−"):
            yield "minus"
        if before.rstrip(" ")[-1:] == "+":
            yield "plus"
        if before.rfind("(") > before.rfind(")"):
            yield "parentheses"
        line = before.rpartition("\n")[2] + after.partition("\n")[0]
        if len(line.strip()) <= 4:
            yield "line of its own"
        yield f"line={min(len(line) // 30, 3)}"
        if self.link:
            yield "link"
        if self.reply:
            yield "reply"
        if self.tags:
            yield f"tags={min(self.tags, 3)}"
        if after[:1] in ("/", "\n", "") or after[:2] == " /":
            yield f"then={after[:1] or 'end'!r}"

    def deal(self, said: Sequence[Mapping[str, float]]) -> list[str]:
        """Names of what holds for the post, given the probability of each role for each candidate."""
        out = ["bias", f"group={self.group}"]
        for kind, n in self.kinds.items():
            out += [f"cue:{kind}", *([f"cue2:{kind}"] if n > 1 else ())]
        best = {
            role: max([each.get(role, 0.0) for each in said], default=0.0)
            for role in (*PRICED, "income_or_wealth", "other_money")
        }
        out += [f"p:{role}>{step}" for role, p in best.items() for step in (0.2, 0.5, 0.8) if p > step]
        commerce = max([sum([each.get(role, 0.0) for role in PRICED]) for each in said], default=0.0)
        out += [f"commerce>{step}" for step in (0.1, 0.3, 0.5, 0.7, 0.9) if commerce > step]
        out.append(f"money={min(len(self.money), 3)}")
        if self.link:
            out.append("link")
            if commerce > 0.5:
                out.append("link+commerce")
        if self.reply:
            out.append("reply")
        out.append(f"tags={min(self.tags, 3)}")
        out.append(f"lines={min(self.text.count(chr(10)), 4)}")
        if _PHONE.search(self.text):
            out.append("phone")
        if "?" in self.text:
            out.append("asks")
        if _PERSON.search(self.text):
            out.append("person")
        if _PERSON.search(self.text) and not self.kinds["sell"]:
            out.append("person, no selling")
        if commerce > 0.5 and self.kinds["sell"]:
            out.append("commerce+sell")
        if commerce > 0.5 and not self.kinds["told"]:
            out.append("commerce, not told")
        for left, right in pairwise(("free", "ship", "free")):
            if self.kinds[left] and self.kinds[right]:
                out.append("free+ship")
        out.append(f"length={min(len(self.text) // 60, 4)}")
        return list(dict.fromkeys(out))
