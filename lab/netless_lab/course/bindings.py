"""The learner's own words for what the lesson speaks of: ``left`` for ``veth1``, 192.168.7.0/24 for 10.0.0.0/24."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_interface, ip_network

import msgspec

from ..model.addresses import plain
from ..primitives.roles import RoleName


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
            network = str(ip_interface(text).network)
        except ValueError:
            return text
        return f"{self.address(ip)}/{self.net(network).partition('/')[2]}"

    def net(self, text: str) -> str:
        """A network; ``default`` stays what it is."""
        return self.nets.get(plain(text), text)

    def _moved(self, text: str) -> str:
        """The address with the same host number in the learner's network."""
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


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


UNBOUND = Bindings()
"""Every word stands for itself."""
