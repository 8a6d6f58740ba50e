"""Looking into a snapshot on behalf of an expectation, in words: where things are, and what the interpreter of rules says
(``model/netfilter``): who stops which packets, and why it cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..model.netfilter.packet import ICMP, TCP, UDP, Packet, Spans, members, network, shown, single, spans, without
from ..model.netfilter.run import Way, doubt, reached
from ..model.snapshot import Chain, Link, Name, Node, Rule, Snapshot
from ..model.telling import PROGRAMS
from .base import Finding, NotMet


def places(snapshot: Snapshot, link: str) -> tuple[tuple[Node, Link], ...]:
    """Every (node, link) of that name, host first."""
    found = ((node, node.link(link)) for node in snapshot.nodes)
    return tuple((node, own) for node, own in found if own is not None)


def place(node: Node) -> str:
    """A node in words: ``the host``, ``c1``, or ``the namespace decoy, which is no container's``."""
    if node.role == "unknown":
        return f"the namespace {node.names[0] if node.names else node.name}, which is no container's"
    return "the host" if node.name == "host" else node.name


def opening(words: str) -> str:
    """Words at the beginning of a sentence. The name of a node stays as it is written."""
    return f"T{words[1:]}" if words.startswith("the ") else words


def inside(node: str) -> str:
    """`` on the host`` or `` in c1``."""
    return " on the host" if node == "host" else f" in {node}"


def listed(words: tuple[str, ...], none: str) -> str:
    """``a, b and c``; ``none`` when there are none; long lists end with how many more there are."""
    if not words:
        return none
    if len(words) > 6:
        return ", ".join(words[:5]) + f" and {len(words) - 5} more"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" and {words[-1]}"


_KINDS = {
    "empty": "an empty file", "file": "a plain file", "folder": "a folder", "other": "neither a file nor a namespace",
    "mnt": "a mount namespace", "pid": "a process number namespace", "uts": "a host name namespace", "ipc": "an IPC namespace",
    "user": "a user namespace", "cgroup": "a cgroup namespace", "time": "a time namespace",
}  # fmt: skip


def kind(name: Name) -> str:
    """What an entry of /run/netns is that leads to no network namespace: ``an empty file``, ``leads nowhere``."""
    return _KINDS[name.instead] if name.instead is not None else "leads nowhere"


def not_a_name(name: Name) -> str:
    """The same as the rest of a sentence: ``is an empty file: nothing is mounted on it``, ``leads to /proc/9/ns/net, where nothing is``."""
    if name.instead is None:
        return f"leads to {name.target or 'a file'}, where nothing is"
    what = _KINDS[name.instead]
    if name.instead in ("empty", "file"):
        what = f"{what}: nothing is mounted on it"
    elif name.instead not in ("folder", "other"):
        if name.pid is not None:
            return f"leads to {what}, that of process {name.pid}, not to a network namespace"
        what = f"{what}, not a network namespace"
    return f"leads to {name.target}, {what}" if name.how == "symlink" else f"is {what}"


def no_node(node: str, claim: str, expected: str) -> Finding:
    """The finding when the node an expectation speaks of does not exist."""
    return NotMet(claim, expected, f"there is no node called {node}", "ps -e -o pid,args", "")


def no_link(snapshot: Snapshot, node: Node, link: str) -> tuple[str, str]:
    """(seen, near) when ``node`` has no link of that name: the near miss is the same name in another node."""
    elsewhere = tuple(other for other, _ in places(snapshot, link) if other.netns != node.netns)
    own = listed(tuple(this.name for this in node.links), "no interface at all")
    if not elsewhere:
        return f"no interface {link} in any node; {place(node)} has {own}", ""
    where = listed(tuple(place(other) for other in elsewhere), "")
    return f"{link} is in {where}", misplaced(elsewhere[0], node, link)


def misplaced(found: Node, wanted: Node, what: str) -> str:
    """Why ``what`` in ``found`` is near, and not yet, what should be in ``wanted``."""
    if found.role == "unknown":
        return (
            f"{what} went into a namespace that happens to have a name but is not {wanted.name}'s: `ip netns add` makes a new, "
            f"empty namespace and does not name an old one."
        )
    if found.name == "host":
        return f"{what} is still on the host: {wanted.name} cannot see it from its own namespace."
    if wanted.name == "host":
        return f"{what} is inside {found.name}; this belongs on the host."
    return f"{what} is in {found.name}, another node than {wanted.name}."


KINDS = {ICMP: "ICMP", TCP: "TCP", UDP: "UDP"}
"""What people call protocols."""
_WHY = {
    "unfollowed": "netless cannot follow what the rule `{}` does",
    "unread": "netless cannot read the rule `{}`",
    "varies": "the rule `{}` decides by more than the packet",
    "unlisted": "the rule `{}` asks for what some of these packets have and others have not",
}


def hosts(link: Link) -> Spans:
    """The IPv4 addresses that others in the networks of a device can have."""
    return without(spans(pair for own in link.v4 for pair in members(own.cidr)), spans(pair for own in link.v4 for pair in network(own.address)))


def place_of(chain: Chain) -> str:
    """``ip lab forward``, or the old iptables' ``filter FORWARD (iptables-legacy)``."""
    return f"{chain.table} {chain.name} (iptables-legacy)" if chain.engine == "legacy" else f"{chain.family} {chain.table} {chain.name}"


def stopped(way: Way, asked: Packet) -> str:
    """``ip lab forward drops them by its policy``; of a part of what was asked for, which."""
    assert way.chain is not None
    by = f"its rule `{way.rule.text}`" if way.rule is not None else "its policy"
    return f"{place_of(way.chain)} drops {which(way, asked)} by {by}"


def which(way: Way, asked: Packet) -> str:
    """Those of the packets asked for that went this way: ``them``, ``those from 10.0.0.3-10.0.0.254``, ``those of TCP``."""
    kind = KINDS.get(single(asked.possible("meta l4proto") or ()) or 0, "")
    for field, word in ((asked.source, "from "), (asked.destination, "to "), ("th sport", f"from {kind} ports "), ("th dport", f"to {kind} ports ")):
        before, now = asked.possible(field), way.packet.possible(field)
        if now is not None and before != now and not way.rewrites:
            return f"those {word}{shown(now, asked.family) if field.startswith('ip') else ', '.join(_ports(now))}"
    return "them"


def _ports(found: Spans) -> tuple[str, ...]:
    return tuple(str(first) if first == last else f"{first}-{last}" for first, last in found)


def of_kind(way: Way, asked: Packet, *, others: bool) -> str:
    """`` when they are TCP``; "" where the ports say so, and of the first packet people send, a ping, unless ``others`` fare better."""
    kind = KINDS.get(single(asked.possible("meta l4proto") or ()) or 0, "")
    if f" {kind} ports " in which(way, asked):
        return ""
    return f" when they are {kind}" if kind and (kind != KINDS[ICMP] or others) else ""


def adrift(node: Node, does: Callable[[Rule], bool]) -> str:
    """Why a chain that has the right rule is not asked: it hangs on no hook and no rule leads to it, or its table is switched off; "" when none is so."""
    asked = {id(chain) for base in node.chains if base.hook is not None for chain, _ in reached(node, base)}
    for chain in node.chains:
        if not any(does(rule) for rule in chain.rules):
            continue
        if chain.dormant:
            return f"There is such a rule in {place_of(chain)}, but its table is dormant: the kernel asks none of its chains."
        if chain.hook is None and id(chain) not in asked:
            return (
                f"There is such a rule in {place_of(chain)}, but that chain hangs on no hook and no rule jumps to it: packets never come by, "
                "whatever it is called."
            )
    return ""


def undecided(ways: Iterable[Way]) -> str:
    """Why it cannot be told, as a clause."""
    found = tuple(ways)
    taken = next((way.taken for way in found if way.taken is not None), None)
    if taken is not None:
        return f"on {taken[0]} {PROGRAMS[taken[1]]} decides over such packets, and netless cannot read it"
    guessed = doubt(found)
    return _WHY[guessed.why].format(guessed.rule.text) if guessed is not None else "there are too many rules to follow them all"
