"""What an object keeps alive, counted: for tests that something which goes on for ever does not grow for ever."""

from __future__ import annotations

import gc
from types import FunctionType, ModuleType


def kept(*roots: object, kind: type) -> int:
    """How many instances of ``kind`` can be reached from ``roots``, over their attributes and containers, but not over classes, modules and functions."""
    seen: set[int] = set()
    waiting: list[object] = list(roots)
    found = 0
    while waiting:
        own = waiting.pop()
        if id(own) in seen or isinstance(own, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(own))
        found += isinstance(own, kind)
        waiting += gc.get_referents(own)
    return found
