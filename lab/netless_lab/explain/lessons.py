"""Which step teaches what a cause is about. A step that a lab's courses do not have is simply not offered."""

from __future__ import annotations

from typing import Final

_STEPS: Final = {
    "container/netless/decoy": ("decoy-namespace",),
    "container/netless/loopback": ("lo-down", "route-localnet", "service-on-loopback"),
    "container/cable/plug": ("cable-missing",),
    "container/cable/address": ("address-missing", "address-wrong", "prefix-wrong", "broadcast-address", "duplicate-address", "no-route"),
    "container/cable/switch-on": ("link-down", "mtu-wrong"),
    "container/switch/port": ("port-unplugged", "port-wrong-bridge", "no-hairpin", "fdb-wrong", "duplicate-mac", "nft-bridge", "nft-netdev"),
    "container/switch/gateway": ("bridge-without-address", "address-on-port", "gateway-missing"),
    "container/switch/bridge-up": ("bridge-down",),
    "container/switch/port-up": ("port-down", "port-state"),
    "container/internet/default-route": (
        "no-default-route", "gateway-wrong", "no-route-back", "route-wrong", "blackhole-route", "policy-rule", "subnet-clash", "no-such-host",
    ),
    "container/internet/forwarding": ("forwarding-off", "forwarding-off-device", "ttl-exceeded", "routing-loop", "rp-filter", "mtu-black-hole"),
    "container/internet/masquerade": (
        "masquerade-missing", "masquerade-wrong-subnet", "masquerade-wrong-link", "masquerade-rule", "masquerade-skipped", "snat-wrong",
    ),
    "container/internet/firewall": ("forward-policy", "firewall-reject", "legacy-iptables", "prerouting-drop", "postrouting-drop"),
    "container/internet/door-out": ("forward-rule", "input-drop", "output-drop", "dnat-not-accepted"),
    "container/internet/door-back": ("answers-not-accepted",),
    "container/internet/names": ("resolver-missing", "resolver-wrong", "resolver-refuses", "no-such-name"),
    "container/neighbour/first-words": ("neighbour-wrong", "neighbour-unanswered", "arp-off", "arp-ignored", "nft-arp", "proxy-arp", "bridge-netfilter"),
    "container/neighbour/no-router": ("isolated-ports",),
}  # fmt: skip
_BY_CODE: Final = {code: step for step, codes in _STEPS.items() for code in codes}


def teaches(code: str) -> str:
    """The step, as ``course/lesson/step``; "" when none teaches it."""
    return _BY_CODE.get(code, "")
