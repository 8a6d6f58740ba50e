"""The lab that a command acts on which names none. Pure."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

LAB_VARIABLE: Final = "NETLESS_LAB"
"""Names the lab of every command without ``--lab``; in the lab itself it is set, to that lab."""
DEFAULT_LAB: Final = "default"


def lab_in(environment: Mapping[str, str]) -> str:
    """The lab that a bare command acts on."""
    return environment.get(LAB_VARIABLE) or DEFAULT_LAB
