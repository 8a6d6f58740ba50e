"""A session of one lab written down and run in another: what was typed, what the history made of it, and what the tools say of both labs.

The witness is ``ip``, ``bridge``, ``nft`` and ``sysctl`` in every namespace, with what the kernel deals out anew in each lab left out:
indexes, handles, counters, the MAC of a bridge that has no port, link-local addresses, and the states that come and go by themselves.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from ipaddress import ip_interface
from typing import Any

from helpers.forked import users
from helpers.lab import Lab, lab
from helpers.sandboxed import run_in_sandbox
from helpers.waiting import eventually
from netless_lab.model.changes import done_by_somebody
from netless_lab.model.diff import diff
from netless_lab.model.snapshot import Link, Snapshot
from netless_lab.primitives.retell import retell
from netless_lab.primitives.run import Typed
from netless_lab.session.history import History, script

Witness = dict[str, Any]


def in_a_lab(work: Callable[[Lab], Any], user: str | None = None) -> Any:
    """What ``work`` answers (as JSON can say it) in a fresh lab of a sandbox of its own."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:

        def inside() -> None:
            with lab() as own:
                for node in ("host", "c1"):
                    own.shell(node, "sysctl -qw net.ipv6.conf.all.dad_transmits=0 net.ipv6.conf.default.dad_transmits=0")
                json.dump(work(own), said)
                said.flush()

        problem = run_in_sandbox(inside, user or users()[-1])
        assert not problem, problem
        said.seek(0)
        return json.load(said)


class Recorder:
    """Types in a lab and keeps the history of it."""

    def __init__(self, own: Lab) -> None:
        self.lab = own
        self.history = History()
        self.bursts: list[tuple[Snapshot, Snapshot, Witness]] = []
        self.last = own.snapshot()
        self.stands = witness(own)

    def types(self, *commands: str) -> None:
        """These commands on the host, seen together; ``$C1`` is a process of c1. One that fails is a mistake of a learner's."""
        before, stood = self.last, self.stands
        c1 = self.lab.refs().get("c1")
        environment = {**os.environ, "C1": str(c1.pid if c1 is not None else "")}
        failed = [
            subprocess.run(["sh", "-c", command], capture_output=True, check=False, timeout=20, env=environment).returncode
            for command in commands
        ]
        if all(failed):
            return
        self.last = settled(self.lab)
        self.stands = witness(self.lab)
        self.history.saw(diff(before, self.last), before, self.last, "")
        self.bursts.append((before, self.last, stood))

    def script(self) -> str:
        """The history as a script."""
        return script(self.history.entries)

    def unsaid(self) -> list[str]:
        """What the history has no command for."""
        return [
            repr(told.change)
            for before, after, _ in self.bursts
            for told in retell(filter(done_by_somebody, diff(before, after)), before, after)
            if told.doings is None
        ]

    def takes_back(self) -> bool:
        """The last burst undone, as ``back`` does it; the tools must see what they saw before it.

        False when a command was refused: ``back`` rebuilds then. That is right for one thing only, a route whose gateway nothing leads to
        any more: the kernel keeps one and takes no new one.
        """
        before, after, stood = self.bursts.pop()
        told = retell(filter(done_by_somebody, diff(after, before)), after, before)
        for own in told:
            assert own.doings is not None, f"no way back: {own.change}"
            for doing in own.doings:
                if isinstance(doing, Typed):
                    try:
                        self.lab.shell("host", "\n".join(doing.commands("ip", self.lab.where())))
                    except AssertionError as error:
                        if "Nexthop has invalid gateway" in str(error) or "No route to host" in str(error):
                            return False
                        raise
                else:
                    self.lab.apply(doing)
        settled(self.lab)
        now = witness(self.lab)
        assert now == stood, f"{differences(stood, now)}\nafter taking back {[own.change for own in told]}"
        self.last = self.lab.snapshot()
        return True


def settled(own: Lab) -> Snapshot:
    """The lab once nothing of it is on its way any more: IPv6 addresses that are asked for, cables whose far end's namespace is gone.

    A link that was ready once asks for its addresses also when it has no carrier any more (IF_READY in net/ipv6/addrconf.c); an address that is its
    own tells that it was.
    """

    def ready() -> bool:
        links = [link for node in own.snapshot().nodes for link in node.links]
        dying = any(link.kind == "veth" and link.peer is not None and not link.peer.node for link in links)
        return not dying and not any(_is_asking(link) for link in links)

    eventually(ready, 3.0)
    return own.snapshot()


def _is_asking(link: Link) -> bool:
    six = [own for own in link.addresses if own.family == 6]
    return link.up and any(own.tentative for own in six) and (link.carrier or not all(own.tentative for own in six))


_ASKED = (
    "ip -j -d link", "ip -j addr", "ip -j -4 route show table all", "ip -j -6 route show table all", "ip -j -4 rule", "ip -j -6 rule",
    "ip -j neigh show nud permanent", "bridge -j fdb", "nft -j list ruleset",
)  # fmt: skip
_SETTINGS = """cd /proc/sys/net && grep -s . ipv4/ip_* ipv4/icmp* ipv4/conf/*/forwarding ipv4/conf/*/rp_filter ipv4/conf/*/proxy_arp \\
ipv4/conf/*/route_localnet ipv6/conf/all/forwarding ipv6/conf/all/disable_ipv6"""
_MARK = "--- and then"


def witness(own: Lab) -> Witness:
    """What the tools say of every node of the lab, each in its own namespace."""
    refs = own.refs()
    told = {name: _asked(ref.pid, name) for name, ref in refs.items()}
    macs = {str(link.get("address")) for said in told.values() for link in said[0]}
    named = {ref.namespace.inode: name for name, ref in refs.items()}
    nodes = {name: {**_node(said, macs), "resolvers": _resolvers(refs[name].pid)} for name, said in told.items() if name != "internet"}
    return {"names": {name: named.get(inode, "?") for name, inode in _names()}, **nodes}


def _asked(pid: int | None, name: str) -> list[Any]:
    """The answers of the tools inside a node, then its settings."""
    script = f"; echo '{_MARK}'; ".join((*_ASKED, f"({_SETTINGS})"))
    done = subprocess.run([*enter(pid, name), "sh", "-c", script], capture_output=True, text=True, check=False)
    *answers, settings = done.stdout.split(f"{_MARK}\n")
    assert len(answers) == len(_ASKED), done.stderr
    return [*(json.loads(answer or "[]") for answer in answers), sorted(settings.splitlines())]


def enter(pid: int | None, name: str) -> list[str]:
    """The words that enter a node: by a process, or by its name when none lives there."""
    return ["nsenter", f"--net=/proc/{pid}/ns/net"] if pid is not None else ["ip", "netns", "exec", name]


def _names() -> list[tuple[str, int]]:
    listed = subprocess.run(["sh", "-c", "stat -Lc '%n %i' /run/netns/* 2>/dev/null"], capture_output=True, text=True, check=False).stdout
    return [(line.split()[0].rpartition("/")[2], int(line.split()[1])) for line in listed.splitlines()]


_PASSING = re.compile(r"(bridge|root|designated)_(id|port|cost|path_cost)|.*_timer|topology_change.*|config_pending|state|no|port_id|num(queues|disabled)|"
                      r"mcast_startup_query_intvl|gc_timer|mcast_hash_elasticity")  # fmt: skip
"""What of a link's kind, or of a port, is no setting of anybody's."""
_PLAIN = ("mtu", "master", "group", "txqlen", "broadcast", "inet6_addr_gen_mode", "gso_max_size", "gso_max_segs", "gro_max_size")
_FLAGS = ("UP", "NOARP", "PROMISC", "ALLMULTI", "MULTICAST", "DYNAMIC")


def _node(said: list[Any], macs: set[str]) -> dict[str, Any]:
    links, addresses, four, six, rules, rules_of_six, neighbours, fdb, ruleset, settings = said
    masters = {entry.get("master") for entry in links}
    lone = {entry["ifname"] for entry in links if entry.get("linkinfo", {}).get("info_kind") == "bridge" and entry["ifname"] not in masters}
    return {
        "links": {entry["ifname"]: _link(entry, entry["ifname"] in lone) for entry in links},
        "addresses": [
            [entry["ifname"], *_address(info)]
            for entry in sorted(addresses, key=lambda entry: str(entry["ifname"]))
            for info in entry["addr_info"]
            if info["scope"] != "link" or info["family"] != "inet6"
        ],
        "routes": sorted(
            json.dumps(entry, sort_keys=True)
            for entry in _routes([*four, *six])
            if entry.get("type") not in ("multicast", "anycast") and not entry["dst"].startswith("fe80")
        ),
        "rules": [rules, rules_of_six],
        "neighbours": sorted([own["dst"], own["dev"], own["lladdr"]] for own in neighbours),
        "fdb": sorted(
            json.dumps({key: value for key, value in entry.items() if key not in ("ifindex", "flags")}, sort_keys=True)
            for entry in fdb
            if entry["mac"] not in macs and entry.get("state") in ("static", "permanent") and int(entry["mac"][:2], 16) & 1 == 0
            and "vlan" not in entry
        ),
        "firewall": _ruleset(ruleset),
        "settings": settings,
    }  # fmt: skip


def _routes(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**entry, "flags": [flag for flag in entry.get("flags", []) if flag == "onlink"]} for entry in entries]


def _link(entry: dict[str, Any], lone: bool) -> dict[str, Any]:
    info = entry.get("linkinfo", {})
    data = {"": info.get("info_data", {}), "port ": info.get("info_slave_data", {})}
    return {
        "kind": info.get("info_kind"),
        "mac": "" if lone else entry.get("address"),
        **{key: entry.get(key) for key in _PLAIN},
        "lower": entry.get("link"),
        "flags": [flag for flag in _FLAGS if flag in entry["flags"]],
        "alias": entry.get("ifalias"),
        "altnames": entry.get("altnames"),
        **{f"{of}{key}": value for of, own in data.items() for key, value in own.items() if not (of and key == "id") and not _PASSING.fullmatch(key)},
    }


def _address(info: dict[str, Any]) -> list[Any]:
    """All of an address but how long it still lasts, and the broadcast address that its network has anyway."""
    known = {key: value for key, value in info.items() if key not in ("valid_life_time", "preferred_life_time", "tentative", "dynamic")}
    if info["family"] == "inet" and info.get("broadcast") == str(ip_interface(f"{info['local']}/{info['prefixlen']}").network.broadcast_address):
        del known["broadcast"]
    return [json.dumps(known, sort_keys=True), info["preferred_life_time"] == 0]


def _ruleset(listed: dict[str, Any]) -> list[Any]:
    """Everything but handles and counts; chains and tables in the order of their names, rules in theirs."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(own) for key, own in value.items() if key not in ("handle", "packets", "bytes")}
        return [plain(own) for own in value] if isinstance(value, list) else value

    entries = [plain(entry) for entry in listed["nftables"] if "metainfo" not in entry]
    rest = sorted((entry for entry in entries if "rule" not in entry), key=str)
    rules = sorted((entry for entry in entries if "rule" in entry), key=lambda entry: [entry["rule"][key] for key in ("family", "table", "chain")])
    return [*rest, *rules]


def _resolvers(pid: int | None) -> list[str]:
    if pid is None:
        return []
    with open(f"/proc/{pid}/root/etc/resolv.conf", encoding="utf-8") as file:
        return [line.split()[1] for line in file if line.startswith("nameserver")]


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Where two witnesses differ, in words."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [found for key in sorted({*one, *other}) for found in differences(one.get(key), other.get(key), f"{at}/{key}")]
    if isinstance(one, list) and isinstance(other, list):
        gone, new = [own for own in one if own not in other], [own for own in other if own not in one]
        if gone or new:
            return [f"{at}: - {gone} + {new}"]
    return [] if one == other else [f"{at}: - {one} + {other}"]


def replayed(written: str) -> Witness:
    """What the tools say of a fresh lab in which this script was run."""

    def run(own: Lab) -> Witness:
        own.shell("host", written)
        settled(own)
        return witness(own)

    found: Witness = in_a_lab(run)
    return found


def recorded(bursts: Sequence[Sequence[str]], *, back: bool = True) -> dict[str, Any]:
    """These commands typed in a fresh lab, those of a group before anybody looks: the script, the witness at the end, and what the history
    could not say. With ``back`` all is taken back again, group by group.
    """

    def live(own: Lab) -> dict[str, Any]:
        recorder = Recorder(own)
        for commands in bursts:
            recorder.types(*commands)
        found = {"script": recorder.script(), "witness": witness(own), "unsaid": recorder.unsaid()}
        while back and recorder.bursts and recorder.takes_back():
            pass
        return found

    answer: dict[str, Any] = in_a_lab(live)
    return answer
