"""The difference of two snapshots in words: a move is a move, a rename a rename, and what flaps by itself is quiet."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from helpers.random_labs import random_lab
from helpers.shapes import steps
from helpers.snapshots import (
    FORWARD,
    address,
    bridge,
    container,
    default,
    edit,
    edit_node,
    forward_drop,
    host,
    internet,
    lab,
    lab_with,
    link,
    masquerade,
    node,
    uplink,
    veth,
)
from netless_lab.model.changes import Change
from netless_lab.model.diff import diff
from netless_lab.model.snapshot import BridgePort, Chain, FdbEntry, Listener, Name, Neighbour, PolicyRule, Route, Rule, Snapshot
from netless_lab.model.telling import sentence


def loud(before: Snapshot, after: Snapshot) -> list[str]:
    """The sentences of all changes that are not quiet."""
    return [sentence(change) for change in diff(before, after) if not change.quiet]


def quiet(before: Snapshot, after: Snapshot) -> list[str]:
    """The sentences of the quiet ones."""
    return [sentence(change) for change in diff(before, after) if change.quiet]


def test_the_post_told_in_changes() -> None:
    """Each step of the post is what a person would say happened."""
    told = steps()
    names = list(told)
    story = {after: loud(told[before], told[after]) for before, after in pairwise(names)}
    assert story == {
        "2-named": ["c1 has a name now: 4711", "lo on c1 is up"],
        "3-pair": [
            "the name 4711 is gone from ip netns list; c1 itself is untouched",
            "veth1 and veth2 appeared on the host: the two ends of one cable",
        ],
        "4-moved": ["veth1 left the host and is now in c1"],
        "5-addressed": ["veth1 on c1 is up", "c1 got the address 10.0.0.2/24 on veth1"],
        "6-bridge": ["br0 appeared on the host: a bridge"],
        "7-port": ["br0 on the host is up", "the host got the address 10.0.0.1/24 on br0", "veth2 on the host is now a port of br0"],
        "8-switched": [
            "veth2 on the host is up",
            "br0's port veth2 on the host passes frames now",
            "veth1 on c1 has carrier now: its other end veth2 is up",
            "c1 got a default route via 10.0.0.1",
        ],
        "9-forwarding": ["the host now forwards IPv4 packets"],
        "10-masquerade": [
            "chain added on the host: ip lab postrouting (hook postrouting, policy accept)",
            'rule added on the host to ip lab postrouting: ip saddr 10.0.0.0/24 oifname != "br0" masquerade',
        ],
        "11-firewall-shut": ["chain added on the host: ip lab forward (hook forward, policy drop)"],
        "12-firewall-open": [
            "rule added on the host to ip lab forward: ct state established,related accept",
            'rule added on the host to ip lab forward: iifname "br0" accept',
        ],
    }


def test_nothing_changed() -> None:
    """The same state read twice differs in nothing, whenever it was taken and however the counters stand."""
    before = lab_with(2)
    after = msgspec.structs.replace(lab_with(2), taken=42)
    chain = masquerade()
    counted = msgspec.structs.replace(chain, rules=tuple(msgspec.structs.replace(rule, packets=9, bytes=756) for rule in chain.rules))
    assert diff(before, before) == diff(before, after) == ()
    assert diff(after, edit_node(after, "host", chains=(counted,))) == ()


@pytest.mark.parametrize("seed", range(60))
def test_any_two_labs_differ_in_words(seed: int) -> None:
    """Between any two labs: no error, every change has a sentence of one line, and there and back are both told."""
    one, other = random_lab(seed), random_lab(seed + 500)
    for before, after in ((one, other), (other, one), (one, Snapshot()), (Snapshot(), one)):
        for change in diff(before, after):
            told = sentence(change)
            assert told and "\n" not in told and not told.endswith(".")
    assert diff(one, one) == () == diff(one, random_lab(seed))


def test_a_change_travels_as_json() -> None:
    """A change is a plain value: it survives the wire."""
    for change in diff(Snapshot(), lab_with(2)):
        assert msgspec.json.decode(msgspec.json.encode(change), type=Change) == change


def test_a_move_is_told_once_though_the_ifindex_changes() -> None:
    """The kernel gives a moved link another ifindex when its own is taken; its MAC, kind and peer tell that it is the same."""
    before = lab(host(veth("veth1", "host:veth2"), veth("veth2", "host:veth1")), container("c1"))
    after = lab(host(veth("veth2", "c1:veth1")), container("c1", msgspec.structs.replace(veth("veth1", "host:veth2"), ifindex=777)))
    assert loud(before, after) == ["veth1 left the host and is now in c1"]


def test_a_move_with_another_name() -> None:
    """Moved and renamed between two looks: one sentence with both."""
    before = lab(host(veth("veth1", "host:veth2"), veth("veth2", "host:veth1")), container("c1"))
    mac = before.node("host").link("veth1").mac  # type: ignore[union-attr]
    after = lab(host(veth("veth2", "c1:eth0")), container("c1", veth("eth0", "host:veth2", mac=mac)))
    after = edit(after, "host", "veth2", mac=before.node("host").link("veth2").mac)  # type: ignore[union-attr]
    assert loud(before, after) == ["veth1 left the host and is now in c1, called eth0"]


def test_what_a_move_loses_is_told() -> None:
    """A moved link comes out down and without its addresses: that surprises learners, so it is said."""
    before = lab(host(veth("veth1", "host:veth2", "10.0.0.9/24"), veth("veth2", "host:veth1", up=False)), container("c1"))
    after = lab(host(veth("veth2", "c1:veth1", up=False)), container("c1", veth("veth1", "host:veth2", up=False)))
    assert loud(before, after) == [
        "veth1 left the host and is now in c1",
        "veth1 on c1 is down",
        "c1 lost the address 10.0.0.9/24 on veth1",
    ]


def test_a_rename_is_a_rename() -> None:
    """The same link under another name, and a bridge's ports do not change bridges when it is renamed."""
    before = lab(
        host(bridge("br0", mac="0e:00:00:00:00:01"), veth("veth2", "c1:veth1", master="br0")), container("c1", veth("veth1", "host:veth2"))
    )
    after = edit(edit(before, "host", "br0", name="switch"), "host", "veth2", master="switch")
    assert loud(before, after) == ["br0 on the host is called switch now"]


def test_a_rename_is_told_once() -> None:
    """Routes, neighbours and learned MACs that only carry the new name are no changes."""

    def named(name: str) -> Snapshot:
        own = bridge(name, mac="0e:00:00:00:00:01")
        tables: dict[str, Any] = {
            "routes": (Route("10.0.0.0/24", dev=name, protocol="kernel"), Route("192.0.2.0/24", via="10.0.0.9", dev=name)),
            "neighbours": (Neighbour("10.0.0.2", name, "0e:00:00:00:00:02", "reachable"),),
            "fdb": (FdbEntry("0e:00:00:00:00:02", "veth2", name),),
        }
        return lab(host(msgspec.structs.replace(own, ifindex=9), **tables))

    assert [sentence(change) for change in diff(named("br0"), named("switch"))] == ["br0 on the host is called switch now"]


def test_another_link_under_the_same_ifindex_is_another_link() -> None:
    """An ifindex may come again after a removal: a bridge is not a renamed tap."""
    before = lab(host(msgspec.structs.replace(bridge("br0"), ifindex=5)))
    after = lab(host(msgspec.structs.replace(veth("v0", "nobody:w0"), ifindex=5)))
    assert loud(before, after)[:2] == ["br0 is gone from the host", "v0 appeared on the host: a cable's end"]


def test_two_containers_with_the_same_names_are_not_mixed_up() -> None:
    """Both have an eth0 with the same ifindex: only the one that changed is named."""
    both = [container(f"c{n}", msgspec.structs.replace(veth("eth0", f"host:v{n}", f"10.0.0.{n}/24"), ifindex=2)) for n in (1, 2)]
    before = lab(host(veth("v1", "c1:eth0"), veth("v2", "c2:eth0")), *both)
    assert loud(before, edit(before, "c2", "eth0", mtu=1400)) == ["the MTU of eth0 on c2 is now 1400 (was 1500)"]


def test_cables_come_and_go_as_one() -> None:
    """Deleting one end deletes both: one sentence."""
    before = lab_with(1)
    way_out = (default("203.0.113.1", "eth0"),)
    alone = host(uplink(), bridge("br0", "10.0.0.1/24"), forwarding=True, chains=(masquerade(),), routes=way_out)
    after = lab(alone, container("c1"), internet())
    assert loud(before, after) == ["a cable went away: veth2 on the host, veth1 on c1", "c1 lost its default route via 10.0.0.1"]


def test_nodes_come_go_and_are_replaced() -> None:
    """A namespace is its inode: the same name on another inode is another namespace."""
    before = lab(host(), container("c1"))
    assert loud(before, lab(host(), container("c1"), node("decoy", "unknown"))) == ["a new namespace appeared: decoy"]
    assert loud(before, lab(host())) == ["c1 is gone, with everything in it"]
    other = edit_node(before, "c1", netns=7)
    assert loud(before, other)[0] == "c1 is a new namespace now: what was in the old one is gone"


def test_names_are_only_names() -> None:
    """A name appears, moves to another namespace, dangles, and goes; the namespace itself is not said to change."""
    plain = lab(host(), container("c1"), container("c2"))
    one, two = plain.node("c1").netns, plain.node("c2").netns  # type: ignore[union-attr]

    def with_name(netns: int | None) -> Snapshot:
        return msgspec.structs.replace(plain, names=(Name("web", netns, "symlink", 4711),))

    assert loud(plain, with_name(one)) == ["c1 has a name now: web"]
    assert loud(with_name(one), with_name(two)) == ["the name web now leads to c2 (was c1)"]
    assert loud(with_name(one), with_name(None)) == ["the name web leads to no network namespace now (was c1)"]
    assert loud(plain, with_name(None)) == ["a name that leads to no network namespace appeared: web"]
    assert loud(with_name(None), plain) == ["the name web is gone from ip netns list"]


def change_c1(**after: object) -> tuple[Snapshot, Snapshot]:
    """A container and the same with some fields changed."""
    before = lab(host(), container("c1", veth("veth1", "host:v")))
    return before, edit_node(before, "c1", **after)


def test_routes() -> None:
    """Got, changed, lost; the kernel's own routes are quiet."""
    one, other = default("10.0.0.1", "veth1"), default("10.0.0.9", "veth1")
    before, after = change_c1(routes=(one,))
    assert loud(before, after) == ["c1 got a default route via 10.0.0.1"]
    assert loud(after, before) == ["c1 lost its default route via 10.0.0.1"]
    assert loud(after, edit_node(after, "c1", routes=(other,))) == [
        "on c1 the way to everywhere else is now via 10.0.0.9 (was via 10.0.0.1)"
    ]
    before, after = change_c1(
        routes=(Route("10.0.0.0/24", dev="veth1", protocol="kernel"), Route("10.0.0.2", dev="veth1", table=255, type="local"))
    )
    assert loud(before, after) == [] and len(quiet(before, after)) == 2
    before, after = change_c1(routes=(Route("192.0.2.0/24", type="blackhole"), Route("192.0.2.0/25", type="throw"), Route("10.77.0.5/32", dev="veth1", table=100)))
    assert loud(before, after) == [
        "c1 got a route to 192.0.2.0/24 thrown away (blackhole)",
        "c1 got a route to 192.0.2.0/25 passed on to the next table (throw)",
        "c1 got a route to 10.77.0.5/32 straight out of veth1 in table 100",
    ]


def test_a_route_that_only_waits_for_carrier_is_quiet() -> None:
    """``linkdown`` comes and goes with the cable."""
    one = Route("10.0.0.0/24", dev="veth1")
    _, after = change_c1(routes=(one,))
    down = edit_node(after, "c1", routes=(msgspec.structs.replace(one, linkdown=True),))
    assert loud(after, down) == [] and quiet(after, down) == ["on c1 the route to 10.0.0.0/24 is linkdown: its link has no carrier, and it is still used"]


def test_neighbours_flap_quietly() -> None:
    """Learning and ageing are quiet; nobody answering, another MAC and an entry set by hand are not."""

    def entry(state: str, mac: str | None = "0e:00:00:00:00:01") -> tuple[Neighbour, ...]:
        return (Neighbour("10.0.0.1", "veth1", mac, state),)

    before, known = change_c1(neighbours=entry("reachable"))
    assert (loud(before, known), quiet(before, known)) == ([], ["c1 learned that 10.0.0.1 is at 0e:00:00:00:00:01 on veth1"])
    for state in ("stale", "delay", "probe"):
        after = edit_node(before, "c1", neighbours=entry(state))
        assert loud(known, after) == [] and len(quiet(known, after)) == 1
    assert loud(before, edit_node(before, "c1", neighbours=entry("failed", None))) == ["nobody answered c1 on veth1 for 10.0.0.1"]
    assert quiet(known, before) == ["c1 forgot where 10.0.0.1 is"]
    failed = edit_node(before, "c1", neighbours=entry("failed"))
    assert diff(failed, before) == (), "that nobody answered is forgotten without a word, with its last MAC or without"
    assert quiet(failed, known) == quiet(before, known), "who answers again after nobody did is news, also where the kernel kept the MAC"
    assert loud(known, edit_node(before, "c1", neighbours=entry("reachable", "0e:00:00:00:00:02"))) == [
        "c1 now finds 10.0.0.1 at 0e:00:00:00:00:02 (was 0e:00:00:00:00:01)"
    ]
    assert loud(before, edit_node(before, "c1", neighbours=entry("permanent"))) == [
        "c1 was told by hand that 10.0.0.1 is at 0e:00:00:00:00:01 on veth1"
    ]


def test_the_bridge_learns_quietly() -> None:
    """A learned MAC is quiet; one that moves to another port is worth a word, and so is one set by hand. That of a port itself nobody has learned."""
    mac, ports = "0e:00:00:00:00:05", "0e:00:00:00:00:06"

    def fdb(*entries: FdbEntry) -> Snapshot:
        return lab(host(bridge("br0", mac=ports), fdb=entries))

    empty, learned = fdb(), fdb(FdbEntry(mac, "veth2", "br0"))
    assert quiet(empty, learned) == [f"the bridge br0 learned that {mac} lives behind veth2"] and loud(empty, learned) == []
    assert loud(learned, fdb(FdbEntry(mac, "veth4", "br0"))) == [f"the bridge br0 now finds {mac} behind veth4 (was veth2)"]
    assert loud(learned, fdb(FdbEntry(mac, "veth2", "br0", "stale"))) == []
    assert loud(empty, fdb(FdbEntry("33:33:00:00:00:01", "veth2", "br0", "permanent"))) == []
    own = fdb(FdbEntry(ports, "veth2", "br0", "permanent", local=True))
    assert quiet(empty, own) == [f"the bridge br0 keeps {ports} for the host: it is the MAC of veth2 itself"] and loud(empty, own) == []
    assert quiet(own, empty) == [f"br0 no longer keeps {ports}, the MAC of veth2 itself"]
    flood = FdbEntry("00:00:00:00:00:00", "vxlan100", None, "permanent", dst="192.0.2.2")
    assert loud(empty, fdb(flood)) == ["vxlan100 was told by hand that 00:00:00:00:00:00 lives behind 192.0.2.2"]


def test_firewall() -> None:
    """Chains, policies and rules; a rule that changed in place is one change."""
    before = lab(host(chains=(forward_drop('iifname "br0"'),)))
    accept = edit_node(before, "host", chains=(msgspec.structs.replace(forward_drop('iifname "br0"'), policy="accept"),))
    assert loud(before, accept) == ["the policy of ip lab forward on the host is now accept (was drop)"]
    assert loud(before, edit_node(before, "host", chains=())) == ["chain removed on the host: ip lab forward"]
    assert loud(before, edit_node(before, "host", chains=(forward_drop('iifname "br1"'),))) == [
        'rule changed on the host in ip lab forward: iifname "br1" accept (was iifname "br0" accept)'
    ]
    assert loud(before, edit_node(before, "host", chains=(forward_drop(),))) == [
        'rule removed on the host from ip lab forward: iifname "br0" accept'
    ]
    more = msgspec.structs.replace(forward_drop('iifname "br0"'), rules=(*forward_drop('iifname "br0"').rules, Rule(99, "counter")))
    assert loud(before, edit_node(before, "host", chains=(more,))) == ["rule added on the host to ip lab forward: counter"]


def test_tables_of_the_old_iptables_are_told_rule_by_rule() -> None:
    """What came into a table and what went, the policy too; that counters have risen is no news."""
    empty = lab(host())
    accept = Rule(1, "-j ACCEPT", packets=3)

    def filled(policy: str, *rules: Rule) -> Snapshot:
        return edit_node(empty, "host", legacy=(Chain("ip", "filter", "FORWARD", "filter", "forward", 0, policy, None, rules, "legacy"),))

    shut = filled("drop", accept)
    assert loud(empty, shut) == ["legacy iptables on the host, table filter: -P FORWARD DROP; -A FORWARD -j ACCEPT"]
    assert diff(shut, filled("drop", msgspec.structs.replace(accept, packets=9))) == ()
    assert loud(shut, filled("accept", Rule(2, "-j DROP"))) == [
        "legacy iptables on the host, table filter: -A FORWARD -j DROP; no more -P FORWARD DROP; no more -A FORWARD -j ACCEPT"
    ]
    assert loud(shut, empty) == ["legacy iptables on the host: no more filter"]


def test_settings() -> None:
    """Sysctls, links' own settings, name servers, listeners, policy rules."""
    before = lab(host())
    assert loud(before, edit_node(before, "host", sysctls={FORWARD: "1"})) == ["the host now forwards IPv4 packets"]
    sysctls = {FORWARD: "0", "net/ipv4/icmp_echo_ignore_all": "1"}
    assert quiet(before, edit_node(before, "host", sysctls=sysctls)) == ["net/ipv4/icmp_echo_ignore_all on the host is now 1"]
    before, after = change_c1(resolvers=("198.51.100.53",))
    assert loud(before, after) == ["c1 now asks 198.51.100.53 for names"]
    assert loud(after, before) == ["c1 has no name server any more"]
    before, after = change_c1(listeners=(Listener("tcp", "0.0.0.0", 80), Listener("tcp", "::", 80, 6)))
    assert loud(before, after) == ["c1 now listens on tcp 0.0.0.0:80", "c1 now listens on tcp [::]:80"]
    assert loud(after, before) == ["c1 no longer listens on tcp 0.0.0.0:80", "c1 no longer listens on tcp [::]:80"]
    before, after = change_c1(policy=(PolicyRule(100, "10.0.0.0/24", table=100),))
    assert loud(before, after) == ["c1 got a rule for choosing routes: 100: from 10.0.0.0/24 lookup 100"]
    links = lab(host(bridge("br0"), veth("v", "c1:w", master="br0", port=BridgePort("forwarding"))), container("c1", veth("w", "host:v")))
    for field, value, words in (
        ("mtu", 1450, "the MTU of v on the host is now 1450 (was 1500)"),
        ("arp", False, "ARP is off for v on the host"),
        ("promisc", True, "listening to every frame (promiscuous mode) is on for v on the host"),
        ("alias", "uplink of c1", "the alias of v on the host is now uplink of c1"),
        ("mac", "0e:00:00:00:00:99", None),
        ("master", None, "v on the host is no longer a port of br0"),
        ("port", BridgePort("blocking"), "br0's port v on the host blocks frames now"),
        ("port", BridgePort("forwarding", isolated=True), "isolation is on for v on the host"),
    ):
        told = loud(links, edit(links, "host", "v", **{field: value}))
        assert told == [words] if words else len(told) == 1


def test_addresses_the_kernel_adds_by_itself_are_quiet() -> None:
    """Link-local IPv6 and loopback's own; the end of duplicate detection as well."""
    before = lab(host(veth("v", "c1:w")))
    local = edit(before, "host", "v", addresses=(address("fe80::1/64"),))
    assert loud(before, local) == [] and len(quiet(before, local)) == 1
    new = msgspec.structs.replace(address("fd00::1/64"), tentative=True)
    tentative, ready = (edit(before, "host", "v", addresses=(own,)) for own in (new, address("fd00::1/64")))
    assert loud(before, tentative) == ["the host got the address fd00::1/64 on v"]
    assert quiet(tentative, ready) == ["the address fd00::1/64 of v on the host is ready: nobody else has it"]
    twice = edit(before, "host", "v", addresses=(msgspec.structs.replace(new, duplicate=True),))
    assert loud(tentative, twice) == ["the address fd00::1/64 of v on the host cannot be used: somebody else on the link has it"]


def test_a_device_that_has_no_kind_appears_without_one() -> None:
    """What the kernel calls nothing is called nothing."""
    before, after = lab(host()), lab(host(link("eth7", kind="physical", up=False)))
    assert loud(before, after) == ["eth7 appeared on the host"]
