"""Words for a lab to say at three moments of a course: the cable on the table, the bridge half built, and everything done.

Made by hand so that every part of the screen has something to show; no lab has said all of it together. What a real lab says, and in
which order, is tried in ``test_real_tmux`` and ``test_real_drill``.
"""

from __future__ import annotations

from netless_lab import protocol
from netless_lab.course.verdict import Item, Verdict
from netless_lab.model.probe import Outcome, Ping
from netless_lab.model.snapshot import Address, BridgePort, Chain, FdbEntry, Link, Name, Neighbour, Node, Peer, Route, Rule, Snapshot

NOON = 1_700_000_000.0


def link(name: str, index: int, *, up: bool = True, carrier: bool = True, peer: tuple[str, str, int] | None = None,
         addresses: tuple[str, ...] = (), master: str | None = None, kind: str = "veth") -> Link:  # fmt: skip
    """One interface."""
    return Link(
        name=name, ifindex=index, kind=kind, up=up, carrier=carrier, mac=f"02:42:0a:00:00:{index:02x}", master=master,
        peer=Peer(*peer) if peer else None,
        addresses=tuple(Address(cidr.split("/")[0], int(cidr.split("/")[1])) for cidr in addresses),
        port=BridgePort("forwarding" if up and carrier else "disabled") if master else None,
    )  # fmt: skip


def lo(up: bool = True) -> Link:
    """The loopback."""
    return Link("lo", 1, "loopback", up, up, addresses=(Address("127.0.0.1", 8, scope="host"),) if up else (), mtu=65536)


def internet() -> Node:
    """The pretend internet behind the uplink."""
    return Node("internet", "internet", 3, 40, links=(lo(), link("isp0", 2, peer=("host", "eth0", 2), addresses=("203.0.113.1/24",))))


UPLINK = link("eth0", 2, peer=("internet", "isp0", 2), addresses=("203.0.113.2/24",))
MASQUERADE = Chain("ip", "lab", "postrouting", "nat", "postrouting", 100, "accept", rules=(
    Rule(3, 'ip saddr 10.0.0.0/24 oifname != "br0" masquerade', verdict="masquerade"),))  # fmt: skip


def snapshot(*, bridge: bool = True, port_up: bool = True, address: bool = True, gates: bool = True, second: bool = False) -> Snapshot:
    """The network of the course, as far as built."""
    host_links = [lo(), UPLINK]
    live, own = port_up and address, ("10.0.0.2/24",) if address else ()
    c1_links = [lo(), link("veth1", 5, up=address, carrier=live, peer=("host", "veth2", 4), addresses=own)]
    host_links.append(link("veth2", 4, up=port_up, carrier=live, peer=("c1", "veth1", 5), master="br0" if bridge else None))
    if bridge:
        host_links.append(link("br0", 6, kind="bridge", carrier=port_up and address, addresses=("10.0.0.1/24",)))
    nodes = []
    if second:
        host_links.append(link("veth4", 8, peer=("c2", "veth3", 9), master="br0"))
    host = Node(
        "host", "host", 1, 1, links=tuple(host_links),
        routes=(Route("10.0.0.0/24", dev="br0"), Route("default", via="203.0.113.1", dev="eth0")),
        chains=(MASQUERADE,) if gates else (), sysctls={"net/ipv4/ip_forward": "1" if gates else "0"},
        neighbours=(Neighbour("10.0.0.2", "br0", "02:42:0a:00:00:05", "reachable"),) if port_up and bridge else (),
        fdb=(FdbEntry("02:42:0a:00:00:05", "veth2", "br0"),) if port_up and bridge else (),
    )  # fmt: skip
    routes = (Route("default", via="10.0.0.1", dev="veth1"),) if gates else ()
    c1 = Node("c1", "container", 2, 31, names=("c1",), links=tuple(c1_links), routes=routes)
    nodes = [host, c1]
    if second:
        veth3 = link("veth3", 9, peer=("host", "veth4", 8), addresses=("10.0.0.3/24",))
        c2 = Node("c2", "container", 4, 35, names=("c2",), links=(lo(), veth3))
        nodes.append(c2)
    return Snapshot((*nodes, internet()), names=(Name("c1", 2, "symlink", 31),))


def table() -> Snapshot:
    """The cable lies on the host, both ends down."""
    host = Node("host", "host", 1, 1, links=(
        lo(), UPLINK, link("veth1", 5, up=False, carrier=False, peer=("host", "veth2", 4)),
        link("veth2", 4, up=False, carrier=False, peer=("host", "veth1", 5))), sysctls={"net/ipv4/ip_forward": "0"})  # fmt: skip
    return Snapshot((host, Node("c1", "container", 2, 31, names=("c1",), links=(lo(),)), internet()), names=(Name("c1", 2, "symlink", 31),))


GOAL = snapshot()

COURSE = {
    "netless": ("Nothing at all", ("find", "name", "decoy", "loopback")),
    "cable": ("A virtual cable", ("pair", "plug", "address", "alone")),
    "switch": ("The switch in the kernel", ("bridge", "port", "address", "up")),
    "internet": ("The way out", ("route", "forward", "nat", "drop", "open", "names", "fetch")),
    "neighbour": ("A neighbour", ("second", "arp", "direct")),
}
TITLES = {
    "find": "Find the container", "name": "Give its namespace a name", "decoy": "The decoy", "loopback": "Wake the loopback",
    "pair": "Make the cable", "plug": "Plug one end into the container", "address": "Give it an address", "alone": "Alone in there",
    "bridge": "Make a bridge", "port": "Plug the other end in", "up": "Switch the port on", "route": "A way to everything else",
    "forward": "Let the host pass things on", "nat": "Borrow the host's address", "drop": "A firewall that drops",
    "open": "Open it, narrowly", "names": "Ask for names", "fetch": "Fetch a page", "second": "A second container",
    "arp": "Who has this address?", "direct": "Without the host's help",
}  # fmt: skip


def course(done: int = 0, broken: str = "") -> protocol.CourseView:
    """The course with its first ``done`` steps earned; ``broken`` is the id of one that no longer holds."""
    left = done
    lessons = []
    for lesson_id, (title, steps) in COURSE.items():
        views = []
        for step in steps:
            earned = left > 0
            left -= 1
            views.append(protocol.StepView(step, TITLES[step], earned=earned, live=(f"{lesson_id}/{step}" != broken) if earned else None))
        lessons.append(protocol.LessonView(lesson_id, title, tuple(views)))
    about = "Take a container with no network at all and build everything between it and a web page."
    return protocol.CourseView("container", "The container", about, tuple(lessons))


PLUG_PROSE = """An interface belongs to one namespace at a time, and it can move:

    ip link set DEVICE netns NAME

The moment `veth1` moves, it vanishes from the host's `ip link` and appears in `ip -n c1 link`. The pair stays a pair. On the host the
partner is now written `veth2@if5`: only a number, because the name lives in a world the host cannot see.

Move first, configure later: an interface **drops its addresses** and routes when it changes namespace."""

PLUG_COMMANDS = (
    protocol.Commands("ip", ("ip link set veth1 netns c1",)),
    protocol.Commands("legacy", ("ip link set veth1 netns 31",)),
    protocol.Commands("pyroute2", ("from pyroute2 import IPRoute", "ipr = IPRoute()",
                                   'ipr.link("set", index=ipr.link_lookup(ifname="veth1")[0], net_ns_fd="c1")')),
)  # fmt: skip

HINTS = (
    "`ip link set` can change an interface's netns as well as its state.",
    "`ip link set veth1 netns` and the name you gave the namespace.",
    "`ip link set veth1 netns c1`",
)


def page(hints: int = 0) -> protocol.StepPage:
    """The page of the step that plugs the cable in."""
    return protocol.StepPage(
        "container/cable/plug", "A virtual cable", TITLES["plug"], PLUG_PROSE,
        ("Move veth1 from the host into c1; the host no longer sees it.",), PLUG_COMMANDS,
        hints_open=HINTS[:hints], hints_total=len(HINTS), shell="host", number=2, of=4,
        success="One end in c1, one on the host. Nothing flows yet: both ends are down and nobody has an address.",
    )  # fmt: skip


NODES = (
    protocol.NodeStatus("host", "host", 1, 1, 4242, ("host",)),
    protocol.NodeStatus("c1", "container", 31, 2, 4711, ("c1",)),
    protocol.NodeStatus("internet", "internet", 40, 3, 4712),
)

PENDING = Verdict("plug", "fail", (
    Item("fail", "veth1 is in c1", expected="veth1 in c1", seen="veth1 is on the host, its other end beside it", look="ip -n c1 link"),
    Item("fail", "veth1 is no longer on the host", expected="no veth1 on the host", seen="veth1 is there, down", look="ip link show veth1"),
    Item("pass", "veth1 and veth2 are still a pair"),
    Item("waiting", "host cannot reach 10.0.0.2", kind="probe"),
))  # fmt: skip

PASSED = Verdict("plug", "pass", (
    Item("pass", "veth1 is in c1"), Item("pass", "veth1 is no longer on the host"), Item("pass", "veth1 and veth2 are still a pair"),
    Item("pass", "host cannot reach 10.0.0.2: nothing there knows the address yet", kind="probe"),
))  # fmt: skip

FAILED_PROBE = Verdict("up", "fail", (
    Item("pass", "veth2 is a port of br0"), Item("pass", "br0 has 10.0.0.1/24"),
    Item("fail", "c1 reaches 10.0.0.1", kind="probe", expected="an answer",
         seen="no answer in 1 s: 10.0.0.1 was asked for and nobody said “here”",
         look="ip -br link show veth2", near="veth2 is down: a port that is down passes nothing on."),
))  # fmt: skip


def status(*, done: int = 5, hints: int = 0, verdict: Verdict | None = None, busy: str = "", playing: bool = False,
           dialect: str = "ip", broken: str = "", position: protocol.StepPage | None = None) -> protocol.Status:  # fmt: skip
    """The status at the step that plugs the cable in (or another page)."""
    shown = position or page(hints)
    return protocol.Status(
        "default", 77, "sandbox", shown.position, course(done, broken), shown, NODES, verdict=verdict, busy=busy, playing=playing,
        dialect=dialect,  # type: ignore[arg-type]
        uptime_s=60.0, clients=1,
    )  # fmt: skip


LOG: tuple[protocol.Message, ...] = (
    protocol.ActionEvent(NOON, "Make the veth pair veth1 and veth2 on the host", (
        protocol.Commands("ip", ("ip link add name veth1 type veth peer name veth2",)),
        protocol.Commands("pyroute2", ('ipr.link("add", ifname="veth1", kind="veth", peer="veth2")',)))),
    protocol.ChangesEvent(NOON, "tutor", (protocol.ChangeLine("veth1 appeared on the host", "host"),
                                          protocol.ChangeLine("veth2 appeared on the host", "host"))),
    protocol.ChangesEvent(NOON + 21, "learner", (protocol.ChangeLine("veth2 on the host went up", "host"),)),
    protocol.ChangesEvent(NOON + 25, "learner", (protocol.ChangeLine("veth2 on the host went down", "host"),
                                                 protocol.ChangeLine("host forgot who has 10.0.0.2", "host", quiet=True))),
)  # fmt: skip

PROBES: tuple[protocol.Message, ...] = (
    protocol.ProbeEvent(NOON + 30, Outcome(Ping("c1", "127.0.0.1"), "answered", "answered", "127.0.0.1 answered", rtt_us=41.0), True),
    protocol.ProbeEvent(NOON + 31, Outcome(Ping("host", "10.0.0.2"), "failed", "no-route", "host has no route to 10.0.0.2"), False),
    protocol.ProbeEvent(NOON + 32, Outcome(Ping("c1", "10.0.0.1"), "failed", "silence", "no answer in 1 s"), True),
)  # fmt: skip


def opening(*, verdict: Verdict | None = PENDING, log: bool = True) -> list[protocol.Message]:
    """What the lab says to a new client at this step."""
    said: list[protocol.Message] = [protocol.StatusEvent(status(verdict=verdict)), protocol.SnapshotEvent(table(), GOAL)]
    return [*said, *LOG, *PROBES] if log else said
