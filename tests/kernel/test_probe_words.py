"""How it is said what became of a packet. Pure."""

from __future__ import annotations

import errno

import pytest

from netless_lab.kernel.probe.failure import from_broadcast, from_errno

CODES = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPERM, errno.EINVAL, errno.EACCES, errno.EMSGSIZE, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.ENETDOWN, errno.EIO)


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.__getitem__)
def test_the_host_is_called_as_everywhere(code: int) -> None:
    """It has no name of its own, as containers have."""
    assert "the host" in from_errno(code, "host", "8.8.4.4").text
    told = from_errno(code, "c1", "8.8.4.4").text
    assert "c1" in told and "the c1" not in told


def test_a_broadcast_address_is_one_of_the_host() -> None:
    """The same where a packet was addressed to everybody."""
    assert "a subnet of the host" in from_broadcast("host", "10.0.0.255").text
