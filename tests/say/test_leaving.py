"""The question before a lab ends: all of it is still to come. Pure."""

from __future__ import annotations

import pytest

from netless.desk.shells import Running
from netless.say.leaving import parting
from netless_lab.protocol import Parting


def told(found: Parting | None, *running: Running) -> str:
    """All of it, line by line."""
    return "\n".join(block.first.plain + block.content.plain for block in parting(found, running=running))


@pytest.mark.parametrize(
    ("so", "will"),
    [
        ("mine is gone from the host", "mine will go from the host"),
        ("c2 is gone, with everything in it", "c2 will go, with everything in it"),
        ("a cable went away: a on the host, b on c1", "a cable will go away: a on the host, b on c1"),
        ("the host lost the address 10.9.0.1/24 on br0", "the host will lose the address 10.9.0.1/24 on br0"),
        ("gone: the table ip mine in the host", "the table ip mine in the host will go"),
        ("gone: what is written in /etc/hosts in the host", "what is written in /etc/hosts in the host will go"),
        ("veth2 on the host is down", "afterwards: veth2 on the host is down"),
    ],
)
def test_what_goes_with_the_lab_has_not_gone_yet(so: str, will: str) -> None:
    """What the lab words as it is afterwards is told as what will be."""
    assert f"- {will}\n" in told(Parting(going=(so,)))


def test_what_ends_and_what_stays_is_said_of_the_time_to_come() -> None:
    """The lab, and what runs in its shells, will end; progress stays."""
    words = told(Parting(going=("gone: ~/mine",)), Running("host", ("sleep 9",), kept=False))
    assert words.startswith("The lab will end with this tutor, which started it.")
    assert "What runs in its shells will end too:\n- sleep 9 in the host" in words
    assert "sleep 9 in the host will end in any case" in words
    assert words.endswith("Your ticks stay in any case.")
