"""What a name server answers is read as far as it is whole."""

from __future__ import annotations

import pytest

from capture import frames
from netless_lab.kernel.probe import message

QUESTION = frames.dns()
REPLY = frames.dns(answer="198.51.100.10")


def test_a_whole_answer_is_read() -> None:
    """The address in it."""
    assert message.parse(REPLY, QUESTION) == message.Answer(0, ("198.51.100.10",))


@pytest.mark.parametrize("left", range(len(REPLY)))
def test_an_answer_that_is_cut_short_is_none(left: int) -> None:
    """Wherever it ends: within the address too."""
    assert message.parse(REPLY[:left], QUESTION) is None
