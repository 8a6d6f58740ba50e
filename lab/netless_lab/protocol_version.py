"""The version of the protocol, for those too who say a word of it without reading it all (``greeting``)."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from typing import Final

VERSION: Final = 8
"""It stands in the first line of either side."""
