"""What is claimed of a probe, in a sentence."""

from __future__ import annotations

import pytest

from netless_lab.course.probe_words import claim
from netless_lab.course.step import ProbeCheck
from netless_lab.model.probe import Lookup


@pytest.mark.parametrize(
    ("check", "says"),
    [
        (ProbeCheck(Lookup("c1", "example.test")), "c1 finds the address of example.test"),
        (ProbeCheck(Lookup("c1", "example.test"), answer="198.51.100.10"), "c1 finds the address of example.test, 198.51.100.10"),
        (ProbeCheck(Lookup("c1", "example.test", "198.51.100.53")), "c1 finds the address of example.test when it asks 198.51.100.53"),
        (
            ProbeCheck(Lookup("c1", "example.test", "198.51.100.53"), answer="198.51.100.10"),
            "c1 finds the address of example.test, 198.51.100.10, when it asks 198.51.100.53",
        ),
        (
            ProbeCheck(Lookup("c1", "example.test", "198.51.100.53"), demand="guard"),
            "c1 does not find the address of example.test when it asks 198.51.100.53",
        ),
    ],
)
def test_a_lookup_says_which_server_is_asked(check: ProbeCheck, says: str) -> None:
    """Where it is not the one that the node's own files name: else two lookups that go differently read alike."""
    assert claim(check) == says
