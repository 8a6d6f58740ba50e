"""Two followed packets: one that went out and came home, and one that died at the forwarding gate."""

from __future__ import annotations

from app import story
from netless_lab import protocol
from netless_lab.model.journey import Death, Hop, Journey, Rewrite
from netless_lab.model.probe import Outcome, Ping

WHO, HERE = "who has 10.0.0.1? tell 10.0.0.2", "10.0.0.1 is at 02:42:0a:00:00:06"
OUT, BACK = "10.0.0.2 > 198.51.100.10 echo-request ttl 64", "198.51.100.10 > 203.0.113.2 echo-reply"

ARP = (
    Hop("c1", "veth1", "out", 0.0, "arp-request", WHO, leg="arp"), Hop("host", "veth2", "broadcast", 3.8, "arp-request", WHO, leg="arp"),
    Hop("host", "br0", "broadcast", 3.8, "arp-request", WHO, leg="arp"), Hop("host", "br0", "out", 30.1, "arp-reply", HERE, leg="arp"),
    Hop("host", "veth2", "out", 30.6, "arp-reply", HERE, leg="arp"), Hop("c1", "veth1", "in", 31.0, "arp-reply", HERE, leg="arp"),
)  # fmt: skip
REQUEST = (
    Hop("c1", "veth1", "out", 38.8, "echo-request", OUT), Hop("host", "veth2", "other", 39.3, "echo-request", OUT),
    Hop("host", "br0", "in", 39.3, "echo-request", OUT),
)  # fmt: skip
HOME = Journey(
    "c1", "198.51.100.10",
    (*ARP, *REQUEST, Hop("host", "eth0", "out", 82.8, "echo-request", "203.0.113.2 > 198.51.100.10 echo-request ttl 63"),
     Hop("internet", "isp0", "in", 83.2, "echo-request", "203.0.113.2 > 198.51.100.10 echo-request ttl 63"),
     Hop("internet", "isp0", "out", 215.4, "echo-reply", BACK, leg="return"),
     Hop("host", "eth0", "in", 216.0, "echo-reply", BACK, leg="return"),
     Hop("host", "br0", "out", 221.0, "echo-reply", "198.51.100.10 > 10.0.0.2 echo-reply", leg="return"),
     Hop("c1", "veth1", "in", 222.5, "echo-reply", "198.51.100.10 > 10.0.0.2 echo-reply", leg="return")),
    rewrites=(Rewrite("host", 8, "source", "10.0.0.2", "203.0.113.2"),), complete=True,
)  # fmt: skip
DEAD = Journey("c1", "198.51.100.10", (*ARP, *REQUEST), death=Death("host", "br0", 8, "forward", "fwd"))


def probe(journey: Journey, answered: bool) -> protocol.ProbeEvent:
    """The event that carries a journey."""
    import msgspec

    outcome = Outcome(Ping("c1", "198.51.100.10"), "answered" if answered else "failed", "answered" if answered else "silence",
                      "198.51.100.10 answered" if answered else "no answer in 1 s", rtt_us=222.5 if answered else None)  # fmt: skip
    return protocol.ProbeEvent(story.NOON + 60, outcome, True, journey=msgspec.to_builtins(journey))
