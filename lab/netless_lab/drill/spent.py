"""How long a drill took and which help was used, in words. Pure."""

from __future__ import annotations


def took(seconds: float) -> str:
    """``14 s``, ``3 min 12 s``: whole seconds that have passed, as a clock that runs shows them."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def help_used(hints: int, whys: int) -> str:
    """``no help``, ``1 hint``, ``2 hints and Why 3 times``"""
    parts = []
    if hints:
        parts.append("1 hint" if hints == 1 else f"{hints} hints")
    if whys:
        parts.append("Why once" if whys == 1 else f"Why {whys} times")
    return " and ".join(parts) or "no help"
