"""A yes at the command line is to what was listed: a lab that somebody else has moved meanwhile stays as it is."""

from __future__ import annotations

import sys

import pytest

from helpers.checkout import as_here
from helpers.running import Running
from helpers.seat import seated

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("verb", ["reset", "next"])
@pytest.mark.parametrize("moved", [True, False])
def test_a_yes_is_to_what_was_listed(lab: Running, verb: str, moved: bool) -> None:
    """Moved between the list and the answer, it is refused and nothing goes; else it is done."""
    lab.reset("lab")
    lab.goto("cable/plug")
    lab.run()
    lab.goto("cable/plug")
    lab.sh("ip link add one type bridge; ip link add two type bridge")
    command = [sys.executable, "-P", "-m", "netless", "--lab", lab.name, verb]
    with seated(command, as_here()) as seat:
        seat.read_until(b"go on? [y/N]")
        if moved:
            lab.goto("container/switch")
            lab.sh("ip link add keepme type bridge")
        seat.type(b"y\r")
        code = seat.ended()
    if moved:
        assert code == 1 and b"somebody else has moved the lab" in seat.said
        assert "keepme" in lab.links() and "switch" in lab.status().position
    else:
        assert code == 0 and not {"one", "two"} & lab.links()
