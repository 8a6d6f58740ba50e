"""Many interfaces that go at once."""

from __future__ import annotations

import os
import threading

import pytest

from helpers.sandboxed import sandboxed, sh
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.sweep import Sweep

pytestmark = pytest.mark.kernel
TOO_LARGE = 1 << 46
"""A stack that no address space holds: the kernel refuses the thread (mmap(2), ENOMEM)."""


@sandboxed
def test_nothing_stays_open_where_no_thread_can_be_started() -> None:
    """The caller is told, and has no more open files than before; the links are there (ip link)."""
    sh("ip link add a0 type bridge; ip link add a1 type bridge")
    indexes = [int(index) for index in sh("cat /sys/class/net/a0/ifindex /sys/class/net/a1/ifindex").split()]
    with Namespace.own() as own:
        before = os.listdir("/proc/self/fd")
        threading.stack_size(TOO_LARGE)
        try:
            with pytest.raises(RuntimeError, match="thread"):
                Sweep(own, indexes)
        finally:
            threading.stack_size(0)
        assert os.listdir("/proc/self/fd") == before and "a0" in sh("ip link")
        assert Sweep(own, indexes).wait() == () and "a0" not in sh("ip link")


@sandboxed
def test_more_than_one_message_holds_go_at_once() -> None:
    """Every one of many interfaces is gone at the end, and no other (ip link)."""
    sh("for i in $(seq 600); do echo link add q$i type veth peer name p$i; done | ip -batch -; ip link add name stays type bridge")
    indexes = [int(line.split(":")[0]) for line in sh("ip -o link").splitlines() if line.split()[1].startswith("q")]
    with Namespace.own() as own:
        assert len(indexes) == 600 and Sweep(own, indexes).wait() == ()
    assert [line.split()[1] for line in sh("ip -o link").splitlines()] == ["lo:", "stays:"]
