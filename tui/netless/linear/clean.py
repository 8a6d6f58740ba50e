"""What a program prints, without what acts on a terminal, and the marks that a shell puts around its prompt (OSC 133). Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_ACTING: Final = re.compile(
    r"\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"  # a string: OSC, ended by BEL or ST (ECMA-48, 8.3.89)
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI (8.3.16)
    r"|\x1b[PX^_][^\x1b]*\x1b\\"  # other strings
    r"|\x1b[ -/]*[0-~]"
    r"|\r+\n|\r|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]"
)
_DRAWING: Final = re.compile(r"\x1b\[(?:\d+;\d+[Hf]|\?(?:47|1047|1049)h)")
"""A place on the screen (CUP and HVP, ECMA-48, 8.3.21 and 8.3.63), and xterm's other screen: nothing that goes line by line has a use for them."""
_BEGUN: Final = re.compile(r"\x1b(?:\][^\x07\x1b]*\x1b?|\[[0-?]*[ -/]*|[PX^_][^\x1b]*\x1b?|[ -/]*)\Z|\r+\Z")
"""The beginning of something that acts, at the end of what has come so far."""
_LONGEST: Final = 4096
"""Letters of what may be begun and not ended; what is longer is none."""


class Mark(NamedTuple):
    """A mark of the shell: ``A`` a prompt begins, ``B`` it has ended and a line can be typed, ``C`` the line is run, ``D;0`` it has ended so. Or
    ``screen``: a program draws on the whole of it.
    """

    what: str


class Cleaner:
    """Takes bytes as they come. A line that is written over is a line of its own."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> Iterator[str | Mark]:
        """The text and the marks in it."""
        text = self._rest + self._decoder.decode(data)
        begun = _BEGUN.search(text)
        end = begun.start() if begun is not None and len(text) - begun.start() < _LONGEST else len(text)
        text, self._rest = text[:end], text[end:]
        at = 0
        for found in _ACTING.finditer(text):
            if found.start() > at:
                yield text[at : found.start()]
            at = found.end()
            if (found["osc"] or "").startswith("133;"):
                yield Mark(found["osc"][4:])
            elif _DRAWING.fullmatch(found[0]):
                yield Mark("screen")
            elif "\r" in found[0]:
                yield "\n"
        if at < len(text):
            yield text[at:].replace("\x1b", "")
