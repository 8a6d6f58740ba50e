"""One thing broken in a running lab by ``ip``, ``nft`` and their kin, and what ``explain`` must say of it.

The witness is never the code under test: iputils' ping, or a connection by Python's own socket, must fail after the breakage.
"""

from __future__ import annotations

import re
import subprocess
from typing import Any, NamedTuple

from helpers.running import Running
from helpers.waiting import eventually
from netless_lab.model.journey import Explanation
from netless_lab.model.probe import Connect, Fetch, Lookup, Ping, Probe, Udp
from netless_lab.protocol import Explain, Play

START = "container/neighbour/everyone"
"""c1 10.0.0.2 and c2 10.0.0.3 on br0 of the host, which forwards, masquerades and has a firewall; everything works."""
SITE = "198.51.100.10"
_ELSEWHERE = re.compile("(?P<node>host|c1|c2|internet)(?P<kind>[|&])")
_DIAL = "python3 -c 'import socket; socket.create_connection((\"{to}\", {port}), 0.3)'"
_SEND = """python3 -c '
import socket
own = socket.socket(socket.{family}, socket.SOCK_DGRAM)
own.setsockopt({level}, {option}, {cut})
own.setsockopt({level}, {errors}, 1)
own.bind(("", {port}))
own.settimeout(0.3)
own.connect(("{to}", {at}))
try:
    own.send(b"x" * {size})
    own.recv(1)
except ConnectionRefusedError:
    said = own.recvmsg(512, 512, socket.MSG_ERRQUEUE)[1][0][2]
    who = socket.inet_ntop(own.family, said[{at_byte}:{at_byte} + {length}])
    assert who == own.getpeername()[0]
'"""

"""Reached: a datagram came back, or the target itself said that nobody listens (its error is looked at: IP_RECVERR, ip(7))."""
_FOUR = {"family": "AF_INET", "level": 0, "option": 10, "errors": 11, "at_byte": 20, "length": 4}
_SIX = {"family": "AF_INET6", "level": 41, "option": 23, "errors": 25, "at_byte": 24, "length": 16}


class Broken(NamedTuple):
    """``do`` are shell lines, one each; ``c2| ip ...`` runs in c2, ``c2& ...`` stays running there. ``undo`` is for what a reset leaves.

    ``served``: in a healthy lab the probe is answered, so a command that mends the breakage brings the answer back.
    """

    name: str
    do: str
    probe: Probe
    code: str
    place: str
    undo: str = ""
    served: bool = True


def ping(to: str, node: str = "c1", **options: Any) -> Ping:
    """A ping from c1."""
    return Ping(node, to, **options)


def explained(lab: Running, broken: Broken) -> Explanation:
    """Build the healthy lab, break it, see that it is broken, ask why; and type what is said to mend it, which it must.

    In play: the judge sends packets of its own after each change, and whoever is sent one learns who sent it (RFC 826).
    """
    lab.goto(START, end=True)
    lab.client.ask(Play(True))
    servers = [started for line in broken.do.strip().splitlines() if (started := _do(lab, line.strip())) is not None]
    try:
        assert not _answers(lab, broken.probe), f"{broken.name}: nothing is broken"
        answer = lab.client.ask(Explain(probe=broken.probe))
        if answer.fix and broken.served:
            lab.sh(answer.fix)
            assert eventually(lambda: _answers(lab, broken.probe)), f"{broken.name}: {answer.fix} heals nothing; {answer}"
    finally:
        for server in servers:
            server.kill()
            server.wait()
        for line in broken.undo.splitlines():
            _do(lab, line)
    return answer


SUPPOSED = frozenset(
    (
        "address-wrong", "dnat-output", "proxy-arp-route", "dnat-rule", "duplicate-mac", "fdb-wrong", "gateway-wrong", "local-route-missing", "macvlan-host",
        "masquerade-skipped", "neighbour-unanswered", "no-such-host", "port-flood", "port-locked", "port-wrong-bridge", "route-localnet",
        "service-silent", "source-wrong", "subnet-clash", "vxlan-port",
    )
)  # fmt: skip
"""Causes that the state suggests and no fact proves: the ladder may not call them certain. One that comes to be proved leaves this list."""


def check(lab: Running, broken: Broken) -> None:
    """The place and the cause are named, from facts, and nothing that is wrong is called certain."""
    told = explained(lab, broken)
    assert (told.code, told.place) == (broken.code, broken.place), f"{broken.name}: {told.seen} {told.cause}"
    assert not told.answered and told.seen and told.cause.endswith(".")
    assert told.facts and told.certainty in (("likely",) if broken.code in SUPPOSED else ("certain", "likely"))
    assert any(fact.look for fact in told.facts)


def _do(lab: Running, line: str) -> subprocess.Popen[bytes] | None:
    """One line; a server is waited for until it listens."""
    node, kind, command = "host", "|", line
    if there := _ELSEWHERE.match(line):
        node, kind, command = there["node"], there["kind"], line[there.end() :].strip()
    if kind == "|":
        lab.sh(command, node)
        return None
    listening = lab.sh("ss -Hltun", node)
    entry = lab.entry(node)
    server = subprocess.Popen([*entry.argv, "sh", "-c", f"exec {command}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        if lab.sh("ss -Hltun", node) != listening:
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
        case Udp(node=node, to=to):
            send = _SEND.format(
                **(_FOUR if ":" not in to else _SIX), cut=2 if probe.dont_fragment else 1, port=probe.source_port or 0, to=to, at=probe.port,
                size=probe.size or 8,
            )  # fmt: skip
            return lab.sh(f"{send} 2>/dev/null && echo reached || true", node) == "reached\n"
        case Fetch(node=node, url=url):
            return lab.sh(f"curl -s -o /dev/null --max-time 0.5 {url} && echo came || true", node) == "came\n"
        case Lookup(node=node, name=name):
            return lab.sh(f"timeout 0.5 getent ahostsv4 {name} || true", node) != ""
    return False
