"""Seeds of what is broken on purpose: the same number breaks the same thing."""

from __future__ import annotations

import random
from typing import Final

SEEDS: Final = 10_000
"""They are drawn from 0 to this, so that they can be said to a neighbour and typed."""


def drawn() -> int:
    """A seed that nobody could foresee."""
    return random.SystemRandom().randrange(SEEDS)
