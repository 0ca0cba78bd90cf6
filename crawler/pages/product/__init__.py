"""Readers of any store's product page: candidates with their evidence, and the choice among them."""
