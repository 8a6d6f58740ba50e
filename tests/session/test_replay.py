"""The history of a lab, run as a script in a fresh one, makes the same lab; and every change that was seen can be taken back by itself."""

from __future__ import annotations

import json

import pytest

from helpers.lab import Lab
from helpers.random_commands import commands
from helpers.replaying import differences, in_a_lab, recorded, replayed
from netless_lab.protocol import Entry
from netless_lab.session.history import script

pytestmark = pytest.mark.kernel


CASES = {
    "a route with all its words": [
        "ip addr add 10.0.0.1/24 dev eth0; ip route add 198.51.100.128/25 via 203.0.113.1 metric 77 src 10.0.0.1 proto static",
        "ip route add 10.0.0.128/25 via 192.0.2.1 dev eth0 onlink table 100",
        "ip -6 addr add fd00::1/64 dev eth0; ip -6 route add default via fe80::1 dev eth0 metric 5",
        "ip route del default; ip route del 203.0.113.0/24",
    ],
    "rules before, between and behind": [
        "nft 'add table ip t; add chain ip t c { type filter hook input priority 5; policy accept; }; add chain ip t d'",
        "nft add rule ip t c tcp dport 80 drop; nft insert rule ip t c tcp dport 81 jump d; nft add rule ip t c index 0 tcp dport 82 drop",
        "nft delete rule ip t c handle $(nft -a list chain ip t c | sed -n 's/.*dport 80 .*handle //p')",
        "nft add rule ip t c index 0 tcp dport 83 drop; nft insert rule ip t c tcp dport 84 drop",
        "nft flush chain ip t c; nft delete chain ip t d",
        "nft delete chain ip t c",
        "nft delete table ip t",
    ],
    "sets and maps": [
        "nft 'add table ip t; add set ip t s { type ipv4_addr; flags interval; elements = { 10.0.0.0/28, 10.0.0.99 }; }'",
        "nft 'add chain ip t c { type filter hook input priority 5; }; add rule ip t c ip saddr @s drop'",
        "nft delete element ip t s '{ 10.0.0.99 }'; nft add element ip t s '{ 10.0.0.64/28 }'",
        "nft 'add map ip t m { type inet_service : verdict; }; add element ip t m { 80 : accept, 81 : drop }; add rule ip t c tcp dport vmap @m'",
        "nft delete element ip t m '{ 81 : drop }'",
        "nft flush ruleset",
    ],
    "sets and chains that say more": [
        "nft 'add table ip t; add set ip t s { type ipv4_addr; flags timeout; timeout 1h; size 10; gc-interval 2h; }'",
        "nft 'add set ip t c { type ipv4_addr . inet_service; flags interval; counter; elements = { 10.0.0.0/24 . 80-90 } }'",
        "nft 'add map ip t m { type ipv4_addr : ipv4_addr . inet_service; elements = { 10.0.0.1 : 10.0.0.2 . 80 } }'",
        "nft 'add chain ip t d; add map ip t v { type ipv4_addr : verdict; elements = { 10.0.0.1 : jump d } }; add rule ip t d ip saddr vmap @v'",
        "nft 'flush chain ip t d; delete map ip t v; delete chain ip t d'",
        "nft 'add table netdev n; add chain netdev n j { type filter hook ingress devices = { eth0, lo } priority 5; }'",
    ],
    "tables that sleep": [
        "nft add table ip d '{ flags dormant; }'; nft 'add chain ip d c { type filter hook input priority 0; policy drop; }'",
        "nft add table ip d", "nft add table ip d '{ flags dormant; }'", "nft add table ip e; nft add chain ip e c; nft add table ip e '{ flags dormant; }'",
        "nft delete chain ip e c; nft delete table ip e",
    ],
    "names with hyphens, and that begin with what is no letter": [
        "iptables -N DOCKER-USER; iptables -I FORWARD -j DOCKER-USER; iptables -A DOCKER-USER -i eth0 -j RETURN; iptables -N .up; iptables -A FORWARD -g .up",
        "nft 'add table ip _t; add chain ip _t c-1; add set ip _t s-1 { type ipv4_addr; }; add counter ip _t k-1; add map ip _t m-1 { type mark : verdict; }'",
        "nft 'add element ip _t m-1 { 1 : jump c-1 }; add element ip _t s-1 { 10.0.0.2 }; add rule ip _t c-1 ip saddr @s-1 counter name \"k-1\" accept'",
        "iptables -D DOCKER-USER 1; iptables -P FORWARD DROP", "iptables -F FORWARD; iptables -X DOCKER-USER", "nft delete table ip _t",
    ],
    "settings of devices": [
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
        "sysctl -qw net.ipv4.conf.eth0.forwarding=0 net.ipv4.conf.eth0.rp_filter=2",
        "sysctl -qw net.ipv4.conf.eth0.forwarding=1 net.ipv4.conf.default.proxy_arp=1",
        "ip link add d0 type dummy; sysctl -qw net.ipv4.conf.d0.proxy_arp=0",
        "ip link del d0",
    ],
    "neighbours and MACs set by hand": [
        "ip link add br0 type bridge; ip link add va type veth peer name vb; ip link set va master br0",
        "ip neigh add 203.0.113.7 lladdr 02:00:00:00:00:07 dev eth0 nud permanent; bridge fdb add 02:00:00:00:00:08 dev va master static",
        "ip neigh del 203.0.113.7 dev eth0; bridge fdb del 02:00:00:00:00:08 dev va master",
        "ip link set vb address 02:00:00:00:00:09 mtu 1400; ip link set br0 address 02:00:00:00:00:0a; ip link set va type bridge_slave hairpin on",
    ],
    "everything of a bridge and its ports": [
        "ip link add br0 type bridge ageing_time 1000 stp_state 1 priority 100 group_fwd_mask 8 forward_delay 450",
        "ip link set br0 type bridge ageing_time 500 hello_time 300 max_age 1000 mcast_snooping 0 no_linklocal_learn 1",
        "ip link add va type veth peer name vb; ip link set va master br0; ip link set va type bridge_slave cost 9 priority 5",
        "ip link set va type bridge_slave guard on mcast_flood off neigh_suppress on root_block on", "ip link set va nomaster", "ip link del br0",
    ],
    "everything of a vxlan device": [
        "ip link add vx0 type vxlan id 7 dstport 4789 nolearning ttl 9 tos 4 ageing 99 srcport 5000 6000 df set",
        "ip link add vx1 type vxlan external dstport 4790", "ip link add vx2 type vxlan id 9 dstport 4791 group 239.1.1.1 dev eth0 gbp proxy",
        "ip link set vx0 type vxlan id 7 ttl 11", "bridge fdb append 02:00:00:00:00:77 dev vx0 dst 203.0.113.9 vni 99 port 999 via eth0",
    ],
    "everything of other devices": [
        "ip link set eth0 group 9 txqueuelen 77 allmulticast on multicast off", "ip link set eth0 dynamic on gso_max_size 1000; ip token set ::7 dev eth0",
        "ip link set eth0 addrgenmode eui64 broadcast 02:ff:ff:ff:ff:ff", "ip link add i0 type ifb; ip link set i0 up txqueuelen 5",
        "ip tuntap add t0 mode tun user 0 pi; ip tuntap add t1 mode tap multi_queue vnet_hdr group 0", "ip link set t0 up",
        "ip link add mt0 link eth0 type macvtap mode bridge; ip link add mv2 link eth0 type macvlan mode private bcqueuelen 5",
    ],
    "everything of an address": [
        "ip addr add 10.0.0.1/24 brd + dev eth0; ip addr add 10.0.0.2/24 brd 10.0.0.99 dev eth0 label eth0:7",
        "ip addr add 10.1.1.1 peer 10.1.1.2 dev eth0; ip addr add 10.3.3.3/24 dev eth0 scope link noprefixroute metric 99 proto 77",
        "ip -6 addr add fd00::1/64 dev eth0 nodad preferred_lft 0; ip -6 addr add fd01::1 peer fd01::2 dev eth0",
        "ip addr del 10.1.1.1 peer 10.1.1.2 dev eth0", "ip addr del 10.0.0.1/24 dev eth0; ip addr add 10.0.0.1/24 dev eth0 label eth0:x",
    ],
    "several ways to one destination": [
        "ip route add 10.5.0.0/16 nexthop via 203.0.113.1 weight 2 nexthop via 203.0.113.9 dev eth0 weight 5",
        "ip route replace 10.5.0.0/16 nexthop via 203.0.113.7 nexthop via 203.0.113.9", "ip route replace 10.5.0.0/16 via 203.0.113.7",
        "ip route append 10.5.0.0/16 via 203.0.113.8; ip route prepend 10.5.0.0/16 via 203.0.113.6", "ip route del 10.5.0.0/16 via 203.0.113.7",
        "ip route replace 203.0.113.0/24 nexthop dev eth0 weight 2 nexthop dev lo", "ip route del 203.0.113.0/24",
        "ip -6 addr add fd00::1/64 dev eth0 nodad", "ip -6 route add fd05::/64 nexthop via fd00::2 weight 2 nexthop via fd00::3",
        "ip -6 route append fd05::/64 via fd00::4", "ip -6 route del fd05::/64 via fd00::3",
    ],
    "routes with metrics of their own": [
        "ip route add 10.5.0.0/16 via 203.0.113.1 mtu lock 1200 advmss 900 initcwnd 3 rto_min 100ms", "ip route change 10.5.0.0/16 via 203.0.113.1 mtu 1300",
        "ip route add 10.6.0.0/16 via 203.0.113.1 tos 0x10; ip route add 10.6.0.0/16 encap ip id 3 dst 10.0.0.9 dev eth0",
        "ip -6 route add fd06::/64 dev eth0 pref high mtu 1400 hoplimit 7",
    ],
    "policy rules that say more": [
        "ip rule add pref 7 from 10.0.0.0/8 iif eth0 fwmark 3/7 ipproto tcp sport 9 dport 80-90 uidrange 0-5 tos 0x10 lookup 77 suppress_prefixlength 3",
        "ip rule add pref 8 goto 32766; ip rule add pref 9 lookup main suppress_ifgroup 5; ip rule add pref 10 not from 10.0.0.1 nop",
        "ip -6 rule add pref 13 dsfield 0x10 lookup 77 protocol 77; ip rule del pref 32767", "ip rule del pref 0", "ip rule flush",
    ],
    "policy rules": [
        "ip rule add pref 50 from 10.0.0.2 lookup 100; ip rule add pref 51 fwmark 0x1/0xff iif eth0 prohibit",
        "ip -6 rule add pref 52 to fd00::/64 lookup 100; ip rule del pref 50",
    ],
    "a link that lost its last address in between": [
        "ip addr add 10.0.0.1/24 dev eth0; ip addr del 203.0.113.2/24 dev eth0; ip route add 198.51.100.0/24 via 10.0.0.9",
        "ip addr del 10.0.0.1/24 dev eth0; ip addr add 10.0.0.2/24 dev eth0; ip route add 198.51.100.0/24 via 10.0.0.9",
    ],
    "a link without the route of its address": [
        "ip addr add 10.0.0.1/24 dev eth0; ip route del 10.0.0.0/24",
        "ip link set eth0 down",
    ],
    "a vxlan device, for which the kernel listens": [
        "ip link add vx0 type vxlan id 7 dstport 4789 local 203.0.113.2 remote 203.0.113.9", "ip link set vx0 up",
        "bridge fdb append 00:00:00:00:00:00 dev vx0 dst 203.0.113.4", "bridge fdb del 00:00:00:00:00:00 dev vx0 dst 203.0.113.4", "ip link del vx0",
    ],
    "packets that are put into others with a checksum": [
        "ip route add 10.6.0.0/16 encap ip id 3 dst 10.0.0.9 csum key via 203.0.113.1", "ip route replace 10.6.0.0/16 encap ip id 3 dst 10.0.0.9 seq via 203.0.113.1",
    ],
    "a macvlan device that takes frames of some senders": [
        "ip link add va type veth peer name vb; ip link add link va name mv type macvlan mode source macaddr set 02:00:00:00:00:07 02:00:00:00:00:08",
        "ip link set mv type macvlan macaddr add 02:00:00:00:00:09", "ip link set mv type macvlan macaddr del 02:00:00:00:00:07",
        "ip link set mv type macvlan macaddr flush", "ip link del va",
    ],
    "a map of counters": [
        "nft 'add table ip t; add counter ip t k; add map ip t m { type ipv4_addr : counter; elements = { 10.0.0.2 : \"k\" }; }'", "nft delete table ip t",
    ],
    "a container that is called otherwise": [
        "nsenter -t $C1 -u hostname c9; ip netns exec c1 ip link set lo up", "nsenter -t $C1 -m sh -c 'echo nameserver 198.51.100.53 >/etc/resolv.conf'",
        "nsenter -t $C1 -u hostname c1; nsenter -t $C1 -m sh -c 'echo nameserver 198.51.100.54 >/etc/resolv.conf'",
    ],
    "loopback": ["ip -n c1 link set lo up", "ip -n c1 addr del 127.0.0.1/8 dev lo", "ip -n c1 link set lo down"],
    "names that are files for a moment, as ip netns makes them": [
        ": >/run/netns/nine", "rm /run/netns/nine; ip netns attach nine $C1", "umount /run/netns/nine", "rm /run/netns/nine",
        ": >/run/netns/box; : >/run/netns/left", "rm /run/netns/box; ip netns add box", "ip -n box link set lo up", "echo some >/run/netns/full",
    ],
    "several changes of names in one look": [
        "ip netns add x; ip netns del x; ip netns add x", "ip netns del x; ip netns add x", ": >/run/netns/y; mount --bind /run/netns/x /run/netns/y",
        "umount /run/netns/x; rm /run/netns/x", "ip netns del y; ln -s /proc/$C1/ns/net /run/netns/y", "ip netns del y; ip netns add y",
        "ip link add br0 type bridge; ip link del br0; ip link add br0 type ifb", "ip link del br0; ip link add br0 type bridge",
        "ip link set br0 name br1; ip link add br0 type bridge", "ip link set br0 name qq; ip link set br1 name br0; ip link set qq name br1",
        "ip link set br1 name br2; ip link set br0 name br1",
    ],
    "a namespace that is deleted with its cable": [
        "ip netns add box", "ip link add va type veth peer name vb netns box; ip -n box addr add 10.0.0.1/24 dev vb; ip -n box link set vb up",
        "ip netns del box", "ip link add va type bridge",
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "-"))
def test_each_is_made_again_and_taken_back(case: str) -> None:
    """What the tools say of a fresh lab in which the script was run is what they say of the first; and each line is undone by itself."""
    found = recorded([["ip netns attach c1 $C1"], *([line] for line in CASES[case])])
    assert found["unsaid"] == []
    made = replayed(found["script"])
    assert made == found["witness"], f"{differences(found['witness'], made)}\n{found['script']}"


def test_rules_are_found_by_their_place_though_one_before_them_cannot_be_said() -> None:
    """Of iptables' own match there is no word in a script: its place is kept, and the rule that was deleted behind it is the one that is missing."""
    typed = [
        ["nft add table ip filter; nft 'add chain ip filter INPUT { type filter hook input priority 0; policy accept; }'"],
        ["iptables -A INPUT -m recent --set --name x -j ACCEPT"],
        *([f"nft add rule ip filter INPUT tcp dport {port} drop"] for port in (81, 82, 83)),
        ["nft delete rule ip filter INPUT handle $(nft -a list chain ip filter INPUT | sed -n 's/.*dport 82 .*handle //p')"],
    ]
    found = recorded(typed, back=False)
    assert len(found["unsaid"]) == 1
    made = json.dumps(replayed(found["script"])["host"]["firewall"])
    assert '"right": 81' in made and '"right": 83' in made and '"right": 82' not in made and "here was a rule" in made


def test_what_leads_to_a_name_that_nft_cannot_read_is_not_said_either() -> None:
    """iptables names chains as it likes; whatever jumps to one that no command of nft's makes would end the script."""
    typed = [["iptables -N 1st; iptables -A FORWARD -i eth0 -j 1st", "iptables -A FORWARD -i lo -j DROP"], ["iptables -P FORWARD DROP"]]
    found = recorded(typed, back=False)
    assert len(found["unsaid"]) == 2
    made = json.dumps(replayed(found["script"])["host"]["firewall"])
    assert "here was a rule" in made and '"right": "lo"' in made and '"policy": "drop"' in made


@pytest.mark.parametrize("name", ["tcp", "log", "counter"])
def test_a_name_that_is_a_word_of_nft_is_not_said(name: str) -> None:
    """iptables makes such chains, and no line of nft's can speak of them; the script goes on, and one that only begins so is made."""
    typed = [[f"iptables -N {name}; iptables -A {name} -j DROP; iptables -A FORWARD -j {name}"], [f"iptables -N {name}s; iptables -A INPUT -j {name}s"]]
    found = recorded(typed, back=False)
    assert len(found["unsaid"]) == 3
    made = json.dumps(replayed(found["script"])["host"]["firewall"])
    assert f'"target": "{name}s"' in made and "here was a rule" in made


def test_a_container_that_is_seen_before_it_has_its_host_name_is_started_under_that() -> None:
    """Between unshare(1) and hostname(1) it is a namespace that nobody has named; the script has it once it is called so, and nothing is missing."""
    pid = "$(pgrep -xf 'sleep 4321')"
    typed = [
        [f"setsid unshare --net --mount --uts --ipc sleep 4321 >/dev/null 2>&1 & until [ {pid} ]; do :; done"],
        [f"nsenter -t {pid} -u hostname c2"],
        [f"ip netns attach c2 {pid}; ip link add va type veth peer name vb netns c2"],
    ]
    found = recorded(typed, back=False)
    assert "no command" not in found["script"]
    made = replayed(found["script"])
    assert made == found["witness"], f"{differences(found['witness'], made)}\n{found['script']}"


def test_a_namespace_that_nobody_names_is_missing_while_it_is_there() -> None:
    """What has neither host name nor name cannot be made; once it is gone there is nothing to make."""
    begun = ["setsid unshare --net sleep 4321 >/dev/null 2>&1 & until [ $(pgrep -xf 'sleep 4321') ]; do :; done"]
    assert "no command is known for 1 of" in recorded([begun], back=False)["script"]
    ended = ["gone=$(pgrep -xf 'sleep 4321'); kill $gone; while grep -qs '^State:.[^ZX]' /proc/$gone/status; do :; done"]  # kill(2) does not wait
    assert "no command" not in recorded([begun, ended], back=False)["script"]


NAMELESS = [
    "setsid unshare --net --mount --uts --ipc sleep 4321 >/dev/null 2>&1 & until [ $(pgrep -xf 'sleep 4321') ]; do :; done",
    "nsenter -t $(pgrep -xf 'sleep 4321') -n ip link set lo up",
    "ip link add va type veth peer name vb netns $(pgrep -xf 'sleep 4321'); ip addr add 10.0.0.1/24 dev va",
]
"""A namespace that nobody has named, in which much happens."""
NAMES = {
    "a host name": ["nsenter -t $(pgrep -xf 'sleep 4321') -u hostname c2", "ip netns attach c2 $(pgrep -xf 'sleep 4321'); ip -n c2 link set vb up"],
    "a name": ["ip netns attach box $(pgrep -xf 'sleep 4321')", "ip -n box link set vb up; nsenter -t $(pgrep -xf 'sleep 4321') -u hostname c2"],
    "one host name after the other": [
        "nsenter -t $(pgrep -xf 'sleep 4321') -u hostname c2", "nsenter -t $(pgrep -xf 'sleep 4321') -n ip link set vb up",
        "nsenter -t $(pgrep -xf 'sleep 4321') -u hostname c3", "nsenter -t $(pgrep -xf 'sleep 4321') -n ip addr add 10.0.0.2/24 dev vb",
    ],
}  # fmt: skip


@pytest.mark.parametrize("given", NAMES)
def test_what_happened_in_a_namespace_before_it_was_named_is_made_in_it(given: str) -> None:
    """The script has it under the name that it came to have, from where it appeared on, so that no line speaks of what nobody can find."""
    found = recorded([*([line] for line in NAMELESS), *([line] for line in NAMES[given])], back=False)
    assert "pid_of ns-" not in found["script"]
    made = replayed(found["script"])
    assert made == found["witness"], f"{differences(found['witness'], made)}\n{found['script']}"


def test_what_happened_in_a_namespace_that_nobody_names_is_made_all_the_same() -> None:
    """The host's end of the cable is there, the namespace has a name of the script's own, which it says; and with its end all of it ends."""
    found = recorded([[line] for line in NAMELESS], back=False)
    assert "no command is known for 1 of" in found["script"]
    assert replayed(found["script"])["host"]["addresses"] == found["witness"]["host"]["addresses"]
    ended = ["gone=$(pgrep -xf 'sleep 4321'); kill $gone; while grep -qs '^State:.[^ZX]' /proc/$gone/status; do :; done"]
    found = recorded([*([line] for line in NAMELESS), ended], back=False)
    assert "no command" not in found["script"]
    made = replayed(found["script"])
    assert made == found["witness"], f"{differences(found['witness'], made)}\n{found['script']}"


def test_a_container_is_found_by_the_process_that_stays() -> None:
    """hostname(1) lives under the name too while it gives it, and may be met first: what the script asks of that one comes too late."""
    asked = script((Entry(0.0, "learner", "asked", ('echo "$(pid_of c2)"',), ""),))

    def ask(own: Lab) -> list[str]:
        last = "/proc/sys/kernel/ns_last_pid"
        first = "setsid unshare --net --uts sh -c 'hostname c2; exec sleep 4321' >/dev/null 2>&1"
        own.shell("host", f"echo 998 >{last}; {first} & until pgrep -xf 'sleep 4321' >/dev/null; do :; done")
        pid = own.shell("host", "pgrep -xf 'sleep 4321'").strip()
        own.shell("host", f"echo 9997 >{last}; setsid nsenter -t {pid} -u sleep 4322 >/dev/null 2>&1 & until pgrep -xf 'sleep 4322' >/dev/null; do :; done")
        return [pid, own.shell("host", asked).strip()]

    pid, found = in_a_lab(ask)
    assert found == pid


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(6, 200))])
def test_a_random_session_is_made_again_and_taken_back(seed: int) -> None:
    """Whatever was typed: the script makes the same of a fresh lab, and ``back``, change by change, ends where it began; the tools say so."""
    typed = commands(seed, 24)
    found = recorded(typed)
    assert found["unsaid"] == []
    made = replayed(found["script"])
    assert made == found["witness"], f"{differences(found['witness'], made)}\n{found['script']}"
