"""Places that boards are for: code, WOEID, time zone, language, names.

A country is its ISO 3166-1 alpha-2 code in lower case, a city `<country>-<city>`, everything `world`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# code; WOEID as in the public tables of the v1.1 trends API; zone (of the capital or largest city); language; names
_TABLE = """
world;1;UTC;en;worldwide,world
ae;23424738;Asia/Dubai;ar;united arab emirates
ar;23424747;America/Argentina/Buenos_Aires;es;argentina
at;23424750;Europe/Vienna;de;austria,österreich
au;23424748;Australia/Sydney;en;australia
be;23424757;Europe/Brussels;nl;belgium
bh;23424753;Asia/Bahrain;ar;bahrain
br;23424768;America/Sao_Paulo;pt;brazil,brasil
by;23424765;Europe/Minsk;ru;belarus
ca;23424775;America/Toronto;en;canada
ch;23424957;Europe/Zurich;de;switzerland
cl;23424782;America/Santiago;es;chile
cn;23424781;Asia/Shanghai;zh;china
co;23424787;America/Bogota;es;colombia
cz;23424810;Europe/Prague;cs;czech republic,czechia
de;23424829;Europe/Berlin;de;germany,deutschland
dk;23424796;Europe/Copenhagen;da;denmark
do;23424800;America/Santo_Domingo;es;dominican republic
dz;23424740;Africa/Algiers;ar;algeria
ec;23424801;America/Guayaquil;es;ecuador
eg;23424802;Africa/Cairo;ar;egypt
es;23424950;Europe/Madrid;es;spain,españa
fi;23424812;Europe/Helsinki;fi;finland
fr;23424819;Europe/Paris;fr;france
gb;23424975;Europe/London;en;united kingdom,great britain,uk
gh;23424824;Africa/Accra;en;ghana
gr;23424833;Europe/Athens;el;greece
gt;23424834;America/Guatemala;es;guatemala
hk;24865698;Asia/Hong_Kong;zh;hong kong
hu;23424844;Europe/Budapest;hu;hungary
id;23424846;Asia/Jakarta;id;indonesia
ie;23424803;Europe/Dublin;en;ireland
il;23424852;Asia/Jerusalem;he;israel
in;23424848;Asia/Kolkata;en;india
it;23424853;Europe/Rome;it;italy,italia
jp;23424856;Asia/Tokyo;ja;japan
ke;23424863;Africa/Nairobi;en;kenya
kr;23424868;Asia/Seoul;ko;south korea,korea
kw;23424870;Asia/Kuwait;ar;kuwait
lb;23424873;Asia/Beirut;ar;lebanon
lv;23424874;Europe/Riga;lv;latvia
mx;23424900;America/Mexico_City;es;mexico,méxico
my;23424901;Asia/Kuala_Lumpur;ms;malaysia
ng;23424908;Africa/Lagos;en;nigeria
nl;23424909;Europe/Amsterdam;nl;netherlands
no;23424910;Europe/Oslo;no;norway
nz;23424916;Pacific/Auckland;en;new zealand
om;23424898;Asia/Muscat;ar;oman
pa;23424924;America/Panama;es;panama
pe;23424919;America/Lima;es;peru,perú
ph;23424934;Asia/Manila;en;philippines
pk;23424922;Asia/Karachi;ur;pakistan
pl;23424923;Europe/Warsaw;pl;poland
pr;23424935;America/Puerto_Rico;es;puerto rico
pt;23424925;Europe/Lisbon;pt;portugal
qa;23424930;Asia/Qatar;ar;qatar
ru;23424936;Europe/Moscow;ru;russia
sa;23424938;Asia/Riyadh;ar;saudi arabia
se;23424954;Europe/Stockholm;sv;sweden
sg;23424948;Asia/Singapore;en;singapore
th;23424960;Asia/Bangkok;th;thailand
tr;23424969;Europe/Istanbul;tr;turkey,türkiye
tw;23424971;Asia/Taipei;zh;taiwan
ua;23424976;Europe/Kyiv;uk;ukraine
us;23424977;America/New_York;en;united states,usa
ve;23424982;America/Caracas;es;venezuela
vn;23424984;Asia/Ho_Chi_Minh;vi;vietnam,viet nam
za;23424942;Africa/Johannesburg;en;south africa
ar-buenos-aires;468739;America/Argentina/Buenos_Aires;es;buenos aires
au-melbourne;1103816;Australia/Melbourne;en;melbourne
au-sydney;1105779;Australia/Sydney;en;sydney
br-belem;455820;America/Belem;pt;belém
br-belo-horizonte;455821;America/Sao_Paulo;pt;belo horizonte
br-brasilia;455819;America/Sao_Paulo;pt;brasília
br-campinas;455828;America/Sao_Paulo;pt;campinas
br-curitiba;455822;America/Sao_Paulo;pt;curitiba
br-fortaleza;455830;America/Fortaleza;pt;fortaleza
br-goiania;455831;America/Sao_Paulo;pt;goiânia
br-manaus;455833;America/Manaus;pt;manaus
br-porto-alegre;455823;America/Sao_Paulo;pt;porto alegre
br-recife;455824;America/Recife;pt;recife
br-rio-de-janeiro;455825;America/Sao_Paulo;pt;rio de janeiro
br-salvador;455826;America/Bahia;pt;salvador
br-sao-paulo;455827;America/Sao_Paulo;pt;são paulo
ca-toronto;4118;America/Toronto;en;toronto
ca-vancouver;9807;America/Vancouver;en;vancouver
de-berlin;638242;Europe/Berlin;de;berlin
es-barcelona;753692;Europe/Madrid;es;barcelona
es-madrid;766273;Europe/Madrid;es;madrid
fr-paris;615702;Europe/Paris;fr;paris
gb-london;44418;Europe/London;en;london
gb-manchester;28218;Europe/London;en;manchester
in-bangalore;2295420;Asia/Kolkata;en;bangalore,bengaluru
in-chennai;2295424;Asia/Kolkata;en;chennai
in-delhi;20070458;Asia/Kolkata;en;new delhi,delhi
in-hyderabad;2295414;Asia/Kolkata;en;hyderabad
in-kolkata;2295386;Asia/Kolkata;en;kolkata
in-mumbai;2295411;Asia/Kolkata;en;mumbai
it-milan;718345;Europe/Rome;it;milan,milano
it-rome;721943;Europe/Rome;it;rome,roma
jp-osaka;15015370;Asia/Tokyo;ja;osaka
jp-tokyo;1118370;Asia/Tokyo;ja;tokyo
mx-mexico-city;116545;America/Mexico_City;es;mexico city,ciudad de méxico
us-atlanta;2357024;America/New_York;en;atlanta
us-boston;2367105;America/New_York;en;boston
us-chicago;2379574;America/Chicago;en;chicago
us-dallas;2388929;America/Chicago;en;dallas
us-houston;2424766;America/Chicago;en;houston
us-los-angeles;2442047;America/Los_Angeles;en;los angeles
us-miami;2450022;America/New_York;en;miami
us-new-york;2459115;America/New_York;en;new york
us-philadelphia;2471217;America/New_York;en;philadelphia
us-san-francisco;2487956;America/Los_Angeles;en;san francisco
us-seattle;2490383;America/Los_Angeles;en;seattle
us-washington;2514815;America/New_York;en;washington
"""


@dataclass(frozen=True, slots=True)
class Place:
    code: str
    woeid: int
    zone: str
    """IANA time zone; of a large country that of its capital or largest city."""
    language: str
    """ISO 639-1."""
    names: tuple[str, ...]
    """English first, lower case."""

    @property
    def country(self) -> str | None:
        """ISO 3166-1 alpha-2 in lower case; None for the world."""
        return None if self.code == "world" else self.code[:2]


def _read(table: str) -> tuple[Place, ...]:
    rows = (line.split(";") for line in table.strip().splitlines())
    return tuple(
        Place(code, int(woeid), zone, language, tuple(names.split(","))) for code, woeid, zone, language, names in rows
    )


def _folded(name: str) -> str:
    """'São Paulo', 'SaoPaulo' and 'sao-paulo' are one."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[\W_\u0300-\u036f]+", "", plain)


PLACES = _read(_TABLE)
_BY_WOEID = {place.woeid: place for place in PLACES}
_BY_NAME = {_folded(name): place for place in PLACES for name in (*place.names, place.code)}
_BY_CODE = {place.code: place for place in PLACES}
_UPPER = frozenset(place.code.upper() for place in PLACES if len(place.code) == 2)
_NO_CODES = frozenset(
    (*(place.language for place in PLACES), "world", "in", "at", "be", "by", "do", "co", "my", "om", "pa", "se")
)
_COUNTRIES = {name: place for place in PLACES if "-" not in place.code for name in place.names}


def get(code: str) -> Place | None:
    """The place of a code."""
    return _BY_CODE.get(code.strip().lower())


def of_woeid(woeid: int) -> str:
    """Code of a WOEID; `woeid-2391279` for one that the table does not hold (cities, mostly)."""
    place = _BY_WOEID.get(woeid)
    return place.code if place else f"woeid-{woeid}"


def of_name(name: str) -> str | None:
    """Code of a place named or coded in full ('Brazil', 'NewZealand', 'br'); None when the table lacks it."""
    place = _BY_NAME.get(_folded(name))
    return place.code if place else None


@lru_cache(maxsize=1024)
def named(name: str) -> str:
    """Code of a place by name; its name in lower case with hyphens where the table lacks it."""
    plain = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", name)).casefold()
    return of_name(name) or re.sub(r"[\W_]+", "-", plain).strip("-") or "unknown"


@lru_cache(maxsize=1024)  # asked of every member of a tar about the folders above it
def find(text: str) -> str | None:
    """Code of the one country whose name, or else code, stands as a whole word in *text*; None when none or two.

    A code in lower case counts only where it is no language ('pt', 'de') and no word ('in', 'it', 'no').
    """
    plain = re.sub(r"[\W_]+", " ", text).split()
    words = f" {' '.join(plain).lower()} "
    found = {place.code for name, place in _COUNTRIES.items() if f" {name} " in words}
    codes = {each.lower() for each in plain if (each in _BY_CODE and each not in _NO_CODES) or each in _UPPER}
    found = found or codes
    return found.pop() if len(found) == 1 else None
