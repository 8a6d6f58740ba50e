"""A packet that is asked for goes to a node by its name, to an address, or to a name that is looked up; the lab finds out which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from helpers.running import Running
from netless_lab.client import Refused
from netless_lab.model.probe import Connect, Lookup, Ping, Probe
from netless_lab.protocol import Explain, Request, SendProbe

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("verb", [SendProbe, Explain])
def test_a_nodes_name_stands_for_its_address(lab: Running, verb: Callable[[Probe], Request[Any]]) -> None:
    """Whoever asks need not know the address; where there is none yet, that is said (exit code 1)."""
    lab.goto("neighbour", end=True)
    answer = lab.client.ask(verb(Ping("c1", "c2")))
    assert "10.0.0.3" in str(answer)
    lab.goto("cable/plug")
    with pytest.raises(Refused, match="c1 has no address yet") as refused:
        lab.client.ask(verb(Ping("host", "c1")))
    assert refused.value.code == 1


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        (Ping("c1", "c9"), "c9 is neither an address nor a node"), (Connect("c1", "10.0.0.300", 80), "10.0.0.300 is not an address"),
        (Ping("c1", "10.0.0.1/24"), "without a prefix length"), (Ping("c9", "c1"), "no node c9"),
    ],
)  # fmt: skip
def test_what_is_no_target_is_refused_with_those_there_are(lab: Running, probe: Probe, says: str) -> None:
    """Wrong usage, whichever verb asks."""
    lab.goto("neighbour", end=True)
    requests: tuple[Request[Any], ...] = (SendProbe(probe), Explain(probe))
    for request in requests:
        with pytest.raises(Refused, match=says) as refused:
            lab.client.ask(request)
        assert refused.value.code == 2


def test_a_name_is_looked_up_when_it_has_a_dot_or_is_called_one(lab: Running) -> None:
    """A node that is called so does not stand in the way of a name."""
    lab.goto("internet", end=True)
    assert lab.client.ask(SendProbe(Ping("c1", "example.test"))).result == "answered"
    assert lab.client.ask(SendProbe(Lookup("c1", "example.test"))).result == "answered"
    assert "knows no name c2" in str(lab.client.ask(Explain(Ping("c1", "c2"), named=True)))
