"""msgspec, imported without typing_extensions, which takes as long again: all that msgspec wants of it ``typing`` has had since Python 3.11.

Import this before anything that imports msgspec, where somebody waits. A module that is None in ``sys.modules`` is not found (Python's
reference, 5.3.1), and msgspec then takes ``typing``. Whoever wants the other later gets it.
"""

from __future__ import annotations

import sys
from typing import Any, Final

_MODULE: Final = "typing_extensions"


def _import_msgspec() -> None:
    modules: dict[str, Any] = sys.modules
    if _MODULE in modules:
        return
    modules[_MODULE] = None
    try:
        import msgspec  # noqa: F401
    finally:
        del modules[_MODULE]


_import_msgspec()
