"""Every change in any namespace is told of, once per burst; silent ones too while somebody watches."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Collection, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from helpers.files import no_file_to_spare
from helpers.sandboxed import container, sandboxed, sh
from helpers.waiting import becomes
from helpers.wires import own_node
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.read import NodeRef
from netless_lab.kernel.watch import Pulse, Watch

TOLD_S = 15.0
"""What a machine with too much to do may take; only a failure does."""
QUIET_S = 0.08


class Ear:
    """Counts the calls of a watch, and (who has it counted) the looks of its poll since the last call."""

    def __init__(self) -> None:
        self.calls = self.looks = 0
        self.news = asyncio.Event()

    def __call__(self) -> None:
        self.calls += 1
        self.looks = 0
        self.news.set()

    async def hears(self, script: str) -> bool:
        """Whether a change made by ``script`` is told of."""
        await self.settles()
        await asyncio.to_thread(sh, script)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.news.wait(), TOLD_S)
        return self.news.is_set()

    async def settles(self) -> None:
        """Wait until nothing is told of any more, then forget what was."""
        while True:
            self.news.clear()
            await asyncio.sleep(QUIET_S)
            if not self.news.is_set():
                return


@asynccontextmanager
async def watching(*refs: NodeRef) -> AsyncIterator[tuple[Watch, Ear]]:
    """A watch on our own namespace and ``refs``."""
    ear = Ear()
    watch = Watch(asyncio.get_running_loop(), ear)
    for ref in (own_node(), *refs):
        watch.add(ref)
    try:
        yield watch, ear
    finally:
        watch.close()


@contextmanager
def c1() -> Iterator[NodeRef]:
    """A container as a node."""
    with container() as pid, Namespace.of_pid(pid) as namespace:
        yield NodeRef("c1", "container", namespace, pid)


HEARD = (
    "ip link set lo up",
    "ip link add p0 type veth peer name p1",
    "ip addr add 10.0.0.2/24 dev p0",
    "ip link set p0 up; ip link set p1 up",
    "ip route add 10.5.0.0/16 via 10.0.0.3",
    "ip rule add from 10.9.0.0/24 lookup 77",
    "ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:09 dev p0",
    "ip link add br0 type bridge",
    "ip link set p1 master br0",
    "bridge link set dev p1 hairpin on",
    "bridge fdb add 02:00:00:00:00:08 dev p1 master",
    "sysctl -qw net.ipv4.ip_forward=1",
    "nft add table ip t; nft 'add chain ip t c { type filter hook forward priority 0; }'",
    "nft add rule ip t c drop",
    "nft delete table ip t",
    "ip -6 addr add fd00::1/64 dev p0",
    "ip link set p0 mtu 1400",
    "ip link del p0",
)


@sandboxed
async def test_every_kind_of_change_is_heard_in_every_namespace() -> None:
    """Links, addresses, routes, rules, neighbours, bridges, forwarding and firewall, in our own namespace and in another."""
    with c1() as ref:
        async with watching(ref) as (_, ear):
            deaf = []
            for place in ("", f"nsenter --net=/proc/{ref.pid}/ns/net "):
                for command in HEARD:
                    script = command.replace("'", '"')
                    if not await ear.hears(f"{place}sh -ec '{script}'"):
                        deaf.append(place + command)
            assert deaf == []


ALONE = (
    "ip rule add from 10.9.0.0/24 lookup 77",
    "ip -6 rule add from fd09::/64 lookup 77",
    "ip route add blackhole 10.5.0.0/16",
    "ip -6 route add blackhole fd05::/64",
    "sysctl -qw net.ipv4.conf.default.forwarding=1",
    "sysctl -qw net.ipv6.conf.default.forwarding=1",
)


@pytest.mark.parametrize("command", ALONE)
@sandboxed
async def test_a_change_is_heard_where_nothing_else_happens(command: str) -> None:
    """In a namespace without a live link, where no address ripens and no neighbour ages, only the change itself can be heard."""
    async with watching() as (_, ear):
        assert await ear.hears(command)


@sandboxed
async def test_what_packets_teach_is_told_apart() -> None:
    """A ping's neighbours and the bridge's entries are no change that somebody made; to set or take away the same kinds of entries by hand is."""
    with c1() as ref:
        inside = f"nsenter --net=/proc/{ref.pid}/ns/net "
        sh(f"""for in in "" "{inside}"; do $in sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; done
            ip link add br0 type bridge; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0
            ip link add p0 address 02:00:00:00:00:02 netns {ref.pid} type veth peer name p1; ip link set p1 master br0 up
            {inside} ip addr add 10.0.0.2/24 dev p0; {inside} ip link set p0 up""")
        changed, learned = Ear(), Ear()
        watch = Watch(asyncio.get_running_loop(), changed, learned)
        watch.add(own_node(), ref)
        with contextlib.closing(watch):
            assert await becomes(lambda: "forwarding" in sh("bridge link show dev p1"))
            # the kernel acts on a carrier, and tells of it, up to a second after it has come (net/core/link_watch.c)
            assert await becomes(lambda: all("state UP" in sh(f"ip link show dev {name}") for name in ("br0", "p1")))
            await changed.settles()
            assert await learned.hears("ping -c1 -W5 10.0.0.2")
            assert not changed.news.is_set()
            for command in (
                "ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:09 dev br0",
                "bridge fdb add 02:00:00:00:00:08 dev p1 master static",
                "ip neigh replace 10.0.0.8 lladdr 02:00:00:00:00:08 dev br0 nud reachable",
                "ip neigh del 10.0.0.9 dev br0",
                "ip neigh del 10.0.0.2 dev br0",
                "bridge fdb del 02:00:00:00:00:02 dev p1 master",
            ):
                assert await changed.hears(command), command


@sandboxed
async def test_what_time_takes_is_told_apart() -> None:
    """An entry of a bridge that nobody heard of for its time, and a neighbour that did not answer, are no change that somebody made."""
    sh("""sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
        ip link add br0 type bridge ageing_time 100; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0
        ip link add p0 type veth peer name p1; ip link set p1 master br0 up; ip link set p0 up""")
    changed, learned = Ear(), Ear()
    watch = Watch(asyncio.get_running_loop(), changed, learned)
    watch.add(own_node())
    with contextlib.closing(watch):
        assert await becomes(lambda: "forwarding" in sh("bridge link show dev p1"))
        assert await becomes(lambda: all("state UP" in sh(f"ip link show dev {name}") for name in ("br0", "p1")))
        await changed.settles()
        assert await learned.hears("bridge fdb add 02:00:00:00:00:08 dev p1 master dynamic; ping -c1 -W1 10.0.0.2 || true")
        assert await becomes(lambda: "02:00:00:00:00:08" not in sh("bridge fdb show br br0") and "FAILED" in sh("ip neigh"))
        assert not changed.news.is_set()


@sandboxed
async def test_names_and_processes_are_heard_of() -> None:
    """A namespace added, a link made and removed, a name deleted, the container's process killed; /run/netns may come later."""
    with c1() as ref:
        async with watching(ref) as (_, ear):
            assert not os.path.exists("/run/netns")
            assert await ear.hears("ip netns add blue")
            assert await ear.hears(f"ln -s /proc/{ref.pid}/ns/net /run/netns/c1")
            assert await ear.hears("umount /run/netns/blue")
            assert await ear.hears("rm /run/netns/c1") and await ear.hears("ip netns del blue")
            assert await ear.hears(f"kill -9 {ref.pid}")


@sandboxed
async def test_many_events_in_one_breath_are_told_of_once() -> None:
    """Two hundred events that came before anybody could look at them make one call."""
    async with watching() as (_, ear):
        sh("ip link add p0 type veth peer name p1")
        await ear.settles()
        ear.calls = 0
        sh("for i in $(seq 200); do echo link set p0 mtu $((1000 + i)); done | ip -batch -")
        await ear.settles()
        assert ear.calls == 1


@sandboxed
async def test_a_storm_is_told_of_while_it_goes_on() -> None:
    """Whoever listens to changes that never end hears of them again and again before they do."""
    async with watching() as (_, ear):
        sh("ip link add p0 type veth peer name p1")
        await ear.settles()
        ear.calls = 0
        with subprocess.Popen(["sh", "-c", "i=1000; while i=$((i ^ 1)); do echo link set p0 mtu $i; done | ip -batch -"]) as storm:
            assert await becomes(lambda: ear.calls > 3)
            storm.kill()
            sh("pkill -x ip || true")  # in this sandbox there is no other


@sandboxed
async def test_lost_events_are_a_change() -> None:
    """When the kernel had to drop events (ENOBUFS) the watch says that something changed, and goes on hearing."""
    async with watching() as (_, ear):
        sh("ip link add p0 type veth peer name p1")
        await ear.settles()
        sh("for i in $(seq 9000); do echo link set p0 mtu $((1000 + i % 400)); done | ip -batch -")
        await asyncio.wait_for(ear.news.wait(), TOLD_S)
        assert await ear.hears("ip link set p0 up")


SILENT = (
    "sysctl -qw net.ipv4.icmp_echo_ignore_all=1",
    "sysctl -qw net.ipv4.conf.all.route_localnet=1",
    "sysctl -qw net.bridge.bridge-nf-call-iptables=0",
    "iptables-legacy -P FORWARD DROP",
    "iptables-legacy -A FORWARD -s 10.0.0.2 -j ACCEPT",
    "ip link set br0 alias hello",
    "ip link set br0 type bridge stp_state 1",
    "ip link set br0 type bridge ageing_time 12345",
    "ip link property add dev br0 altname other",
)


@sandboxed
async def test_silent_changes_are_found_while_somebody_watches() -> None:
    """Settings without events, a namespace without a name, a new listener and new name servers, by name too; not when nobody watches."""
    with c1() as ref:
        inside = f"nsenter --net=/proc/{ref.pid}/ns/net "
        sh(f"{inside}ip link add br0 type bridge; rm -f /etc/resolv.conf")
        async with watching(ref) as (watch, ear):
            watch.attend(True)
            deaf = [command for command in SILENT if not await ear.hears(inside + command)]
            assert deaf == []
            assert await ear.hears("echo nameserver 10.0.0.53 > /etc/resolv.conf")
            assert await ear.hears(f"mkdir -p /etc/netns/box /run/netns && touch /run/netns/box && mount --bind /proc/{ref.pid}/ns/net /run/netns/box")
            assert await ear.hears("echo nameserver 10.0.0.54 > /etc/netns/box/resolv.conf")
            assert await ear.hears("unshare --net sleep 60 > /dev/null 2>&1 &")
            watch.attend(False)
            await ear.settles()
            async with watching(ref) as (attentive, other):
                attentive.attend(True)
                for value in (0, 1, 0):  # who hears each of three has looked often enough for both
                    assert await other.hears(f"{inside}sysctl -qw net.ipv4.icmp_echo_ignore_all={value}")
                assert not ear.news.is_set()
            watch.attend(True)
            assert await ear.hears(f"{inside}sysctl -qw net.ipv4.icmp_echo_ignore_all=1")


@sandboxed
async def test_silent_changes_are_found_without_a_file_to_spare() -> None:
    """Where no file can be kept open for a node, what changes in it without an event is found all the same."""
    with c1() as ref:
        async with watching(ref) as (watch, ear):
            watch.attend(True)
            assert await ear.hears(f"nsenter --net=/proc/{ref.pid}/ns/net sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
            watch.attend(False)
            with no_file_to_spare():
                watch.attend(True)
                for value in (0, 1):
                    assert await ear.hears(f"nsenter --net=/proc/{ref.pid}/ns/net sysctl -qw net.ipv4.icmp_echo_ignore_all={value}")


@sandboxed
async def test_an_idle_lab_makes_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was just built comes to rest, and then nothing is told, however often the slow poll looks; a bridge's own timers are no change."""
    with c1() as ref:
        sh(f"""for n in 1 {ref.pid}; do nsenter --net=/proc/$n/ns/net sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1; done
            ip link add br0 type bridge; ip link set br0 up; ip link add veth2 type veth peer name veth1 netns {ref.pid}
            ip link set veth2 master br0 up; nsenter --net=/proc/{ref.pid}/ns/net ip link set veth1 up""")
        async with watching(ref) as (watch, ear):
            assert await becomes(lambda: "state forwarding" in sh("bridge link"))
            look = Pulse.look

            def counted(pulse: Pulse, names: Collection[str] = ()) -> Hashable:
                ear.looks += 1
                return look(pulse, names)

            monkeypatch.setattr(Pulse, "look", counted)
            watch.attend(True)
            assert await becomes(lambda: ear.looks >= 8), "there is news at every few looks"
            pulse = Pulse(ref)
            assert pulse.look() == pulse.look()
            pulse.close()


@sandboxed
async def test_leaving_a_node_out_lets_its_namespace_go() -> None:
    """A watch with its poll running keeps nothing alive of a node that it shall not listen to any more, and opens nothing for good."""
    ear, own = Ear(), own_node()
    watch = Watch(asyncio.get_running_loop(), ear)
    watch.add(own)
    watch.attend(True)
    before = len(os.listdir("/proc/self/fd"))
    with c1() as ref:
        sh(f"ip link add p0 type veth peer name p1 netns {ref.pid}")
        watch.add(ref)
    watch.only(own)
    assert await becomes(lambda: "p0" not in sh("ip -br link"))
    assert len(os.listdir("/proc/self/fd")) == before
    watch.close()
