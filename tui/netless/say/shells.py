"""What is said of shells that a lab keeps, in their terminals and beside them."""

from __future__ import annotations

import time
from typing import Final

from netless_lab.model.telling import the

ENDED_HERE: Final = "enter starts a new shell"


def ended_alone(at: float, now: float, code: int | None) -> str:
    """Of a shell that ended while nobody was there: when that was, and how, as far as it is known."""
    day = "%H:%M" if time.localtime(at)[:3] == time.localtime(now)[:3] else "%H:%M on %Y-%m-%d"
    how = "" if code is None else f" with exit code {code}" if code >= 0 else f", killed by signal {-code}"
    return f"ended at {time.strftime(day, time.localtime(at))}{how}, while nobody was at it"


def over(node: str, at: float, now: float, code: int | None) -> str:
    """The same in passing, of the shell of a node."""
    return f"The shell of {the(node)} {ended_alone(at, now, code)}: its terminal shows what it printed last."



def not_kept(most: int = 0) -> str:
    """In the terminal of a shell that ends with the tutor: so ``most`` are kept at once, and all of those are in use; 0 where the lab did not say."""
    if not most:
        return "this shell ends with the tutor, for the lab could not be asked to keep it: type exit and press enter to try it with a new one"
    return f"this shell ends with the tutor, for the lab keeps {most} at once and all are in use: end one of those, then this one, and the next is kept"
