"""Why, in a lab whose learner has called things otherwise than the lessons do: whose an address should be is known by the learner's address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.broken import ping
from helpers.own_words import build
from helpers.running import Running, running
from netless_lab.protocol import Explain

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for this file."""
    with running() as own:
        build(own)
        yield own


def test_the_address_that_is_missing_is_the_learners(lab: Running) -> None:
    """c1 has lost its address: the mend gives it back, and it works again (ping witnesses)."""
    lab.sh("ip address flush dev left", "c1")
    told = lab.client.ask(Explain(ping("192.168.7.1")))
    assert (told.code, told.place) == ("address-missing", "c1:left") and "192.168.7.2/24" in told.fix, told
    lab.sh(told.fix)
    assert lab.pings("192.168.7.1")
