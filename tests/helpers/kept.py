"""What an object keeps alive: for tests that something which goes on for ever does not grow for ever."""

from __future__ import annotations

import gc
from types import FunctionType, ModuleType
from typing import TypeVar

KindT = TypeVar("KindT")


def kept(*roots: object, kind: type[KindT]) -> list[KindT]:
    """Every instance of ``kind`` that can be reached from ``roots``, over attributes and containers that the collector knows, but not over classes,
    modules and functions.
    """
    seen: set[int] = set()
    waiting: list[object] = list(roots)
    found: list[KindT] = []
    while waiting:
        own = waiting.pop()
        if id(own) in seen or isinstance(own, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(own))
        if isinstance(own, kind):
            found.append(own)
        waiting += gc.get_referents(own)
    return found
