"""House 3: what it means. Pure functions on frames; `python -m analysis` shows them."""
