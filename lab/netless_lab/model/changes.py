"""One change between two snapshots, and its sentence in plain words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

Kind = Literal[
    "node-appeared", "node-vanished", "node-replaced", "node-renamed",
    "name-added", "name-removed", "name-moved", "name-broken",
    "cable-added", "cable-removed", "link-added", "link-removed", "link-moved", "link-renamed", "link-up", "link-down",
    "carrier-on", "carrier-off", "port-joined", "port-left", "port-state", "link-setting",
    "address-added", "address-removed", "address-ready", "address-duplicate",
    "route-added", "route-removed", "route-changed", "route-linkdown", "policy-added", "policy-removed",
    "neighbour-learned", "neighbour-changed", "neighbour-state", "neighbour-failed", "neighbour-forgotten", "neighbour-set",
    "fdb-learned", "fdb-moved", "fdb-forgotten", "fdb-set",
    "chain-added", "chain-removed", "chain-policy", "rule-added", "rule-removed", "rule-changed",
    "xtables-added", "xtables-removed", "forwarding-on", "forwarding-off", "sysctl-changed",
    "resolver-changed", "listener-opened", "listener-closed",
]  # fmt: skip


class Change(msgspec.Struct, frozen=True):
    """One difference. ``node`` is where it is now (where it was, when it is gone).

    ``subject`` is the thing itself: a link, an address, a destination, a MAC, a rule's text. ``on`` says what it belongs to: the
    link of an address, the bridge of a port, the chain of a rule, the far end's node of a cable. ``before`` and ``after`` are values
    in words, "" when there is none. ``quiet`` is true for what comes and goes by itself: neighbour states, learned MACs, what the
    kernel adds on its own.
    """

    kind: Kind
    node: str
    subject: str
    before: str = ""
    after: str = ""
    on: str = ""
    quiet: bool = False

    @property
    def sentence(self) -> str:
        """The change in plain words."""
        return sentence(self)


def sentence(change: Change) -> str:
    """The change as one sentence that a learner understands, without a full stop."""
    return _WORDS[change.kind](change)


def _cable(change: Change, verb: str) -> str:
    if change.on == change.node:
        return f"{change.subject} and {change.after} {verb} on {change.node}: the two ends of one cable"
    return f"a cable {verb}: {change.subject} on {change.node}, {change.after} on {change.on}"


def _route(change: Change, verb: str, way: str) -> str:
    if change.subject == "default":
        return f"{change.node} {verb} {'its' if verb == 'lost' else 'a'} default route {way}".rstrip()
    return f"{change.node} {verb} {'its' if verb == 'lost' else 'a'} route to {change.subject} {way}".rstrip()


def _resolver(change: Change) -> str:
    if not change.after:
        return f"{change.node} has no name server any more"
    return f"{change.node} now asks {change.after} for names"


def _setting(change: Change) -> str:
    name = change.on
    if change.after in ("on", "off"):
        return f"{name} is {change.after} for {change.subject} on {change.node}"
    if not change.after:
        return f"{change.subject} on {change.node} has no {name} any more (was {change.before})"
    was = f" (was {change.before})" if change.before else ""
    return f"the {name} of {change.subject} on {change.node} is now {change.after}{was}"


def _sysctl(change: Change) -> str:
    if not change.after:
        return f"the setting {change.subject} on {change.node} is gone"
    was = f" (was {change.before})" if change.before else ""
    return f"{change.subject} on {change.node} is now {change.after}{was}"


def _port_state(change: Change) -> str:
    doing = {
        "forwarding": "passes frames now",
        "blocking": "blocks frames now",
        "disabled": "is disabled",
        "listening": "is listening: it passes no frames yet",
        "learning": "is learning: it passes no frames yet",
    }
    return f"{change.on}'s port {change.subject} on {change.node} {doing.get(change.after, change.after)}"


_WORDS: dict[Kind, Callable[[Change], str]] = {
    "node-appeared": lambda c: f"a new namespace appeared: {c.node}",
    "node-vanished": lambda c: f"{c.node} is gone, with everything in it",
    "node-replaced": lambda c: f"{c.node} is a new namespace now: what was in the old one is gone",
    "node-renamed": lambda c: f"{c.before} is called {c.after} now",
    "name-added": lambda c: f"{c.node} has a name now: {c.subject}" if c.node else f"a name that leads to no network namespace appeared: {c.subject}",
    "name-removed": lambda c: f"the name {c.subject} is gone from ip netns list" + (f"; {c.node} itself is untouched" if c.node else ""),
    "name-moved": lambda c: f"the name {c.subject} now leads to {c.after} (was {c.before})",
    "name-broken": lambda c: f"the name {c.subject} leads to no network namespace now (was {c.node})",
    "cable-added": lambda c: _cable(c, "appeared"),
    "cable-removed": lambda c: _cable(c, "went away"),
    "link-added": lambda c: f"{c.subject} appeared on {c.node}" + (f": a {c.after}" if c.after else ""),
    "link-removed": lambda c: f"{c.subject} is gone from {c.node}",
    "link-moved": lambda c: f"{c.subject} left {c.before} and is now in {c.after}" + (f", called {c.on}" if c.on else ""),
    "link-renamed": lambda c: f"{c.before} on {c.node} is called {c.after} now",
    "link-up": lambda c: f"{c.subject} on {c.node} is up",
    "link-down": lambda c: f"{c.subject} on {c.node} is down",
    "carrier-on": lambda c: f"{c.subject} on {c.node} has carrier now" + (f": {c.on} is up" if c.on else ""),
    "carrier-off": lambda c: f"{c.subject} on {c.node} lost its carrier" + (f": {c.on} is down" if c.on else ""),
    "port-joined": lambda c: f"{c.subject} on {c.node} is now a port of {c.after}" + (f" (left {c.before})" if c.before else ""),
    "port-left": lambda c: f"{c.subject} on {c.node} is no longer a port of {c.before}",
    "port-state": _port_state,
    "link-setting": _setting,
    "address-added": lambda c: f"{c.node} got the address {c.subject} on {c.on}",
    "address-removed": lambda c: f"{c.node} lost the address {c.subject} on {c.on}",
    "address-duplicate": lambda c: f"the address {c.subject} on {c.node} cannot be used: somebody else on the link has it",
    "address-ready": lambda c: f"the address {c.subject} on {c.node} is ready: nobody else has it",
    "route-added": lambda c: _route(c, "got", c.after),
    "route-removed": lambda c: _route(c, "lost", c.before),
    "route-changed": lambda c: f"on {c.node} the way to {_dst(c)} is now {c.after} (was {c.before})",
    "route-linkdown": lambda c: f"on {c.node} the route to {_dst(c)} is {c.after}",
    "policy-added": lambda c: f"{c.node} got a rule for choosing routes: {c.subject}",
    "policy-removed": lambda c: f"{c.node} lost a rule for choosing routes: {c.subject}",
    "neighbour-learned": lambda c: f"{c.node} learned that {c.subject} is at {c.after} on {c.on}",
    "neighbour-changed": lambda c: f"{c.node} now finds {c.subject} at {c.after} (was {c.before})",
    "neighbour-state": lambda c: f"what {c.node} knows of {c.subject} is now {c.after} (was {c.before})",
    "neighbour-failed": lambda c: f"nobody answered {c.node} on {c.on} for {c.subject}",
    "neighbour-forgotten": lambda c: f"{c.node} forgot where {c.subject} is",
    "neighbour-set": lambda c: f"{c.node} was told by hand that {c.subject} is at {c.after} on {c.on}",
    "fdb-learned": lambda c: f"the bridge {c.on} learned that {c.subject} lives behind {c.after}",
    "fdb-moved": lambda c: f"the bridge {c.on} now finds {c.subject} behind {c.after} (was {c.before})",
    "fdb-forgotten": lambda c: f"{c.on} forgot that {c.subject} lives behind {c.before}",
    "fdb-set": lambda c: f"{c.on} was told by hand that {c.subject} lives behind {c.after}",
    "chain-added": lambda c: f"chain added on {c.node}: {c.subject} ({c.after})",
    "chain-removed": lambda c: f"chain removed on {c.node}: {c.subject}",
    "chain-policy": lambda c: f"the policy of {c.subject} on {c.node} is now {c.after or 'none'} (was {c.before or 'none'})",
    "rule-added": lambda c: f"rule added on {c.node} to {c.on}: {c.subject}",
    "rule-removed": lambda c: f"rule removed on {c.node} from {c.on}: {c.subject}",
    "rule-changed": lambda c: f"rule changed on {c.node} in {c.on}: {c.after} (was {c.before})",
    "xtables-added": lambda c: f"legacy iptables on {c.node}: {c.subject}",
    "xtables-removed": lambda c: f"legacy iptables on {c.node}: no more {c.subject}",
    "forwarding-on": lambda c: f"{c.node} now forwards {c.subject} packets",
    "forwarding-off": lambda c: f"{c.node} no longer forwards {c.subject} packets",
    "sysctl-changed": _sysctl,
    "resolver-changed": _resolver,
    "listener-opened": lambda c: f"{c.node} now listens on {c.subject}",
    "listener-closed": lambda c: f"{c.node} no longer listens on {c.subject}",
}


def _dst(change: Change) -> str:
    return "everywhere else" if change.subject == "default" else change.subject
