"""API and dashboard over the kept numbers: read-only, offline, every point with its evidence."""
