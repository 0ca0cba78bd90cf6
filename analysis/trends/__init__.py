"""How topics, creators and products move over time."""
