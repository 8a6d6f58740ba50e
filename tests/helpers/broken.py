"""One thing broken in a running lab by ``ip``, ``nft`` and their kin, and what ``explain`` must say of it.

The witness is never the code under test: iputils' ping, or a connection by Python's own socket, must fail after the breakage.
"""

from __future__ import annotations

import subprocess
from typing import Any, NamedTuple

from helpers.running import Running
from netless_lab.model.probe import Connect, Fetch, Lookup, Ping, Probe
from netless_lab.protocol import Explain

START = "container/neighbour/everyone"
"""c1 10.0.0.2 and c2 10.0.0.3 on br0 of the host, which forwards, masquerades and has a firewall; everything works."""
SITE = "198.51.100.10"
_DIAL = "python3 -c 'import socket; socket.create_connection((\"{to}\", {port}), 0.3)'"


class Broken(NamedTuple):
    """``do`` are shell lines, one each; ``c2| ip ...`` runs in c2, ``c2& ...`` stays running there. ``undo`` is for what a reset leaves."""

    name: str
    do: str
    probe: Probe
    code: str
    place: str
    undo: str = ""


def ping(to: str, node: str = "c1", **options: Any) -> Ping:
    """A ping from c1."""
    return Ping(node, to, **options)


def explained(lab: Running, broken: Broken) -> dict[str, Any]:
    """Build the healthy lab, break it, see that it is broken, and ask why."""
    lab.goto(START, end=True)
    servers = [started for line in broken.do.strip().splitlines() if (started := _do(lab, line.strip())) is not None]
    try:
        assert not _answers(lab, broken.probe), f"{broken.name}: nothing is broken"
        answer: dict[str, Any] = lab.client.ask(Explain, probe=broken.probe)
    finally:
        for server in servers:
            server.kill()
            server.wait()
        for line in broken.undo.splitlines():
            _do(lab, line)
    return answer


SUPPOSED = frozenset(
    (
        "address-wrong", "dnat-output", "dnat-rule", "duplicate-mac", "fdb-wrong", "gateway-wrong", "local-route-missing", "macvlan-host",
        "masquerade-skipped", "neighbour-unanswered", "no-such-host", "port-flood", "port-locked", "port-wrong-bridge", "route-localnet",
        "route-wrong", "service-silent", "source-wrong", "subnet-clash", "vxlan-port",
    )
)  # fmt: skip
"""Causes that the state suggests and no fact proves: the ladder may not call them certain. One that comes to be proved leaves this list."""


def check(lab: Running, broken: Broken) -> None:
    """The place and the cause are named, from facts, and nothing that is wrong is called certain."""
    told = explained(lab, broken)
    assert (told["code"], told["place"]) == (broken.code, broken.place), f"{broken.name}: {told['seen']} {told['cause']}"
    assert not told["answered"] and told["seen"] and told["cause"].endswith(".")
    assert told["facts"] and told["certainty"] in (("likely",) if broken.code in SUPPOSED else ("certain", "likely"))
    assert any(fact["look"] for fact in told["facts"])


def _do(lab: Running, line: str) -> subprocess.Popen[bytes] | None:
    """One line; a server is waited for until it listens."""
    node, kind, command = "host", "|", line
    if line[:3] in ("c1|", "c2|", "c1&", "c2&"):
        node, kind, command = line[:2], line[2], line[3:].strip()
    if kind == "|":
        lab.sh(command, node)
        return None
    listening = lab.sh("ss -Hltn", node)
    entry = lab.entry(node)
    server = subprocess.Popen([*entry.argv, "sh", "-c", f"exec {command}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        if lab.sh("ss -Hltn", node) != listening:
            return server
        assert server.poll() is None, f"{command} ended"
    raise AssertionError(f"{command} does not listen")


def _answers(lab: Running, probe: Probe) -> bool:
    """What ping(8), or a socket, has to say."""
    match probe:
        case Ping(node=node, to=to, size=size, dont_fragment=whole, ttl=ttl):
            options = f"{'-M do' if whole else ''} {f'-t {ttl}' if ttl else ''}"
            return " 1 received" in lab.sh(f"ping -n -c1 -W0.15 -s {size} {options} {to} || true", node)
        case Connect(node=node, to=to, port=port):
            return lab.sh(f"{_DIAL.format(to=to, port=port)} 2>/dev/null && echo open || true", node) == "open\n"
        case Fetch(node=node, url=url):
            return lab.sh(f"curl -s -o /dev/null --max-time 0.5 {url} && echo came || true", node) == "came\n"
        case Lookup(node=node, name=name):
            return lab.sh(f"timeout 0.5 getent ahostsv4 {name} || true", node) != ""
    return False
