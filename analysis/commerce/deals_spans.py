"""Beside the amounts of a deal: product, brand, seller, code, free shipping, end of the offer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any
from urllib.parse import urlsplit

import ahocorasick

from analysis.commerce.deals_fold import caseless, small

_FREE = (
    r"(?:free|gratis|grátis|gratuit[aeo]?s?|offerte?s?|kostenlose?r?|kostenfreie?r?|frei|無料|무료|ฟรี"
    r"|مجاني[ةه]?|مجانا|бесплатн\w+|ücretsiz|bedava|percuma|miễn phí)"
)
_SHIP = (
    r"(?:shipping|delivery|postage|p ?(?:&|and|\+) ?p|s ?& ?h|env[ií]os?|frete|entrega|versand\w*"
    r"|lieferung|livraison|frais de port|spedizione|ongkir|доставка\w*|kargo|送料|配送料?|배송비?|택배비?|ค่าส่ง"
    r"|ส่ง|شحن|الشحن|توصيل|التوصيل|ship)"
)
FREE_SHIPPING = re.compile(
    rf"\b{_FREE} (?:\w+ )?{_SHIP}|{_SHIP}\W{{0,2}}(?:é |is |es |est |ist )?{_FREE}|ships free"
    rf"|ship(?:ped|s) for free|送料(?:無料|込)|送込|무료\s?배송|배송비\s?(?:무료|포함)"
    r"|versandkostenfrei|portofrei|frei haus|franco de port|(?:รวม|ฟรี)(?:ค่า)?(?:จัด)?ส่ง|ส่งฟรี|包邮"
    r"|免运费|\binc(?:l|ludes|luding)?\.? (?:p ?& ?p|postage|shipping|delivery)|\bshipped\b"
    r"|envío incluido|frete incluso|já entregue|fri frakt|gratis verzending|gratis ongkir|port offert"
    r"|fdp(?:in|c)\b|kargo bedava",
    re.I,
)
_CODE = re.compile(
    r"(?:\b(?:use |with |enter |w/ ?)?(?:promo |discount |voucher |coupon )?code|\b(?:cup[oó]n|cupom"
    r"|c[oó]digo|gutschein(?:code)?|rabattcode|code promo|kode|kod|kodo|промокод)|クーポン(?:コード)?|โค้ด"
    r"|쿠폰\s?코드|كود(?: خصم)?|كوبون)"
    r"[\s:\"'“”»«()-]{1,4}(?P<code>(?=[A-Z0-9]*[A-Z])[A-Z0-9][A-Z0-9_-]{2,19})(?![\w])"
)
_HANDLE = re.compile(r"(?<![\w@])@(\w{2,30})")
_NOT_SELLERS = frozenset(("t.co", "twitter.com", "x.com", "bit.ly", "youtu.be", "youtube.com", "instagram.com", "fb.me",
                          "facebook.com", "goo.gl", "ow.ly", "dlvr.it", "buff.ly", "tinyurl.com",
                          "tiktok.com"))  # fmt: skip
KNOWN_SELLERS = (
    "Amazon", "eBay", "Etsy", "Walmart", "Target", "Costco", "Best Buy", "Home Depot", "Lowe's", "Macy's",
    "Kohl's", "Sephora", "Ulta",
    "Argos", "Tesco", "Currys", "John Lewis", "Boots", "Asda", "Sainsbury's", "Lidl", "Aldi", "Primark", "Zara",
    "H&M", "IKEA", "MediaMarkt", "Saturn",
    "Zalando", "Otto", "Rossmann", "Rewe", "Edeka", "Fnac", "Darty", "Cdiscount", "Carrefour", "Leclerc", "Auchan",
    "Boulanger", "Decathlon", "El Corte Inglés",
    "Mercadona", "Mercado Livre", "Mercado Libre", "Magalu", "Magazine Luiza", "Americanas", "Casas Bahia",
    "Casas Pernambucanas", "Shopee", "Lazada", "Tokopedia",
    "AliExpress", "Shein", "Temu", "Flipkart", "Myntra", "Jumia", "Takealot", "Konga", "Noon", "Falabella",
    "Ripley", "Liverpool", "Coppel", "Soriana", "Elektra",
    "Poshmark", "Depop", "Vinted", "Back Market", "Digitec", "Galaxus", "Trendyol", "Hepsiburada", "Allegro",
    "Ozon", "Wildberries", "楽天", "メルカリ", "ヤフオク",
    "Coupang", "쿠팡", "نون", "Steam", "Nike", "Adidas", "Apple Store", "Google Play", "Kindle",
)  # fmt: skip
_SELLER = re.compile(
    rf"(?<![\w#])(?:{'|'.join(re.escape(each) for each in sorted(KNOWN_SELLERS, key=len, reverse=True))})(?![^\W_])"
)
_AT_SELLER = re.compile(
    r"\b(?:at|@|en|na|no|bei|chez|em|presso|на|в)\s+(?P<name>[A-ZÀ-Ý][\w'&.-]+(?: [A-ZÀ-Ý][\w'&.-]+){0,2})"
)


# Quick to look for; without one of them the pattern cannot match.
_FREE_STEMS = (
    "free", "gratis", "grátis", "gratuit", "offert", "kostenlos", "frei", "fri f", "無料", "무료", "ฟรี", "مجان",
    "бесплатн", "ücretsiz", "bedava", "percuma", "miễn", "送", "배송", "franco", "รวม", "包邮", "免运费", "inc",
    "shipped", "já e", "fdp",
)  # fmt: skip
_UNTIL_STEMS = (
    "til", "thr", "end", "expire", "valid", "by", "hasta", "até", "bis", "jusqu", "avant", "fino", "до", "s/d",
    "sampai", "hingga", "ถึง", "まで", "迄", "締切", "까지",
)  # fmt: skip


def free_shipping(folded: str) -> bool:
    """Also when it has a condition, or is part of the price."""
    low = caseless(folded)
    return any(each in low for each in _FREE_STEMS) and FREE_SHIPPING.search(folded) is not None


def coupon(text: str) -> str | None:
    """The code to enter; capitals, so that no word is taken for one."""
    hit = _CODE.search(text)
    return hit["code"] if hit else None


def domain(link: str) -> str | None:
    """shop.example.co.uk -> example.co.uk; None for shorteners and the platforms themselves."""
    host = urlsplit(link).hostname if "//" in link else link.split("/")[0]
    found = _registered(host or "")
    return found if found and found not in _NOT_SELLERS else None


@cache
def _suffixes() -> Any:
    import tldextract  # half of the start of every reader, and few posts have a link to name their seller

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def _registered(host: str) -> str:
    return str(_suffixes()(host.lower()).top_domain_under_public_suffix)


def retailer(text: str, links: Iterable[str], author: str | None, author_sells: bool) -> str | None:
    """Who sells: a watched account that posts, a shop named, an account addressed, the domain linked to."""
    if author_sells and author:
        return f"@{author}"
    if hit := _SELLER.search(text):
        return hit[0]
    for link in links:
        if found := domain(link):
            return found
    if (hit := _AT_SELLER.search(text)) is not None:
        return hit["name"]
    handle = _HANDLE.search(text)
    return f"@{handle[1]}" if handle and not text.startswith("@") else None


class Catalogue:
    """Brands and products that were crawled, found in one pass. Names below three letters find too much."""

    def __init__(self, brands: Iterable[str], titles: Iterable[str] = ()) -> None:
        self.brands = {each.strip() for each in brands if each and len(each.strip()) > 2}
        self.titles = {each.strip() for each in titles if each and len(each.strip()) > 5}

    def __bool__(self) -> bool:
        return bool(self.brands or self.titles)

    @cached_property
    def _brands(self) -> Any:
        return _machine(self.brands)

    @cached_property
    def _titles(self) -> Any:
        return _machine(self.titles)

    def brand(self, folded: str) -> str | None:
        return _first(self._brands, folded)

    def title(self, folded: str) -> str | None:
        return _first(self._titles, folded)


def _machine(names: Iterable[str]) -> Any:
    machine = ahocorasick.Automaton()
    for name in sorted(names):  # of spellings that differ by capitals, the same one in every process
        machine.add_word(small(name), name)
    machine.make_automaton()
    return machine


def _first(machine: Any, folded: str) -> str | None:
    """The first name in the text, of several there the longest; as written in the catalogue."""
    if not len(machine):
        return None
    low, best = small(folded), None
    for last, name in machine.iter(low):
        start = last + 1 - len(name)
        if (start and low[start - 1].isalnum()) or (last + 1 < len(low) and low[last + 1].isalnum()):
            continue
        if best is None or start < best[0] or (start == best[0] and len(name) > len(best[1])):
            best = (start, name)
    return best[1] if best else None


_CUT = re.compile(
    r"https?://\S+|(?<!\w)[#@]\w+|[\U0001F000-\U0001FFFF\u2600-\u27BF\uFE0F]|\n|[|•·–—]|\s-\s"
    r"|[.!?:;]\s"
)
_EDGE = re.compile(
    r"^(?:[\W_]|(?:for|at|only|just|now|from|the|a|an|de|por|para|à|a|ab|für|nur|le|la|les|un|une|el"
    r"|los|o|um|uma|as|is|and|e|y|et|und|sale|deal|get|buy|new|oferta|promoção|promo|angebot)\b)+"
    r"|(?:[\W_]|\b(?:for|at|only|just|now|from|de|por|para|à|a|ab|für|nur|is|was|on sale|is now"
    r"|kostet|cuesta|custa|on|in|to|with|as low as|starting|apenas|solo|sólo|jetzt|im|en|em|no|na"
    r"|chez|bei|au|lieu)\b)+$",
    re.I,
)


def product(text: str, folded: str, spans: list[tuple[int, int]], catalogue: Catalogue | None) -> str | None:
    """What is offered, as written: a title of the catalogue, else the words around the first amount."""
    if catalogue and (title := catalogue.title(folded)):
        at = small(folded).find(small(title))
        return text[at : at + len(title)]
    if not spans:
        return None
    first = spans[0]
    before = _words(_CUT.split(text[: first[0]]))
    after = _words(reversed(_CUT.split(text[first[1] : spans[1][0] if len(spans) > 1 else len(text)])))
    return before or after


def _words(pieces: Iterable[str]) -> str | None:
    best: str | None = None
    for piece in pieces:
        bare = _EDGE.sub("", piece).strip()
        if sum(map(str.isalpha, bare)) >= 3:
            best = bare[:120]
    return best


_MONTHS = {
    name: at
    for at, names in enumerate(
        ["jan ene janv", "feb fev févr fév", "mar mär mars", "apr abr avr", "may mai maio mayo", "jun juin",
        "jul juil", "aug ago août aout", "sep set sept", "oct out okt", "nov", "dec dic dez déc"],
        1,
    )
    for name in names.split()
}  # fmt: skip
_UNTIL = (
    r"(?:until|till?|thru|through|ends?|ending|expires?|valid (?:until|till|to|thru)|book by|order by"
    r"|hasta(?: el)?|válido até|até(?: o dia)?|bis(?: zum)?|gültig bis|jusqu'au|avant le|fino al|до"
    r"|s/d|sampai|hingga|ถึง|ends on)"
)
_DAY_FIRST = re.compile(
    rf"{_UNTIL}\W{{0,3}}(?:\w{{3,9}},? )?(?P<day>\d{{1,2}})(?:st|nd|rd|th"
    rf"|º)?[./ -]{{1,2}}(?:de )?(?P<month>\d{{1,2}}"
    rf"|[a-zà-ÿ]{{3,10}})\.?(?:[./ -]{{1,2}}(?:de )?(?P<year>20\d\d|\d\d(?!\d|:)))?",
    re.I,
)
_MONTH_FIRST = re.compile(
    rf"{_UNTIL}\W{{0,3}}(?:\w{{3,9}},? )?(?P<month>[a-z]{{3,9}})\.? (?P<day>\d{{1,2}})(?:st|nd|rd"
    rf"|th)?(?:,? (?P<year>20\d\d))?",
    re.I,
)
_EAST_UNTIL = re.compile(
    r"(?:(?P<year>20\d\d)[年/.])?(?P<month>\d{1,2})[月/.]\s?(?P<day>\d{1,2})日?(?:\s?\(.\))?\s?(?:\d{1,2}:\d\d)?\s?(?:まで"
    r"|迄|締切|까지)"
)
_TODAY = re.compile(
    r"\b(?:today only|ends today|only today|solo hoy|só hoje|nur heute|aujourd'hui seulement)\b"
    r"|本日(?:限り|まで|限定)|今日まで|오늘만|วันนี้เท่านั้น",
    re.I,
)


def valid_until(folded: str, at: datetime | None) -> datetime | None:
    """End of the last day named, in UTC; None without a date, or where the post's own moment is unknown."""
    if at is None:
        return None
    if _TODAY.search(folded):
        return _end_of(at.year, at.month, at.day)
    low = caseless(folded)
    if not any(each in low for each in _UNTIL_STEMS):
        return None
    for pattern in (_DAY_FIRST, _MONTH_FIRST, _EAST_UNTIL):
        if hit := pattern.search(folded):
            month = (
                int(hit["month"])
                if hit["month"].isdigit()
                else _MONTHS.get(hit["month"][:4].lower(), _MONTHS.get(hit["month"][:3].lower(), 0))
            )
            day = int(hit["day"])
            if pattern is _DAY_FIRST and month > 12 >= day:
                day, month = month, day  # 09/15
            year = int(hit["year"]) % 100 + 2000 if hit["year"] else at.year
            found = _end_of(year, month, day)
            if found and not hit["year"] and found < at - timedelta(days=60):
                found = _end_of(year + 1, month, day)
            return found
    return None


def _end_of(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day, tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        return None
