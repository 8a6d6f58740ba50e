"""What is laid out on the machine for the attempts, as data that goes into the lab with them. Standard library only: it is imported inside."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Bait:
    """Where everything is. What could not be laid is "" or 0, and the attempts on it say that it is lacking."""

    node: str
    """Where the attempts are made from: ``host``, ``c1``, or ``outside`` for a control."""
    root: bool
    """Whether the machine's root began the lab."""
    mark: str
    """Part of every name that an attempt makes."""
    home: str
    """Of the lab's owner, with ``secret``, ``socket``, ``fifo`` and ``folder`` in it."""
    other: str
    """The home of another ordinary user, with ``secret`` in it."""
    superuser: str
    """Root's home, with ``.ssh/id`` in it."""
    shadow: str
    """What /etc/shadow holds out there."""
    nodes: str
    """A folder outside /dev with device nodes in it."""
    abstract: str
    """Abstract name of a socket that listens outside."""
    lab: str
    """Abstract name by which the lab is found."""
    path_sockets: tuple[str, ...]
    """Sockets in the machine's own /tmp and /run."""
    port: int
    """A TCP server listens on this port of the machine."""
    address: str
    """The machine's own, beside the loopback."""
    link: str
    """An interface of the machine."""
    pid: int
    """A process of the owner's, as the machine numbers it."""
    cgroup: str
    """Name of a cgroup with that process in it, below the one that the lab was begun in; "" without cgroup2."""
    cgroup1: str
    """The same in the freezer hierarchy of cgroup v1."""
    ipc_key: int
    """Key of a System V shared memory segment; its name is that of a POSIX message queue as well."""

    def at(self, node: str) -> Bait:
        """The same for the attempts from one node."""
        return replace(self, node=node)

    def as_json(self) -> str:
        """To go inside."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Bait:
        """What ``as_json`` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "path_sockets": tuple(fields["path_sockets"])})

    def key(self, what: str) -> bytes:
        """Description of a key in the owner's session keyring that only one attempt from one node is about."""
        return f"{self.mark}-{self.node}-{what}".encode()


KEYS = ("read", "update", "revoke", "unlink", "invalidate", "expire", "perm", "request")
"""One key for each of these lies in the session keyring for each node."""
