"""Whom the programs of a node ask for names: what resolv.conf(5) says in their own place, and no other file."""

from __future__ import annotations

import pytest

from helpers.lab import lab
from helpers.sandboxed import sandboxed, sandboxed_once, sh
from netless_lab.kernel import probe as probing
from netless_lab.model.probe import Fetch, Lookup
from netless_lab.model.snapshot import Node, Snapshot
from netless_lab.primitives.base import Met
from netless_lab.primitives.resolver import HasResolver


def node(snapshot: Snapshot, name: str) -> Node:
    """The node called ``name``, which must be there."""
    found = snapshot.node(name)
    assert found is not None
    return found


@sandboxed
def test_the_resolvers_of_a_node_are_those_that_its_own_programs_read() -> None:
    """A file in /etc/netns is read by who enters by ``ip netns exec``, not by what lives in the container: getent(1) there finds nothing."""
    with lab() as own:
        c1 = own.refs()["c1"].pid
        sh(f"""ip netns attach box {c1}; mkdir -p /etc/netns/box; echo 'nameserver 198.51.100.53' > /etc/netns/box/resolv.conf
            rm -f /etc/resolv.conf; : > /etc/resolv.conf""")
        assert "198.51.100.53" not in sh(f"nsenter -t {c1} -m cat /etc/resolv.conf")
        assert "198.51.100.53" in sh("ip netns exec box cat /etc/resolv.conf")
        c1_node = node(own.snapshot(), "c1")
        assert (c1_node.resolvers, c1_node.resolvers_by_name) == ((), ("198.51.100.53",))
        assert node(own.snapshot(), "host").resolvers == node(own.snapshot(), "host").resolvers_by_name == ()


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        ("nameserver 198.51.100.53\n", True),
        ("nameserver\t198.51.100.53 # mine\n", True),
        ("nameserver 198.51.100.53", True),
        ("  nameserver 198.51.100.53\n", False),
        ("nameserver 198.51.100.53\r\n", False),
        ("nameserver 198.51.100.53#mine\n", False),
        ("Nameserver 198.51.100.53\n", False),
        ("nameserver198.51.100.53\n", False),
        ("nameserver 10.0.0.7\nnameserver 10.0.0.8\nnameserver 10.0.0.9\nnameserver 198.51.100.53\n", False),
        ("nameserver none\nnameserver 10.0.0.8\nnameserver 10.0.0.9\nnameserver 198.51.100.53\n", True),
    ],
    ids=["plain", "tab", "no-end", "indented", "carriage-return", "glued", "capital", "no-space", "fourth", "fourth-but-one-is-none"],
)
@sandboxed
def test_a_server_is_what_the_c_library_takes_for_one(line: str, asks: bool) -> None:
    """A line that only looks right asks nobody: getent(1), which is that library, sends no packet to the server."""
    with lab() as own:
        c1 = own.refs()["c1"].pid
        inside, files = f"nsenter -t {c1} -n", f"nsenter -t {c1} -m tee /etc/resolv.conf"
        own.shell("host", f"{files} <<'END'\n{line}END\n" if line.endswith("\n") else f"printf '{line}' | {files}")
        sh(f"{inside} ip link set lo up; {inside} ip addr add 10.0.0.2/24 dev lo; {inside} ip route replace default dev lo")
        chain = "chain o { type filter hook output priority 0; ip daddr 198.51.100.53 udp dport 53 counter accept; ip daddr 10.0.0.0/24 drop; }"
        sh(f"{inside} nft 'table ip w {{ {chain}; }}'; {inside} -m timeout 0.3 getent ahostsv4 example.test || true")
        sent = "packets 0" not in sh(f"{inside} nft list ruleset")
        finding = HasResolver("198.51.100.53", "c1").check(own.snapshot(), own.where())
        assert isinstance(finding, Met) == asks
        if line.count("nameserver ") < 2:  # else it comes to the server only after seconds
            assert sent == asks


@sandboxed
async def test_a_name_in_the_file_of_hosts_is_not_asked_for() -> None:
    """As for the container's own programs, what its /etc/hosts says comes first; getent(1) is the witness."""
    with lab() as own:
        refs = own.refs()
        sh(f"echo 203.0.113.1 other example.test '# ours' | nsenter -t {refs['c1'].pid} -m tee -a /etc/hosts")
        assert sh(f"nsenter -t {refs['c1'].pid} -m getent ahostsv4 example.test").split()[0] == "203.0.113.1"
        outcome = await probing.run(Lookup("c1", "Example.test"), refs, deadline_s=1.0, grace_s=0.05)
        assert (outcome.result, outcome.answer, outcome.by) == ("answered", "203.0.113.1", None) and "/etc/hosts" in outcome.text


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("foo foo", None),
        ("10.0.0 foo", None),
        ("010.0.0.7 foo", None),
        ("fe80::1%lo foo", None),
        ("bar foo\\n10.0.0.7 bar foo", "10.0.0.7"),
        (":::7 foo\\n10.0.0.7 foo", "10.0.0.7"),
        ("fd00::7 foo", "fd00::7"),
    ],
)
@sandboxed_once
async def test_a_line_that_begins_with_no_address_is_none(lines: str, found: str | None) -> None:
    """As for the container's own programs, getent(1) the witness: the servers are asked then, of which there is none here."""
    with lab() as own:
        refs = own.refs()
        sh(f"printf '%b\\n' '{lines}' | nsenter -t {refs['c1'].pid} -m tee /etc/hosts")
        assert sh(f"nsenter -t {refs['c1'].pid} -n -m getent ahosts foo || true").split()[:1] == ([found] if found else [])
        outcome = await probing.run(Lookup("c1", "foo"), refs, deadline_s=1.0, grace_s=0.05)
        assert (outcome.answer, outcome.reason) == ((found, "answered") if found else (None, "no-resolver"))
        page = await probing.run(Fetch("c1", "http://foo/"), refs, deadline_s=1.0, grace_s=0.05)
        assert (page.reason == "no-resolver") == (found is None)


@sandboxed
def test_where_nobody_lives_the_name_says_whom_to_ask() -> None:
    """A namespace that is only a name is entered by it alone, with the files of /etc/netns in their places."""
    with lab() as own:
        sh("""ip netns add box; mkdir -p /etc/netns/box; echo 'nameserver 198.51.100.53' > /etc/netns/box/resolv.conf""")
        assert "198.51.100.53" in sh("ip netns exec box cat /etc/resolv.conf")
        assert node(own.snapshot(), "box").resolvers == ("198.51.100.53",)
