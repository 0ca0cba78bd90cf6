"""Any store product page: general readers, candidates with their evidence, and the choice among them."""

from crawler.pages.product.page import ProductPage

__all__ = ["ProductPage"]
