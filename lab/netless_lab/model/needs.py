"""What a machine may lack of what lessons and faults use: the one list that ``netless doctor``, the ``needs`` of steps and faults, and lint ask.

Whether it is there is never judged by what is installed or by version numbers: each need of the kernel is tried (``sandbox.trial``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec


class Need(msgspec.Struct, frozen=True):
    """One thing that may be lacking. ``title`` is how it is called, ``used_for`` what it is for.

    A need of the kernel names the ``module`` that would bring it, or the ``option`` that the kernel is built with; a need of a ``program`` the
    ``package`` that it comes with. With both, that program tries the kernel's part. Without what is ``essential`` there is no lab at all.
    """

    title: str
    used_for: str
    module: str = ""
    option: str = ""
    program: str = ""
    package: str = ""
    essential: bool = False

    @property
    def of_kernel(self) -> bool:
        """Whether something of it has to be tried, and not only looked for."""
        return not self.program or bool(self.module)


def _program(name: str, package: str, used_for: str) -> Need:
    return Need(name, used_for, program=name, package=package)


_OWN: Final = "experiments of your own"
NEEDS: Final = {
    "veth": Need("virtual cables (veth)", "every lesson", "veth", essential=True),
    "bridge": Need("bridges", "lessons from `switch` on", "bridge", essential=True),
    "macvlan": Need("macvlan", "the lesson on macvlan", "macvlan"),
    "vxlan": Need("VXLAN", "the lesson on overlays", "vxlan"),
    "vlan": Need("VLAN (802.1Q)", _OWN, "8021q"),
    "ipvlan": Need("ipvlan", _OWN, "ipvlan"),
    "dummy": Need("dummy interfaces", _OWN, "dummy"),
    "tun": Need("tun and tap devices", _OWN, "tun"),
    "nft-nat": Need("address translation (nftables)", "the lesson `internet`, step masquerade", "nft_chain_nat and nft_masq"),
    "nft-filter": Need("packet filter (nftables)", "the lesson `internet`, step firewall", "nf_tables"),
    "conntrack": Need("connection tracking", "the lesson `internet`, step firewall", "nft_ct"),
    "nft-trace": Need("following a packet through the rules", "explaining where a packet died", "nf_tables"),
    "nft-bridge": Need("rules on bridges (nftables)", "the drills with a firewall on a bridge", option="CONFIG_NF_TABLES_BRIDGE"),
    "nft-netdev": Need("rules on devices (nftables)", "the drill `dropped-at-the-plug`", option="CONFIG_NF_TABLES_NETDEV"),
    "nft-arp": Need("rules for ARP (nftables)", _OWN, option="CONFIG_NF_TABLES_ARP"),
    "bridge-nf": Need("iptables for frames of bridges", "the drill `bridge-netfilter`", "br_netfilter"),
    "proc-forwarding": Need("forwarding (/proc/sys/net)", "the lesson `internet`, step forwarding"),
    "netlink-forwarding": Need("forwarding (netlink)", "machines where /proc/sys cannot be written"),
    "raw-icmp": Need("ping", "every lesson", essential=True),
    "packet-socket": Need("watching packets", "the Packets pane and tcpdump", "af_packet"),
    "iptables-nat": Need(
        "address translation (iptables)", "the legacy dialect of step masquerade", "xt_MASQUERADE and nft_compat", program="iptables", package="iptables"
    ),
    "ip": _program("ip", "iproute2", "typing the commands of the `ip` dialect, and most drills"),
    "nft": _program("nft", "nftables", "typing firewall rules in the `ip` dialect, and drills with a firewall"),
    "ping": _program("ping", "iputils-ping", "pinging by hand"),
    "nsenter": _program("nsenter", "util-linux", "the step that enters a namespace by pid"),
    "brctl": _program("brctl", "bridge-utils", "the `legacy` dialect"),
    "ifconfig": _program("ifconfig", "net-tools", "the `legacy` dialect"),
    "iptables": _program("iptables", "iptables", "the `legacy` dialect"),
    "iptables-legacy": _program("iptables-legacy", "iptables", "rules in the tables of older kernels"),
    "tcpdump": _program("tcpdump", "tcpdump", "watching packets by hand"),
    "curl": _program("curl", "curl", "fetching the page of example.test by hand"),
    "python3": _program("python3", "python3", "pages and drills with a program that listens"),
}
"""By the names that pages call them."""
_COME_ALONG: Final = {"ss": "ip", "tc": "ip", "bridge": "ip"}
"""Programs of iproute2, which nobody has one by one."""
_QUOTED: Final = r"'[^']*'|\"[^\"]*\""
_BEGINNING: Final = r"(?:^|[;&|(])\s*(?:(?:do|then|else|while|until|if|!)\s+)*([\w.-]+)"


def needs_of(line: str) -> tuple[str, ...]:
    """What a command line for a shell needs by itself: the programs that its commands begin with, as far as a machine may lack them."""
    words = (_COME_ALONG.get(word, word) for word in re.findall(_BEGINNING, re.sub(_QUOTED, "''", line)))
    return tuple(dict.fromkeys(word for word in words if word in NEEDS and not NEEDS[word].of_kernel))


class Lack(msgspec.Struct, frozen=True):
    """A need that this machine does not meet: what is lacking, why, and what to do, as far as that is known."""

    need: str
    title: str
    why: str = ""
    do: str = ""

    def __str__(self) -> str:
        """``this machine lacks VXLAN: vxlan is neither built into this kernel nor loaded (to do: sudo modprobe vxlan)``"""
        return f"this machine lacks {self.title}" + (f": {self.why}" if self.why else "") + (f" (to do: {self.do})" if self.do else "")


def unable(lacks: Iterable[Lack], what: str = "this step") -> str:
    """That something cannot be done on a machine that lacks this, in a sentence; "" where nothing is lacking."""
    told = "; ".join(map(str, lacks))
    return f"{what[:1].upper()}{what[1:]} cannot be done here: {told}." if told else ""
