"""A small world of our own making, for the first run: everything in it is invented."""
