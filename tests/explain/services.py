"""What is broken where names, ports and programs are concerned."""

from __future__ import annotations

from helpers.broken import SITE, Broken, ping
from netless_lab.model.probe import Connect, Fetch, Lookup, Udp

PUBLISH = "nft 'add chain ip lab pre { type nat hook prerouting priority -100; }'; nft add rule ip lab pre "
LET_IN = "nft insert rule ip lab forward ct status dnat accept"
SERVE = "c2& python3 -m http.server 80"
SAY_NOTHING = "c2& python3 -c 'import socket, time; s = socket.create_server((\"\", 80)); time.sleep(60)'"
SAY_MUCH = (
    "c2& python3 -c 'import socket; server = socket.create_server((\"\", 80)); answer = b\"HTTP/1.0 200 OK\\r\\nContent-Length: 20000\\r\\n\\r\\n\"; "
    "[(talk := server.accept()[0], talk.recv(999), talk.sendall(answer + b\"x\" * 20000)) for _ in range(9)]'"
)


def resolver(address: str, node: str = "c1") -> str:
    """The one name server that a container asks; its own file, not the host's."""
    return f"nsenter -t $(pgrep -o -f '^{node}$' || ip netns pids {node} | head -n1) -m sh -c 'echo nameserver {address} > /etc/resolv.conf'"


def hosts(script: str) -> str:
    """Something done to the file of hosts that c1's programs read."""
    return f"nsenter -t $(pgrep -o -f '^c1$' || ip netns pids c1 | head -n1) -m sh -c '{script}'"


def hosts_say(line: str) -> str:
    """A line more in that file."""
    return hosts(f"echo {line} >> /etc/hosts")


HOSTS_AGAIN = hosts('kept=$(grep -v test$ /etc/hosts); echo "$kept" > /etc/hosts')


def named(node: str, address: str) -> str:
    """Something that listens where a name server does, on one address."""
    own = f'own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); own.bind(("{address}", 53))'
    return f"{node}& python3 -c 'import socket, time; {own}; time.sleep(60)'"


BROKEN = (
    Broken(
        "a zone of connections for the side of a published port",
        f"""{PUBLISH} tcp dport 8080 dnat to 10.0.0.3:80; {LET_IN}; nft add table ip zz; nft 'add chain ip zz p {{ type filter hook prerouting priority -300; }}'
nft add rule ip zz p iifname br0 ct zone set 5
{SERVE}""",
        Connect("internet", "203.0.113.2", 8080), "zone-split", "host:NAT",
    ),
    Broken("names led to a port of the router", f"{PUBLISH} iifname br0 udp dport 53 redirect to :5353", Fetch("c1", "http://example.test/"),
           "no-listener", "host:service"),
    Broken("names led to a neighbour", f"{PUBLISH} iifname br0 udp dport 53 dnat to 10.0.0.3:53", Lookup("c1", "example.test"), "no-listener", "c2:service"),
    Broken("a question led to a neighbour", f"{PUBLISH} iifname br0 udp dport 53 dnat to 10.0.0.3:53", Udp("c1", "198.51.100.53", 53), "no-listener", "c2:service"),
    Broken("names led to who has no name server there", f"{PUBLISH} iifname br0 udp dport 53 dnat to {SITE}:53", Fetch("c1", "http://example.test/"),
           "no-listener", "internet:service"),
    Broken("pages led to a neighbour", f"{PUBLISH} tcp dport 80 dnat to 10.0.0.3:80", Connect("c1", SITE, 80), "no-listener", "c2:service"),
    Broken("pages led to a neighbour, and the answer back", f"{PUBLISH} tcp dport 80 dnat to 10.0.0.3:80; {LET_IN}; "
           "nft add rule ip lab postrouting ip daddr 10.0.0.3 masquerade", Connect("c1", SITE, 80), "no-listener", "c2:service"),
    Broken("pings ignored", "c2| sysctl -qw net.ipv4.icmp_echo_ignore_all=1", ping("10.0.0.3"), "icmp-ignored", "c2"),
    Broken("nothing listens", "true", Connect("c1", "10.0.0.3", 80), "no-listener", "c2:service"),
    Broken("something else listens", "c2& python3 -m http.server 8000", Connect("c1", "10.0.0.3", 80), "no-listener", "c2:service"),
    Broken("for itself only", "c2& python3 -m http.server 80 --bind 127.0.0.1", Connect("c1", "10.0.0.3", 80), "service-on-loopback", "c2:service"),
    Broken(
        "on another address", "c2| ip addr add 10.0.0.44/24 dev veth3\nc2& python3 -m http.server 80 --bind 10.0.0.44",
        Connect("c1", "10.0.0.3", 80), "service-wrong-address", "c2:service",
    ),
    Broken("says nothing", SAY_NOTHING, Fetch("c1", "http://10.0.0.3/"), "service-silent", "c2:service"),
    Broken("a name that the file of hosts leads elsewhere", hosts_say("203.0.113.1 example.test"), Fetch("c1", "http://example.test/"), "hosts-wrong", "c1:names",
           HOSTS_AGAIN),
    Broken("a named port that the file of hosts leads elsewhere", hosts_say("203.0.113.1 example.test"), Connect("c1", "example.test", 80), "hosts-wrong", "c1:names",
           HOSTS_AGAIN),
    Broken("a name that the file of hosts leads to nobody", hosts_say("203.0.113.77 example.test"), ping("example.test"), "hosts-wrong", "c1:names",
           HOSTS_AGAIN),
    Broken("a name that the file of hosts knows, and nothing listens", hosts_say("10.0.0.3 c2.test"), Connect("c1", "c2.test", 80), "no-listener", "c2:service",
           HOSTS_AGAIN),
    Broken("no name server", "true", Lookup("c2", "example.test"), "resolver-missing", "c2:names"),
    Broken("a stub that is not there", resolver("127.0.0.53"), Lookup("c1", "example.test"), "resolver-wrong", "c1:names"),
    Broken("a name server that is none", resolver("10.0.0.1"), Lookup("c1", "example.test"), "resolver-wrong", "c1:names"),
    Broken("a name server nobody has", resolver("10.0.0.250"), Lookup("c1", "example.test"), "resolver-wrong", "c1:names"),
    Broken("a name server out of reach", resolver("8.8.8.8"), Fetch("c1", "http://example.test/"), "resolver-wrong", "c1:names"),
    Broken("a name server for itself only", f"{named('c2', '127.0.0.1')}\n{resolver('10.0.0.3')}", Lookup("c1", "example.test"), "service-on-loopback", "c2:service"),
    Broken(
        "a name server of its own, elsewhere", f"{named('c1', '10.0.0.2')}\n{resolver('127.0.0.53')}", Lookup("c1", "example.test"),
        "service-wrong-address", "c1:service",
    ),
    Broken(
        "names led to who listens for itself only", f"{named('host', '127.0.0.1')}\niptables -t nat -A PREROUTING -i br0 -p udp --dport 53 -j REDIRECT",
        Lookup("c1", "example.test"), "service-on-loopback", "host:service",
    ),
    Broken("names shut out by the host that should know them", f"{named('host', '0.0.0.0')}\n{resolver('10.0.0.1')}\n"
           "iptables -P INPUT DROP; iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT", ping("example.test"), "input-drop", "host:fw", served=False),
    Broken("no such name", "true", Lookup("c1", "nope.example.test"), "no-such-name", "c1:names"),
    Broken("names and no road", "c1| ip route del default", Fetch("c1", "http://example.test/"), "no-default-route", "c1:routing"),
    Broken("names and no forwarding", "sysctl -qw net.ipv4.ip_forward=0", Lookup("c1", "example.test"), "forwarding-off", "host:fwd"),
    Broken("names stopped by a rule", "nft insert rule ip lab forward udp dport 53 drop", Fetch("c1", "http://example.test/"), "forward-rule", "host:fw"),
    Broken("names shut in by who asks for them", "c1| iptables -A OUTPUT -p udp --dport 53 -j REJECT", ping("example.test"), "firewall-reject", "c1:fw"),
    Broken("names lost on the way out of who asks", "c1| iptables -A OUTPUT -p udp --dport 53 -j DROP", ping("example.test"), "output-drop", "c1:fw"),
    Broken("pages shut in when the name is known", "c1| iptables -A OUTPUT -p tcp --dport 80 -j DROP", Fetch("c1", "http://example.test/"), "output-drop", "c1:fw"),
    Broken("pages stopped by a rule", "nft insert rule ip lab forward tcp dport 80 drop", Fetch("c1", "http://example.test/"), "forward-rule", "host:fw"),
    Broken(
        "published and not let in", f"{PUBLISH} tcp dport 8080 dnat to 10.0.0.3:80\n{SERVE}", Connect("internet", "203.0.113.2", 8080),
        "dnat-not-accepted", "host:fw",
    ),
    Broken(
        "published, and nobody there", f"{PUBLISH} tcp dport 8080 dnat to 10.0.0.33:80\n{LET_IN}", Connect("internet", "203.0.113.2", 8080),
        "dnat-wrong", "host:NAT",
    ),
    Broken("a destination that nobody has out there", "iptables -t nat -A PREROUTING -d 198.51.100.10 -j DNAT --to 198.51.100.99", ping(SITE), "dnat-wrong", "host:NAT"),
    Broken(
        "published on the wrong port", f"{PUBLISH} tcp dport 8080 dnat to 10.0.0.3:81\n{LET_IN}\n{SERVE}", Connect("internet", "203.0.113.2", 8080),
        "no-listener", "c2:service",
    ),
    Broken(
        "published for another link", f"{PUBLISH} iifname eth7 tcp dport 8080 dnat to 10.0.0.3:80\n{LET_IN}\n{SERVE}",
        Connect("internet", "203.0.113.2", 8080), "dnat-rule", "host:NAT",
    ),
    Broken(
        "published, and no way back", f"{PUBLISH} tcp dport 8080 dnat to 10.0.0.3:80\n{LET_IN}\nc2| ip route del default\n{SERVE}",
        Connect("internet", "203.0.113.2", 8080), "no-route-back", "c2:routing",
    ),
    Broken("published, and asked by oneself", f"{PUBLISH} tcp dport 8080 dnat to 10.0.0.3:80\n{SERVE}", Connect("host", "203.0.113.2", 8080), "dnat-output", "host:NAT"),
    Broken("published, and asked next door", f"{PUBLISH} tcp dport 8080 dnat to 10.0.0.3:80\n{SERVE}", Connect("c1", "203.0.113.2", 8080), "no-hairpin", "host:NAT"),
    Broken("published, and asked by its own", f"{PUBLISH} tcp dport 8080 dnat to 10.0.0.2:80\nc1& python3 -m http.server 80",
           Connect("c1", "203.0.113.2", 8080), "no-hairpin", "host:NAT"),
    Broken("pages led to a neighbour who has some", f"{PUBLISH} tcp dport 80 dnat to 10.0.0.3:80; {LET_IN}\n{SERVE}", Connect("c1", SITE, 80), "dnat-wrong", "host:NAT"),
    Broken("not published", "true", Connect("internet", "203.0.113.2", 8080), "no-listener", "host:service"),
    Broken(
        "big answers vanish",
        f"""ip link set eth0 mtu 600; nft add table ip zz; nft 'add chain ip zz o {{ type filter hook output priority 0; }}'
            nft add rule ip zz o icmp type destination-unreachable drop
            {PUBLISH} tcp dport 8080 dnat to 10.0.0.3:80\n{LET_IN}\n{SAY_MUCH}""",
        Fetch("internet", "http://203.0.113.2:8080/"), "mtu-black-hole", "host:eth0",
    ),
    Broken(
        "a large page vanishes on its way home",
        """ip link set br0 mtu 1300; nft add table ip zz; nft 'add chain ip zz o { type filter hook output priority 0; }'
           nft add rule ip zz o icmp type destination-unreachable counter drop""",
        Fetch("c1", f"http://{SITE}/big"), "mtu-black-hole", "host:br0",
    ),
)  # fmt: skip
