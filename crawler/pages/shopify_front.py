"""A Shopify store's front page: which currency, country and language it shows this visitor. It gives no items."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cached_property
from typing import ClassVar
from urllib.parse import urlencode

from crawler.outcomes import Outcome
from crawler.pages.base import asks_for_consent
from crawler.pages.product.document import challenges
from crawler.pages.shopify import ShopifyPage, host_of

_ROOT = re.compile(r"^https?://[^/?#]+/?(?:[?#]|$)")
_CURRENCY = re.compile(rb'Shopify\.currency\s*=\s*\{"active":"([A-Z]{3})","rate":"(\d{1,9}(?:\.\d{1,12})?)"')
_COUNTRY = re.compile(rb'Shopify\.country\s*=\s*"([A-Z]{2})"')
_LOCALE = re.compile(rb'Shopify\.locale\s*=\s*"([A-Za-z-]{2,12})"')


class FrontPage(ShopifyPage):
    """Its currency is the catalogue's where its rate is 1: there is then no other that the JSON could mean."""

    name: ClassVar[str] = "shopify.front"
    urls: ClassVar[tuple[str, ...]] = (_ROOT.pattern,)
    on_any_host: ClassVar[bool] = True

    @classmethod
    def knows(cls, url: str, body: bytes) -> bool:
        return _ROOT.match(url) is not None and b"Shopify.shop" in body

    def read(self) -> None:
        if b"Shopify.shop" not in self.body:
            self.reading.outcome = self._other()
        elif not self.market:
            self.reading.parts["currency"] = str(Outcome.MISSING)

    def _other(self) -> Outcome:
        if asks_for_consent(self.url, self.body):
            return Outcome.CONSENT
        walled = challenges(self.body) or b"<a " not in self.body.lower()
        return Outcome.BLOCKED if walled else Outcome.MISSING

    @cached_property
    def market(self) -> str:
        """Fragment for the catalogue's address: what this page states, and its capture; '' where unsure."""
        found = _CURRENCY.search(self.body)
        if found is None or Decimal(found[2].decode()) != 1:
            return ""
        country, locale = _COUNTRY.search(self.body), _LOCALE.search(self.body)
        stated = {
            "store": host_of(self.url),
            "currency": found[1].decode(),
            "country": country[1].decode() if country else "",
            "locale": locale[1].decode() if locale else "",
            "capture": self.capture,
        }
        return urlencode({name: value for name, value in stated.items() if value})
