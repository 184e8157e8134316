"""The store that keeps everything in this process and forgets it: for tests and simulations."""

from otter.models.memory.store import MemoryStore

__all__ = ["MemoryStore"]
