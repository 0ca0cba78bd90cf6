"""Whether it can be ordered, by what people see: words about stock in many languages, and the buy button. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawler.pages.product.document import Document, ancestors, names_of, text_of, unseen
from crawler.pages.product.found import Candidate

_OUT = re.compile(
    # English, German, Dutch, French
    r"out of stock|sold ?out|(currently|temporarily|is|now) (un|not )available|no longer (available|sold)"
    r"|unavailable online|(notify|email|e-mail|tell) me when|discontinued"
    r"|(listing|auction|sale) ((has|was) )?ended"
    r"|ausverkauft|vergriffen|nicht (mehr )?(verfügbar|lieferbar|vorrätig|auf lager|erhältlich)|uitverkocht"
    r"|niet (op voorraad|leverbaar)|épuisé|en rupture|rupture de stock|(actuellement|produit|article) indisponible"
    # Spanish, Portuguese, Italian, Romanian
    r"|agotad[oa]|sin (stock|existencias)|no (está )?disponible|esgotad[oa]|indisponível|sem (stock|estoque)"
    r"|fora de estoque|avise-me quando|esaurito|non (è )?disponibile|stoc epuizat|indisponibil"
    # Czech, Slovak, Polish, Slovenian, Croatian, Hungarian, Baltic, Russian
    r"|vyprodáno|vypredan[éý]|nedostupn[éýá]|není skladem|nie je (na sklade|skladom)|predaj (bol )?ukončený"
    r"|prodej (byl )?ukončen|wyprzedan|niedostępn|brak w magazynie|ni na zalogi|razprodan|nema na (skladištu|zalihi)"
    r"|rasprodan|elfogyott|nincs (raktáron|készleten)|nav pieejam|izpārdot|išparduot|nėra (prekyboje|sandėlyje)"
    r"|läbi müüdud|нет в наличии|распродан|товар закончился|немає в наявності"
    # Nordic, Turkish, Greek, Hebrew, Arabic, and those of East Asia
    r"|slutsåld|slut i lager|udsolgt|utsolgt|ikke på lager|loppu(unmyyty|nut)|tükendi|stokta yok|εξαντλ"
    r"|μη διαθέσιμο|אזל|(לא|אינו) במלאי|نفذ|غير متوفر"
    r"|품절|매진|판매\s?종료|在庫切れ|売り切れ|品切れ|售罄|缺[货貨]|完售|已售完"
    # It is there, and cannot be ordered
    r"|can(no|')t be (purchased|ordered)|kann (derzeit |momentan )?nicht (bestellt|gekauft)|nie je možné .{0,10}kúpiť"
    r"|nelze (koupit|objednat)|no se puede comprar|ne peut (pas|plus) être commandé",
    re.I,
)
_BUY = re.compile(
    r"add (item )?to (my |your )?(shopping )?(cart|bag|basket|trolley)|buy (it )?now|place bid|pre-?order"
    r"|in den (warenkorb|einkaufswagen)|jetzt kaufen"
    r"|ajouter au panier|acheter|aggiungi al carrello|acquista|(añadir|agregar) (al|a la)"
    r"|comprar|adicionar (ao|à)|(pridať|pridat|přidat|vložiť|vložit) do (košíka|košíku)|do (košíka|košíku|koszyka)"
    r"|kúpiť|koupit|kupić|v košarico|dodaj|kosárba|lisää ostoskoriin|lägg i|læg i|legg i|in winkelwagen|bestellen"
    r"|adaugă în|в корзину|купить|pievienot grozam|pirkt|sepete ekle|satın al|καλάθι|הוסף לסל|קנה|أضف"
    r"|구매|장바구니|カート|加入購物車|加入购物车|立即購買|立即购买",
    re.I,
)
_ELSEWHERE = re.compile(
    r"relat(?!iv)|recommend|similar|carousel|slider|recent|viewed|footer|sims|\balso|store-?(finder|stock|avail)"
    r"|product-?(list|grid|card|tile)"
)
_OFF = re.compile(r"disabled|inactive|sold-?out|unavailable|out-?of-?stock", re.I)
_OPTION = frozenset(("option", "select", "li", "td", "label", "template"))
LONGEST = 90
NEAR = 1500
"""Characters after the heading in which a line about stock is about this product."""


def says_out(shown: str) -> bool:
    return _OUT.search(shown) is not None


def stock(document: Document, near: str) -> Iterator[Candidate]:
    """What is said of stock; *near* is the text from the heading on."""
    button = _buy_button(document)
    lines = (line for line in near[:NEAR].split("\n") if len(line) <= LONGEST)
    out = next((match[0] for line in lines if (match := _OUT.search(line))), None)
    if out:
        yield Candidate("availability", False, "visible", f"text: {out}", 2.5, "a line near the heading")
    for node in document.called["stock"]:
        shown = text_of(node)
        if len(shown) > LONGEST or not (match := _OUT.search(shown)) or node.tag in _OPTION:
            continue
        if any(above.tag in _OPTION or _ELSEWHERE.search(names_of(above)) for above in ancestors(node)) or unseen(node):
            continue  # of one size, of another product, or what would be said
        place = f"{node.tag} {names_of(node)}"[:80]
        # Data often say "in stock" for ever; where nothing can be bought, the element is right.
        weight = 3.5 if button else 5.7
        yield Candidate("availability", False, "stock", place, weight, f"an element named for stock says {match[0]!r}")
        break
    if button:
        yield Candidate("availability", True, "button", button, 3.0 if out else 4.6, "it can be put into the cart")


def _buy_button(document: Document) -> str | None:
    for node in document.tree.css("button,input[type=submit],input[type=button],a[class*=btn i],a[class*=button i],"
                                  "a[class*=cart i],a[class*=buy i],[id*=add-to i],[id*=addto i]"):  # fmt: skip
        attributes = node.attributes
        if "disabled" in attributes or attributes.get("aria-disabled") == "true":
            continue
        if _OFF.search(f"{attributes.get('class') or ''} {names_of(node.parent) if node.parent else ''}"):
            continue
        shown = (
            attributes.get("value") or text_of(node) or attributes.get("aria-label") or attributes.get("title") or ""
        )
        if not (0 < len(shown) <= 40 and (match := _BUY.search(shown))):
            continue
        if not any(_ELSEWHERE.search(names_of(above)) for above in ancestors(node)) and not unseen(node):
            return f"{node.tag}: {match[0].lower()}"
    return None
