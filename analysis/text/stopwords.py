"""Words that hold sentences together, of yake's lists, and what people write instead of them in posts. Pure."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

LANGUAGES = ("en", "pt", "es", "fr", "de", "it")
_FILES = {"pt": ("pt", "br")}
_CHAT = {
    "en": "im dont cant didnt doesnt isnt wasnt youre its ive ill lol lmao omg btw gonna wanna gotta yall yeah ok okay "
    "pls rt amp via u ur r n today now get got one new day like just",
    "pt": "pq vc vcs q tb tbm mto mt oq ne né ta tá to tô tou pra pro pros pras kk kkk kkkk rs mano cara tipo "
    "aqui aí ai eu amo gente hein bora dessa desse nessa nesse hoje coisa fã mds pqp vou vai",
    "es": "xd jaja jajaja pues así asi tan voy va hoy qué mi muy ahora siempre nadie",
}


@cache
def listed(code: str) -> frozenset[str]:
    """Stop words of one of LANGUAGES, lower case, as written."""
    spec = find_spec("yake")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("yake: its lists of stop words are needed; try: make setup")
    folder = Path(next(iter(spec.submodule_search_locations))) / "core" / "StopwordsList"
    held = [
        line.strip().lower()
        for name in _FILES.get(code, (code,))
        for line in (folder / f"stopwords_{name}.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    return frozenset(word for word in [*held, *re.findall(r"\w+", _CHAT.get(code, ""))] if word)


@cache
def telling() -> dict[str, str]:
    """Words that stand in the list of one language only: that language's code."""
    owners: dict[str, list[str]] = {}
    for code in LANGUAGES:
        for word in listed(code):
            owners.setdefault(word, []).append(code)
    return {word: codes[0] for word, codes in owners.items() if len(codes) == 1 and len(word) > 1}
