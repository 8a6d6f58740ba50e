"""What is broken where firewalls are concerned: every family and hook of nftables, the old iptables, and what passes through a bridge."""

from __future__ import annotations

from explain.routing import SIX
from helpers.broken import SITE, Broken, ping
from netless_lab.model.probe import Connect


def firewall(family: str, hook: str, rule: str = "", policy: str = "accept", priority: int = 0, device: str = "") -> str:
    """A table of its own with one chain, and perhaps a rule."""
    where = f"device {device} " if device else ""
    lines = [
        f"nft add table {family} zz",
        f"nft 'add chain {family} zz chain1 {{ type filter hook {hook} {where}priority {priority}; policy {policy}; }}'",
    ]
    return "; ".join([*lines, f"nft add rule {family} zz chain1 {rule}"] if rule else lines)


BROKEN = (
    Broken("forward policy", "nft flush chain ip lab forward", ping(SITE), "forward-policy", "host:fw"),
    Broken("forward rule", "nft insert rule ip lab forward ip daddr 198.51.100.0/24 drop", ping(SITE), "forward-rule", "host:fw"),
    Broken("forward rule of another table", firewall("inet", "forward", "ip protocol icmp drop", priority=50), ping(SITE), "forward-rule", "host:fw"),
    Broken(
        "forward rule of a chain jumped to",
        "nft add chain ip lab docker; nft add rule ip lab docker ip saddr 10.0.0.2 drop; nft insert rule ip lab forward jump docker",
        ping(SITE), "forward-rule", "host:fw",
    ),
    Broken("answers forgotten", "nft flush chain ip lab forward; nft add rule ip lab forward iifname br0 accept", ping(SITE), "answers-not-accepted", "host:fw"),
    Broken("reject", "nft insert rule ip lab forward ip daddr 198.51.100.10 reject with icmp admin-prohibited", ping(SITE), "firewall-reject", "host:fw"),
    Broken("reject at home", f"c1| {firewall('inet', 'output', 'icmp type echo-request reject')}", ping("10.0.0.3"), "firewall-reject", "c1:fw"),
    Broken("reset", "nft insert rule ip lab forward tcp dport 80 reject with tcp reset", Connect("c1", SITE, 80), "firewall-reject", "host:fw"),
    Broken("input of the host", firewall("inet", "input", "icmp type echo-request drop"), ping("10.0.0.1"), "input-drop", "host:fw"),
    Broken("input of the target", f"c2| {firewall('inet', 'input', policy='drop')}", ping("10.0.0.3"), "input-drop", "c2:fw"),
    Broken("input of the sender", f"c1| {firewall('inet', 'input', policy='drop')}", ping("10.0.0.3"), "input-drop", "c1:fw"),
    Broken("output of the sender", f"c1| {firewall('inet', 'output', policy='drop')}", ping("10.0.0.3"), "output-drop", "c1:fw"),
    Broken("output of the target", f"c2| {firewall('inet', 'output', policy='drop')}", ping("10.0.0.3"), "output-drop", "c2:fw"),
    Broken("prerouting", firewall("ip", "prerouting", "ip saddr 10.0.0.2 drop", priority=-300), ping(SITE), "prerouting-drop", "host:fw"),
    Broken("a reverse path filter of nft, and a stray route", firewall("ip", "prerouting", "fib saddr . iif oif missing drop", priority=-300)
           + "\nip route add 10.0.0.2/32 via 203.0.113.1", ping(SITE), "prerouting-drop", "host:fw"),
    Broken("a reverse path filter of nft, and a lasting stray route", firewall("inet", "prerouting", "fib saddr . iif oif 0 counter drop", priority=-300)
           + "\nip route add 10.0.0.0/25 via 203.0.113.1", ping("10.0.0.1"), "prerouting-drop", "host:fw"),
    Broken("prerouting, and a stray route", firewall("ip", "prerouting", "ip saddr 10.0.0.2 drop", priority=-300)
           + "\nip route add 10.0.0.2/32 via 203.0.113.1", ping(SITE), "prerouting-drop", "host:fw"),
    Broken("a forward rule, and a stray route by a rule of routing", "nft insert rule ip lab forward ip daddr 198.51.100.0/24 drop\n"
           "ip route add blackhole default table 77; ip rule add to 10.0.0.2 lookup 77", ping(SITE), "forward-rule", "host:fw"),
    Broken("postrouting", firewall("ip", "postrouting", "oifname eth0 drop", priority=200), ping(SITE), "postrouting-drop", "host:fw"),
    Broken("bridge family", firewall("bridge", "forward", "ip protocol icmp drop"), ping("10.0.0.3"), "nft-bridge", "host:fw"),
    Broken("bridge family, policy", firewall("bridge", "forward", policy="drop"), ping("10.0.0.3"), "nft-bridge", "host:fw"),
    Broken(
        "bridge family, ARP", firewall("bridge", "prerouting", "ether type arp drop") + "\nip neigh flush all; ip -n c1 neigh flush all", ping("10.0.0.1"),
        "nft-bridge", "host:fw",
    ),
    Broken("netdev family", firewall("netdev", "ingress", "ip protocol icmp drop", device="veth2"), ping("10.0.0.1"), "nft-netdev", "host:fw"),
    Broken("netdev family, egress", firewall("netdev", "egress", policy="drop", device="eth0"), ping(SITE), "nft-netdev", "host:fw"),
    Broken("ingress of inet", firewall("inet", "ingress", policy="drop", device="veth2"), ping("10.0.0.1"), "nft-netdev", "host:fw"),
    Broken(
        "arp family", f"c2| {firewall('arp', 'input', policy='drop')}\nip -n c1 neigh flush all; ip -n c2 neigh flush all", ping("10.0.0.3"),
        "nft-arp", "c2:fw",
    ),
    Broken(
        "bridged frames in the IP firewall",
        "sysctl -qw net.bridge.bridge-nf-call-iptables=1; nft insert rule ip lab forward ip saddr 10.0.0.2 ip daddr 10.0.0.3 drop",
        ping("10.0.0.3"), "bridge-netfilter", "host:fw",
    ),
    Broken(
        "what is sent back out where it came in, and no bridge's frame",
        "c1| ip route add 10.0.0.3/32 via 10.0.0.1\nnft insert rule ip lab forward iifname br0 oifname br0 drop", ping("10.0.0.3"), "forward-rule", "host:fw",
    ),
    Broken(
        "frames of one bridge only in the IP firewall", "ip link set br0 type bridge nf_call_iptables 1; nft insert rule ip lab forward iifname br0 oifname br0 drop",
        ping("10.0.0.3"), "bridge-netfilter", "host:fw",
    ),
    Broken(
        "two networks that Docker keeps apart",
        """ip link set veth4 nomaster; ip link set br0 address $(cat /sys/class/net/veth2/address); ip link add br1 type bridge
           ip addr add 10.1.0.1/24 dev br1; ip link set br1 up; ip link set veth4 master br1
           c1| ip neigh flush all
           c2| ip addr flush dev veth3; ip addr add 10.1.0.3/24 dev veth3; ip route replace default via 10.1.0.1; ip neigh flush all
           nft insert rule ip lab forward iifname br0 oifname br1 accept; nft insert rule ip lab forward iifname br1 oifname br0 accept
           iptables -N DOCKER-USER; iptables -N DOCKER-ISOLATION-STAGE-1; iptables -N DOCKER-ISOLATION-STAGE-2; iptables -I FORWARD -j DOCKER-USER
           iptables -A FORWARD -j DOCKER-ISOLATION-STAGE-1; iptables -A DOCKER-ISOLATION-STAGE-1 -i br0 ! -o br0 -j DOCKER-ISOLATION-STAGE-2
           iptables -A DOCKER-ISOLATION-STAGE-1 -i br1 ! -o br1 -j DOCKER-ISOLATION-STAGE-2; iptables -A DOCKER-ISOLATION-STAGE-2 -o br0 -j DROP
           iptables -A DOCKER-ISOLATION-STAGE-2 -o br1 -j DROP; iptables -A DOCKER-USER -j RETURN""",
        ping("10.1.0.3"), "isolation", "host:fw",
    ),
    Broken(
        "forward policy of IPv6",
        f"{SIX}\nnft add table ip6 zz; nft 'add chain ip6 zz chain1 {{ type filter hook forward priority 0; policy drop; }}'", ping("fd00:b::1"),
        "forward-policy", "host:fw",
    ),
    Broken("iptables, the new", "iptables-nft -I FORWARD -d 198.51.100.10 -j DROP", ping(SITE), "forward-rule", "host:fw"),
    Broken("iptables, the old", "iptables-legacy -I FORWARD -d 198.51.100.10 -j DROP", ping(SITE), "legacy-iptables", "host:fw"),
    Broken("iptables, the old policy", "iptables-legacy -P FORWARD DROP", ping(SITE), "legacy-iptables", "host:fw"),
    Broken("iptables, the old, at the target", "c2| iptables-legacy -I INPUT -p icmp -j DROP", ping("10.0.0.3"), "legacy-iptables", "c2:fw"),
    Broken(
        "iptables, the old, is not to blame", "iptables-legacy -I FORWARD -d 192.0.2.1 -j DROP; sysctl -qw net.ipv4.ip_forward=0", ping(SITE),
        "forwarding-off", "host:fwd",
    ),
    Broken(
        "a set of bad addresses",
        "nft add set ip lab bad '{ type ipv4_addr; elements = { 10.0.0.2 }; }'; nft insert rule ip lab forward ip saddr @bad drop",
        ping(SITE), "forward-rule", "host:fw",
    ),
    Broken(
        "the tunnel's packets", f"c2| {firewall('inet', 'input', 'udp dport 4789 drop')}\n" + "\n".join(
            f"ip -n {node} link add vx0 type vxlan id 42 local {own} remote {far} dstport 4789; ip -n {node} addr add {inner}/24 dev vx0; ip -n {node} link set vx0 up"
            for node, own, far, inner in (("c1", "10.0.0.2", "10.0.0.3", "10.9.0.1"), ("c2", "10.0.0.3", "10.0.0.2", "10.9.0.2"))
        ),
        ping("10.9.0.2"), "input-drop", "c2:fw",
    ),
    Broken(
        "the packets of the second of two tunnels", f"c2| {firewall('inet', 'input', 'udp dport 8472 drop')}\n"
        "ip -n c2 link add vx1 type vxlan id 43 local 10.0.0.3 remote 10.0.0.2 dstport 4789; ip -n c2 link set vx1 up\n" + "\n".join(
            f"ip -n {node} link add vx0 type vxlan id 42 local {own} remote {far} dstport 8472; ip -n {node} addr add {inner}/24 dev vx0; ip -n {node} link set vx0 up"
            for node, own, far, inner in (("c1", "10.0.0.2", "10.0.0.3", "10.9.0.1"), ("c2", "10.0.0.3", "10.0.0.2", "10.9.0.2"))
        ),
        ping("10.9.0.2"), "input-drop", "c2:fw",
    ),
)  # fmt: skip
