"""Changes of a firewall (see ``model/changes``). ``chain`` is where a rule is, without its rules; a place counts from 0."""

from __future__ import annotations

from ..change_base import Difference
from ..snapshot import Chain, Rule
from .rules import Element, NamedSet


class TableAdded(Difference, frozen=True, tag="table-added"):
    """A table of nftables, as ``ip lab``."""

    table: str


class TableRemoved(Difference, frozen=True, tag="table-removed"):
    """A table of nftables is gone."""

    table: str


class TableSet(Difference, frozen=True, tag="table-set"):
    """A table with chains is ``dormant`` now, so the kernel asks none of them, or is not any more."""

    table: str
    dormant: bool


class ChainAdded(Difference, frozen=True, tag="chain-added"):
    """A chain; its rules are changes of their own."""

    chain: Chain


class ChainRemoved(Difference, frozen=True, tag="chain-removed"):
    """A chain is gone, and the rules in it with it."""

    chain: Chain


class ChainPolicyChanged(Difference, frozen=True, tag="chain-policy"):
    """Another policy."""

    chain: Chain
    before: str | None
    after: str | None


class SetAdded(Difference, frozen=True, tag="set-added"):
    """A named set or map; its elements are changes of their own."""

    own: NamedSet


class SetRemoved(Difference, frozen=True, tag="set-removed"):
    """A named set or map is gone, and the elements in it with it."""

    own: NamedSet


class SetElementAdded(Difference, frozen=True, tag="set-element-added"):
    """One element more of a named set or map; ``own`` is that without its elements."""

    own: NamedSet
    element: Element


class SetElementRemoved(Difference, frozen=True, tag="set-element-removed"):
    """One element less of a named set or map; ``own`` is that without its elements."""

    own: NamedSet
    element: Element


class RuleAdded(Difference, frozen=True, tag="rule-added"):
    """A rule, at this place of the chain as it is after; ``last`` when none stands behind it."""

    chain: Chain
    rule: Rule
    place: int
    last: bool = True


class RuleRemoved(Difference, frozen=True, tag="rule-removed"):
    """A rule that was at this place of the chain as it was before; ``last`` when none stood behind it."""

    chain: Chain
    rule: Rule
    place: int
    last: bool = True


class RuleChanged(Difference, frozen=True, tag="rule-changed"):
    """A rule was replaced, at this place of the chain as it is after."""

    chain: Chain
    before: Rule
    after: Rule
    place: int


class XtablesChanged(Difference, frozen=True, tag="xtables-changed"):
    """A table of the old iptables holds something else: its chains before and after, none where it was or is out of use."""

    table: str
    before: tuple[Chain, ...]
    after: tuple[Chain, ...]


FirewallChange = (
    TableAdded | TableRemoved | TableSet | SetAdded | SetRemoved | SetElementAdded | SetElementRemoved
    | ChainAdded | ChainRemoved | ChainPolicyChanged | RuleAdded | RuleRemoved | RuleChanged
)  # fmt: skip
"""Any change of nftables."""
