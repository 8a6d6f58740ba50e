"""The sender: packets that never were on a wire. The kernel said why by an errno, or the state of its own links does."""

from __future__ import annotations

from ...model.journey import Fact
from ...model.snapshot import Link, Node
from .. import routes
from ..case import Case
from ..cause import Cause, at_gate, at_link, of_node, owner_words
from ..near import estranged, policy
from ..segment import way


def no_way_out(case: Case) -> Cause | None:
    """ENETUNREACH and its kin: the sender's own routing has no way."""
    reason, dst = case.outcome.reason, case.spot.dst
    if case.outcome.by is not None or reason not in ("no-route", "no-address") or not dst:
        return None
    node = case.sender
    return (
        _loopback(case, node, dst)
        or _no_cable(case, node)
        or _all_down(case, node, dst)
        or policy(case, node.name, dst)
        or estranged(case, node.name, dst, None)
        or _no_address(case, node)
        or _alien(case, node)
        or no_route(case, node.name, dst, certain=True)
    )


def refused_by_route(case: Case) -> Cause | None:
    """A blackhole, unreachable or prohibit route or policy rule of the sender itself."""
    errno = {"blackhole": "EINVAL", "unreachable": "EHOSTUNREACH", "filtered": "EACCES"}.get(case.outcome.reason)
    if case.outcome.by is not None or errno is None or not case.spot.dst:
        return None
    return _broadcast(case) or special_route(case, case.probe.node, case.spot.dst, None, None, certain=True)


def special_route(case: Case, name: str, dst: str, src: str | None, iif: str | None, *, certain: bool) -> Cause | None:
    """A route, or a policy rule, whose only purpose is to refuse."""
    node = case.node(name)
    for rule in routes.rules_for(node, dst, src, iif):
        if rule.action != "lookup":
            return policy(case, name, dst, src, iif)
        found = routes.best(node, dst, rule.table)
        if found is None or found.type == "throw":
            continue
        if found.type in ("blackhole", "unreachable", "prohibit"):
            usual = rule.table in (routes.MAIN, routes.DEFAULT)
            text = f"a {found.type} route of {owner_words(name)} for {found.dst} swallows the packet" + (
                "" if usual else f" (table {rule.table})"
            )
            table = "" if rule.table == routes.MAIN else f" table {rule.table}"
            return Cause(
                "blackhole-route" if usual else "policy-rule",
                at_gate(name, "routing"),
                text,
                (
                    Fact(
                        f"{found.type} {found.dst} stands in {of_node(name)} routing table",
                        case.ip(name, f"route show{table or ' '}".rstrip()),
                    ),
                ),
                certain,
                case.ip(name, f"route del {found.type} {found.dst}{table}"),
            )
        return None
    return None


def no_route(case: Case, name: str, dst: str, *, certain: bool, leg: str = "") -> Cause:
    """The plain case: nothing in the tables covers the address."""
    node = case.node(name)
    found = case.route(name, dst)
    fact = Fact(
        f"{of_node(name)} routing says for {dst}: {found.words or 'Network is unreachable'}", case.ip(name, f"route get {dst}")
    )
    back = " for the answer" if leg == "return" else ""
    dead = _gone_with_its_link(case, node, dst)
    if dead is not None:
        text = f"{dead.name} of {owner_words(name)} is down, and the routes that led by it have gone: none covers {dst}{back}"
        down = Fact(f"{dead.name} is down", case.ip(name, f"link show {dead.name}"))
        return Cause("link-down", at_link(name, dead.name), text, (down, fact), False, case.ip(name, f"link set {dead.name} up"))
    bare = _bare(case, node, fact)
    if bare is not None and not routes.has_default(node):
        return bare
    if not routes.has_default(node) and not routes.connected(node, dst):
        via = gateway_of(case, node)
        fix = case.ip(name, f"route add default via {via}") if via else ""
        text = f"{owner_words(name)} has no default route, and no other route covers {dst}{back}"
        return Cause("no-default-route", at_gate(name, "routing"), text, (fact,), certain, fix)
    return Cause("no-route", at_gate(name, "routing"), f"no route of {owner_words(name)} covers {dst}{back}", (fact,), certain)


def _bare(case: Case, node: Node, fact: Fact) -> Cause | None:
    """A live link without the address it should have: the routes by it went with the address."""
    for link in node.links:
        if not link.up or not link.carrier or link.kind in ("loopback", "bridge") or (link.master and link.port):
            continue
        others = [own for _, far in _beside(case, node, link) for own in far.v4 if own.prefix < 32]
        if not others:
            continue
        if not link.v4:
            wanted = next(
                (address for address, whose in case.expected.items() if whose == node.name and not case.owners(address)), ""
            )
            cidr = f"{wanted}/{others[0].prefix}" if wanted and routes.within(wanted, others[0].cidr) else ""
            text = f"{link.name} of {owner_words(node.name)} has no address, and without one no route leads out by it"
            empty = Fact(f"{link.name} has no IPv4 address", case.ip(node.name, f"address show {link.name}"))
            fix = case.ip(node.name, f"address add {cidr} dev {link.name}") if cidr else ""
            return Cause("address-missing", at_link(node.name, link.name), text, (empty, fact), False, fix)
        if not any(routes.within(mine.address, own.cidr) for mine in link.v4 for own in others):
            return _wrong_subnet(case, node, link, others[0].cidr)
    return None


def _gone_with_its_link(case: Case, node: Node, dst: str) -> Link | None:
    """A link with an address that is down, and behind which the target's node lies; any such link when there is but one."""
    dead = [link for link in node.links if not link.up and link.v4 and link.kind != "loopback"]
    homes = {owner.name for owner, _ in case.owners(dst)}
    towards = [link for link in dead if link.peer is not None and link.peer.node in homes]
    return (towards or dead)[0] if towards or len(dead) == 1 else None


def gateway_of(case: Case, node: Node) -> str:
    """An address on one of the node's segments that belongs to somebody who routes."""
    for link in node.links:
        for own in link.v4:
            for other in case.before.nodes:
                if other.name == node.name or (not routes.forwards(other, "") and other.role not in ("host", "router")):
                    continue
                for far in other.links:
                    found = next(
                        (their.address for their in far.v4 if own.prefix < 32 and routes.within(their.address, own.cidr)), None
                    )
                    if found and way(case.before, (node.name, link.name), (other.name, far.name)) is not None:
                        return found
    return ""


def _loopback(case: Case, node: Node, dst: str) -> Cause | None:
    """To oneself, and lo is down."""
    lo = next((link for link in node.links if link.kind == "loopback"), None)
    own = node.owner(dst) is not None or routes.within(dst, "127.0.0.0/8")
    if lo is None or lo.up or not own:
        return None
    text = f"{owner_words(node.name)} sends to itself, which goes by lo, and lo is down"
    fact = Fact("lo is down", case.ip(node.name, "link show lo"))
    return Cause("lo-down", at_link(node.name, lo.name), text, (fact,), True, case.ip(node.name, "link set lo up"))


def own_address(case: Case) -> Cause | None:
    """A packet to one's own address that never came out of lo."""
    if case.spot.stage not in ("unsent", "delivered", "crossing", "routing") or case.spot.node != case.probe.node:
        return None
    return _loopback(case, case.sender, case.spot.dst)


def _no_cable(case: Case, node: Node) -> Cause | None:
    """Nothing but lo: no cable was ever plugged in, or it was plugged into a namespace that only has the right name."""
    if any(link.kind != "loopback" for link in node.links):
        return None
    links = Fact(f"{owner_words(node.name)} has no interface but lo", case.ip(node.name, "link"))
    decoy = decoy_of(case, node)
    if decoy is not None:
        inside = ", ".join(link.name for link in decoy.links if link.kind != "loopback")
        name = decoy.names[0] if decoy.names else decoy.name
        text = f"the namespace called {name} is not {of_node(node.name)}: {inside} went in there, and {owner_words(node.name)} still has nothing but lo"
        facts = (
            links,
            Fact(
                f"the namespace {name} has inode {decoy.netns}, {of_node(node.name)} has {node.netns}",
                f"ls -Li /run/netns/{name} /proc/{node.pid}/ns/net",
            ),
        )
        return Cause("decoy-namespace", node.name, text, facts, True)
    text = f"{owner_words(node.name)} has no cable: its namespace holds nothing but lo"
    return Cause("cable-missing", node.name, text, (links,), True)


def decoy_of(case: Case, node: Node) -> Node | None:
    """A namespace that no container lives in, and that holds an interface; one with the node's name first."""
    strangers = [
        other for other in case.before.nodes if other.role == "unknown" and any(link.kind != "loopback" for link in other.links)
    ]
    named = [other for other in strangers if node.name in other.names or other.name.startswith(node.name)]
    found = named or strangers
    return found[0] if found else None


def _all_down(case: Case, node: Node, dst: str) -> Cause | None:
    """Every interface is down."""
    links = [link for link in node.links if link.kind != "loopback"]
    if any(link.up for link in links):
        return None
    link = next((own for own in links if routes.on_link(own, dst)), next((own for own in links if own.v4), links[0]))
    text = f"{link.name} of {owner_words(node.name)} is down, and a link that is down has no routes"
    fact = Fact(f"{link.name} is down", case.ip(node.name, f"link show {link.name}"))
    return Cause("link-down", at_link(node.name, link.name), text, (fact,), True, case.ip(node.name, f"link set {link.name} up"))


def _no_address(case: Case, node: Node) -> Cause | None:
    """No interface has an address."""
    links = [link for link in node.links if link.kind != "loopback" and not (link.master and link.port)]
    if not links or any(link.v4 for link in links):
        return None
    link = next((own for own in links if own.up), links[0])
    wanted = next((address for address, whose in case.expected.items() if whose == node.name and not case.owners(address)), "")
    text = f"{link.name} of {owner_words(node.name)} has no address, so {owner_words(node.name)} has no route to anywhere"
    fact = Fact(f"{link.name} has no IPv4 address", case.ip(node.name, f"address show {link.name}"))
    fix = case.ip(node.name, f"address add {wanted}/24 dev {link.name}") if wanted else ""
    return Cause("address-missing", at_link(node.name, link.name), text, (fact,), True, fix)


def _alien(case: Case, node: Node) -> Cause | None:
    """An address of another subnet than everybody's on the segment; the default route could never be set, or went with the right one."""
    if routes.has_default(node):
        return None
    for link in node.links:
        if link.kind == "loopback" or not link.v4 or not link.up:
            continue
        others = [own for _, far in _beside(case, node, link) for own in far.v4 if own.prefix < 32]
        if others and not any(routes.within(mine.address, own.cidr) for mine in link.v4 for own in others):
            return _wrong_subnet(case, node, link, others[0].cidr)
    return None


def _beside(case: Case, node: Node, link: Link) -> tuple[tuple[Node, Link], ...]:
    from ..segment import hearers

    return hearers(case.before, (node.name, link.name))


def _wrong_subnet(case: Case, node: Node, link: Link, theirs: str) -> Cause:
    mine = link.v4[0].cidr
    text = f"{link.name} of {owner_words(node.name)} has {mine}; everybody else on its segment is in {routes.subnet(theirs)}"
    fact = Fact(f"{link.name} holds {mine}", case.ip(node.name, f"address show {link.name}"))
    return Cause("address-wrong", at_link(node.name, link.name), text, (fact,))


def _broadcast(case: Case) -> Cause | None:
    """EACCES because the address is the last one of a subnet of the sender's."""
    node, dst = case.sender, case.spot.dst
    for link in node.links:
        for own in link.v4:
            network = routes.subnet(own.cidr)
            if own.prefix < 31 and routes.last_of(network) == dst:
                owners = case.owners(dst)
                fact = Fact(
                    f"{link.name} holds {own.cidr}, whose last address is {dst}", case.ip(node.name, f"address show {link.name}")
                )
                place = at_link(node.name, link.name)
                if owners:
                    text = f"{of_node(node.name)} {own.cidr} makes {dst} a broadcast address, although {owners[0][0].name} has it: the prefix is wrong"
                    return Cause("prefix-wrong", place, text, (fact,), True)
                return Cause(
                    "broadcast-address",
                    place,
                    f"{dst} is the broadcast address of {network}, not the address of a host",
                    (fact,),
                    True,
                )
    return None
