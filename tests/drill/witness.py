"""What iputils, curl and getent say of a probe: the witnesses of a fault's symptoms, run inside the lab."""

from __future__ import annotations

from urllib.parse import urlsplit

from helpers.running import Running
from helpers.waiting import PATIENCE_S
from netless_lab.model.probe import Connect, Fetch, Lookup, Ping, Probe, Udp

SILENCE_S = 0.25
"""How long an answer inside one kernel may take where none is to come: silence is waited out by every witness."""


def answered(lab: Running, probe: Probe, wanted: bool) -> bool:
    """Whether a program that everybody has gets an answer too. One that is ``wanted`` has the time that a machine with too much to do takes."""
    return "answered" in lab.sh(f"{_command(probe, PATIENCE_S if wanted else SILENCE_S)} && echo answered", probe.node, check=False)


_WAYS = {
    "vxlan": "ip link add w0 type vxlan id 9 dstport 4789 && ip link del w0",
    "macvlan": "ip link add w0 type veth peer name w1 && ip link add w2 link w0 type macvlan; done=$?; ip link del w0; exit $done",
    "bridge-nf": "test -e /proc/sys/net/bridge/bridge-nf-call-iptables",
    "nft-bridge": "nft 'add table bridge w; add chain bridge w c { type filter hook forward priority 0; }' && nft delete table bridge w",
    "nft-netdev": "nft 'add table netdev w; add chain netdev w c { type filter hook ingress device lo priority 0; }' && nft delete table netdev w",
    "nft-arp": "nft 'add table arp w; add chain arp w c { type filter hook input priority 0; }' && nft delete table arp w",
    "iptables-legacy": "iptables-legacy -S",
    "ip": "ip -V",
    "nft": "nft -v",
    "ping": "ping -V",
    "python3": "python3 -V",
}
"""How to see whether a lab has what a fault needs."""


def can(lab: Running, need: str) -> bool:
    """Whether this kernel, and the programs that the tests install, have what a fault needs."""
    return "it can" in lab.sh(f"({_WAYS[need]}) >/dev/null 2>&1 && echo it can || true")


_DATAGRAM = """python3 -c '
import socket
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.setsockopt(0, 10, {cut})
own.bind(("0.0.0.0", {port}))
own.settimeout({seconds})
own.connect(("{to}", {at}))
try:
    own.send(b"x" * {size})
    own.recv(1)
except ConnectionRefusedError:
    pass
' >/dev/null 2>&1"""
"""Python's own socket: a datagram, or the word that nobody listens, came back."""


def _command(probe: Probe, patience_s: float) -> str:
    quiet = ">/dev/null 2>&1"
    match probe:
        case Ping():
            fragment = "-M do " if probe.dont_fragment else ""
            ttl = f"-t {probe.ttl} " if probe.ttl else ""
            return f"ping -n -q -c1 -W{patience_s} {fragment}{ttl}-s {max(probe.size, 8)} {probe.to} {quiet}"
        case Connect():
            return f"curl -s -o /dev/null --max-time {patience_s} --http0.9 http://{probe.to}:{probe.port}/ {quiet}"
        case Udp():
            return _DATAGRAM.format(
                port=probe.source_port or 0, seconds=patience_s, size=probe.size or 8, to=probe.to, at=probe.port, cut=2 if probe.dont_fragment else 0
            )
        case Fetch():
            assert urlsplit(probe.url).hostname
            return f"curl -s -o /dev/null --max-time {max(patience_s, 3 * SILENCE_S)} {probe.url} {quiet}"
        case Lookup():
            return f"timeout {patience_s} getent ahostsv4 {probe.name} {quiet}"
