"""Probes in words: what is claimed, what was expected, and which command shows why it went otherwise."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from ..model.probe import Connect, Fetch, Lookup, Outcome, Ping, Probe, Udp
from ..model.snapshot import Snapshot
from ..primitives.base import Where
from ..primitives.sysctl import sysctl_of
from .step import ProbeCheck

_FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
"""By the version of IP."""


def who(node: str) -> str:
    """A node in a sentence."""
    return "the host" if node == "host" else "the internet" if node == "internet" else node


def claim(check: ProbeCheck) -> str:
    """What a check says of the network, as a sentence without its full stop."""
    return _answered(check) if check.reply else f"{_claims(check.probe)[1]}{_asking(check.probe)}"


def overtaken(check: ProbeCheck) -> str:
    """What is true instead of the claim of an observation, when the packet is answered."""
    return f"{_answered(check)} already: you are ahead"


def expected(check: ProbeCheck) -> str:
    """What had to happen."""
    if not check.reply:
        return f"no answer, because {check.because}" if check.because else "no answer"
    parts = ["an answer"]
    if check.answer:
        parts.append(f"which is {check.answer}")
    if check.seen_as:
        parts.append(f"from a site that saw {check.seen_as}")
    return " ".join(parts)


def target(probe: Probe) -> str | None:
    """The address a probe is sent to, None when it is a name or unknown. ``fe80::1%veth1`` is ``fe80::1`` here."""
    return _target(probe)[0]


def _target(probe: Probe) -> tuple[str | None, str]:
    """(address, the link it is on when it is link-local)."""
    match probe:
        case Ping(to=text) | Connect(to=text) | Udp(to=text):
            pass
        case Lookup():
            text = probe.server or ""
        case Fetch():
            text = (urlsplit(probe.url).hostname or "").replace("%25", "%")
    address, _, link = text.partition("%")
    try:
        return str(ip_address(address)), link
    except ValueError:
        return None, ""


def look(probe: Probe, outcome: Outcome, snapshot: Snapshot, where: Where) -> str:
    """One command that shows why a packet went as it did."""
    node, (to, link) = probe.node, _target(probe)
    match outcome.reason:
        case "no-route" | "unreachable" | "ttl-exceeded" | "too-big" | "answered" if to:
            return where.ip(node, f"route get {to}" + (f" oif {link}" if link else ""))
        case "no-neighbour":
            return where.ip(node, "neigh show")
        case "blackhole":
            return where.ip(node, "route show table all")
        case "local-drop":
            return where.run(node, "nft list ruleset")
        case "filtered":
            return where.run("host", "nft list ruleset")
        case "refused" | "reset":
            owner = next((own for own in snapshot.nodes if to and own.owner(to)), None)
            return where.run(owner.name if owner else node, "ss -ltn")
        case "no-address" | "no-resolver" | "no-such-name" | "bad-answer":
            return names_look(node, where)
        case _:
            return _look_into_silence(node, to, link, snapshot, where)


def names_look(node: str, where: Where) -> str:
    """The command that shows how a node finds addresses of names: by its own files, which ``ip netns exec`` does not enter."""
    return where.files(node, "cat /etc/hosts /etc/resolv.conf")


def _look_into_silence(name: str, to: str | None, link: str, snapshot: Snapshot, where: Where) -> str:
    """A packet vanished: look at the cable when it goes next door, else at the gates on the way."""
    node = snapshot.node(name)
    host = snapshot.host_of(node) if node is not None else None
    if to is None or node is None or host is None:
        return where.ip(name, "route show")
    if link or any(ip_address(to) in ip_network(own.cidr, strict=False) for one in node.links for own in one.addresses):  # it goes next door
        return where.run(host.name, "bridge link show")
    forwarding = _FORWARDING[ip_address(to).version]
    if node is not host and host.owner(to) is None and sysctl_of(host, forwarding) == "0":
        return where.run(host.name, f"sysctl {forwarding}")
    if node is not host and host.chains:
        return where.run(host.name, "nft list ruleset")
    return where.ip(name, f"route get {to}")


def _answered(check: ProbeCheck) -> str:
    asking = _asking(check.probe)
    answer = f", {check.answer}{',' if asking else ''}" if check.answer else ""
    return _claims(check.probe)[0] + answer + asking + (f", and the site sees {check.seen_as}" if check.seen_as else "")


def _asking(probe: Probe) -> str:
    """Which name server is asked, where that is not left to the node's own files."""
    return f" when it asks {probe.server}" if isinstance(probe, Lookup) and probe.server else ""


def _claims(probe: Probe) -> tuple[str, str]:
    """(what is said of it when it is answered, and when it is not)."""
    sender = who(probe.node)
    match probe:
        case Ping():
            special = [f"{probe.size} bytes" if probe.size != 8 else "", f"ttl {probe.ttl}" if probe.ttl else ""]
            extra = " and ".join(part for part in special if part)
            return f"{probe.to} answers {sender}" + (f" (a ping of {extra})" if extra else ""), f"{probe.to} does not answer {sender}"
        case Connect(to=to, port=port):
            return f"{sender} can connect to {to} port {port}", f"{sender} cannot connect to {to} port {port}"
        case Udp(to=to, port=port):
            return f"{sender} reaches {to} UDP port {port}", f"{sender} does not reach {to} UDP port {port}"
        case Lookup(name=name):
            return f"{sender} finds the address of {name}", f"{sender} does not find the address of {name}"
        case Fetch(url=url):
            return f"{sender} gets the page {url}", f"{sender} does not get the page {url}"
