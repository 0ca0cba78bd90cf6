"""Ground floor: what a thing is, how a page reads, where things are kept."""
