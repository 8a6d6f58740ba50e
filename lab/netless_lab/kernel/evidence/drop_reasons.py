"""What the kernel's drop reasons mean, in the learner's words (include/net/dropreason-core.h). The names differ by kernel version."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "NO_SOCKET": "no program takes such packets there",
    "SOCKET_FILTER": "a program's own filter refused it",
    "SOCKET_RCVBUFF": "the program that should read it is too slow: its buffer is full",
    "NETFILTER_DROP": "a firewall rule or policy dropped it",
    "OTHERHOST": "it is addressed to another machine's hardware address",
    "IP_CSUM": "the checksum of its IP header is wrong",
    "IP_INHDR": "its IP header cannot be used, for example because the TTL ran out",
    "IP_RPFILTER": "the reverse path filter does not believe its source address",
    "IP_LOCAL_SOURCE": "it claims to come from one of the node's own addresses",
    "IP_INVALID_SOURCE": "its source address cannot be a sender's",
    "IP_INVALID_DEST": "its destination address cannot be a receiver's",
    "IP_LOCALNET": "it is for 127.0.0.0/8, which must not be on a wire (route_localnet)",
    "IP_INADDRERRORS": "it is not for this node, and the node does not forward",
    "IP_INNOROUTES": "the node has no route for it",
    "IP_OUTNOROUTES": "the node has no route for it",
    "IP_NOPROTO": "the node does not speak that protocol",
    "UNICAST_IN_L2_MULTICAST": "one machine's address inside a frame for everybody",
    "PKT_TOO_BIG": "it is bigger than the link carries, and must not be cut",
    "NEIGH_FAILED": "nobody answered when the node asked for the next hop's hardware address",
    "NEIGH_QUEUEFULL": "too many packets wait for the next hop's hardware address",
    "NEIGH_DEAD": "the entry of the next hop was deleted while it waited",
    "NEIGH_CREATEFAIL": "there is no room for another neighbour",
    "NEIGH_HH_FILLFAIL": "the next hop's hardware address is not known yet",
    "QDISC_DROP": "the interface's queue refused it, for example because the other end of the cable is down",
    "FULL_RING": "the device's queue is full",
    "CPU_BACKLOG": "the processor's receive queue is full",
    "DEV_READY": "the device is not ready: it, or the other end of the cable, is down",
    "DEV_HDR": "the device could not make its header",
    "TC_INGRESS": "a traffic control rule at the way in dropped it",
    "TC_EGRESS": "a traffic control rule at the way out dropped it",
    "XDP": "a program at the device dropped it",
    "UNHANDLED_PROTO": "nobody here takes that kind of frame",
    "BRIDGE_INGRESS_STP_STATE": "the bridge port does not take frames in: it is blocking, or its bridge is down",
    "BRIDGE_NO_EGRESS_PORT": "the bridge has no other port to send it out of",
    "LOCAL_MAC": "it comes from a hardware address of the bridge itself",
    "MAC_INVALID_SOURCE": "its sender's hardware address is not one",
    "ARP_PVLAN_DISABLE": "nobody here answers ARP for others (proxy_arp)",
    "MAC_IEEE_MAC_CONTROL": "it is a control frame, which a bridge keeps to itself",
    "PROTO_MEM": "the protocol's memory is used up",
    "TCP_CSUM": "its TCP checksum is wrong",
    "UDP_CSUM": "its UDP checksum is wrong",
    "ICMP_CSUM": "its ICMP checksum is wrong",
    "INVALID_PROTO": "its ICMP type is not one that is answered",
    "TCP_RESET": "the connection was reset",
    "TCP_FLAGS": "its TCP flags fit no state of the connection",
    "TCP_ZEROWINDOW": "the receiver's window is closed",
    "TCP_LISTEN_OVERFLOW": "the listener has too many waiting connections",
    "VXLAN_VNI_NOT_FOUND": "no VXLAN of that network number is here",
    "VXLAN_INVALID_HDR": "its VXLAN header cannot be used",
    "VXLAN_ENTRY_EXISTS": "a VXLAN entry stands in the way",
    "VXLAN_NO_REMOTE": "the VXLAN knows nobody to send it to",
    "IP_TUNNEL_ECN": "a tunnel refuses its congestion bits",
    "BLACKHOLE": "a blackhole route swallowed it",
    "DUP_FRAG": "a piece of it came twice",
    "FRAG_REASM_TIMEOUT": "not all of its pieces came in time",
    "IPV6DISABLED": "IPv6 is switched off there",
    "SECURITY_HOOK": "a security module refused it",
    "NOMEM": "there was no memory",
    "NOT_SPECIFIED": "the kernel gives no reason for it",
}
NOISE: Final = frozenset({("NO_SOCKET", "ping_rcv"), ("QUEUE_PURGE", "")})
"""(reason, function) that mean nothing: each answered ping by a raw socket makes the first, each closed socket the second."""


def words(reason: str) -> str:
    """The reason in words; its own name when there are none."""
    return WORDS.get(reason, reason.lower().replace("_", " "))


def is_noise(reason: str, function: str) -> bool:
    """Whether it says nothing about the packet's fate."""
    return any(reason == name and (not where or function == where) for name, where in NOISE)
