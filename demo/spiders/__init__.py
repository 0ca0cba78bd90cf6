"""Spiders for sources that the product has a page for and no spider of its own."""
