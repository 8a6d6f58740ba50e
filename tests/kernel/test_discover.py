"""Namespaces are found whoever made them, called by the right name, and forgotten when they are gone."""

from __future__ import annotations

import os
import subprocess

from helpers.sandboxed import container, sandboxed, sh
from helpers.wires import own_node
from netless_lab.kernel.discover import Discovery, inhabited
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.read import NodeRef


def shown(refs: tuple[NodeRef, ...]) -> list[tuple[str, str]]:
    """Names and roles."""
    return [(ref.name, ref.role) for ref in refs]


@sandboxed
def test_known_nodes_keep_their_names_and_strangers_get_theirs() -> None:
    """A container by its host name, a namespace by its name in /run/netns, one with neither by its process."""
    with container("c1") as c1, container("web") as web, container() as bare:
        known = [own_node(), NodeRef("box", "container", Namespace.of_pid(c1), c1)]
        discovery = Discovery()
        sh("ip netns add blue")
        refs = discovery.scan(known)
        assert shown(refs[:2]) == [("host", "host"), ("box", "container")] and refs[0] is known[0]
        assert set(shown(refs[2:])) == {("web", "container"), (f"ns-{bare}", "unknown"), ("blue", "unknown")}
        assert {ref.name: ref.namespace.inode for ref in refs}["blue"] == os.stat("/run/netns/blue").st_ino
        assert {ref.name: ref.pid for ref in refs}["web"] == web
        sh(f"ip netns attach green {bare}")
        assert ("green", "unknown") in shown(discovery.scan(known))
        discovery.close()


@sandboxed
def test_the_same_namespace_is_the_same_ref() -> None:
    """Scanning again opens nothing and changes nothing."""
    with container("c1"):
        discovery, known = Discovery(), [own_node()]
        first = discovery.scan(known)
        opened = len(os.listdir("/proc/self/fd"))
        assert discovery.scan(known) == first and len(os.listdir("/proc/self/fd")) == opened
        discovery.close()


@sandboxed
def test_two_containers_of_one_name_are_told_apart() -> None:
    """Names of nodes are unique, and a stranger never takes the name of a known node."""
    with container("c1"), container("c1"), container("host"):
        discovery = Discovery()
        assert sorted(shown(discovery.scan([own_node()]))) == [
            ("c1", "container"), ("c1-2", "container"), ("host", "host"), ("host-2", "container"),
        ]  # fmt: skip
        discovery.close()


@sandboxed
def test_a_container_of_the_name_that_our_host_was_given_since_is_one() -> None:
    """Whoever forgets ``--uts`` names the host ``c2`` instead of the container; the second try, with it, makes a container c2 all the same."""
    discovery, known = Discovery(), [own_node()]
    sh("hostname c2")
    with container("c2"):
        assert shown(discovery.scan(known))[1:] == [("c2", "container")]
    discovery.close()


def next_pid(number: int) -> None:
    """The next process gets this id, as after all higher ones were given out (proc_sys_kernel(5), ns_last_pid)."""
    with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
        file.write(str(number - 1))


@sandboxed
def test_a_container_keeps_its_name_when_process_ids_start_over() -> None:
    """A guest under the host's own host name, with a lower id than the container's process, does not make it a stranger; nor when it was
    there first of all that the lab hears of, nor as the last that is left.
    """
    next_pid(500)
    with container("c2") as c2:
        discovery, known = Discovery(), [own_node()]
        assert (shown(discovery.scan(known))[1:], c2 >= 500) == ([("c2", "container")], True)
        next_pid(100)
        guest = subprocess.Popen(["nsenter", f"--net=/proc/{c2}/ns/net", "sleep", "1000"])
        while os.stat(f"/proc/{guest.pid}/ns/net").st_ino != os.stat(f"/proc/{c2}/ns/net").st_ino:
            pass
        assert guest.pid < c2
        for own in (discovery, Discovery()):
            refs = own.scan(known)
            assert [(ref.name, ref.role, ref.pid) for ref in refs[1:]] == [("c2", "container", c2)]
            own.close()
    assert [(ref.role, ref.pid) for ref in Discovery().scan(known)[1:]] == [("unknown", guest.pid)]
    guest.kill()
    guest.wait()


@sandboxed
def test_what_has_neither_process_nor_name_is_let_go() -> None:
    """After its last process ended and its name was deleted, the namespace and its devices end with the next scan."""
    discovery, known = Discovery(), [own_node()]
    with container("c1") as c1:
        sh(f"ip netns add blue; ip link add p0 type veth peer name p1 netns blue; ip link add q0 type veth peer name q1 netns {c1}")
        assert len(discovery.scan(known)) == 3
    sh("ip netns del blue")
    assert len(discovery.scan(known)) == 1
    for _ in range(200):
        if sh("ip -br link").count("@") == 0:
            break
        sh("sleep 0.01")
    assert sh("ip -br link").count("@") == 0


@sandboxed
def test_processes_that_come_and_go_do_no_harm() -> None:
    """Scanning in the middle of a storm of short processes finds what stays and never fails."""
    with container("c1") as c1:
        storm = subprocess.Popen(["sh", "-c", "for i in $(seq 100); do unshare -n true; ip netns add n$i; ip netns del n$i; done"])
        discovery, known = Discovery(), [own_node()]
        scans = 0
        while storm.poll() is None:
            assert ("c1", "container") in shown(discovery.scan(known))
            scans += 1
        assert scans > 10 and [c1] in inhabited().values()
        assert shown(discovery.scan(known)) == [("host", "host"), ("c1", "container")]
        discovery.close()
