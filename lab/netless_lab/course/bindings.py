"""The learner's own words for what the lesson speaks of: ``left`` for ``veth1``, 192.168.7.0/24 for 10.0.0.0/24; and how they are put into actions,
expectations, probes and prose.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeVar

import msgspec

from ..model.addresses import interface, plain
from ..model.probe import Connect, Fetch, Lookup, Ping, Probe, Udp
from ..primitives.base import Action, Expectation
from ..primitives.roles import RoleName, roles
from ..primitives.run import Run
from .step import ProbeCheck


class Bindings(msgspec.Struct, frozen=True):
    """Canonical word -> the learner's, by role; a word that is missing stands for itself.

    Addresses follow their network: with 10.0.0.0/24 bound to 192.168.7.0/24, 10.0.0.9 reads 192.168.7.9, unless it is bound itself.
    """

    links: dict[str, str] = {}
    netns: dict[str, str] = {}
    addresses: dict[str, str] = {}
    nets: dict[str, str] = {}

    def words(self) -> dict[str, str]:
        """Every word that differs, for a person to see."""
        every = {**self.nets, **self.addresses, **self.netns, **self.links}
        return {canonical: own for canonical, own in every.items() if canonical != own}

    def word(self, role: RoleName, text: str) -> str:
        """The learner's word for ``text`` in this role. Nodes keep their names: the lab made them."""
        match role:
            case "link":
                return self.links.get(text, text)
            case "netns":
                return self.netns.get(text, text)
            case "ip":
                return self.address(text)
            case "cidr":
                return self.cidr(text)
            case "net":
                return self.net(text)
            case "node":
                return text

    def address(self, text: str) -> str:
        """An address without prefix. Two words never share one address: what was taken over changes places.

        The link of a link-local address (``fe80::1%veth1``) is a word of its own.
        """
        text, percent, link = text.partition("%")
        if percent:
            return f"{self.address(text)}%{self.links.get(link, link)}"
        text = plain(text)
        if text in self.addresses:
            return self.addresses[text]
        image = self._moved(text)
        taken = next((canonical for canonical, own in self.addresses.items() if own == image), None)
        return image if taken is None or taken == text else self._moved(taken)

    def cidr(self, text: str) -> str:
        """An address with its prefix, which is the learner's when the network is."""
        ip, _, _ = text.partition("/")
        try:
            network = str(interface(text).network)
        except ValueError:
            return text
        return f"{self.address(ip)}/{self.net(network).partition('/')[2]}"

    def net(self, text: str) -> str:
        """A network; ``default`` stays what it is."""
        return self.nets.get(plain(text), text)

    def _moved(self, text: str) -> str:
        """The address with the same host number in the learner's network."""
        if not self.nets:
            return text
        try:
            ip = ip_address(text)
        except ValueError:
            return text
        for canonical, own in self.nets.items():
            here, there = _network(canonical), _network(own)
            if here.version == ip.version and ip in here:
                number = int(ip) - int(here.network_address)
                return str(there.network_address + number % there.num_addresses)
        return text


@lru_cache(256)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


UNBOUND = Bindings()
"""Every word stands for itself."""


BoundT = TypeVar("BoundT", Action, Expectation, Ping, Connect, Udp, Lookup, Fetch, ProbeCheck)

_ADDRESS = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?!\d|\.\d)"
"""A pattern, as the others here: `re` compiles and keeps it when first there are words to change, and a lab has none when it begins."""
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""Letters of scripts that set no blanks around a foreign word: Thai and its neighbours, Chinese, Japanese, Korean."""
_LETTER = rf"[^\W{_UNSPACED}]"
_ADDRESS_6 = (
    rf"(?<!{_LETTER})(?<![:.])(?=[\da-fA-F]*:[\da-fA-F]*:)[\da-fA-F:]*(?:[\da-fA-F]|::)(?:/\d{{1,3}})?(?!{_LETTER}|:{_LETTER}|\.\d)"
)
"""Also finds the MAC of a link; ``Bindings`` leaves alone what is no address."""
_NETNS = r"(?:(?:-n|-netns|netns(?:\s+(?:exec|add|del|delete|attach|pids|set|identify))?)\s+|/(?:run|etc)/netns/)"


def apply(item: BoundT, bindings: Bindings) -> BoundT:
    """The same action, expectation, probe or check in the learner's words."""
    if not bindings.words():
        return item
    match item:
        case ProbeCheck():
            return _check(item, bindings)  # type: ignore[return-value]
        case Ping() | Connect() | Udp() | Lookup() | Fetch():
            return _probe(item, bindings)  # type: ignore[return-value]
        case Run():
            return msgspec.structs.replace(item, line=apply_text(item.line, bindings))
        case _:
            return _item(item, bindings)  # type: ignore[return-value]


def apply_text(text: str, bindings: Bindings) -> str:
    """Prose, a hint or a command line in the learner's words. Only whole words change.

    The name of a namespace may also be a node's, which keeps it; so it changes only where a command or a path asks for a name.
    """
    if not bindings.words():
        return text
    text = re.sub(_ADDRESS, lambda found: _address(found[0], bindings), text)
    text = re.sub(_ADDRESS_6, lambda found: _address(found[0], bindings), text)
    links = _different(bindings.links)
    if links:
        text = re.sub(_whole(links), lambda found: links[found[0]], text)
    netns = _different(bindings.netns)
    if netns:
        text = re.sub(f"({_NETNS})({_whole(netns)})", lambda found: found[1] + netns[found[2]], text)
    return text


def _item(item: Action | Expectation, bindings: Bindings) -> Action | Expectation:
    changes: dict[str, object] = {}
    for field, role in roles(type(item)):
        value = getattr(item, field)
        if isinstance(value, str):
            changes[field] = bindings.word(role, value)
        elif isinstance(value, tuple):
            changes[field] = tuple(bindings.word(role, text) if isinstance(text, str) else text for text in value)
    return msgspec.structs.replace(item, **changes) if changes else item


def _probe(probe: Probe, bindings: Bindings) -> Probe:
    match probe:
        case Ping() | Connect() | Udp():
            return msgspec.structs.replace(probe, to=bindings.address(probe.to))
        case Lookup():
            return msgspec.structs.replace(probe, server=bindings.address(probe.server) if probe.server else None)
        case Fetch():
            return msgspec.structs.replace(probe, url=apply_text(probe.url, bindings))


def _check(check: ProbeCheck, bindings: Bindings) -> ProbeCheck:
    return msgspec.structs.replace(
        check,
        probe=_probe(check.probe, bindings),
        because=apply_text(check.because, bindings),
        seen_as=bindings.address(check.seen_as) if check.seen_as else None,
        answer=bindings.address(check.answer) if check.answer else None,
        control=_probe(check.control, bindings) if check.control else None,
    )


def _address(text: str, bindings: Bindings) -> str:
    if "/" not in text:
        return bindings.address(text)
    return bindings.net(text) if text in bindings.nets else bindings.cidr(text)


def _different(words: dict[str, str]) -> dict[str, str]:
    return {canonical: own for canonical, own in words.items() if canonical != own}


def _whole(words: dict[str, str]) -> str:
    longest = sorted(words, key=len, reverse=True)
    return rf"(?<!{_LETTER})(?<!-)(?:" + "|".join(map(re.escape, longest)) + rf")(?!{_LETTER}|-)"
