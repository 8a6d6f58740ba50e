"""The commands that bring changes of rules for routes, neighbours, firewall and settings about (see ``retell``)."""

from __future__ import annotations

import re
from typing import Final

from ..model import changes as c
from ..model.netfilter import changes as fw
from ..model.netfilter.rules import NamedSet
from ..model.snapshot import Chain, FdbEntry, Neighbour, PolicyRule, Rule
from .base import word
from .sysctl import whole
from .typed import Doing, Typed

_CHAIN: Final = re.compile(r"[a-z0-9]+ [A-Za-z][A-Za-z0-9/_.]* [A-Za-z][A-Za-z0-9/_.]*")
"""Family, table and chain as nft(8) can say them ("Lexical conventions"); the kernel takes any name, and a shell would read more into some."""
_TABLE: Final = re.compile(r"[a-z0-9]+ [A-Za-z][A-Za-z0-9/_.]*")
_STRING: Final = re.compile('"[^"]*"')
_COUNTER: Final = re.compile(r'counter name "([A-Za-z][A-Za-z0-9/_.]*)"')
"""A counter that several rules share, and which must be there before them; making one that is there changes nothing."""
_NAMED: Final = re.compile(r'"([A-Za-z][A-Za-z0-9/_.]*)"')
_OBJECTS: Final = frozenset({"counter", "quota", "limit", "ct helper", "ct timeout", "ct expectation", "synproxy", "secmark", "tunnel", "ct count"})
"""What a map leads to that has a name; no command here makes any but a counter."""
_ANOTHER_COMMAND: Final = re.compile(r"[;#\n\\]")
"""What ends a command of nft's, outside of its strings: a name of a set or of a chain to jump to may hold it."""


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
    usual = "net.ipv4.ip_forward" if knob == "forwarding" else f"net.ipv4.conf.default.{knob}"
    return (Typed(change.node, f'sysctl -qw {word(key)}="$(sysctl -n {usual})"', "shell"),)


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
            said = f"nft {_quoted(f'add {_kind(own)} {_set(own)} {{ {_typed(own)} }}')}" if _CHAIN.fullmatch(_set(own)) else None
        case fw.SetRemoved(own=own):
            said = f"nft delete {_kind(own)} {_set(own)}" if _CHAIN.fullmatch(_set(own)) else None
        case fw.SetElementAdded(own=own, element=element) | fw.SetElementRemoved(own=own, element=element):
            verb = "add" if isinstance(change, fw.SetElementAdded) else "delete"
            plain = bool(_CHAIN.fullmatch(_set(own))) and not _ANOTHER_COMMAND.search(_STRING.sub("", element.text))
            counter = _NAMED.fullmatch(element.data) if own.maps_to == "counter" else None
            first = f"add counter {own.family} {own.table} {counter[1]}; " if counter and verb == "add" else ""
            said = f"nft {_quoted(f'{first}{verb} element {_set(own)} {{ {element.text} }}')}" if plain and (counter or own.maps_to not in _OBJECTS) else None
        case fw.ChainAdded(chain=chain):
            said = f"nft {_quoted(f'add chain {place_of(chain)}{_hook(chain)}')}" if _CHAIN.fullmatch(place_of(chain)) else None
        case fw.ChainRemoved(chain=chain):
            place = place_of(chain)
            said = f"nft 'flush chain {place}; delete chain {place}'" if _CHAIN.fullmatch(place) else None
        case fw.ChainPolicyChanged(chain=chain, after=policy):
            sayable = _CHAIN.fullmatch(place_of(chain)) and policy
            said = f"nft 'chain {place_of(chain)} {{ policy {policy}; }}'" if sayable else None
        case fw.RuleAdded(chain=chain, rule=rule, place=number, last=last):
            where = _where(chain, number, last=last)
            counters = "".join(f"add counter {chain.family} {chain.table} {name}; " for name in _COUNTER.findall(rule.text))
            said = f"nft {_quoted(f'{counters}{where} {rule.text}')}" if _sayable(chain, rule) else None
        case fw.RuleRemoved(chain=chain, place=number):
            said = f"nft delete rule {place_of(chain)} handle {_handle(chain, number)}" if _CHAIN.fullmatch(place_of(chain)) else None
        case fw.RuleChanged(chain=chain, after=rule, place_after=number):
            at = f"nft replace rule {place_of(chain)} handle {_handle(chain, number)}"
            said = f"{at} {_quoted(rule.text)}" if _sayable(chain, rule) else None
    return (Typed(change.node, said, "shell"),) if said is not None else None


def in_its_place(change: c.Change) -> tuple[Doing, ...]:
    """What stands for a rule that cannot be said, in a script: rules that come later, or go, are found by their place among others."""
    match change:
        case fw.RuleAdded(chain=chain, place=number, last=last) if _CHAIN.fullmatch(place_of(chain)):
            said = _where(chain, number, last=last)
        case fw.RuleChanged(chain=chain, place_after=number) if _CHAIN.fullmatch(place_of(chain)):
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


def place_of(chain: Chain) -> str:
    return f"{chain.family} {chain.table} {chain.name}"


def _set(own: NamedSet) -> str:
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
    at = "" if not chain.device else f" devices = {{ {chain.device} }}" if "," in chain.device else f" device {chain.device}"
    policy = f" policy {chain.policy};" if chain.policy else ""
    return f" {{ type {chain.type} hook {chain.hook}{at} priority {chain.priority};{policy} }}"


def _sayable(chain: Chain, rule: Rule) -> bool:
    """Whether nft(8) takes the words of a rule, and takes them for nothing else."""
    return bool(_CHAIN.fullmatch(place_of(chain))) and not rule.opaque and not _ANOTHER_COMMAND.search(_STRING.sub("", rule.text))


def _handle(chain: Chain, number: int) -> str:
    """What the shell finds out: the handle that the kernel has given the rule at this place. A line of a listing that opens a block is no rule."""
    listing = f"nft -a list chain {place_of(chain)}"
    return f"""$({listing} | sed -n '/{{ # handle [0-9]*$/!s/.* # handle //p' | sed -n {number + 1}p)"""


def _quoted(text: str) -> str:
    """One shell word: its own quotes and braces must reach nft untouched."""
    return "'" + text.replace("'", "'\\''") + "'"
