"""A small invented world of creators, topics, boards and a store, whose truth is known. Nothing in it exists."""

from demo.world.world import START, Truth, World

__all__ = ["START", "Truth", "World"]
