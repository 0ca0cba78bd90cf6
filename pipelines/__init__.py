"""House 2: what happens to what comes back: validate, dedupe, upsert."""
