"""What lies behind the host's uplink, as data: whoever builds it, draws it or speaks of it asks here for its names and addresses."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import Final

import msgspec


class Outside(msgspec.Struct, frozen=True):
    """The pretend internet: a provider's router that is a name server and a web site as well.

    ``uplink`` is the name of the cable's end on either side, ``address`` the host's own with its prefix, ``router`` the provider's in the same
    network, and the host's default gateway. ``site`` and ``name_server`` are addresses beyond it, of the web site and of DNS. The name server
    knows one zone, ``domain``: the domain itself and ``www`` in it are the site, ``ns`` is the name server, ``names`` are (name, address) pairs
    beside those. ``pages`` are (path, text) pairs of the site; a path that has none shows that of ``/``.

    The addresses of the usual one are those that RFC 5737 sets aside for documentation.
    """

    uplink: str = "eth0"
    address: str = "203.0.113.2/24"
    router: str = "203.0.113.1"
    site: str = "198.51.100.10"
    name_server: str = "198.51.100.53"
    domain: str = "example.test"
    names: tuple[tuple[str, str], ...] = ()
    pages: tuple[tuple[str, str], ...] = ()

    @property
    def host_address(self) -> str:
        """The host's address without its prefix."""
        return self.address.partition("/")[0]

    @property
    def prefix(self) -> int:
        """The prefix length of the uplink's network."""
        return ip_interface(self.address).network.prefixlen

    @property
    def every_name(self) -> dict[str, str]:
        """All that the name server knows, name -> address; of several for one address the first is its reverse name."""
        usual = {self.domain: self.site, f"www.{self.domain}": self.site, f"ns.{self.domain}": self.name_server}
        return {**usual, **dict(self.names)}


class FarHost(msgspec.Struct, frozen=True):
    """A host beside the first, with a cable of its own to the provider's router: what it is called, and ``uplink``, ``address`` and ``router``
    as those of the first host (``Outside``), in a network of its own. The router's end of the cable is called as the host.
    """

    name: str
    address: str
    router: str
    uplink: str = "eth0"

    @property
    def own_address(self) -> str:
        """Its address without its prefix."""
        return self.address.partition("/")[0]

    @property
    def prefix(self) -> int:
        """The prefix length of its uplink's network."""
        return ip_interface(self.address).network.prefixlen


USUAL: Final = Outside()
"""What lies outside unless a course says otherwise."""
