"""What Why makes of a question for a neighbour that was heard by whom it is for, and not answered. Pure."""

from __future__ import annotations

import msgspec
import pytest

from explain.test_ladder import evidence, hop, stuck
from helpers.snapshots import lab_with
from netless_lab.explain.ladder import explain


@pytest.mark.parametrize(("own", "everywhere", "named"), [("0", "8", "all"), ("8", "1", "br0"), ("1", "2", ""), ("0", "1", ""), ("3", "0", "")])
def test_a_setting_is_accused_only_of_what_it_does(own: str, everywhere: str, named: str) -> None:
    """The asked address is on the link that heard the question, and the asker is in its network: most values of arp_ignore have it answered."""
    question = msgspec.structs.replace(hop("c1", "veth1", "out"), kind="arp-request", dst="10.0.0.1", leg="arp", neighbour="question")
    heard = [msgspec.structs.replace(question, node="host", link=link, direction="in") for link in ("veth2", "br0")]
    knobs = {"host": {"net/ipv4/conf/br0/arp_ignore": own, "net/ipv4/conf/all/arp_ignore": everywhere}}
    found = explain(msgspec.structs.replace(evidence(lab_with(1), stuck(question, *heard)), knobs=knobs))
    assert (found.code == "arp-ignored") == bool(named), found
    assert f"conf.{named}.arp_ignore is 8" in str(found.facts) or not named
