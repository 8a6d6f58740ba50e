"""The finished lab of the post, built by ``ip`` and ``nft`` alone, for tests that watch packets. To be used inside ``@sandboxed``.

    c1 10.0.0.2 ── veth1 ┐
                         br0 10.0.0.1 (host, forwarding, masquerade) up0 203.0.113.2 ── eth0 203.0.113.1 net 198.51.100.10
    c2 10.0.0.3 ── veth2 ┘
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from helpers.sandboxed import answers, container, sh
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.read import NodeRef

Nodes = dict[str, NodeRef]

QUIET = """for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > $f; done
for f in /proc/sys/net/ipv4/neigh/*/; do echo 50 > $f/retrans_time_ms; echo 2 > $f/mcast_solicit; done"""
HOST = """ip link set lo up; ip link add br0 type bridge; ip addr add 10.0.0.1/24 dev br0; ip link set br0 up
ip link add up0 type veth peer name eth0 netns {net}; ip addr add 203.0.113.2/24 dev up0; ip link set up0 up
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=0 2>/dev/null || sysctl -qw net.ipv4.ip_forward=1
"""
CABLE = """ip link add veth{n} type veth peer name eth0 netns {pid}; ip link set veth{n} master br0 up
nsenter --net=/proc/{pid}/ns/net sh -ec 'ip link set lo up; ip addr add 10.0.0.{n1}/24 dev eth0; ip link set eth0 up
  ip route add default via 10.0.0.1; {quiet}'
"""
NET = """nsenter --net=/proc/{net}/ns/net sh -ec 'ip link set lo up; ip addr add 203.0.113.1/24 dev eth0; ip link set eth0 up
  ip addr add 198.51.100.10/32 dev lo; {quiet}'
ip route add default via 203.0.113.1
{quiet}
nft add table ip lab; nft add chain ip lab postrouting '{{ type nat hook postrouting priority 100; }}'
nft add rule ip lab postrouting ip saddr 10.0.0.0/24 oifname != br0 counter masquerade
"""


def own_node() -> NodeRef:
    """The namespace we are in, as the node ``host``."""
    return NodeRef("host", "host", Namespace.own(), os.getpid())


@contextmanager
def wired(*containers: str) -> Iterator[Nodes]:
    """host, net and the containers named (c1 and c2 when none is), connected, addressed, and ready for packets."""
    names = containers or ("c1", "c2")
    with ExitStack() as stack:
        pids = {name: stack.enter_context(container()) for name in ("net", *names)}
        script = HOST.format(**pids)
        for n, name in enumerate(names, 1):
            script += CABLE.format(n=n, n1=n + 1, pid=pids[name], quiet=QUIET)
        sh(script + NET.format(net=pids["net"], quiet=QUIET))
        nodes = {"host": own_node()} | {name: NodeRef(name, "container", Namespace.of_pid(pid), pid) for name, pid in pids.items()}
        settle(nodes, names)
        yield nodes
        for ref in nodes.values():
            ref.namespace.close()


def settle(nodes: Nodes, names: tuple[str, ...]) -> None:
    """Wait until the new ports forward, then forget what was learned."""
    for name in names:
        assert answers("10.0.0.1", nodes[name].pid), f"{name} does not reach the bridge"
    forget(nodes)


def forget(nodes: Nodes) -> None:
    """Empty every neighbour table: the next packet begins with ARP."""
    for name in nodes:
        inside(nodes, name, "ip neigh flush all")
    sh("ip link set br0 type bridge fdb_flush")


def inside(nodes: Nodes, name: str, command: str) -> str:
    """Run a shell command in a node's network namespace."""
    if name == "host":
        return sh(command)
    return sh(f'exec nsenter --net=/proc/{nodes[name].pid}/ns/net sh -ec "$COMMAND"', env=_env(command))


def started(nodes: Nodes, name: str, *argv: str) -> subprocess.Popen[str]:
    """A program that runs in a node while the test goes on; its output is piped."""
    enter = [] if name == "host" else ["nsenter", f"--net=/proc/{nodes[name].pid}/ns/net"]
    return subprocess.Popen([*enter, *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _env(command: str) -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "COMMAND": command}
