"""What others import for cases that are none of ours is left out, where somebody waits for it or it takes memory as long as a lab lives.

A module that is None in ``sys.modules`` is not found (Python's reference, 5.3.1); whoever wants it later gets it.

- msgspec asks typing_extensions for what ``typing`` has had since Python 3.11; that takes as long to import as all the rest of it. This
  module imports msgspec without it: import this one first.
- asyncio asks ssl for connections with TLS, of which there are none here: 4 MiB and as many milliseconds.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def _import_without(name: str, absent: str) -> None:
    """Import a module for which another is not there. Nothing happens where either was imported before."""
    modules: dict[str, Any] = sys.modules
    if absent in modules or name in modules:
        return
    modules[absent] = None
    try:
        import_module(name)
    finally:
        del modules[absent]


def import_asyncio() -> None:
    """Before all that imports asyncio."""
    _import_without("asyncio", "ssl")


_import_without("msgspec", "typing_extensions")
