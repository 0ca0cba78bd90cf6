"""Creators and posts: what works, for whom, and when the numbers are too few to say."""
