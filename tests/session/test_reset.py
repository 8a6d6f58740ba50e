"""A reset equals a fresh lab, also in what no picture shows; ``reset --dry`` says before what would go. sysctl, tc, ip and nft are the witnesses."""

from __future__ import annotations

import random
import re
from functools import partial
from itertools import pairwise

import pytest

from helpers.running import Running, running
from helpers.waiting import eventually
from netless_lab.protocol import Scope

pytestmark = pytest.mark.kernel

MESS = {
    "a setting": ("sysctl -qw net.ipv4.conf.all.arp_ignore=8", "net.ipv4.conf.all.arp_ignore = 8", "sysctl -n net.ipv4.conf.all.arp_ignore"),
    "a setting of a device": ("sysctl -qw net.ipv6.conf.lo.hop_limit=7", "net.ipv6.conf.lo.hop_limit = 7", "sysctl -n net.ipv6.conf.lo.hop_limit"),
    "IPv6 of one device": ("sysctl -qw net.ipv6.conf.lo.disable_ipv6=1", "lo.disable_ipv6 = 1", "sysctl -n net.ipv6.conf.lo.disable_ipv6"),
    "an empty table": ("nft add table ip empty", "the table ip empty", "nft list tables"),
    "a table with only a set": ("nft add table inet s; nft 'add set inet s x { type ifname; }'", "the table inet s", "nft list ruleset"),
    "a discipline": ("tc qdisc add dev lo ingress", "the discipline ingress of lo", "tc qdisc show dev lo ingress"),
    "a policy of IPsec": ("ip xfrm policy add src 10.0.0.0/24 dst 10.0.0.0/24 dir out action block", "1 of ip xfrm policy", "ip xfrm policy"),
    "a proxy": ("ip neigh add proxy 10.0.0.77 dev lo", "the proxy for 10.0.0.77", "ip neigh show proxy"),
    "a length of queue": ("ip link set lo txqueuelen 7", "txqueuelen of lo", "cat /sys/class/net/lo/tx_queue_len"),
    "an address label": ("ip addrlabel add prefix fd00:7::/64 label 7", "1 of ip addrlabel", "ip addrlabel"),
    "a rule of multicast": ("ip mrule add lookup 9", "1 of ip rule", "ip mrule"),
    "a rule turned round": ("ip rule del pref 32767; ip rule add not from all lookup default pref 32767", "of ip rule", "ip rule"),
    "a rule less": ("ip rule del pref 32767", "1 of ip rule", "ip rule"),
    "a route to oneself": ("ip link set lo up; ip route add local 10.79.0.0/24 dev lo", "of ip route", "ip -4 route show table all"),
    "multipath TCP": ("ip mptcp limits set subflow 3", "the changed limits of ip mptcp", "ip mptcp limits"),
    "a next hop": ("ip link set lo up; ip nexthop add id 7 blackhole", "1 of ip nexthop", "ip nexthop"),
}  # fmt: skip
"""What is typed, what the list of a reset must hold of it, and the command that shows it."""
LOST = ("a rule less",)
"""Those that take something away, which is listed as what comes back."""


def cleared(lab: Running, scope: Scope = "step") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a reset would take away, and what it would put back."""
    told = lab.what_goes(scope)
    return told.going, told.coming


@pytest.mark.parametrize("node", ["host", "c1"])
@pytest.mark.parametrize("what", MESS)
def test_what_no_picture_shows_is_named_and_goes(lab: Running, what: str, node: str) -> None:
    """It is in the list of what would go, with its node; that changes nothing; the reset takes it away, and then nothing is listed."""
    typed, listed, look = MESS[what]
    lab.goto("netless/name")
    before = lab.sh(look, node)
    lab.sh(typed, node)
    changed = lab.sh(look, node)
    assert changed != before
    going, coming = cleared(lab)
    told = coming if what in LOST else going
    at = "the host" if node == "host" else node
    assert [line for line in told if listed in line and line.endswith(f" in {at}")], (going, coming)
    assert lab.sh(look, node) == changed
    assert "Nothing to reset" not in lab.reset("step").text
    assert lab.sh(look, node) == before
    assert cleared(lab) == ((), ())


@pytest.mark.parametrize("what", MESS)
def test_what_no_picture_shows_goes_from_a_container_of_a_later_step_too(lab: Running, what: str) -> None:
    """c2, which a step brought and which lives on through a reset, is named and cleaned like c1, and by what it holds itself."""
    typed, listed, look = MESS[what]
    lab.goto("neighbour/everyone")
    before, process = lab.sh(look, "c2"), pid(lab, "c2")
    lab.sh(typed, "c2")
    assert lab.sh(look, "c2") != before
    going, coming = cleared(lab)
    told = coming if what in LOST else going
    assert [line for line in told if listed in line and line.endswith(" in c2")], (going, coming)
    lab.reset("step")
    assert pid(lab, "c2") == process
    assert lab.sh(look, "c2") == before


def pid(lab: Running, node: str) -> int | None:
    """The process of a node."""
    return next(own.pid for own in lab.status().nodes if own.name == node)


def test_files_of_the_hosts_own_folders_are_as_they_were(lab: Running) -> None:
    """When the lab starts over /etc and /run are as in a fresh one, and it is said before; a reset of the step leaves them, and his home is his."""
    lab.goto("cable/pair")
    look = "cat /etc/hosts; ls /etc /run"
    before = lab.sh(look)
    lab.sh("echo 10.0.0.9 mine >>/etc/hosts; mkdir /run/mine; echo x >/etc/mine; echo x >~/mine")
    going, coming = cleared(lab, "lab")
    assert {"gone: /etc/mine in the host", "gone: /run/mine in the host"} <= set(going) and "back: /etc/hosts in the host, as it was" in coming
    assert cleared(lab) == ((), ())
    lab.reset("step")
    assert "mine" in lab.sh("cat /etc/hosts; ls /etc")
    lab.reset("lab")
    assert lab.sh(look) == before
    assert lab.sh("cat ~/mine; rm ~/mine") == "x\n"
    assert not [line for line in (*cleared(lab, "lab")[0], *cleared(lab, "lab")[1]) if "/etc" in line or "/run" in line]


def test_what_was_added_goes_and_what_was_taken_away_comes_back(lab: Running) -> None:
    """An interface of the learner's own stands under what goes; the address that he took from the host under what comes back."""
    lab.goto("netless/name")
    lab.sh("ip link add mine type bridge; ip addr del 203.0.113.2/24 dev eth0")
    going, coming = cleared(lab)
    assert [line for line in going if "mine" in line] and not [line for line in coming if "mine" in line]
    assert [line for line in coming if "203.0.113.2/24" in line] and not [line for line in going if "203.0.113.2/24" in line]
    lab.reset("step")
    assert cleared(lab) == ((), ())
    lab.sh("ip link set lo up; echo nameserver 198.51.100.53 > /etc/resolv.conf", "c1")
    going, coming = cleared(lab)
    assert len(going) >= 2 and coming == (), "what was switched on or named goes; nothing comes back for it"


def test_every_node_sees_its_own_files_again(lab: Running) -> None:
    """Removing /etc/hosts and /etc/resolv.conf of the host takes those of all nodes along; after a step's reset each has its own again."""
    lab.goto("container/internet", end=True)
    own = lab.sh("cat /etc/hosts /etc/resolv.conf", "c1")
    lab.sh("rm /etc/hosts /etc/resolv.conf /etc/hostname")
    lab.reset("step")
    assert "localhost c1" in lab.sh("cat /etc/hosts", "c1") and "localhost host" in lab.sh("cat /etc/hosts")
    assert lab.sh("cat /etc/hostname", "c1") == "c1\n" and lab.sh("cat /etc/hostname") == "host\n"
    lab.goto("container/internet", end=True)
    assert lab.sh("cat /etc/hosts /etc/resolv.conf", "c1") == own
    before = lab.sh("cat /etc/resolv.conf")
    lab.sh("echo nameserver 198.51.100.99 > /etc/resolv.conf", "c1")
    assert lab.sh("cat /etc/resolv.conf") == before, "and writes no one else's"


def test_the_programs_that_end_are_named(lab: Running) -> None:
    """A web server that somebody started in c1 ends when the lab starts over, and only then: it is named before, with where it runs."""
    lab.goto("cable/pair")
    lab.sh("cd /; setsid python3 -m http.server 8000 >/dev/null 2>&1 &", "c1")
    lab.sh("setsid sleep 4321 >/dev/null 2>&1 &")
    assert eventually(lambda: any(re.fullmatch(r"gone: the program `python\S* -m http.server 8000` in c1", line) for line in cleared(lab, "lab")[0]))
    assert eventually(lambda: ":8000" in lab.sh("ss -Hltn", "c1")), "and it listens: that is its own, and ends with it"
    assert not [line for line in cleared(lab, "lab")[0] if "4321" in line]
    assert cleared(lab, "step") == ((), ())
    lab.reset("lab")
    assert not lab.sh("pgrep -f '[h]ttp.server 8000'", check=False)
    lab.sh("kill $(pgrep -f '[s]leep 4321')")
    assert not [line for line in cleared(lab, "lab")[0] if "program" in line]


def test_the_programs_of_a_container_that_ends_are_named(lab: Running) -> None:
    """c2 came with a later step: going back before it ends what runs there; so does what runs in a namespace that nobody of the lab made."""
    lab.goto("neighbour/everyone")
    lab.sh("setsid sleep 4321 >/dev/null 2>&1 &", "c2")
    lab.sh("setsid unshare --net sleep 4322 >/dev/null 2>&1 &")
    assert eventually(lambda: "4322" in str(cleared(lab)))
    first, step = cleared(lab, "lesson")[0], cleared(lab)[0]
    assert "gone: the program `sleep 4321` in c2" in first
    assert not [line for line in step if "4321" in line]
    assert [line for line in step if "`sleep 4322`" in line]


def test_what_the_steps_bring_is_not_listed_twice(lab: Running) -> None:
    """The start of the step after it has forwarding on, which changes other settings too: none of them is anybody's mess."""
    steps = next(lesson for lesson in lab.status().course.lessons if lesson.id == "internet").steps
    following = next(after for step, after in pairwise(steps) if step.id == "forwarding")
    lab.goto(f"internet/{following.id}")
    assert lab.sh("sysctl -n net.ipv4.ip_forward") == "1\n"
    assert cleared(lab) == ((), ())


def test_everything_is_as_in_a_fresh_lab(lab: Running) -> None:
    """After a whole course, a mess on every node and ``reset lab``, all settings, links, rules and tables read as at the very start.

    A discipline of no moment is left out: a loopback that has never been up has another of those than one that was. So is the number by which
    the kernel calls the namespace of a cable's other end: another namespace has another.
    """
    look = (
        "sysctl -a 2>/dev/null | grep ^net | grep -v nf_conntrack_count; ip -d link | sed 's/ promiscuity.*//; s/ qdisc no[a-z]*//; s/ link-netnsid [0-9]*//'; "
        "tc qdisc | grep -v ' noqueue '; ip rule; ip route show table all; nft list ruleset; ip xfrm policy; ip nexthop; "
        "ip neigh show proxy"
    )
    nodes = ("host", "internet", "c1")
    with running() as other:
        fresh = {node: other.sh(look, node).splitlines() for node in nodes}
        other.goto("neighbour", end=True)
        for typed, _, _ in MESS.values():
            for node in nodes:
                other.sh(typed, node)
        other.sh("sysctl -qw net.ipv4.conf.eth0.arp_ignore=8 net.ipv4.neigh.eth0.retrans_time_ms=3000; ip link set eth0 mtu 1000", check=False)
        other.reset("lab")
        for node in nodes:
            now = other.sh(look, node).splitlines()
            assert [line for line in now if line not in fresh[node]] == []
            assert [line for line in fresh[node] if line not in now] == []


READ = """
x() { echo "## $*"; "$@" 2>&1 | sed "s/^/$1 $2 $3: /; s/ link-netnsid [0-9]*//"; }
x ip -d addr; x ip -d rule; x ip -6 -d rule; x ip mrule; x ip -6 mrule; x ip route show table all; x ip -6 route show table all
x ip neigh show nud permanent; x ip neigh show proxy; x ip -6 neigh show proxy; x ip addrlabel; x ip nexthop; x ip tunnel; x ip -6 tunnel; x ip netconf
x ip tuntap; x ip token; x ip mptcp endpoint; x ip mptcp limits; x ip xfrm policy; x ip xfrm state; x ip xfrm policy getdefault; x ip mroute show table all
x ip netns; x ip maddr; x nft -j list ruleset; x bridge -d link; x bridge fdb; x bridge vlan; x bridge mdb; x tc -d qdisc; x conntrack -L
x iptables-legacy-save; x ip6tables-legacy-save; x hostname; x cat /proc/self/net/dev_mcast; x find /etc/netns /run/netns -printf '%p %y %l\\n'
x sysctl -a -r '^net[.]'; x awk '{print $5}' /proc/self/mountinfo; x cat /etc/resolv.conf /etc/hosts /etc/hostname
x tc -d class show dev lo; x tc filter show dev lo egress; x tc filter show dev eth0 ingress; x tc actions ls action gact; x conntrack -L expect
x bridge -d vlan global; x find /run -path /run/netless/etc -prune -o -printf '%p %y %m %l %U\n'; x cat /run/lab/.bashrc
x sh -c 'ls -l /dev /run/netless/bin | cut -c1-10,40-'
x domainname; x sysctl -a -r '^(user|fs.mqueue|kernel.(sem|shm|msg))'; x find /var /dev/shm -printf '%p %y %m %l\n'; x stat -c '%n %a' /etc /run /dev /tmp
x sh -c "ipcs | grep '^0x'"; x ip nexthop
x diff -r /etc /run/netless/etc; x sh -c 'ulimit -a; umask; ls /sys/class/net'
"""
"""Everything that the tools tell of a node, but the number by which it calls another namespace, and what TCP remembers of far addresses: only the
machine's root may have that forgotten."""
PASSING = re.compile(
    r"## |.*(nf_conntrack_count|refcnt|users \d|valid_lft \d|flow entries|iptables-save|qdisc noqueue|qdisc noop|promiscuity|handle|metainfo|^$)|"
    r"iptables-legacy-save.*: ([*:].*ACCEPT|\*|COMMIT|#)|ip6tables-legacy-save.*: ([*:].*ACCEPT|\*|COMMIT|#)|.*/proc/self/net/dev_mcast"
)
"""Counters and ages; a link that is down by its discipline; an old table that is empty, which stays listed as long as its namespace."""
HANDS = (
    *(typed for typed, _, _ in MESS.values()),
    "ip link add a0 type veth peer name a1; ip link set a0 up; ip addr add 10.9.0.1/24 dev a0; ip addr add fd00:9::1/64 dev a1",
    "ip link add b0 type bridge vlan_filtering 1; ip link set b0 up; ip link add v0 type veth peer name v1; ip link set v0 master b0",
    "ip tuntap add tap0 mode tap; ip link set tap0 up; ip neigh add 10.9.9.9 lladdr 02:00:00:00:00:09 dev tap0",
    "ip link add vx0 type vxlan id 7 dstport 4789; ip link add i0 type ifb; ip link set i0 up",
    "ip link set lo down; ip link set lo name loop; ip link set lo alias mine; ip link property add dev lo altname another",
    "ip addr add 10.8.0.1/32 dev lo; ip route add 10.8.1.0/24 dev lo table 9; ip rule add fwmark 7/0xf lookup 9; ip -6 rule add from fd00::/8 prohibit",
    "iptables -P FORWARD DROP; iptables -t nat -A POSTROUTING -j MASQUERADE; ip6tables -A INPUT -j DROP",
    "iptables-legacy -P FORWARD DROP; iptables-legacy -t raw -A PREROUTING -j CT --notrack; ip6tables-legacy -P OUTPUT DROP",
    "ebtables -P FORWARD DROP; arptables -P INPUT DROP; nft add table netdev t; nft add table arp t",
    "nft add table ip dormant '{ flags dormant; }'; nft add table bridge q; nft add chain bridge q c '{ type filter hook prerouting priority 0; }'",
    "sysctl -qw net.ipv4.neigh.default.gc_thresh1=7 net.netfilter.nf_conntrack_max=100 net.ipv4.tcp_rmem='4096 5000 6000' net.core.somaxconn=9",
    "sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_ra=2 net.ipv4.conf.default.rp_filter=2 net.ipv4.ip_forward=1",
    "ip route flush table local; ip -6 addrlabel flush; ip addrlabel flush; ip rule flush",
    "ip netns add stray; ip -n stray link add q0 type bridge; mkdir -p /etc/netns/stray; touch /etc/netns/stray/hosts /run/netns/file",
    "echo nameserver 192.0.2.1 >/etc/resolv.conf",
    "hostname another", "mount -t tmpfs none /srv", "curl -s http://198.51.100.10/ >/dev/null",
    "ip link set eth0 txqueuelen 9 mtu 1400; ip link set eth0 address 02:00:00:00:00:77; tc qdisc add dev eth0 clsact; ip maddr add 33:33:00:00:00:9 dev eth0",
    "ip addr flush dev eth0; ip route flush table main; ip link set eth0 down; ip link set eth0 name uplink",
    "setsid unshare --net sleep 1000 >/dev/null 2>&1 &",
    "tc qdisc add dev lo root handle 1: htb; tc class add dev lo parent 1: classid 1:1 htb rate 1mbit; tc qdisc add dev lo parent 1:1 pfifo limit 9",
    "tc qdisc add dev eth0 root tbf rate 1mbit burst 9kb latency 9ms; tc qdisc add dev eth0 ingress; "
    "tc filter add dev eth0 ingress protocol ip u32 match u32 0 0 action drop",
    "tc qdisc add dev lo clsact; tc filter add dev lo egress matchall action drop; tc actions add action gact drop index 9",
    "ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 7 mode tunnel enc 'cipher_null' ''; "
    "ip -6 xfrm policy add src fd00::/8 dst fd00::/8 dir in action block; ip xfrm policy setdefault in block",
    "nft 'add table inet m { set a { type ipv4_addr; flags interval, timeout; elements = { 10.0.0.0/8 timeout 1h }; }; "
    "map b { type inet_service : verdict; elements = { 80 : drop }; }; chain c { type filter hook input priority 5; udp dport vmap @b; }; }'",
    "nft 'add table inet f { flowtable t { hook ingress priority 0; devices = { lo }; }; quota q { over 9 mbytes; }; }'; nft add table ip owned",
    "ip route add blackhole 10.71.0.0/16 table 77; ip route add unreachable 10.72.0.0/16 metric 9; ip route add prohibit 10.73.0.0/16 table 1000000; "
    "ip -6 route add blackhole fd00:71::/32 table 77; ip route add throw 10.74.0.0/16",
    "ip route add 10.75.0.0/16 nexthop dev lo weight 2 nexthop dev eth0; ip route replace default via 203.0.113.1 dev eth0 mtu 1200 advmss 900 initcwnd 3",
    "ip rule add pref 7 iif lo ipproto tcp dport 80 lookup 77; ip rule add pref 8 goto 32766; ip -6 rule add pref 9 tos 0x10 lookup 77; "
    "ip rule add pref 10 from 10.0.0.0/8 lookup main suppress_prefixlength 0",
    "ip mptcp endpoint add 10.8.8.8 id 5 subflow; ip mptcp limits set subflow 4 add_addr_accepted 4",
    "ip link add mv0 link eth0 type macvlan mode bridge; ip link set mv0 up; ip addr add 10.76.0.1/24 dev mv0",
    "ip link add w0 type veth peer name w1; ip link add y0 type bridge stp_state 1; ip link set w1 master y0; ip link set y0 up; "
    "bridge vlan add dev w1 vid 7 pvid untagged; bridge mdb add dev y0 port w1 grp 239.1.1.1 permanent; "
    "bridge fdb add 02:00:00:00:00:77 dev w1 master static; bridge link set dev w1 hairpin on isolated on",
    "bridge fdb add 02:00:00:00:00:78 dev eth0 self; bridge fdb add 01:00:5e:00:00:78 dev eth0 self; ip link set eth0 allmulticast on promisc on",
    "ip tuntap add tun7 mode tun user 0; ip link set tun7 up; ip addr add 10.77.0.1/30 dev tun7; ip link set tun7 name eth7; ip link set eth7 alias tunnel",
    "ip link set eth0 name stolen; ip link add thief type bridge; ip link set stolen master thief",
    "ip netns add hoard; ip netns set hoard 77; ip link set eth0 netns hoard",
    "ip link del eth0", "ip link set eth0 down; ip link set eth0 mtu 1279; ip link set eth0 arp off; ip link set eth0 group 9",
    "conntrack -I -p tcp -s 10.1.1.1 -d 10.1.1.2 --sport 1 --dport 2 --state ESTABLISHED -t 9999 -u ASSURED; "
    "conntrack -I -p udp -s 10.1.1.1 -d 10.1.1.3 --sport 1 --dport 2 -t 9999 -m 7",
    "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 net.netfilter.net.netfilter.nf_log.2=nfnetlink_log net.ipv4.tcp_congestion_control=reno",
    "sysctl -qw net.ipv4.ip_local_port_range='9000 9009' net.ipv4.ip_unprivileged_port_start=9 net.ipv4.fib_multipath_hash_policy=1",
    "sysctl -qw net.ipv4.conf.all.log_martians=1 net.ipv4.conf.lo.arp_filter=1 net.ipv6.conf.all.disable_ipv6=1 net.mptcp.enabled=0 net.unix.max_dgram_qlen=9",
    "sysctl -qw net.ipv6.conf.eth0.stable_secret=fd00::7 net.ipv6.conf.eth0.addr_gen_mode=3 net.ipv6.conf.lo.forwarding=1 net.ipv6.conf.default.hop_limit=9",
    "ip token set ::7 dev eth0; ip -6 addr add fd00:8::8/64 dev eth0 nodad; ip -6 route add default via fd00:8::1; ip -6 neigh add proxy fd00:8::9 dev eth0",
    "ip addr add 203.0.113.9/24 dev eth0 label eth0:9; ip addr add 10.9.9.1 peer 10.9.9.2 dev lo; ip addr change 203.0.113.9/24 dev eth0 valid_lft 900 preferred_lft 90",
    "mount --bind /usr /opt; mount -t tmpfs none /run/netns; mount -t tmpfs none /mnt", "mount -t tmpfs none /etc; mount -t tmpfs none /run/lock",
    "rm -rf /run/netns /run/lock /etc/netns; rm -f /etc/hosts /etc/hostname /dev/fd",
    "echo 10.0.0.9 mine >>/etc/hosts; echo mine >/etc/hostname; chmod 600 /etc/hosts; rm /etc/resolv.conf; ln -s /nowhere /etc/resolv.conf",
    "mkdir -p /etc/mine.d; echo x >/etc/mine.d/x; rm -f /etc/nsswitch.conf; mkdir -p /run/mine/own",
    "ipcmk -M 100; ipcmk -S 3; ipcmk -Q; echo x >/dev/shm/left; mkdir -p /var/x/y; echo x >/var/log/z; rm -rf /var/cache; touch /dev/mine",
    "domainname left; chmod 777 /run; chmod 700 /var/lib /dev/shm; sysctl -qw kernel.shmmax=5 kernel.sem='1 2 3 4' fs.mqueue.msg_max=5",
    "sysctl -qw user.max_net_namespaces=3 user.max_user_namespaces=0 user.max_mnt_namespaces=1", "sysctl -qw net.ipv4.tcp_child_ehash_entries=5",
    "ip rule del pref 0; ip rule del pref 0; ip -6 rule flush; ip route flush table local", "ip link set lo arp off; ip link set lo promisc on",
    "echo 1 >/run/mine.pid; ln -sf /tmp /run/netns/odd; mkfifo /run/pipe; echo alias ls=false >>~/.bashrc; rm -rf /run/netless/bin/*",
)  # fmt: skip
"""What somebody may type on any node: as much of it as goes there. The internet has files of its own, which are not the learner's."""


def read_all(lab: Running, node: str) -> list[str]:
    """All lines that the tools tell of a node, but those of what passes."""
    return sorted(line.strip() for line in lab.sh(READ, node, check=False).splitlines() if not PASSING.match(line))


@pytest.mark.parametrize("seed", range(6))
def test_a_reset_lab_reads_like_a_fresh_one(seed: int) -> None:
    """Whatever mix was typed on host, internet and c1: after ``reset lab`` nothing that the tools read tells it from a lab just started."""
    chance = random.Random(seed)
    nodes = ("host", "internet", "c1")
    with running() as other:
        fresh = {node: read_all(other, node) for node in nodes}
        other.goto(chance.choice(("netless/name", "switch/gateway", "neighbour/everyone")), end=True)
        for node, typed in [(chance.choice(nodes), typed) for typed in chance.sample(HANDS, 16)]:
            if not (node == "internet" and ("/run" in typed or "/etc" in typed)):
                other.sh(typed, node, check=False)
        assert {node: read_all(other, node) for node in nodes} != fresh
        other.reset("lab")
        for node in nodes:
            assert eventually(partial(reads_like, other, node, fresh[node])), (node, difference(read_all(other, node), fresh[node]))


def reads_like(lab: Running, node: str, before: list[str]) -> bool:
    """Whether the tools tell of a node what they told before."""
    return read_all(lab, node) == before


def difference(now: list[str], before: list[str]) -> list[str]:
    """The lines that only one of the two has."""
    return [f"+ {line}" for line in now if line not in before] + [f"- {line}" for line in before if line not in now]


def test_a_reset_of_the_lab_forgets_the_learners_names(lab: Running) -> None:
    """The whole lab starts over, so the pages speak the lesson's words again; a reset of the step keeps the learner's."""
    lab.goto("cable/pair")
    lab.sh("ip link add mine type veth peer name yours")
    assert lab.check().verdicts[0].verdict.result == "pass"
    lab.next()
    lab.reset("step")
    assert "mine" in lab.status().bindings.values()
    lab.reset("lab")
    assert lab.status().bindings == {}
    lab.goto("cable/plug")
    assert lab.links("host") >= {"veth1", "veth2"}


COOKIE = "python3 -c 'import socket; print(socket.socket().getsockopt(socket.SOL_SOCKET, 71, 8).hex())'"
"""SO_NETNS_COOKIE (asm-generic/socket.h, Linux 5.14): a number of the network namespace that no other ever has. That of its inode is given to
another when it has ended."""


def test_a_reset_of_the_lab_makes_the_internet_anew(lab: Running) -> None:
    """It is another process in another namespace, behind the same cable; it answers by name, and whoever was in the old one has ended."""
    lab.goto("container/internet", end=True)
    first, netns = pid(lab, "internet"), lab.sh(COOKIE, "internet")
    look = "ip -d link show eth0 | sed 's/ link-netnsid [0-9]*//'; ip -4 addr show eth0; hostname; awk '{print $5}' /proc/self/mountinfo"
    cable = lab.sh(look, "internet")
    lab.sh("mount -t tmpfs none /srv; hostname other; ip link add mine type bridge; setsid sleep 4321 >/dev/null 2>&1 &", "internet")
    for _ in range(3):
        lab.reset("lab")
    assert pid(lab, "internet") != first
    assert lab.sh(COOKIE, "internet") != netns
    assert lab.sh("pgrep -f '[s]leep 4321'", check=False) == ""
    assert eventually(lambda: lab.sh(look, "internet") == cable)
    lab.goto("container/internet", end=True)
    assert lab.sh("curl -s --max-time 9 -o /dev/null -w '%{http_code}' http://example.test/", "c1") == "200"


def test_an_internet_that_was_killed_is_there_again(lab: Running) -> None:
    """Its process is only a sleep that anybody may kill: a lab that starts over has one that lives."""
    lab.goto("cable/pair")
    lab.sh(f"kill -9 {pid(lab, 'internet')}")
    assert eventually(lambda: "was killed" in str(lab.status().notices))
    lab.reset("lab")
    assert lab.sh("hostname", "internet") == "internet\n"
    assert lab.sh("curl -s --max-time 9 -o /dev/null -w '%{http_code}' http://198.51.100.10/") == "200"


def test_a_reset_of_the_lab_starts_its_containers_anew(lab: Running) -> None:
    """Mounts, files, names and processes of a container are gone with it; a reset of the step lets it live, and who works in it."""
    lab.goto("cable/pair")
    first, look = pid(lab, "c1"), "hostname; cat /etc/hosts; awk '{print $5}' /proc/self/mountinfo"
    before = lab.sh(look, "c1")
    lab.sh("mount -t tmpfs none /mnt; echo x >>/etc/hosts; hostname other; setsid sleep 1000 >/dev/null 2>&1 &", "c1")
    assert lab.sh(look, "c1") != before
    lab.reset("step")
    assert pid(lab, "c1") == first
    lab.reset("lab")
    own = pid(lab, "c1")
    assert own != first
    assert lab.sh(look, "c1") == before
    living = f"cd /proc; for p in [0-9]*; do test $(stat -Lc %i $p/ns/net) = $(stat -Lc %i {own}/ns/net) && echo $p; done"
    assert lab.sh(living, check=False).split() == [str(own)]


def test_what_cannot_be_unset_does_not_stay_on_a_link_that_was_renamed(lab: Running) -> None:
    """The kernel has no way to unset a secret for addresses: the link is made anew, whatever it is called by then."""
    lab.goto("netless/name")
    lab.sh("sysctl -qw net.ipv6.conf.eth0.stable_secret=fd00::7; ip link set eth0 down; ip link set eth0 name up0; ip link set up0 up")
    lab.reset("step")
    assert lab.sh("cat /proc/sys/net/ipv6/conf/eth0/stable_secret 2>/dev/null || echo unset").strip() == "unset"
