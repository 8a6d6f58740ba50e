"""The decoder: every kind of packet, identity over hops, broken frames; tcpdump is the witness for the fields."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from capture import frames
from netless_lab.kernel.capture.pcapng import pcapng
from netless_lab.model import dns
from netless_lab.model.journeys.decode import decode
from netless_lab.model.journeys.frame import Frame
from netless_lab.model.journeys.words import layers, words

SAID = {
    "echo": "10.0.0.2 > 198.51.100.10 echo request seq 1",
    "arp": "who has 10.0.0.1? tell 10.0.0.2",
    "arp-reply": "10.0.0.1 is at 02:00:0a:00:00:02",
    "syn": "10.0.0.2:40000 > 198.51.100.10:80 SYN",
    "http": "10.0.0.2:40000 > 198.51.100.10:80 GET /page HTTP/1.1",
    "dns": "10.0.0.2:5000 > 198.51.100.10:53 DNS A example.test?",
    "dns-answer": "10.0.0.2:53 > 198.51.100.10:5000 DNS example.test is 198.51.100.10",
    "vlan": "10.0.0.2 > 198.51.100.10 echo request seq 1",
    "vxlan": "192.0.2.1 > 192.0.2.2 VXLAN 100: 10.50.0.1 > 10.50.0.2 echo request seq 1",
    "unreachable": "10.0.0.1 > 10.0.0.2 host unreachable about 10.0.0.2 > 198.51.100.10",
    "too-big": "10.0.0.1 > 10.0.0.2 fragmentation needed (mtu 1400) about 10.0.0.2:40000 > 198.51.100.10:80",
    "fragment": "10.0.0.2 > 198.51.100.10 piece of a cut ICMP packet",
    "echo6": "fd00::2 > fd00::1 echo request seq 1",
    "solicitation": "who has fd00::1? tell fd00::2",
    "extended": "[fd00::2]:1 > [fd00::1]:2 UDP, 5 bytes",
    "chain": "[fd00::2]:1 > [fd00::1]:2 UDP, 5 bytes",
    "piece6": "fd00::2 > fd00::1 piece of a cut ICMPv6 packet",
    "gre": "10.0.0.2 > 198.51.100.10 GRE",
    "lldp": "frame of type 0x88cc",
}
TCPDUMP = {
    "echo": "10.0.0.2 > 198.51.100.10: ICMP echo request, id 77, seq 1",
    "arp": "who-has 10.0.0.1 tell 10.0.0.2",
    "syn": "10.0.0.2.40000 > 198.51.100.10.80: Flags [S], cksum",
    "dns": "A? example.test.",
    "vlan": "vlan 42",
    "vxlan": "vni 100",
    "unreachable": "ICMP host 198.51.100.10 unreachable",
    "too-big": "need to frag (mtu 1400)",
    "echo6": "ICMP6, echo request, id 77, seq 1",
    "solicitation": "neighbor solicitation, length 32, who has fd00::1",
    "extended": "1 > 2: [bad udp cksum",
    "chain": "RT6 (len=0, type=4, segleft=0, last-entry=0, flags=0x0, tag=0) frag (0x0000cafe:0|25) AH(length=1(12-bytes),spi=0x00000101",
    "piece6": "frag (0x0000cafe:64|16)",
}


@pytest.mark.parametrize("name", SAID)
def test_every_kind_in_words(name: str) -> None:
    """Each kind of packet says what it is, with its addresses and ports."""
    assert words(decode(frames.samples()[name])) == SAID[name]


def test_tcpdump_reads_the_same(tmp_path: Path) -> None:
    """The samples are what they claim to be: tcpdump finds the same addresses, ids, ports and names in them."""
    samples = frames.samples()
    path = tmp_path / "samples.pcapng"
    path.write_bytes(pcapng(Frame(n, "c1", "eth0", 1, "in", data, len(data)) for n, data in enumerate(samples.values())))
    told = subprocess.run(["tcpdump", "-nnevv", "-r", str(path)], capture_output=True, text=True, check=True)
    assert [name for name, text in TCPDUMP.items() if text not in told.stdout] == []


def test_identity_survives_address_translation() -> None:
    """A packet whose source, TTL and checksum NAT changed has the same mark; the next packet of the conversation another."""
    inside = decode(frames.ethernet(frames.ip4(6, frames.tcp(2))))
    outside = decode(frames.ethernet(frames.ip4(6, frames.tcp(2), source="203.0.113.2", ttl=63)))
    again = decode(frames.ethernet(frames.ip4(6, frames.tcp(2), ident=8)))
    assert inside.mark == outside.mark != again.mark
    assert (inside.talk.src, outside.talk.src) == ("10.0.0.2", "203.0.113.2")


def test_an_error_names_the_packet_it_is_about() -> None:
    """The quoted packet's addresses, ports and echo id are those of the packet itself, though only eight bytes of it are quoted."""
    about = decode(frames.samples()["unreachable"]).quoted
    stream = decode(frames.samples()["too-big"]).quoted
    assert about is not None and stream is not None
    assert about.talk == decode(frames.samples()["echo"]).talk
    assert stream.talk == decode(frames.samples()["syn"]).talk


def test_broken_frames_are_only_less_known() -> None:
    """Cut, changed and random bytes never raise, in no printer, and layers account for what they show."""
    for data in frames.broken(seed=4, count=20_000):
        assert isinstance(words(decode(data)), str)
        for layer, fields in layers(data):
            assert layer and all(name and isinstance(value, str) for name, value in fields)


def test_a_name_that_runs_in_circles_ends() -> None:
    """A DNS pointer to itself is no message, and ends."""
    read = dns.decode(frames.dns()[:12] + b"\xc0\x0c\0\1\0\1")
    assert read is not None and (read.questions, read.whole) == ((), False)


_CHAIN = ("IPv6 hop-by-hop options", "IPv6 destination options", "IPv6 routing", "IPv6 fragment", "IPv6 authentication")


@pytest.mark.parametrize(
    ("name", "names", "field", "value"),
    [
        ("http", ("Ethernet", "IPv4", "TCP", "HTTP"), "Host", "example.test"),
        ("dns-answer", ("Ethernet", "IPv4", "UDP", "DNS"), "answer 1", "A 198.51.100.10"),
        ("vxlan", ("Ethernet", "IPv4", "UDP", "VXLAN", "Ethernet", "IPv4", "ICMP", "data"), "network (VNI)", "100"),
        ("vlan", ("Ethernet", "802.1Q", "IPv4", "ICMP", "data"), "VLAN", "42"),
        ("too-big", ("Ethernet", "IPv4", "ICMP", "about this IPv4", "its ports"), "MTU of the next link", "1400"),
        ("solicitation", ("Ethernet", "IPv6", "ICMPv6"), "target", "fd00::1"),
        ("syn", ("Ethernet", "IPv4", "TCP"), "largest segment", "1460 bytes"),
        ("extended", ("Ethernet", "IPv6", "IPv6 hop-by-hop options", "UDP", "data"), "destination port", "2"),
        ("chain", ("Ethernet", "IPv6", *_CHAIN, "UDP", "data"), "SPI", "0x00000101"),
        ("piece6", ("Ethernet", "IPv6", "IPv6 destination options", "IPv6 fragment", "data"), "piece at", "64"),
    ],
)  # fmt: skip
def test_layers_of(name: str, names: tuple[str, ...], field: str, value: str) -> None:
    """From Ethernet inwards, each layer with its fields."""
    found = layers(frames.samples()[name])
    assert tuple(layer for layer, _ in found) == names
    assert (field, value) in [pair for _, fields in found for pair in fields]


@pytest.mark.parametrize("headers", [order for many in range(4) for order in itertools.permutations((0, 43, 44, 51, 60), many)], ids=str)
def test_the_layers_and_the_line_of_words_read_the_same_headers(headers: tuple[int, ...]) -> None:
    """Whatever extension headers stand before it, a datagram has the same ports in both, and an echo the same number."""
    datagram, request = frames.udp(b"hello", 1111, 2222), frames.echo(128, 77, 5)
    for proto, body in ((17, datagram), (58, request)):
        frame = frames.chained(headers, proto, body) if headers else frames.ethernet(frames.ip6(proto, body), 0x86DD)
        packet = decode(frame)
        (fields,) = [dict(fields) for name, fields in layers(frame) if name in ("UDP", "ICMPv6")]
        if proto == 17:
            assert (packet.sport, packet.dport) == (1111, 2222) == (int(fields["source port"]), int(fields["destination port"]))
        else:
            assert (packet.sport, packet.seq) == (77, 5) == (int(fields["id"]), int(fields["sequence"]))
