"""Names that were given inside a lab, as they are shown outside: no sign of theirs acts on the terminal or the page that shows them. Pure."""

from __future__ import annotations

import re
from typing import Final

ACTING: Final = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
"""Signs that say nothing and do something: control characters (C0, DEL, C1), the ends of lines and paragraphs, the bidirectional controls
(Unicode Standard Annex 9, 2.1 to 2.6), which let what stands behind them be read in another order than it was written in, and the two
that make a document no XML (XML 1.0, 2.2)."""


def harmless(text: str, kept: str = "") -> str:
    """The text with a question mark for every sign that acts, but those in ``kept``: "\\t\\n" where lines stay lines."""
    return re.sub(ACTING, lambda sign: sign[0] if sign[0] in kept else "?", text)
