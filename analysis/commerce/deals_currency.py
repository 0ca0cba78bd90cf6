"""Whose money: signs, codes and words for currencies, and which country a post speaks from. Pure.

A sign such as "$" or "Rs" stands for many currencies. The post decides: a currency it names outright, a place,
a flag, a shop of one country, the dialect, and at last the language.
"""

from __future__ import annotations

import re
from functools import cache, cached_property
from typing import Any

import ahocorasick

from analysis.commerce.deals_fold import caseless, script_language

OPEN = frozenset(("$", "¥", "kr", "Rs", "peso", "dinar", "rial", "dirham", "lira", "franc", "元", "local"))
"""Names that many currencies share; `home` says which. `local`: nothing is written beside the number."""

# Before a number; letters must not touch other letters. Several spellings of one currency share a line.
_BEFORE = {
    "USD": "US$ U$S US $ USD US$. $US", "EUR": "€ EUR EURO", "GBP": "£ GBP", "BRL": "R$ BRL", "CAD": "CA$ C$ CAD CDN$",
    "AUD": "A$ AU$ AUD", "NZD": "NZ$ NZD", "HKD": "HK$ HKD", "SGD": "S$ SG$ SGD", "TWD": "NT$ NTD TWD",
    "MXN": "MX$ MXN", "COP": "COP$ COP", "CLP": "CLP$ CLP", "ARS": "AR$ ARS", "UYU": "UYU", "PEN": "S/ S/. PEN",
    "BOB": "Bs.", "PYG": "₲ Gs. PYG", "CHF": "CHF SFr. Fr.", "JPY": "JPY JP¥", "CNY": "CNY RMB CN¥", "KRW": "₩ KRW",
    "INR": "₹ INR", "PKR": "PKR", "LKR": "LKR", "BDT": "৳ BDT Tk", "IDR": "Rp Rp. IDR", "MYR": "RM $RM MYR",
    "PHP": "₱ PHP", "THB": "฿ THB", "VND": "₫ VND", "TRY": "₺ TRY", "RUB": "₽ RUB", "UAH": "₴ UAH", "PLN": "PLN",
    "CZK": "CZK Kč", "HUF": "HUF", "SEK": "SEK", "NOK": "NOK", "DKK": "DKK", "ILS": "₪ NIS ILS", "NGN": "₦ NGN",
    "GHS": "GH₵ GHS GHC GH¢ ₵", "KES": "KES Ksh Ksh. Kshs KSH", "ZAR": "ZAR", "EGP": "EGP", "SAR": "SAR SR",
    "AED": "AED Dhs", "QAR": "QAR QR", "KWD": "KWD KD", "BHD": "BHD", "OMR": "OMR", "JOD": "JOD JD",
    "TZS": "TZS Tsh", "UGX": "UGX", "KZT": "₸", "GEL": "₾", "CRC": "₡", "JMD": "JMD J$", "TTD": "TT$",
    "$": "$", "¥": "¥", "Rs": "Rs Rs. Re Re.", "kr": "kr kr.", "元": "人民币",
}  # fmt: skip
_AFTER = {
    "USD": """usd us$ u$s $us dollar dollars dollor dollors bucks buck dólar dólares dolares dolar dolares dolari
        dollari dollaro dollares доллар
        доллара долларов долл бакс баксов ドル 米ドル 美元 美金 美刀 달러 دولار دولارات دلار
        دلاری         ดอลลาร์ ดอลล่าร์ ดอล ดอลล่า δολάρια đô dolaar डॉलर""",
    "EUR": "€ eur euro euros eurós eurot евро ευρώ يورو یورو ユーロ 欧元 歐元 유로 ยูโร",
    "GBP": "£ gbp quid pounds pound libras sterling фунтов ポンド 英镑 파운드 ปอนด์ استرليني",
    "BRL": "brl reais real conto contos pila pilas", "CAD": "cad", "AUD": "aud", "NZD": "nzd",
    "HKD": "hkd 港币 港幣 港元", "SGD": "sgd", "TWD": "twd ntd 台幣 新台幣 台币", "MXN": "mxn", "COP": "cop",
    "CLP": "clp",
    "ARS": "ars", "PEN": "soles sol", "BOB": "bolivianos bs", "PYG": "gs gs. guaranies guaraníes ₲",
    "VES": "bolívares bolivares bsf", "CHF": "chf sfr stutz", "JPY": "円 jpy yen 日元 日圓 엔 えん เยน",
    "CNY": "cny rmb 人民币 人民幣 yuan หยวน 위안", "KRW": "₩ 원 krw ウォン วอน 韩元",
    "INR": "₹ inr रुपये रुपए रूपये रुपया रु रू रूपए ரூபாய் రూపాయలు টাকা",
    "PKR": "pkr روپے روپیہ روپئے", "IDR": "idr rupiah rp", "MYR": "rm myr ringgit", "PHP": "₱ php piso",
    "THB": "฿ บาท บ. บ thb baht bath บาด", "VND": "₫ vnd vnđ đ đồng dong", "TRY": "₺ try tl lirası",
    "RUB": "₽ rub руб руб. рублей рубля рубль рублями р р. ₱уб", "UAH": "₴ грн грн. гривен гривень uah",
    "KZT": "тенге тг ₸", "PLN": "zł zl pln złotych", "CZK": "kč czk korun", "HUF": "ft huf forint",
    "RON": "lei ron leu",
    "BGN": "лв лв.", "ILS": "₪ שקל שקלים שח ש\"ח nis", "NGN": "naira ₦ ngn", "GHS": "cedi cedis ghs",
    "KES": "bob kes shillings ksh kshs /=", "ZAR": "rand rands zar", "EGP": "egp جنيه جنية ج.م",
    "SAR": "sar ر.س رس", "AED": "aed د.إ dhs", "QAR": "qar", "KWD": "kwd د.ك", "OMR": "ر.ع", "JOD": "د.أ",
    "IRR": "تومان تومن ریال", "DKK": "dkk", "SEK": "sek", "NOK": "nok", "LKR": "lkr", "BDT": "taka tk",
    "$": "$", "¥": "¥", "Rs": "rs rs. rupees rupee rupiya rupay", "kr": "kr kr. kronor kroner kronen",
    "元": "元 块 塊 圆 块钱", "peso": "peso pesos pesitos песо mangos pesos.", "dinar": "دينار دنانير dinar dinars",
    "rial": "ريال ريالات riyal riyals rial rials", "dirham": "درهم دراهم dirham dirhams dh",
    "lira": "lira liralık liraya liradan ليرة ليره", "franc": "francs franc fcfa cfa",
}  # fmt: skip
_QUALIFIED = {  # "دينار أردني"
    "أردني": "JOD", "اردني": "JOD", "كويتي": "KWD", "بحريني": "BHD", "عراقي": "IQD", "تونسي": "TND", "جزائري": "DZD",
    "ليبي": "LYD", "عماني": "OMR", "عُماني": "OMR", "سعودي": "SAR", "قطري": "QAR", "يمني": "YER", "مغربي": "MAD",
    "اماراتي": "AED", "إماراتي": "AED", "سوري": "SYP", "سورية": "SYP", "لبنانية": "LBP", "تركية": "TRY",
    "تركي": "TRY", "مصري": "EGP", "سوداني": "SDG", "mexicanos": "MXN", "argentinos": "ARS", "chilenos": "CLP",
    "colombianos": "COP", "uruguayos": "UYU", "dominicanos": "DOP", "cubanos": "CUP",
    "australian": "AUD", "canadian": "CAD", "canadiens": "CAD", "singapore": "SGD", "jamaican": "JMD",
}  # fmt: skip
SCALED_WORDS = {"lucas": ("peso", 1000), "luca": ("peso", 1000), "grand": ("$", 1000), "balles": ("EUR", 1),
                "pavos": ("EUR", 1), "p": ("GBP", 0), "¢": ("USD", 0), "cents": ("USD", 0), "cent": ("USD", 0),
                "centavos": ("peso", 0)}  # fmt: skip
"""Words that are currency and multiple at once; 0 stands for a hundredth."""

_ONLY_IN = {"ft": "hu", "real": "pt", "conto": "pt", "contos": "pt", "pila": "pt", "pilas": "pt", "lei": "ro",
"leu": "ro",
            "ron": "ro", "sol": "es", "soles": "es", "bs": "es", "libras": "es pt", "korun": "cs", "taka": "bn en",
            "bat": "th", "gs": "es"}  # fmt: skip
"""Words that are money in these languages only."""

_NO_SPACES = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # scripts that do not part words


def _forms(table: dict[str, str]) -> dict[str, str]:
    return {caseless(form): name for name, forms in table.items() for form in forms.replace("US $", "us$").split()}


BEFORE = _forms(_BEFORE)
AFTER = _forms(_AFTER)


def _choice(forms: dict[str, str]) -> str:
    return "|".join(re.escape(each) for each in sorted(forms, key=len, reverse=True))


def _ends_word(form: str) -> str:
    """A word of letters must end where it ends; in scripts without spaces it need not."""
    escaped = re.escape(form)
    if form in ("บ", "บ."):  # short for บาท, and the first letter of many words
        return escaped + r"(?![\u0e00-\u0e7f])"
    if form[-1].isalpha() and not re.match(f"[{_NO_SPACES}]", form[-1]):
        return escaped + r"(?![^\W\d_])"
    return escaped


LETTER_BEFORE_RE = re.compile(r"(?<![\w$#@./-])(?:N|R|P)\Z")
"""N35,000 (naira), R60 000 (rand), P500 (peso): capital and touching."""
LETTERS = {"N": "NGN", "R": "ZAR", "P": "PHP"}
AFTER_RE = re.compile(
    rf"\s?(?P<name>{'|'.join(_ends_word(each) for each in sorted(AFTER, key=len, reverse=True))})"
    rf"(?:\s?(?P<whose>{_choice(_QUALIFIED)}))?",
    re.I,
)
WHOSE_RE = re.compile(rf"\s?(?P<whose>{_choice(_QUALIFIED)})\s(?P<name>dollars?|pesos|pounds?)(?![^\W\d_])", re.I)
SCALED_RE = re.compile(r"\s?(?P<name>lucas?|grand|balles|pavos|¢|cents?|centavos|p)(?![^\W\d_])", re.I)

# What shows a country: flags, names, big cities, retailers of one country. A hint counts once.
_COUNTRIES = {
    "MXN": "🇲🇽 méxico mexico cdmx monterrey guadalajara msi soriana liverpool coppel elektra chedraui bodega_aurrera"
    " sanborns nomás nomas gacha gacho wey güey ahorita chido neta órale peña_nieto amlo morena walmart_mx amazon_mx",
    "ARS": "🇦🇷 argentina buenos_aires rosario frávega fravega garbarino musimundo coto kirchner macri milei vos"
    " escabio guita boludo boluda qcyo che_ finde dsp laburo",
    "CLP": "🇨🇱 chile santiago valparaíso valparaiso providencia ripley sodimac lider.cl weon wn cachai concepción",
    "COP": "🇨🇴 colombia bogotá bogota medellín medellin cali alkosto parce falabella_colombia",
    "PEN": "🇵🇪 perú peru lima plaza_vea wong", "UYU": "🇺🇾 uruguay montevideo", "PYG": "🇵🇾 asunción",
    "EUR": "🇪🇸 🇫🇷 🇩🇪 🇮🇹 🇵🇹 españa madrid barcelona", "BRL": "🇧🇷 brasil brazil são_paulo sao_paulo rio_de_janeiro",
    "CAD": "🇨🇦 canada toronto vancouver montreal montréal québec quebec calgary ottawa winners_ canadian_tire"
    " loblaws best_buy_canada dominosca",
    "AUD": "🇦🇺 australia sydney melbourne brisbane perth adelaide bunnings jb_hi-fi woolworths coles_ afterpay",
    "NZD": "🇳🇿 new_zealand auckland", "SGD": "🇸🇬 singapore lazada_sg", "HKD": "🇭🇰 hong_kong 香港",
    "TWD": "🇹🇼 taiwan 台灣",
    "PHP": "🇵🇭 philippines manila pinoy php_ ph_go phgo", "PKR": "🇵🇰 pakistan karachi lahore islamabad imran_khan",
    "INR": "🇮🇳 india delhi mumbai flipkart modi paytm bollywood", "LKR": "🇱🇰 sri_lanka colombo",
    "NPR": "nepal kathmandu",
    "NGN": "🇳🇬 nigeria lagos abuja jumia naira", "GHS": "🇬🇭 ghana accra", "KES": "🇰🇪 kenya nairobi safaricom mpesa",
    "ZAR": "🇿🇦 south_africa johannesburg cape_town durban takealot eskom", "MYR": "🇲🇾 malaysia kuala_lumpur shopee_my",
    "IDR": "🇮🇩 indonesia jakarta bandung surabaya tokopedia gopay ovo_", "TRY": "🇹🇷 türkiye turkey istanbul trendyol",
    "KWD": "🇰🇼 kuwait الكويت", "BHD": "البحرين bahrain", "JOD": "الأردن الاردن عمان_/_الأردن", "IQD": "العراق بغداد",
    "OMR": "سلطنة_عمان مسقط", "QAR": "🇶🇦 قطر الدوحة", "AED": "🇦🇪 dubai دبي الإمارات الامارات", "EGP": "🇪🇬 مصر القاهرة",
    "SAR": "🇸🇦 السعودية الرياض جدة الدمام", "DZD": "الجزائر", "TND": "تونس", "LYD": "ليبيا", "YER": "اليمن",
    "SEK": "🇸🇪 sverige stockholm", "NOK": "🇳🇴 norge oslo", "DKK": "🇩🇰 danmark københavn",
    "CHF": "🇨🇭 schweiz zürich suisse",
    "GBP": "🇬🇧 london manchester uk_ tesco argos", "CNY": "🇨🇳 china taobao 淘宝",
}  # fmt: skip
_HINTS = {
    caseless(hint.replace("_", " ").rstrip() if not hint.endswith("_") else hint[:-1]): name
    for name, hints in _COUNTRIES.items()
    for hint in hints.split()
}
_HINT_RE = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(_ends_word(each) for each in sorted(_HINTS, key=len, reverse=True))})", re.I
)


@cache
def _hint_machine() -> Any:
    machine = ahocorasick.Automaton()
    for hint in _HINTS:
        machine.add_word(hint, True)
    machine.make_automaton()
    return machine


_DOMAINS = {"mx": "MXN", "ar": "ARS", "cl": "CLP", "ca": "CAD", "au": "AUD", "nz": "NZD", "sg": "SGD",
            "hk": "HKD", "tw": "TWD", "pk": "PKR", "in": "INR", "ng": "NGN", "za": "ZAR", "br": "BRL", "se": "SEK",
            "no": "NOK", "dk": "DKK", "ph": "PHP", "lk": "LKR", "ke": "KES"}  # fmt: skip
_TLD_RE = re.compile(r"\.([a-z]{2})(?=[/\s]|$)")

# Which currencies an open sign may mean; the first is what it means when nothing else is known.
_MAY_BE = {
    "$": "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP UYU BRL JMD TTD", "¥": "JPY CNY", "Rs": "INR PKR LKR NPR IDR",
    "kr": "SEK NOK DKK ISK CZK", "peso": "MXN ARS CLP COP PHP UYU DOP CUP", "dinar": "KWD JOD BHD IQD TND DZD LYD",
    "rial": "SAR QAR OMR YER IRR", "dirham": "AED MAD", "lira": "TRY SYP LBP", "franc": "XOF CHF XAF",
    "元": "CNY TWD HKD",
}  # fmt: skip
_OF_LANGUAGE = {
    "in": "IDR", "id": "IDR", "ms": "MYR", "th": "THB", "ja": "JPY", "ko": "KRW", "tl": "PHP", "ru": "RUB", "uk": "UAH",
    "tr": "TRY", "pt": "BRL", "de": "EUR", "fr": "EUR", "it": "EUR", "nl": "EUR", "ar": "SAR", "hi": "INR", "vi": "VND",
    "pl": "PLN", "zh": "CNY", "ur": "PKR", "sv": "SEK", "no": "NOK", "da": "DKK", "fa": "IRR", "el": "EUR", "fi": "EUR",
    "he": "ILS", "iw": "ILS", "cs": "CZK", "hu": "HUF", "ro": "RON", "ta": "INR", "te": "INR", "mr": "INR", "bn": "BDT",
}  # fmt: skip
_DOLLAR_OF = {"pt": "BRL"}  # a bare "$"; elsewhere it is the US dollar until the post shows another country
_DOTTED = re.compile(r"\d{1,3}(?:\.\d{3})+(?![\d,])")


class Home:
    """Which currency an open sign means in one post."""

    def __init__(self, text: str, language: str | None, links: tuple[str, ...] = ()) -> None:
        self.language = script_language(text) or (language or "und").split("-")[0].lower()
        self._text, self._links = text, links
        self.named: list[str] = []
        """Currencies that the post names outright, in order."""

    @cached_property
    def hints(self) -> list[str]:
        """Currencies of the places the post speaks of; looked for only where an open sign asks."""
        found = []
        if next(_hint_machine().iter(caseless(self._text)), None):  # few posts speak of a place
            found = [_HINTS[caseless(hit[0])] for hit in _HINT_RE.finditer(self._text)]
        return found + [
            _DOMAINS[tld] for link in self._links for tld in _TLD_RE.findall(link.lower()) if tld in _DOMAINS
        ]

    def of(self, name: str, numeral: str = "", spaced: bool = False) -> str | None:
        """ISO code of a sign, or None where nothing tells. *spaced*: "39,99 $", as French is set."""
        if name not in OPEN:
            return name
        if name == "local":
            return self._local()
        may_be = _MAY_BE[name].split()
        for each in (*self.named, *self.hints):
            if each in may_be:
                return each
        if name == "¥" and self.language == "zh":
            return "CNY"
        if name == "kr":
            return {"no": "NOK", "nb": "NOK", "da": "DKK"}.get(self.language, "SEK")
        if name == "peso" and self.language in ("tl", "en"):
            return "PHP"
        if name == "Rs" and self.language == "ur":
            return "PKR"
        if name == "$":
            if self.language == "es" and _DOTTED.fullmatch(numeral):
                return "CLP"  # thousands set apart by a dot: Chile, Argentina, Colombia; they write alike
            if self.language == "fr" and spaced and "," in numeral:
                return "CAD"
            return _DOLLAR_OF.get(self.language, may_be[0])
        return may_be[0]

    def _local(self) -> str | None:
        if self.named:
            return self.named[0]
        if self.hints:
            return self.hints[0]
        return _OF_LANGUAGE.get(self.language)


_LONGEST_FORM = max(map(len, BEFORE))
_GLUED = re.compile(rf"[^\W\d_{_NO_SPACES}]")


def sign_before(before: str) -> tuple[str, int] | None:
    """Name of the currency at the end of what stands before a number, and how many characters it takes."""
    bare = before.rstrip(" \t\n:")
    if len(before) - len(bare) > 4:
        return None
    low = bare.lower()
    for length in range(min(_LONGEST_FORM, len(low)), 0, -1):
        form = low[-length:]
        name = BEFORE.get(form)
        if name and not (form[0].isalpha() and length < len(low) and _GLUED.match(low[-length - 1])):
            return name, len(before) - len(bare) + length
    return None


def means_money(word: str, language: str) -> bool:
    return language in _ONLY_IN.get(word.lower(), language)


def whose(word: str) -> str | None:
    return _QUALIFIED.get(caseless(word))


_PER_DOLLAR = {
    "EUR": 0.9, "GBP": 0.8, "BRL": 5, "CAD": 1.3, "AUD": 1.4, "JPY": 110, "CNY": 7, "KRW": 1200, "INR": 75, "PKR": 160,
    "IDR": 14000, "MYR": 4, "PHP": 52, "THB": 32, "VND": 23000, "TRY": 6, "RUB": 65, "UAH": 27, "PLN": 4, "CZK": 23,
    "HUF": 300, "SEK": 9, "NOK": 9, "DKK": 6.5, "ILS": 3.5, "NGN": 360, "GHS": 5.5, "KES": 105, "ZAR": 15, "EGP": 16,
    "SAR": 3.75, "AED": 3.7, "QAR": 3.6, "MXN": 19, "CLP": 700, "COP": 3300, "ARS": 45, "PYG": 6200, "TWD": 30,
    "HKD": 8,
    "IRR": 42000, "BDT": 84, "LKR": 175, "KZT": 380, "XOF": 600, "KWD": 0.3, "JOD": 0.7, "OMR": 0.4, "PEN": 3.4,
}  # fmt: skip


def about_dollars(value: float, currency: str | None) -> float:
    """Order of magnitude only: what tells a price from a budget. Rates of 2019, rounded."""
    return value / _PER_DOLLAR.get(currency or "", 1.0)
