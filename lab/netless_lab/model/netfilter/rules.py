"""What a rule is made of, typed: conditions, and what is done with a packet that meets them all.

The decoder of the kernel's own form makes them (``kernel/nft``, ``kernel/xtables``); nothing here is ever parsed out of words. Fields have
nft's names (nft(8)), with one name for each thing: a device is ``iifname`` also where a rule asks by its number, the protocol
``meta l4proto`` however it is asked for, a port ``th sport`` or ``th dport`` behind the condition on the protocol that every such rule has.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .packet import Spans


class Numbers(msgspec.Struct, frozen=True, tag="numbers"):
    """Meant by a condition: values that lie in ``spans`` once cut by ``mask`` (None: all bits)."""

    spans: Spans
    mask: int | None = None


class Names(msgspec.Struct, frozen=True, tag="names"):
    """Meant by a condition: devices of these names, or whose names begin so (``eth*`` is ``begins=("eth",)``)."""

    names: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()

    def hold(self, name: str) -> bool:
        """Whether ``name`` is meant."""
        return name in self.names or name.startswith(self.begins)


Values = Numbers | Names


class Condition(msgspec.Struct, frozen=True, tag="condition"):
    """One condition: ``field`` is, or with ``negated`` is not, among ``values``."""

    field: str
    values: Values
    negated: bool = False


class Lookup(msgspec.Struct, frozen=True, tag="lookup"):
    """Is what ``fields`` hold side by side an element of the set ``name``? Those of an anonymous set come along as ``elements``."""

    fields: tuple[str, ...]
    name: str
    elements: tuple[Element, ...] | None = None
    negated: bool = False


class VerdictMap(msgspec.Struct, frozen=True, tag="vmap"):
    """The element that ``fields`` are decides; the rule ends without a verdict when there is none (``vmap`` of nft(8))."""

    fields: tuple[str, ...]
    name: str
    elements: tuple[Element, ...] | None = None


class Unread(msgspec.Struct, frozen=True, tag="unread"):
    """A condition of which cannot be said whether a packet meets it: not readable here (``xt match "bpf"``), or it ``varies``.

    A rate, a share of packets, a count of connections decide by more than the packet.
    """

    words: str
    varies: bool = False


class Unfollowed(msgspec.Struct, frozen=True, tag="unfollowed"):
    """Something is done with the packet that cannot be followed from here: a program is asked (queue), it is copied away, or it is not readable."""

    words: str


class Accept(msgspec.Struct, frozen=True, tag="accept"):
    """The packet has passed this base chain."""


class Drop(msgspec.Struct, frozen=True, tag="drop"):
    """The packet is thrown away. ``answer`` is what its sender is told (reject), "" for nothing."""

    answer: str = ""


class Jump(msgspec.Struct, frozen=True, tag="jump"):
    """Go on in another chain of the table, for good (``goto``) or until its end."""

    chain: str
    goto: bool = False


class Return(msgspec.Struct, frozen=True, tag="return"):
    """Leave this chain; in a base chain that is its end."""


class Proceed(msgspec.Struct, frozen=True, tag="continue"):
    """Nothing is decided: on with the next rule."""


class Rewrite(msgspec.Struct, frozen=True, tag="rewrite"):
    """The connection is translated from here on, and the packet has passed this base chain.

    ``address`` and ``port`` are (first, last) of what is written in; ``address`` is None for the device's own (masquerade, redirect), ``port``
    None when it is left alone. ``chosen`` by a map: then neither can be told.
    """

    kind: Literal["snat", "dnat", "masquerade", "redirect"]
    address: tuple[int, int] | None = None
    port: tuple[int, int] | None = None
    chosen: bool = False

    @property
    def source(self) -> bool:
        """Whether it is the sender that is rewritten."""
        return self.kind in ("snat", "masquerade")


class Untrack(msgspec.Struct, frozen=True, tag="untrack"):
    """The packet goes past conntrack: neither its state nor NAT applies to it."""


class Zone(msgspec.Struct, frozen=True, tag="zone"):
    """The connection is looked for, and entered, among those of a zone: of both directions, or of the one named; in the other that is 0.

    ``number`` None: one that cannot be told.
    """

    number: int | None
    direction: Literal["", "original", "reply"] = ""


class Write(msgspec.Struct, frozen=True, tag="write"):
    """``field`` (``meta mark``, ``ct mark``, one of a header) becomes ``(it & keep) ^ flip``; None for both: something that cannot be told."""

    field: str
    keep: int | None = None
    flip: int | None = None


Verdict = Accept | Drop | Jump | Return | Proceed | Unfollowed
"""What a verdict can be, in a rule as in a map of verdicts."""
Part = Condition | Lookup | VerdictMap | Unread | Unfollowed | Accept | Drop | Jump | Return | Proceed | Rewrite | Untrack | Zone | Write
"""One thing a rule asks or does, in the rule's order. What changes nothing (a counter, a log) is not there."""


class Element(msgspec.Struct, frozen=True):
    """An element of a set: one key for each field. ``verdict`` in a map of verdicts; ``data`` in another map, as nft prints it."""

    keys: tuple[Values, ...]
    verdict: Verdict | None = None
    data: str = ""
    text: str = ""


class NamedSet(msgspec.Struct, frozen=True):
    """A set or map that people made and named (``nft add set``). ``kind`` is what its keys are, ``maps_to`` "" for a set.

    ``others`` are what else it was made with, as nft(8) takes it: ``timeout 60000ms``.
    """

    family: str
    table: str
    name: str
    kind: str
    elements: tuple[Element, ...] = ()
    maps_to: str = ""
    flags: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
