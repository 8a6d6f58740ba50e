"""Looking into a snapshot on behalf of an expectation: where things are, in words."""

from __future__ import annotations

from ..model.snapshot import Link, Name, Node, Snapshot
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
