"""What it takes to see a lab of 4 namespaces and 30 interfaces: one snapshot, beside the tools a person would use."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from bench.row import Row, median_ms
from helpers.sandboxed import container, run_in_sandbox, sh
from helpers.wires import own_node
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.read import NodeRef, Reader

_IN_HOST = """ip link set lo up; ip link add br0 type bridge; ip addr add 10.0.0.1/24 dev br0; ip link set br0 up
sysctl -qw net.ipv4.ip_forward=1; nft 'add table ip lab; add chain ip lab post { type nat hook postrouting priority 100; }'
nft add rule ip lab post ip saddr 10.0.0.0/24 oifname != br0 counter masquerade
"""
_CABLE = """ip link add h{n} type veth peer name e{n} netns {pid}; ip link set h{n} master br0 up
nsenter --net=/proc/{pid}/ns/net sh -c 'ip link set lo up; ip addr add 10.0.0.{host}/24 dev e{n}; ip link set e{n} up'
"""
_WITNESS = ("ip -j -d link", "ip -j addr", "ip -j route show table all", "ip -j rule", "ip -j neigh", "bridge -j fdb")


def rows() -> Iterator[Row]:
    """A snapshot when nothing changed, when one link changed, and the first one, beside six ``ip -j`` in one namespace only."""
    out, into = os.pipe()
    failure = run_in_sandbox(lambda: os.write(into, json.dumps(_measure()).encode()) and None, "self")
    os.close(into)
    with os.fdopen(out, "rb") as file:
        text = file.read()
    if failure:
        raise RuntimeError(failure)
    measured = json.loads(text)
    shape = "snapshot, 4 namespaces, 30 interfaces"
    reference = ("6 x ip -j, one namespace", measured["witness"])
    yield Row(shape, measured["still"], "<= 5 ms", *reference)
    yield Row(f"{shape}, a link changed", measured["changed"], "<= 5 ms", *reference)
    yield Row(f"{shape}, the first", measured["first"], "", *reference)


def _measure() -> dict[str, float]:
    """Build the lab in this sandbox (4 lo, 24 ends of cables, a bridge and one device more) and time it."""
    with container() as one, container() as two, container() as three:
        pids = [one, two, three]
        sh(_IN_HOST + "".join(_CABLE.format(n=n, pid=pids[n % 3], host=n + 2) for n in range(12)))
        sh("ip link add mv0 link br0 type macvlan")
        refs = [own_node(), *(NodeRef(f"c{n}", "container", Namespace.of_pid(pid), pid) for n, pid in enumerate(pids, 1))]
        reader = Reader()
        still = median_ms(lambda: reader.snapshot(refs), 60)
        states = iter(range(1, 10_000))

        def change() -> None:
            with open("/sys/class/net/h0/mtu", "w", encoding="ascii") as file:
                file.write(str(1300 + next(states) % 100))

        changed = median_ms(lambda: reader.snapshot(refs), 60, change)
        first = median_ms(lambda: Reader().snapshot(refs), 15)
        witness = median_ms(lambda: [sh(command) for command in _WITNESS], 5)
        return {"still": still, "changed": changed, "first": first, "witness": witness}
