"""What others import for cases that are none of ours is left out, where somebody waits for it or it takes memory as long as a lab lives.

A module that is None in ``sys.modules`` is not found (Python's reference, 5.3.1); whoever wants it later gets it.

- msgspec asks typing_extensions for what ``typing`` has had since Python 3.11; that takes as long to import as all the rest of it. And it asks
  uuid, which asks platform how the system is called and nothing else. This module imports msgspec without both: import this one first.
- asyncio asks ssl for connections with TLS, of which there are none here: 4 MiB and as many milliseconds.
- pyroute2's own first lines import all that the library has, databases and file servers among it: 5 MiB, and half of the time. What sets
  links, addresses and routes is in one part of it; that asks for ssl to try whether a server speaks TLS, and is given it when it does.
"""

from __future__ import annotations

import os
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


def import_iproute() -> None:
    """Before all that imports ``pyroute2.iproute``. Nothing happens where that or all of pyroute2 was imported before."""
    if "pyroute2" in sys.modules or "pyroute2.iproute" in sys.modules:
        return
    from importlib.util import find_spec, module_from_spec

    if (whole := find_spec("pyroute2")) is not None:
        _import_when_used("ssl")
        sys.modules["pyroute2"] = module_from_spec(whole)  # where its parts are found, and nothing that is in it
    try:
        import_module("pyroute2.iproute")
    finally:
        sys.modules.pop("pyroute2", None)


def _import_when_used(name: str, **known: object) -> None:
    """A module that is there for those who name it, and is read when one of them first looks into it, whole for every thread. For what is ``known``
    of it, it is not read.

    ``importlib.util.LazyLoader`` is not enough: the import statement itself looks whether the module is being read just now.
    """
    from importlib.util import find_spec, module_from_spec
    from threading import RLock

    spec = find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    loader, module, lock, unread = spec.loader, module_from_spec(spec), RLock(), True

    def read(attribute: str) -> object:
        nonlocal unread
        with lock:  # held by the one thread that reads it, in which the module itself may look for what it does not have yet
            if unread:
                unread = False
                try:
                    loader.exec_module(module)
                except BaseException:
                    unread = True
                    raise
        if attribute in vars(module):
            return vars(module)[attribute]
        raise AttributeError(f"module {name!r} has no attribute {attribute!r}")

    vars(module).update(known)
    module.__getattr__ = read  # type: ignore[method-assign]
    sys.modules[name] = module


_import_when_used("platform", system=lambda: os.uname().sysname)
_import_without("msgspec", "typing_extensions")
