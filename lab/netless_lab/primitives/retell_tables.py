"""The commands that bring changes of a node's tables about (see ``retell``): of routes, single ones and those that share a destination, of rules
for routes, of neighbours, of the firewall and of settings.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from msgspec.structs import replace

from ..model import changes as c
from ..model.knobs import OF_DEVICES, whole
from ..model.netfilter import changes as fw
from ..model.netfilter.rules import NamedSet
from ..model.snapshot import REFUSING, Chain, FdbEntry, Neighbour, Node, PolicyRule, Route, Rule, Snapshot
from .base import word
from .run import Doing, Typed

_MAIN: Final = 254
_DEAD_ENDS: Final = (*REFUSING, "throw")
_OF_A_WAY: Final = ("realm ", "encap ")
"""How those further words of a route begin that each of its ways has for itself."""
Crowds = dict[c.Change, tuple[Doing, ...] | None]
"""What brings changes of routes about that are about several ways."""


class Place(NamedTuple):
    """Where routes compete: of those in one place the kernel takes one, or shares packets out among the ways of one."""

    node: str
    family: int
    table: int
    dst: str
    metric: int


def route(node: str, verb: str, wanted: Route) -> tuple[Doing, ...] | None:
    """``ip route VERB`` with everything that tells this route from others; None when it cannot be said to ip(8)."""
    return (Typed(node, _line(verb, (wanted,))),) if _sayable(wanted) else None


def given_back(node: str, wanted: Route) -> tuple[Doing, ...]:
    """A route of the kernel's own that somebody took away. Beside others of its network, as the kernel adds it, which may have done so."""
    return (_if_possible(node, _line("append", (wanted,))),)


def rerouted(node: str, lost: Route, got: Route, *, gone: bool) -> tuple[Doing, ...] | None:
    """In its place where the kernel can; else what was goes first, unless it is ``gone`` with its link."""
    if lost.type == got.type and got.family == 4:
        return route(node, "replace", got)
    away, here = () if gone else route(node, "del", lost), route(node, "add", got)
    return None if away is None or here is None else (*away, *here)


def crowds(seen: Sequence[c.Change], before: Snapshot, after: Snapshot) -> Crowds:
    """Of changes of routes that share their place, or of one with several ways, what brings them about: all of a place go and come again.

    The first of those that come, or else the first of those that go, has it all, and nothing is left for the others of the place.
    """
    found: Crowds = {}
    renamed = {(own.node, own.before): own.after for own in seen if isinstance(own, c.LinkRenamed)}
    touched: dict[Place, list[c.RouteAdded | c.RouteRemoved | c.RouteChanged]] = {}
    for change in seen:
        if isinstance(change, c.RouteChanged | c.RouteRemoved) or (isinstance(change, c.RouteAdded) and change.route.protocol != "kernel"):
            touched.setdefault(_place(change.node, change.after if isinstance(change, c.RouteChanged) else change.route), []).append(change)
    stand = {name: _Standing.of(name, before, after) for name in {place.node for place in touched}}
    for place, changes in touched.items():
        was, olds, news = stand[place.node]
        old = tuple(replace(own, dev=renamed.get((place.node, own.dev or ""), own.dev)) for own in olds.get(place, ()))
        new = tuple(news.get(place, ()))
        replaced = [(own.before, own.after) for own in changes if isinstance(own, c.RouteChanged)]
        gone = [own.route for own in changes if isinstance(own, c.RouteRemoved)]
        lost = tuple(own for own in (*(was for was, _ in replaced), *gone) if own.protocol == "kernel")
        again = tuple(own for _, own in replaced if own.protocol == "kernel")
        if max(len(old) + len(lost), len(new) + len(again)) < 2 or (was is None and not new):
            continue
        found |= dict.fromkeys(changes, ())
        first = next((own for own in changes if not isinstance(own, c.RouteRemoved)), changes[0])
        anew = _all_anew(place.node, (*lost, *old), new)
        found[first] = None if anew is None else (*anew, *(doing for own in again for doing in given_back(place.node, own)))
    return found


def _place(node: str, own: Route) -> Place:
    return Place(node, own.family, own.table, own.dst, own.metric)


class _Standing(NamedTuple):
    """A node before, and its routes before and after by their places, looked through once: there may be thousands."""

    was: Node | None
    old: Mapping[Place, Sequence[Route]]
    new: Mapping[Place, Sequence[Route]]

    @classmethod
    def of(cls, name: str, before: Snapshot, after: Snapshot) -> _Standing:
        """Of the node that is called so, or was."""
        now = after.node(name)
        was = before.by_netns(now.netns) if now is not None else before.node(name)
        return cls(was, _by_place(name, was), _by_place(name, now))


def _by_place(name: str, node: Node | None) -> dict[Place, list[Route]]:
    """The routes that somebody made, those of a place in the order in which the kernel tries them."""
    found: dict[Place, list[Route]] = {}
    for own in node.routes if node is not None else ():
        if own.protocol != "kernel":
            found.setdefault(_place(name, own), []).append(replace(own, linkdown=False))
    return found


def _all_anew(node: str, old: Sequence[Route], new: Sequence[Route]) -> tuple[Doing, ...] | None:
    """What was goes, as far as it has not gone with a link; what is comes in its order.

    Where the kernel can, the first takes the place of the last that was: by that one a gateway may be reached that is asked for now.
    """
    if not all(map(_sayable, (*old, *new))):
        return None
    was, now = list(_wholes(old)), list(_wholes(new))
    takes = bool(was and now and new[0].family == 4 and _tos(was[0][0]) == _tos(now[0][0]))
    return (
        *(_if_possible(node, _line("del", whole)) for whole in was[takes:]),
        *(Typed(node, _line("replace", whole)) for whole in now[:takes]),
        *(Typed(node, _line("append", whole)) for whole in now[takes:]),
    )


def _tos(own: Route) -> tuple[str, ...]:
    return tuple(said for said in own.others if said.startswith("tos "))


def _wholes(routes: Collection[Route]) -> Iterator[tuple[Route, ...]]:
    """Routes with all their ways: those that have a share are ways of one, if they are alike in everything else."""
    for ways, found in groupby(routes, key=lambda own: replace(_without_way(own), share=min(own.share, 1))):
        together = tuple(found)
        yield from (together,) if ways.share and ways.family == 4 else ((own,) for own in together)


def _without_way(own: Route) -> Route:
    return replace(own, via=None, dev=None, onlink=False, others=tuple(word for word in own.others if not word.startswith(_OF_A_WAY)))


def _sayable(own: Route) -> bool:
    """Whether all of a route can be said: not that its ways are an object of their own, nor what is not decoded of what packets are put into."""
    return not any(said.startswith("nhid ") or (said.startswith("encap ") and said.count(" ") == 1) for said in own.others)


def _line(verb: str, ways: Sequence[Route]) -> str:
    """One command for a route with all its ways."""
    wanted = ways[0]
    words = [] if wanted.type == "unicast" else [wanted.type]
    words.append(wanted.dst)
    if not wanted.share:
        words += _way(wanted)
    words += [f"table {wanted.table}"] * (wanted.table != _MAIN) + [f"metric {wanted.metric}"] * bool(wanted.metric)
    words += [f"proto {wanted.protocol}"] * (wanted.protocol != "boot") + [f"src {wanted.src}"] * (wanted.src is not None)
    usual = "global" if wanted.via is not None or wanted.type in _DEAD_ENDS else "host" if wanted.type == "local" else "link"
    words += [f"scope {wanted.scope}"] * (wanted.family == 4 and wanted.scope != usual)
    words += [said for said in wanted.others if not said.startswith(_OF_A_WAY)]
    for own in ways if wanted.share else ():
        words += ["nexthop", *_way(own), *([f"weight {own.share}"] if own.share > 1 else [])]
    return f"{'-6 ' * (wanted.family == 6)}route {verb} {' '.join(words)}"


def _way(own: Route) -> Iterator[str]:
    yield from (said for said in own.others if said.startswith("encap "))
    if own.via is not None:
        yield f"via {'inet6 ' if own.family == 4 and ':' in own.via else ''}{own.via}"
    if own.dev is not None and not (own.type in _DEAD_ENDS and own.dev == "lo"):
        yield f"dev {word(own.dev)}"
    if own.onlink:
        yield "onlink"
    yield from (said for said in own.others if said.startswith("realm "))


def _if_possible(node: str, line: str) -> Typed:
    return Typed(node, f"ip {line} 2>/dev/null || :", "shell")


_KEYWORDS: Final = (
    "accept add ah all arp bridge cgroup chain comment comp constant continue counter cpu create ct day dccp define delete describe destroy "
    "device devices dnat drop dst dup dynamic ecn element elements esp ether exists expires export exthdr fib flags flow flowtable flush frag fwd "
    "gc-interval geneve get goto gre gretap handle hbh hook hour ibriport ibrname icmp icmpv6 igmp iif iifgroup iifname iiftype import index inet "
    "insert ip ip6 ipsec jhash jump last limit list log map mark masquerade meta meter mh missing monitor netdev nftrace notrack numgen obriport "
    "obrname oif oifgroup oifname oiftype osf pkttype policy position priority queue quota random redirect reject rename replace reset return rt "
    "rt0 rt2 rtclassid rule ruleset sctp secmark set size skgid skuid snat socket srh symhash synproxy table tcp th time timeout tproxy type "
    "typeof udp udplite undefine vlan vmap vxlan xor xt"
)
"""What nft(8) takes for words of its own wherever a name may stand, and has no quotes for; the kernel, and so iptables, takes them for names."""
_NAME: Final = f"(?!(?:{'|'.join(_KEYWORDS.split())})(?![A-Za-z0-9/_.-]))[A-Za-z_.][A-Za-z0-9/_.-]*"
"""A name as nft(8) reads one (``string`` of its src/scanner.l); the kernel takes any, and a shell would read more into some."""
_TABLE: Final = re.compile(f"[a-z0-9]+ {_NAME}")
_CHAIN: Final = re.compile(f"{_TABLE.pattern} {_NAME}")
_STRING: Final = re.compile('"[^"]*"')
_COUNTER: Final = re.compile(f'counter name "({_NAME})"')
"""A counter that several rules share, and which must be there before them; making one that is there changes nothing."""
_NAMED: Final = re.compile(f'"({_NAME})"')
_LEADS_ELSEWHERE: Final = re.compile(rf"(?:\b(?:jump|goto) |@)(?!{_NAME}(?:[\s,}}]|$))")
"""What asks a chain or a set that nft(8) cannot be told of."""
_OBJECTS: Final = frozenset({"counter", "quota", "limit", "ct helper", "ct timeout", "ct expectation", "synproxy", "secmark", "tunnel", "ct count"})
"""What a map leads to that has a name; no command here makes any but a counter."""
_ANOTHER_COMMAND: Final = re.compile(r"[;#\n\\]")
"""What ends a command of nft's, outside of its strings: a name of a set or of a chain to jump to may hold it."""


def _plain(text: str) -> bool:
    """Whether nft(8) takes these words, of a rule or of an element, for nothing else, and for nothing that no command of it makes."""
    outside = _STRING.sub("", text)
    return not _ANOTHER_COMMAND.search(outside) and not _LEADS_ELSEWHERE.search(outside)


def policy_rule(node: str, verb: str, rule: PolicyRule) -> Doing:
    words = ["not"] * rule.negated + [f"pref {rule.priority}", f"from {rule.src}"]
    words += [f"to {rule.dst}"] * (rule.dst != "all") + [f"fwmark {rule.mark}"] * (rule.mark is not None)
    words += [f"iif {word(rule.iif or '')}"] * (rule.iif is not None) + [f"oif {word(rule.oif or '')}"] * (rule.oif is not None)
    words += [*rule.others, f"lookup {rule.table}" if rule.action == "lookup" else rule.action]
    words += [f"suppress_prefixlength {rule.suppress}"] * (rule.suppress is not None) + [*rule.notes]
    return Typed(node, f"{'-6 ' * (rule.family == 6)}rule {verb} {' '.join(words)}")


def neighbour(node: str, own: Neighbour) -> tuple[Doing, ...] | None:
    if own.mac is None:
        return None
    return (Typed(node, f"neigh replace {own.address} lladdr {own.mac} dev {word(own.dev)} nud permanent"),)


def fdb(node: str, verb: str, own: FdbEntry) -> Doing:
    """bridge(8): of a port by its bridge, of a vxlan device by itself."""
    where = "master" if own.master not in (None, own.dev) else "self"
    goal = f" dst {own.dst}" if own.dst else ""
    state = "" if verb == "del" else f" {own.state}"
    return Typed(node, f"bridge fdb {verb} {own.mac} dev {word(own.dev)} {where}{goal}{state}{''.join(f' {said}' for said in own.others)}", "tool")


def sysctl(change: c.SysctlChanged) -> tuple[Doing, ...]:
    """A device's setting that is gone from the snapshot is as everywhere else: as new devices get it, or as the node forwards."""
    key = whole(change.name)
    if change.after is not None:
        return (Typed(change.node, f"sysctl -qw {word(f'{key}={change.after}')}", "tool"),)
    knob, _, at = change.name.partition("/")
    if not at:
        return ()
    return (Typed(change.node, f'sysctl -qw {word(key)}="$(sysctl -n {whole(OF_DEVICES[knob])})"', "shell"),)


def firewall(change: fw.FirewallChange) -> tuple[Doing, ...] | None:
    """Lines of nft(8); None when a name or a rule cannot be said to it."""
    match change:
        case fw.TableAdded(table=table):
            said = f"nft add table {table}" if _TABLE.fullmatch(table) else None
        case fw.TableRemoved(table=table):
            said = f"nft delete table {table}" if _TABLE.fullmatch(table) else None
        case fw.TableSet(table=table, dormant=dormant):
            flags = " '{ flags dormant; }'" if dormant else ""
            said = f"nft add table {table}{flags}" if _TABLE.fullmatch(table) else None
        case fw.SetAdded(own=own):
            said = f"nft {_quoted(f'add {_kind(own)} {place_of(own)} {{ {_typed(own)} }}')}" if _CHAIN.fullmatch(place_of(own)) else None
        case fw.SetRemoved(own=own):
            said = f"nft delete {_kind(own)} {place_of(own)}" if _CHAIN.fullmatch(place_of(own)) else None
        case fw.SetElementAdded(own=own, element=element) | fw.SetElementRemoved(own=own, element=element):
            verb = "add" if isinstance(change, fw.SetElementAdded) else "delete"
            plain = bool(_CHAIN.fullmatch(place_of(own))) and _plain(element.text)
            counter = _NAMED.fullmatch(element.data) if own.maps_to == "counter" else None
            first = f"add counter {own.family} {own.table} {counter[1]}; " if counter and verb == "add" else ""
            said = f"nft {_quoted(f'{first}{verb} element {place_of(own)} {{ {element.text} }}')}" if plain and (counter or own.maps_to not in _OBJECTS) else None
        case fw.ChainAdded(chain=chain):
            plain = bool(_CHAIN.fullmatch(place_of(chain))) and '"' not in (chain.device or "")
            said = f"nft {_quoted(f'add chain {place_of(chain)}{_hook(chain)}')}" if plain else None
        case fw.ChainRemoved(chain=chain):
            place = place_of(chain)
            said = f"nft 'flush chain {place}; delete chain {place}'" if _CHAIN.fullmatch(place) else None
        case fw.ChainPolicyChanged(chain=chain, after=policy):
            sayable = _CHAIN.fullmatch(place_of(chain)) and policy
            said = f"nft 'chain {place_of(chain)} {{ policy {policy}; }}'" if sayable else None
        case fw.RuleAdded(chain=chain, rule=rule, place=number, last=last):
            where = _where(chain, number, last=last)
            counters = "".join(f"add counter {chain.family} {chain.table} {name}; " for name in _COUNTER.findall(rule.text))
            said = f"nft {_quoted(f'{counters}{where} {rule.text}')}" if _sayable_rule(chain, rule) else None
        case fw.RuleRemoved(chain=chain, place=number):
            said = f"nft delete rule {place_of(chain)} handle {_handle(chain, number)}" if _CHAIN.fullmatch(place_of(chain)) else None
        case fw.RuleChanged(chain=chain, after=rule, place=number):
            at = f"nft replace rule {place_of(chain)} handle {_handle(chain, number)}"
            said = f"{at} {_quoted(rule.text)}" if _sayable_rule(chain, rule) else None
    return (Typed(change.node, said, "shell"),) if said is not None else None


def in_its_place(change: c.Change) -> tuple[Doing, ...]:
    """What stands for a rule that cannot be said, in a script: rules that come later, or go, are found by their place among others."""
    match change:
        case fw.RuleAdded(chain=chain, place=number, last=last) if _CHAIN.fullmatch(place_of(chain)):
            said = _where(chain, number, last=last)
        case fw.RuleChanged(chain=chain, place=number) if _CHAIN.fullmatch(place_of(chain)):
            return (Typed(change.node, f"nft replace rule {place_of(chain)} handle {_handle(chain, number)} {_quoted(_UNSAID)}", "shell"),)
        case _:
            return ()
    return (Typed(change.node, f"nft {_quoted(f'{said} {_UNSAID}')}", "shell"),)


def _where(chain: Chain, number: int, *, last: bool) -> str:
    where = f"{'add' if last or number else 'insert'} rule {place_of(chain)}"
    return where if last or number == 0 else f"{where} index {number - 1}"


_UNSAID: Final = 'counter comment "here was a rule that this script cannot say"'


def emptied(node: str, place: str) -> Doing:
    """All rules of a chain go at once."""
    return Typed(node, f"nft flush chain {place}" if _CHAIN.fullmatch(place) else ":", "shell")


def place_of(own: Chain | NamedSet) -> str:
    return f"{own.family} {own.table} {own.name}"


def _kind(own: NamedSet) -> str:
    return "map" if own.maps_to else "set"


def _typed(own: NamedSet) -> str:
    flags = [flag for flag in own.flags if flag in ("constant", "interval", "timeout", "dynamic")]
    said = [f"type {own.kind}{f' : {own.maps_to}' if own.maps_to else ''}", *([f"flags {', '.join(flags)}"] if flags else []), *own.others]
    return f"{'; '.join(said)};"


def _hook(chain: Chain) -> str:
    if chain.hook is None:
        return ""
    devices = ", ".join(f'"{own}"' for own in chain.device.split(", ")) if chain.device else ""
    at = f" devices = {{ {devices} }}" if devices else ""
    policy = f" policy {chain.policy};" if chain.policy else ""
    return f" {{ type {chain.type} hook {chain.hook}{at} priority {chain.priority};{policy} }}"


def _sayable_rule(chain: Chain, rule: Rule) -> bool:
    """Whether nft(8) takes the words of a rule, and takes them for nothing else."""
    return bool(_CHAIN.fullmatch(place_of(chain))) and not rule.opaque and _plain(rule.text)


def _handle(chain: Chain, number: int) -> str:
    """What the shell finds out: the handle that the kernel has given the rule at this place. A line of a listing that opens a block is no rule."""
    listing = f"nft -a list chain {place_of(chain)}"
    return f"""$({listing} | sed -n '/{{ # handle [0-9]*$/!s/.* # handle //p' | sed -n {number + 1}p)"""


def _quoted(text: str) -> str:
    """One shell word: its own quotes and braces must reach nft untouched."""
    return "'" + text.replace("'", "'\\''") + "'"
