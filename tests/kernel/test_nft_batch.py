"""Writing rules: ``nft`` sees what was meant, a batch is all or nothing, and an error names the command and the kernel's reason."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from helpers.sandboxed import sandboxed, sh
from netless_lab.kernel import conntrack
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.netlink.socket import NETLINK_NETFILTER, NetlinkSocket
from netless_lab.kernel.nft import expressions as ex
from netless_lab.kernel.nft.batch import Batch, BatchError, Hook, table_names


@contextmanager
def batch() -> Iterator[Batch]:
    """A batch for our own namespace."""
    with Namespace.own() as own:
        opened = Batch(own)
        try:
            yield opened
        finally:
            opened.close()


RULES = {
    'ip saddr 10.0.0.0/24 oifname != "br0" counter masquerade comment "the way out"': (
        ex.saddr("10.0.0.0/24"), ex.oifname("br0", "!="), ex.counter(), ex.masquerade(),
    ),
    "ip saddr != 10.0.16.0/20 accept": (ex.saddr("10.0.16.0/20", "!="), ex.accept()),
    'iifname "eth*" counter': (ex.iifname("eth*"), ex.counter()),
    "ct state established,related accept": (ex.ct_state("established", "related"), ex.accept()),
    "meta l4proto icmp accept": (ex.l4proto("icmp"), ex.accept()),
    "tcp dport 80 accept": (ex.l4proto("tcp"), ex.port("dport", 80), ex.accept()),
    "meta nftrace set 1": (ex.trace(),),
    "ip saddr 0.0.0.0/0 accept": (ex.saddr("0.0.0.0/0"), ex.accept()),
}  # fmt: skip


@sandboxed
def test_rules_are_what_nft_would_have_made() -> None:
    """Each kind of piece is listed by nft in the words one would have typed."""
    with batch() as change:
        change.add_table("ip", "lab")
        change.add_chain("ip", "lab", "f", Hook("forward", priority=-5, policy="drop"))
        change.add_chain("ip", "lab", "post", Hook("postrouting", "nat", 100))
        for words, pieces in RULES.items():
            chain = "post" if "masquerade" in words else "f"
            change.add_rule("ip", "lab", chain, *pieces, comment="the way out" if "comment" in words else "")
        change.commit()
    listed = [line.strip() for line in sh("nft -s list ruleset").splitlines()]
    assert [words for words in RULES if words not in listed and not words.startswith("ip saddr 0.0.0.0")] == []
    assert "type filter hook forward priority filter - 5; policy drop;" in listed
    assert "type nat hook postrouting priority srcnat; policy accept;" in listed


@sandboxed
def test_other_families_get_the_protocol_matches_they_need() -> None:
    """In an inet table an IPv4 address is matched on IPv4 packets only; ip6 tables take IPv6."""
    with batch() as change:
        change.add_table("inet", "fw").add_chain("inet", "fw", "f", Hook("forward")).add_table("ip6", "six")
        change.add_chain("ip6", "six", "post", Hook("postrouting", "nat", 100))
        change.add_rule("inet", "fw", "f", ex.saddr("10.0.0.0/8", family="inet"), ex.accept())
        change.add_rule("inet", "fw", "f", ex.saddr("fd00::/7", "!=", "inet"), ex.accept())
        change.add_rule("ip6", "six", "post", ex.saddr("fd00::/64", family="ip6"), ex.masquerade())
        change.commit()
    listed = [line.strip() for line in sh("nft -s list ruleset").splitlines()]
    assert {"ip saddr 10.0.0.0/8 accept", "ip6 saddr != fc00::/7 accept", "ip6 saddr fd00::/64 masquerade"} <= set(listed)


@sandboxed
def test_a_batch_is_all_or_nothing_and_names_what_failed() -> None:
    """The error says which command and why; the table made before it in the batch is not there."""
    with batch() as change:
        change.add_table("ip", "lab").add_rule("ip", "lab", "nowhere", ex.saddr("10.0.0.0/24"), ex.accept())
        with pytest.raises(BatchError) as refused:
            change.commit()
        assert refused.value.errno == errno.ENOENT
        assert refused.value.command == "add rule ip lab nowhere ip saddr 10.0.0.0/24 accept" and "nowhere" in str(refused.value)
        assert sh("nft list ruleset") == "" and len(change) == 0
        change.add_table("ip", "lab").commit()
    assert sh("nft list tables") == "table ip lab\n"


@sandboxed
def test_a_rule_is_deleted_by_the_handle_that_commit_returned() -> None:
    """Handles come back in order, are those that nft shows, and delete exactly one rule."""
    with batch() as change:
        change.add_table("ip", "lab").add_chain("ip", "lab", "c")
        handles = change.add_rule("ip", "lab", "c", ex.accept()).add_rule("ip", "lab", "c", ex.counter()).commit()
        listed = sh("nft -a list chain ip lab c")
        assert f"accept # handle {handles[0]}\n" in listed and f"# handle {handles[1]}\n" in listed
        change.delete_rule("ip", "lab", "c", handles[0]).commit()
        assert "accept" not in sh("nft list ruleset") and "counter" in sh("nft list ruleset")
        change.flush_chain("ip", "lab", "c").delete_chain("ip", "lab", "c").commit()
        assert sh("nft list ruleset").split() == ["table", "ip", "lab", "{", "}"]


@sandboxed
def test_a_table_goes() -> None:
    """With all in it, if it is there."""
    with batch() as change, Namespace.own() as own:
        change.add_table("ip", "lab").add_chain("ip", "lab", "f", Hook("forward", policy="drop")).commit()
        assert "policy drop" in sh("nft list ruleset") and table_names(own) == (("ip", "lab"),)
        change.delete_table("ip", "lab").commit()
        assert sh("nft list ruleset") == "" and table_names(own) == ()
        with pytest.raises(BatchError, match="delete table ip lab"):
            change.delete_table("ip", "lab").commit()


def test_nonsense_is_refused_before_it_is_sent() -> None:
    """Wrong families, hooks and addresses raise ValueError with what would be right."""
    with Namespace.own() as own:
        change = Batch(own)
    try:
        with pytest.raises(ValueError, match="no family"):
            change.add_table("ipv4", "lab")
        with pytest.raises(ValueError, match="it has prerouting"):
            change.add_chain("ip", "lab", "c", Hook("postroute", "nat"))
        with pytest.raises(ValueError, match="family ip6"):
            ex.saddr("10.0.0.0/24", family="ip6")
        with pytest.raises(ValueError, match="not a device name"):
            ex.oifname("a-name-that-is-too-long")
    finally:
        change.close()


@sandboxed
def test_flushing_conntrack_forgets_every_flow() -> None:
    """A ping leaves an entry; after the flush conntrack(8) finds none."""
    sh("""ip link set lo up; nft 'add table ip t; add chain ip t c { type filter hook output priority 0; }'
        nft add rule ip t c ct state new accept; ping -c1 -W1 127.0.0.1""")
    assert "icmp" in sh("conntrack -L 2>/dev/null")
    with Namespace.own() as own, NetlinkSocket(own, NETLINK_NETFILTER) as opened:
        conntrack.flush(opened)
    assert sh("conntrack -L 2>/dev/null") == ""
