"""What is never kept: credentials in addresses and headers. The only place that decides what is secret.

Bodies are evidence and stay as they came.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from crawler.archive.model import Capture

REDACTED = "REDACTED"
MAX_TEXT = 4000  # nobody reads a longer line

# Names are compared in lower case without punctuation: X-Bogus is xbogus, user[password] userpassword.
_SECRET_NAMES = frozenset((
    "key", "sig", "code", "auth", "sid", "jwt", "pwd", "pass", "pw", "hmac", "appkey", "authkey", "clientkey",
    "developerkey", "masterkey", "sharedkey", "subscriptionkey", "userkey",
))  # fmt: skip
_SECRET_PARTS = (
    "token", "secret", "passw", "passphrase", "signature", "apikey", "accesskey", "privatekey", "session",
    "sessid", "credential", "authorization", "oauth", "bearer", "bogus", "gnarly", "verifyfp", "csrf", "xsrf",
    "cookie", "keypairid", "ttwid",
)  # fmt: skip
_PAGING = frozenset(("pagetoken", "nextpagetoken", "nexttoken", "prevtoken", "continuationtoken"))
_TOO_COMMON_IN_TEXT = frozenset(("code", "key", "pass", "auth", "sid"))  # `code=404` helps, and is no secret
_HEADER_PARTS = (*_SECRET_PARTS, "auth", "jwt")

# %25 may stand any number of times between % and the two digits: an address within an address.
_KEY = re.compile(
    r"(?P<sep>[?&;#]|%(?:25)*(?:3f|26|3b|23))"
    r"(?P<name>(?:(?!%(?:25)*(?:3f|26|3b|23|3d))[^=&;#?/\s]){1,200})"
    r"(?P<eq>=|%(?:25)*3d)",
    re.IGNORECASE,
)
_VALUE = re.compile(r"(?:[^&;#]|;(?!\s{0,9}[^=&;#\s]{1,200}=))*")
_PATH_VALUE = re.compile(r"[^/?&;#]*")
_NESTED_VALUE = re.compile(r"(?:(?!%(?:25)*(?:26|23))[^&#])*", re.IGNORECASE)
_USERINFO = re.compile(r"((?:^|:)//)[^/?#\s\"'<>]*@")
_NESTED_USERINFO = re.compile(
    r"(%(?:25)*3a%(?:25)*2f%(?:25)*2f)(?:(?!%(?:25)*(?:2f|3f|23|26))[^/?#&\s\"'<>])*%(?:25)*40", re.IGNORECASE
)

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_TEXT_URL = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://[^\s\"'<>]+", re.IGNORECASE)
_TEXT_PAIR = re.compile(
    r"""(?P<name>(?<![\w.-])[\w.\[\]-]{2,64}|"[^"\r\n]{2,64}"|'[^'\r\n]{2,64}')(?P<eq>\s*=\s*|(?<=["'])\s*:\s*)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&"'<>)\]}]+)"""
)
_TEXT_HEADER = re.compile(
    r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-csrf-token)(\s*[:=]\s*)[^\r\n]+", re.IGNORECASE
)
_TEXT_BEARER = re.compile(r"\b(bearer\s+)[\w.~+/=-]{6,}", re.IGNORECASE)


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", unquote(unquote(name)).lower())


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether a parameter of this name holds a secret."""
    folded = _folded(name)
    return folded not in _PAGING and (folded in _SECRET_NAMES or any(part in folded for part in _SECRET_PARTS))


def url(text: str) -> str:
    """The address without user:password@ and with REDACTED for secret values; all else byte for byte.

    Addresses that stand percent-encoded within a parameter are cleaned too.
    """
    if "@" in text or "%" in text:
        text = _NESTED_USERINFO.sub(r"\1", _USERINFO.sub(r"\1", text))
    kept: list[str] = []
    done = at = 0
    query = text.find("?") if "?" in text else len(text)
    while key := _KEY.search(text, at):
        at = key.end()
        if is_secret(key["name"]):
            value = _value_of(key, text, query)
            kept += text[done:at], REDACTED if value else ""
            done = at = at + len(value)
    return "".join(kept) + text[done:] if kept else text


def _value_of(key: re.Match[str], text: str, query: int) -> str:
    if key["sep"].startswith("%") or key["eq"] != "=":
        pattern = _NESTED_VALUE
    elif key["sep"] == ";" and key.start() < query:
        pattern = _PATH_VALUE  # /page;jsessionid=1A2B?x=1
    else:
        pattern = _VALUE
    found = pattern.match(text, key.end())
    return found[0] if found else ""


@lru_cache(maxsize=4096)
def _is_secret_header(name: str) -> bool:
    folded = _folded(name)
    return folded.endswith("key") or any(part in folded for part in _HEADER_PARTS)


def headers(given: Mapping[str, str]) -> dict[str, str]:
    """Lower-case names; without credentials, cookies and sessions; addresses in values are cleaned."""
    return {
        name.lower(): url(value) if "=" in value or "@" in value or "%" in value else value
        for name, value in given.items()
        if not _is_secret_header(name) and not name.startswith(":")
    }


def capture(given: Capture) -> Capture:
    """The capture as it may be kept; the same object when there was nothing to take out."""
    address, kept = url(given.url), headers(given.headers)
    target = url(given.target) if given.target else given.target
    if address == given.url and target == given.target and kept == given.headers:
        return given
    return replace(given, url=address, headers=kept, target=target)


def text(line: str) -> str:
    """A line for logs: secrets out, and control characters shown (\\x1b), so that it stays one line."""
    if len(line) > MAX_TEXT:
        line = line[:MAX_TEXT] + "…"
    line = _TEXT_URL.sub(lambda found: url(found[0]), line)
    line = _TEXT_HEADER.sub(rf"\1\2{REDACTED}", line)
    line = _TEXT_BEARER.sub(rf"\1{REDACTED}", line)
    return printable(_TEXT_PAIR.sub(_pair, line))


def _pair(found: re.Match[str]) -> str:
    name = found["name"].strip("\"'")
    if _folded(name) in _TOO_COMMON_IN_TEXT or not is_secret(name):
        return found[0]
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    return f"{found['name']}{found['eq']}{quote}{REDACTED}{quote}"


def printable(line: str) -> str:
    """Control, format and separator characters as escapes: nothing moves the cursor or hides text."""
    if line.isprintable():
        return line
    return "".join(
        each.encode("unicode_escape").decode() if unicodedata.category(each) in _HIDDEN else each for each in line
    )
