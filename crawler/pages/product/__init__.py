"""Any store product page: general readers, candidates with their evidence, and the choice among them."""
